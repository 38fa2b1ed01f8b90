/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counting module for the Bochs variant "bench": what a VM exit costs, exact to the instruction.
 *
 * A record opens at a VM exit and closes before the first guest instruction after VM entry. It
 * holds the number of instructions in root mode (an iteration of a REP instruction counts as one,
 * as in the emulator's TSC) and among them VMREAD, VMWRITE, RDMSR, WRMSR and locked ones (LOCK
 * prefix, or XCHG with memory). Records are collected by (CPU, label, basic exit reason). A guest
 * sets the label of its CPU by a PREFETCH of LABEL_BASE + 64 * label; a prefetch outside a guest
 * writes a mark. What a CPU does between two settings of its label is an operation. Everything
 * that happened before the image's entry point is left out. Order: bx_instr_initialize per CPU,
 * callbacks, report at exit of the process. One thread, so no lock.
 * Environment: SBX_BENCH_OUT (report), SBX_BENCH_ENTRY (address of the image's first instruction,
 * hexadecimal), SBX_BENCH_TRACE ("LABEL:N:FILE": the root-mode instructions of a label's Nth
 * operation go to FILE, one line of CPU number and address each).
 */
#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

#include "bochs.h"
#include "cpu/cpu.h"
#include "cpu/decoder/ia_opcodes.h"
#include "pc_system.h"

