/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compares hv/core/insn_exec.c with the processor this program runs on.
 *
 * A generated instruction is decoded, its registers are chosen at random and then one address
 * component is moved so that the access falls into a buffer. A thunk in an executable page loads
 * flags and all sixteen registers, runs the instruction once and stores them again. Registers,
 * defined flags and the whole buffer must be what insn_exec says. Everything lies below 2 GiB, so
 * that 32-bit addresses reach it. Only 64-bit mode can be run this way, and no INS or OUTS: for
 * these and for 16-bit and 32-bit mode there are rows worked out from the manual. MOVBE is left out
 * where the processor lacks it.
 *
 * Usage: insn_exec_test [count [seed]]
 */
#define _GNU_SOURCE
#include "hv/core/insn_exec.h"
#include "tests/host/insn_gen.h"

#include <asm/prctl.h>
#include <cpuid.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BUFFER_SIZE 8192u
#define GS_BASE     0x12345000ull
#define RCX         1
#define RSI         6
#define RDI         7

enum { CF = 1 << 0, PF = 1 << 2, AF = 1 << 4, ZF = 1 << 6, SF = 1 << 7, DF = 1 << 10, OF = 1 << 11 };
#define STATUS_FLAGS ((uint64_t)(CF | PF | AF | ZF | SF | OF))

/* What the thunk reads and writes, at the start of the page after the code page. */
struct context {
    uint64_t in[16];
    uint64_t out[16];
    uint64_t flags_in;
    uint64_t flags_out;
    uint64_t host_rsp;
};

struct machine {
    uint8_t *code;
    struct context *context;
    uint8_t *buffer;
    uint8_t image[BUFFER_SIZE]; /* the buffer as insn_exec leaves it */
    uint64_t seg_base[INSN_SEG_COUNT];
    uint64_t *seed;
    bool has_movbe;
};

struct emitter {
    uint8_t *at;
    const struct context *context;
};

static uint8_t current[INSN_GEN_MAX];

static void emit(struct emitter *e, const void *bytes, size_t count)
{
    memcpy(e->at, bytes, count);
    e->at += count;
}

/* opcode modrm(reg, RIP-relative) disp32, with REX.W where asked. */
static void emit_rip(struct emitter *e, bool wide, uint8_t opcode, unsigned reg, const void *target)
{
    if (wide)
        *e->at++ = (uint8_t)(0x48 | (reg & 8) >> 1);
    *e->at++ = opcode;
    *e->at++ = (uint8_t)(0x05 | (reg & 7) << 3);
    const int32_t disp = (int32_t)((intptr_t)target - (intptr_t)e->at - 4);
    emit(e, &disp, 4);
}

static void emit_head(struct emitter *e)
{
    static const uint8_t push_callee_saved[] = {0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57};

    emit(e, push_callee_saved, sizeof push_callee_saved);
    emit_rip(e, true, 0x89, 4, &e->context->host_rsp);
    emit_rip(e, false, 0xff, 6, &e->context->flags_in); /* push m64 */
    emit(e, "\x9d", 1);                                 /* popf */
    for (unsigned i = 0; i < 16; i++)
        emit_rip(e, true, 0x8b, i, &e->context->in[i]);
}

static void emit_tail(struct emitter *e)
{
    static const uint8_t pop_and_return[] = {0xfc, 0x41, 0x5f, 0x41, 0x5e, 0x41,
                                             0x5d, 0x41, 0x5c, 0x5d, 0x5b, 0xc3}; /* cld first */

    for (unsigned i = 0; i < 16; i++)
        emit_rip(e, true, 0x89, i, &e->context->out[i]);
    emit_rip(e, true, 0x8b, 4, &e->context->host_rsp);
    emit(e, "\x9c", 1);                                  /* pushf */
    emit_rip(e, false, 0x8f, 0, &e->context->flags_out); /* pop m64 */
    emit(e, pop_and_return, sizeof pop_and_return);
}

/* Address of the instruction under test; it is always at the same place. */
static uint8_t *slot(const struct machine *m)
{
    struct emitter e = {m->code, m->context};

    emit_head(&e);
    return e.at;
}

static void run(const struct machine *m, const uint8_t *bytes, size_t len)
{
    struct emitter e = {m->code, m->context};
    void (*thunk)(void);

    emit_head(&e);
    emit(&e, bytes, len);
    emit_tail(&e);
    memcpy(&thunk, &m->code, sizeof thunk);
    thunk();
}