namespace
{

const Bit64u LABEL_BASE = 0x5b1a0000;
const unsigned LABEL_COUNT = 1024;
const unsigned LABEL_STRIDE = 64;
const size_t SAMPLES_PER_KEY = 1000000; /* records beyond are counted but no longer sampled */
const Bit32u MULTIBOOT1_MAGIC = 0x2badb002;
const Bit32u MULTIBOOT2_MAGIC = 0x36d76289;

enum { INSTRUCTIONS, VMREAD, VMWRITE, RDMSR, WRMSR, LOCK, COUNTERS };

struct Sample {
    Bit32u count[COUNTERS];
};

struct Records {
    Bit64u total = 0;
    std::vector<Sample> samples;
};

struct LabelTotals {
    Bit64u set = 0;   /* how often a guest set it */
    Bit64u exits = 0; /* VM exits while it was set */
    Bit64u guest = 0; /* guest instructions while it was set */
    Bit64u root = 0;  /* root-mode instructions of those exits */
};

/* What a CPU did between two settings of its label. */
struct Operation {
    Bit32u exits = 0;
    Bit32u count[COUNTERS] = {};
};

struct Mark {
    unsigned cpu, label;
    Bit64u icount, all, ticks;
    const char *name;
};

struct Cpu {
    bool open = false;      /* a record is open */
    bool based = false;     /* its first root-mode instruction has been seen */
    bool was_guest = false; /* mode of the instruction before */
    bool entered = false;   /* has executed a guest instruction */
    unsigned reason = 0, label = 0;
    Bit64u base = 0; /* icount at the first root-mode instruction of the record */
    Bit64u guest_base =
        0; /* icount at the first guest instruction since entry or change of label */
    Bit64u entry_icount = 0; /* icount when the image started */
    Bit64u masked_base =
        0; /* icount at the first root-mode instruction with IF = 0 of the present stretch */
    Bit64u masked_worst = 0;
    bool masked = false;
    Bit32u count[COUNTERS] = {};
    Operation operation;
};

typedef std::tuple<unsigned, unsigned, unsigned> Key; /* CPU, label, reason */

std::vector<Cpu> cpus;
std::map<Key, Records> records;
std::map<std::pair<unsigned, unsigned>, LabelTotals> labels;
std::map<std::pair<unsigned, unsigned>, std::vector<Operation>> operations; /* CPU, label */
std::vector<Mark> marks;
FILE *trace; /* NULL: nothing is traced */
unsigned trace_label;
Bit64u trace_number;
bool started; /* the image has been entered */
Bit64u entry_address, entry_ticks;

void add_mark(unsigned cpu, unsigned label, const char *name)
{
    Mark mark = {cpu,
                 label,
                 BX_CPU(cpu)->get_icount() - cpus[cpu].entry_icount,
                 0,
                 bx_pc_system.time_ticks() - entry_ticks,
                 name};

    for (size_t i = 0; i < cpus.size(); i++)
        mark.all += BX_CPU(i)->get_icount() - cpus[i].entry_icount;
    marks.push_back(mark);
}

/* GRUB and QEMU pass the magic number in EAX; nothing before the image runs above 1 MiB with it by
 * chance. */
void look_for_entry(unsigned cpu)
{
    Bit32u eax = BX_CPU(cpu)->get_reg32(BX_32BIT_REG_EAX);

    if (eax != MULTIBOOT1_MAGIC && eax != MULTIBOOT2_MAGIC)
        return;
    if (entry_address && BX_CPU(cpu)->get_instruction_pointer() != entry_address)
        return;
    started = true;
    entry_ticks = bx_pc_system.time_ticks();
    for (size_t i = 0; i < cpus.size(); i++)
        cpus[i].entry_icount = BX_CPU(i)->get_icount();
    add_mark(cpu, 0, "entry");
}

void count_special(Cpu &state, const bxInstruction_c *i)
{
    switch (i->getIaOpcode()) {
    case BX_IA_VMREAD_EdGd:
    case BX_IA_VMREAD_EqGq:
        state.count[VMREAD]++;
        break;
    case BX_IA_VMWRITE_GdEd:
    case BX_IA_VMWRITE_GqEq:
        state.count[VMWRITE]++;
        break;
    case BX_IA_RDMSR:
        state.count[RDMSR]++;
        break;
    case BX_IA_WRMSR:
        state.count[WRMSR]++;
        break;
    case BX_IA_XCHG_EbGb:
    case BX_IA_XCHG_EwGw:
    case BX_IA_XCHG_EdGd:
    case BX_IA_XCHG_EqGq:
        state.count[LOCK] += !i->modC0(); /* with memory it locks with or without the prefix */
        break;
    default:
        state.count[LOCK] += i->getLock();
    }
}

void open_record(Cpu &state, unsigned reason)
{
    state.open = true;
    state.based = false;
    state.reason = reason;
    std::fill(state.count, state.count + COUNTERS, 0);
}

void close_record(unsigned cpu, Cpu &state)
{
    Records &to = records[Key(cpu, state.label, state.reason)];
    LabelTotals &total = labels[{cpu, state.label}];

    state.count[INSTRUCTIONS] = state.based ? (Bit32u)(BX_CPU(cpu)->get_icount() - state.base) : 0;
    state.open = false;
    to.total++;
    state.operation.exits++;
    for (unsigned i = 0; i < COUNTERS; i++)
        state.operation.count[i] += state.count[i];
    total.exits++;
    total.root += state.count[INSTRUCTIONS];
    if (to.samples.size() < SAMPLES_PER_KEY) {
        Sample sample;

        std::copy(state.count, state.count + COUNTERS, sample.count);
        to.samples.push_back(sample);
    }
}

void end_operation(unsigned cpu, Cpu &state)
{
    std::vector<Operation> &to = operations[{cpu, state.label}];

    if (to.size() < SAMPLES_PER_KEY)
        to.push_back(state.operation);
    state.operation = Operation();
}

void end_masked_stretch(Cpu &state, Bit64u icount)
{
    if (state.masked)
        state.masked_worst = std::max(state.masked_worst, icount - state.masked_base);
    state.masked = false;
}

void guest_instruction(unsigned cpu, Cpu &state, Bit64u icount)
{
    if (!state.was_guest) {
        state.was_guest = true;
        state.guest_base = icount;
        end_masked_stretch(state, icount);
        if (state.open)
            close_record(cpu, state);
    }
    if (!state.entered) {
        state.entered = true;
        add_mark(cpu, state.label, "first_guest");
    }
}

void root_instruction(unsigned cpu, Cpu &state, Bit64u icount, bool interrupts, const bxInstruction_c *i)
{
    if (interrupts) {
        end_masked_stretch(state, icount);
    } else if (!state.masked) {
        state.masked = true;
        state.masked_base = icount;
    }
    if (!state.open)
        return;
    if (!state.based) {
        state.based = true;
        state.base = icount;
    }
    count_special(state, i);
    if (trace && state.label == trace_label && labels[{cpu, state.label}].set == trace_number)
        fprintf(trace, "%u " FMT_LL "x\n", cpu, (Bit64u)BX_CPU(cpu)->get_instruction_pointer());
}

void count_guest_instructions(unsigned cpu, Cpu &state)
{
    Bit64u icount = BX_CPU(cpu)->get_icount();

    if (state.was_guest)
        labels[{cpu, state.label}].guest += icount - state.guest_base;
    state.guest_base = icount;
}

Bit32u pick(const std::vector<Sample> &samples, unsigned counter, double where)
{
    std::vector<Bit32u> values;

    for (const Sample &s : samples)
        values.push_back(counter == COUNTERS ? s.count[VMREAD] + s.count[VMWRITE]
                                             : s.count[counter]);
    size_t at = (size_t)((double)(values.size() - 1) * where);
    std::nth_element(values.begin(), values.begin() + (long)at, values.end());
    return values[at];
}

void write_exits(FILE *out)
{
    const char *comma = "";

    for (const auto &entry : records) {
        const std::vector<Sample> &s = entry.second.samples;

        fprintf(out,
                "%s\n  {\"cpu\": %u, \"label\": %u, \"reason\": %u, \"count\": " FMT_LL
                "u, \"min\": %u, \"median\": %u, "
                "\"worst\": %u, \"vmcs\": %u, \"locks\": %u, \"vmread\": %u, \"vmwrite\": %u, "
                "\"rdmsr\": %u, "
                "\"wrmsr\": %u}",
                comma, std::get<0>(entry.first), std::get<1>(entry.first), std::get<2>(entry.first),
                entry.second.total, pick(s, INSTRUCTIONS, 0), pick(s, INSTRUCTIONS, 0.5),
                pick(s, INSTRUCTIONS, 1), pick(s, COUNTERS, 0.5), pick(s, LOCK, 0.5),
                pick(s, VMREAD, 0.5), pick(s, VMWRITE, 0.5), pick(s, RDMSR, 0.5),
                pick(s, WRMSR, 0.5));
        comma = ",";
    }
}

void write_labels(FILE *out)
{
    const char *comma = "";

    for (const auto &entry : labels) {
        const LabelTotals &t = entry.second;

        fprintf(out,
                "%s\n  {\"cpu\": %u, \"label\": %u, \"set\": " FMT_LL "u, \"exits\": " FMT_LL
                "u, \"guest_instructions\": " FMT_LL "u, \"root_instructions\": " FMT_LL "u}",
                comma, entry.first.first, entry.first.second, t.set, t.exits, t.guest, t.root);
        comma = ",";
    }
}

/* The median and the worst by instructions; the other counters are their own medians. */
void write_operations(FILE *out)
{
    const char *comma = "";

    for (const auto &entry : operations) {
        std::vector<Sample> samples;
        std::vector<Bit32u> exits;

        for (const Operation &o : entry.second) {
            Sample sample;

            std::copy(o.count, o.count + COUNTERS, sample.count);
            samples.push_back(sample);
            exits.push_back(o.exits);
        }
        std::nth_element(exits.begin(), exits.begin() + (long)(exits.size() / 2), exits.end());
        fprintf(out,
                "%s\n  {\"cpu\": %u, \"label\": %u, \"count\": %u, \"exits\": %u, \"median\": %u, "
                "\"worst\": %u, \"vmcs\": %u, \"locks\": %u, \"rdmsr\": %u, \"wrmsr\": %u}",
                comma, entry.first.first, entry.first.second, (unsigned)samples.size(),
                exits[exits.size() / 2], pick(samples, INSTRUCTIONS, 0.5),
                pick(samples, INSTRUCTIONS, 1), pick(samples, COUNTERS, 0.5),
                pick(samples, LOCK, 0.5), pick(samples, RDMSR, 0.5), pick(samples, WRMSR, 0.5));
        comma = ",";
    }
}

void write_report()
{
    const char *path = getenv("SBX_BENCH_OUT");
    FILE *out = path ? fopen(path, "w") : NULL;
    const char *comma = "";

    if (!out)
        return;
    for (size_t i = 0; started && i < cpus.size(); i++)
        count_guest_instructions((unsigned)i, cpus[i]);
    fprintf(out, "{\"marks\": [");
    for (const Mark &m : marks) {
        fprintf(out,
                "%s\n  {\"cpu\": %u, \"label\": %u, \"name\": \"%s\", \"icount\": " FMT_LL
                "u, \"icount_all\": " FMT_LL "u, \"ticks\": " FMT_LL "u}",
                comma, m.cpu, m.label, m.name, m.icount, m.all, m.ticks);
        comma = ",";
    }
    fprintf(out, "],\n \"exits\": [");
    write_exits(out);
    fprintf(out, "],\n \"labels\": [");
    write_labels(out);
    fprintf(out, "],\n \"operations\": [");
    write_operations(out);
    fprintf(out, "],\n \"interrupts_off\": [");
    for (size_t i = 0; i < cpus.size(); i++)
        fprintf(out, "%s\n  {\"cpu\": %u, \"worst\": " FMT_LL "u}", i ? "," : "", (unsigned)i,
                cpus[i].masked_worst);
    fprintf(out, "]}\n");
    fclose(out);
}

void start_trace()
{
    const char *wanted = getenv("SBX_BENCH_TRACE");
    char path[1024];

    if (wanted && sscanf(wanted, "%u:" FMT_LL "u:%1023s", &trace_label, &trace_number, path) == 3)
        trace = fopen(path, "w");
}

} // namespace