static void show_current(const char *what)
{
    printf("%s:", what);
    for (size_t i = 0; i < INSN_MAX_LEN; i++)
        printf(" %02x", current[i]);
    printf("\n");
}

static void on_fault(int signal)
{
    show_current(signal == SIGILL ? "illegal instruction" : "access outside the buffer");
    printf("FAIL insn_exec_test: the processor faulted\n0 passed, 1 failed\n");
    fflush(stdout);
    _exit(1);
}

/* Finds the displacement by changing bytes until the decoder reports it. */
static bool patch_disp(uint8_t *bytes, struct insn *insn, uint64_t disp)
{
    const unsigned width =
        insn->addr_size == 8 && insn->base == INSN_REG_NONE && (insn->op == INSN_MOV && insn->len >= 9) ? 8
                                                                                                        : 4;

    for (unsigned w = width; w >= 4; w -= 4) {
        for (unsigned at = 1; at + w <= insn->len; at++) {
            uint8_t trial[INSN_GEN_MAX];
            struct insn other;
            memcpy(trial, bytes, sizeof trial);
            memcpy(trial + at, &disp, w);
            if (insn_decode(trial, sizeof trial, INSN_MODE_64, &other) == INSN_OK &&
                ((other.disp ^ disp) & 0xffffffff) == 0 && other.len == insn->len && other.op == insn->op &&
                other.imm == insn->imm && other.base == insn->base && other.index == insn->index &&
                other.reg == insn->reg) {
                memcpy(bytes, trial, sizeof trial);
                *insn = other;
                return true;
            }
        }
    }
    return false;
}

static uint64_t pick_target(struct machine *m, const struct insn *insn)
{
    const uint64_t middle = (uint64_t)(uintptr_t)m->buffer + BUFFER_SIZE / 2;
    const bool locked = insn->lock || insn->op == INSN_XCHG;

    return middle + (locked ? 0 : gen_below(m->seed, 64)); /* a split lock may be an error */
}

/* Moves the memory operand of a random instruction into the buffer; false if it has no way to. */
static bool aim(struct machine *m, uint8_t *bytes, struct insn *insn, uint64_t gpr[16])
{
    const bool by_bits = insn->op >= INSN_BT && insn->op <= INSN_BTC && !insn->has_imm;
    const uint64_t next = (uint64_t)(uintptr_t)slot(m) + insn->len;
    const uint64_t target = pick_target(m, insn);

    if (by_bits) { /* within +-1 KiB */
        const uint64_t noise = gen_next(m->seed);
        const uint64_t bit = (noise & 0x1fff) - 0x1000;
        const uint64_t keep = insn->regsize == 2 ? ~0xffffull : insn->regsize == 4 ? ~0xffffffffull : 0;
        gpr[insn->reg] = (gpr[insn->reg] & keep) | (bit & ~keep);
    }
    const uint64_t delta = target - insn_exec_address(insn, gpr, m->seg_base, next);
    if (insn->base < 16) {
        gpr[insn->base] += delta;
    } else if (!patch_disp(bytes, insn, insn->disp + delta)) {
        return false;
    }
    /* Not reached if one register has two roles or a displacement would need more bits. */
    return insn_exec_address(insn, gpr, m->seg_base, next) == target;
}

/* The bits above the operand are set: insn_exec must not look at them. */
static uint64_t load(const uint8_t *image, uint64_t offset, unsigned size)
{
    uint64_t value = ~0ull;

    memcpy(&value, image + offset, size);
    return value;
}

static uint64_t buffer_offset(const struct machine *m, uint64_t address)
{
    const uint64_t offset = address - (uint64_t)(uintptr_t)m->buffer;

    if (offset > BUFFER_SIZE - 8) {
        show_current("insn_exec gives an address outside the buffer");
        exit(1);
    }
    return offset;
}

static void model_simple(struct machine *m, const struct insn *insn, uint64_t gpr[16], uint64_t *rflags)
{
    const uint64_t next = (uint64_t)(uintptr_t)slot(m) + insn->len;
    const uint64_t at = buffer_offset(m, insn_exec_address(insn, gpr, m->seg_base, next));
    uint64_t value;

    if (insn->is_read) {
        value = insn_exec_read(insn, load(m->image, at, insn->opsize), gpr, rflags);
    } else {
        value = insn_exec_store(insn, gpr);
    }
    if (insn->is_write)
        memcpy(m->image + at, &value, insn->opsize);
}

static void model_string(struct machine *m, const struct insn *insn, uint64_t gpr[16], uint64_t *rflags)
{
    bool more = true;

    while (more) {
        const struct insn_step step = insn_exec_step(insn, gpr, m->seg_base);
        uint64_t src = 0;
        uint64_t dst = 0;
        if (step.done)
            return;
        if (step.read_src)
            src = load(m->image, buffer_offset(m, step.src), insn->opsize);
        if (step.read_dst)
            dst = load(m->image, buffer_offset(m, step.dst), insn->opsize);
        if (step.write_dst) {
            const uint64_t value = insn->op == INSN_MOVS ? src : step.value;
            memcpy(m->image + buffer_offset(m, step.dst), &value, insn->opsize);
        }
        more = insn_exec_step_end(insn, src, dst, gpr, rflags);
    }
}

static void aim_string(struct machine *m, const struct insn *insn, uint64_t gpr[16])
{
    const uint64_t keep = insn->addr_size == 4 ? ~0xffffffffull : 0;
    const uint64_t base = (uint64_t)(uintptr_t)m->buffer;
    const unsigned count = gen_below(m->seed, 8);

    /* What a count of zero does to the upper halves with 32-bit addresses differs between vendors.
     */
    gpr[RCX] = count == 0 ? 0 : (gpr[RCX] & keep) | count;
    gpr[RSI] = (gpr[RSI] & keep) | (base + 1024 + gen_below(m->seed, 2048));
    gpr[RDI] = (gpr[RDI] & keep) | (base + 1024 + gen_below(m->seed, 2048));
    if (insn->seg == INSN_GS)
        gpr[RSI] -= GS_BASE;
    if (insn->addr_size == 4 && count == 0 && insn->rep != INSN_REP_NONE) {
        gpr[RSI] &= 0xffffffff;
        gpr[RDI] &= 0xffffffff;
    }
}

/* Long runs of equal bytes let REPE and REPNE go past the first iteration. */
static void fill(struct machine *m)
{
    const bool dull = gen_below(m->seed, 2);

    for (size_t i = 0; i < BUFFER_SIZE; i += 8) {
        const uint64_t value = dull && gen_below(m->seed, 16) != 0 ? 0 : gen_next(m->seed);
        memcpy(m->buffer + i, &value, 8);
    }
    memcpy(m->image, m->buffer, BUFFER_SIZE);
}

/* Random values, often with small or extreme operands, and often equal to what a CMPXCHG will find.
 */
static void pick_registers(struct machine *m, uint64_t gpr[16])
{
    static const uint64_t notable[] = {0,
                                       1,
                                       0x7f,
                                       0x80,
                                       0xff,
                                       0x7fff,
                                       0x8000,
                                       0xffff,
                                       0x7fffffff,
                                       0x80000000,
                                       0xffffffff,
                                       0x7fffffffffffffff,
                                       0x8000000000000000,
                                       0xffffffffffffffff};

    for (unsigned i = 0; i < 16; i++) {
        gpr[i] = gen_below(m->seed, 3) != 0 ? gen_next(m->seed)
                                            : notable[gen_below(m->seed, sizeof notable / sizeof *notable)];
    }
}

static uint64_t defined_flags(const struct insn *insn)
{
    switch ((int)insn->op) {
    case INSN_AND:
    case INSN_OR:
    case INSN_XOR:
    case INSN_TEST:
        return STATUS_FLAGS & ~(uint64_t)AF;
    case INSN_BT:
    case INSN_BTS:
    case INSN_BTR:
    case INSN_BTC:
        return CF | ZF;
    default:
        return STATUS_FLAGS;
    }
}

static const char *compare(const struct machine *m, const struct insn *insn, const uint64_t gpr[16],
                           uint64_t rflags)
{
    static char text[120];

    for (unsigned i = 0; i < 16; i++) {
        if (gpr[i] != m->context->out[i]) {
            snprintf(text, sizeof text, "register %u: computed %llx, processor %llx", i,
                     (unsigned long long)gpr[i], (unsigned long long)m->context->out[i]);
            return text;
        }
    }
    if (((rflags ^ m->context->flags_out) & (defined_flags(insn) | DF)) != 0) {
        snprintf(text, sizeof text, "flags: computed %llx, processor %llx", (unsigned long long)rflags,
                 (unsigned long long)m->context->flags_out);
        return text;
    }
    for (unsigned i = 0; i < BUFFER_SIZE; i++) {
        if (m->image[i] != m->buffer[i]) {
            snprintf(text, sizeof text, "buffer + %u: computed %02x, processor %02x", i, m->image[i],
                     m->buffer[i]);
            return text;
        }
    }
    return NULL;
}