void bx_instr_init_env(void)
{
}

void bx_instr_exit_env(void)
{
}

void bx_instr_initialize(unsigned cpu)
{
    if (cpus.empty()) {
        const char *entry = getenv("SBX_BENCH_ENTRY");

        entry_address = entry ? strtoull(entry, NULL, 16) : 0;
        cpus.resize(BX_SMP_PROCESSORS);
        start_trace();
        atexit(write_report);
    }
    UNUSED(cpu);
}

void bx_instr_before_execution(unsigned cpu, bxInstruction_c *i)
{
    BX_CPU_C *processor = BX_CPU(cpu);
    Cpu &state = cpus[cpu];

    if (!started) {
        look_for_entry(cpu);
        if (!started)
            return;
    }
    if (processor->in_vmx_guest)
        guest_instruction(cpu, state, processor->get_icount());
    else if (state.entered)
        root_instruction(cpu, state, processor->get_icount(), processor->get_IF() != 0, i);
}

/* An exit that comes before the guest executed anything ends the record that led to its entry. */
void bx_instr_vmexit(unsigned cpu, Bit32u reason, Bit64u qualification)
{
    Cpu &state = cpus[cpu];

    UNUSED(qualification);
    if (!started)
        return;
    if (state.open)
        close_record(cpu, state);
    count_guest_instructions(cpu, state);
    state.was_guest = false;
    open_record(state, reason & 0xffff);
}

void bx_instr_prefetch_hint(unsigned cpu, unsigned what, unsigned seg, bx_address offset)
{
    Bit64u distance = offset - LABEL_BASE;

    UNUSED(what);
    UNUSED(seg);
    if (!started || distance >= LABEL_COUNT * LABEL_STRIDE || distance % LABEL_STRIDE)
        return;
    unsigned label = (unsigned)(distance / LABEL_STRIDE);
    if (BX_CPU(cpu)->in_vmx_guest) {
        count_guest_instructions(cpu, cpus[cpu]);
        end_operation(cpu, cpus[cpu]);
        cpus[cpu].label = label;
        labels[{cpu, label}].set++;
    } else {
        add_mark(cpu, label, "mark");
    }
}