static bool can_run(const struct machine *m, const struct insn *insn)
{
    return insn->op != INSN_INS && insn->op != INSN_OUTS && insn->seg != INSN_FS &&
           (insn->op != INSN_MOVBE || m->has_movbe);
}

/* One case; false if the generated bytes cannot be used. */
static bool try_case(struct machine *m, struct insn *insn, const char **failure)
{
    uint64_t gpr[16];
    uint64_t rflags = 0x202 | (gen_next(m->seed) & (STATUS_FLAGS | DF));

    gen_insn(m->seed, current);
    if (insn_decode(current, sizeof current, INSN_MODE_64, insn) != INSN_OK || !can_run(m, insn))
        return false;
    pick_registers(m, gpr);
    if (insn_is_string(insn)) {
        aim_string(m, insn, gpr);
    } else if (!aim(m, current, insn, gpr)) {
        return false;
    }
    fill(m);
    if (insn->op == INSN_CMPXCHG && gen_below(m->seed, 2)) {
        const uint64_t at = buffer_offset(
            m, insn_exec_address(insn, gpr, m->seg_base, (uint64_t)(uintptr_t)slot(m) + insn->len));
        memcpy(m->buffer + at, &gpr[0], insn->opsize);
        memcpy(m->image + at, &gpr[0], insn->opsize);
    }
    memcpy(m->context->in, gpr, sizeof gpr);
    m->context->flags_in = rflags;
    run(m, current, insn->len);
    if (insn_is_string(insn)) {
        model_string(m, insn, gpr, &rflags);
    } else {
        model_simple(m, insn, gpr, &rflags);
    }
    *failure = compare(m, insn, gpr, rflags);
    return true;
}

static bool set_up(struct machine *m)
{
    uint32_t a, b, c, d;
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_ONSTACK};
    static uint8_t signal_stack[65536];
    const stack_t stack = {.ss_sp = signal_stack, .ss_size = sizeof signal_stack};
    uint8_t *memory = mmap(NULL, 4096 * 2 + BUFFER_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

    if (memory == MAP_FAILED || syscall(SYS_arch_prctl, ARCH_SET_GS, GS_BASE) != 0 ||
        sigaltstack(&stack, NULL) != 0 || sigaction(SIGSEGV, &action, NULL) != 0 ||
        sigaction(SIGBUS, &action, NULL) != 0 || sigaction(SIGILL, &action, NULL) != 0) {
        return false;
    }
    m->code = memory;
    m->context = (struct context *)(void *)(memory + 4096);
    m->buffer = memory + 4096 * 2;
    /* Leftovers that 64-bit mode must not look at; GS is real. */
    for (unsigned i = 0; i < INSN_SEG_COUNT; i++)
        m->seg_base[i] = 0x5000 * (i + 1);
    m->seg_base[INSN_GS] = GS_BASE;
    m->has_movbe = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_MOVBE);
    return true;
}

static unsigned long random_cases(struct machine *m, unsigned long total, unsigned *failures)
{
    unsigned long per_op[INSN_OP_COUNT] = {0};
    unsigned long done = 0;

    while (done < total && *failures < 20) {
        const char *failure = NULL;
        struct insn insn;
        if (!try_case(m, &insn, &failure))
            continue;
        done++;
        per_op[insn.op]++;
        if (failure != NULL) {
            show_current(failure);
            (*failures)++;
        }
    }
    for (int op = INSN_ADD; op < INSN_INS; op++) {
        const bool expected = op != INSN_MOVBE || m->has_movbe;
        if (total >= 20000 && expected && per_op[op] < 20) {
            printf("operation %d came up only %lu times\n", op, per_op[op]);
            (*failures)++;
        }
    }
    return done;
}

int main(int argc, char **argv)
{
    static struct machine m;
    const unsigned long total = argc > 1 ? strtoul(argv[1], NULL, 0) : 100000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    unsigned failures = 0;

    m.seed = &seed;
    if (!set_up(&m)) {
        printf("FAIL insn_exec_test: cannot map executable memory or set GS\n0 passed, 1 failed\n");
        return 1;
    }
    const unsigned long done = random_cases(&m, total, &failures);
    printf("%s insn_exec_test: %lu cases on the processor%s, %u failures\n", failures == 0 ? "PASS" : "FAIL",
           done, m.has_movbe ? "" : " (no MOVBE)", failures);
    printf("%d passed, %d failed\n", failures == 0, failures != 0);
    return failures != 0;
}
