/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Emulation of one instruction, or of one iteration of a string instruction, whose access found no memory.
 *
 * The instruction is fetched through the guest's page tables and decoded (insn_decode.c); run() performs its
 * accesses in order. Each access goes to memory, to nothing (reads all ones, swallows writes), or, in a
 * claimed range, to the manager. A service cannot be waited for here: run() is left, and started again from
 * the beginning when the answer has come, with the answers so far at hand, so that it takes the same way a
 * step further. Nothing of the vCPU changes before the last access is answered, and no instruction has more
 * than two.
 *
 * What cannot be decoded, or crosses from one page into one of another kind, goes to the manager with its
 * bytes (HV_EXIT_DECODE), never a guess.
 */
#include "hv/exit/emulate.h"

#include <string.h>

#include "arch/cpu/insn.h"
#include "arch/cpu/msr.h"
#include "arch/cpu/vectors.h"
#include "arch/vmx/guest_cr.h"
#include "arch/vmx/guest_state.h"
#include "hv/core/claims.h"
#include "hv/core/frame.h"
#include "hv/core/gmem.h"
#include "hv/core/guest_walk.h"
#include "hv/core/insn_exec.h"
#include "hv/core/service.h"
#include "hv/exit/apic.h"
#include "hv/exit/exit.h"
#include "hv/irqchip/irqchip.h"
#include "hv/route/doorbell.h"

/* What became of an access. */
enum access {
    ACCESS_DONE,
    ACCESS_WAITS,   /* a service has been submitted */
    ACCESS_FAULTED, /* the guest got a fault */
    ACCESS_FOREIGN, /* not ours to complete: to the manager with the bytes */
};

struct cpu_view {
    uint64_t *gpr;                 /* of the vCPU, RSP among them; or `copy`, while they must not change */
    uint64_t base[INSN_SEG_COUNT]; /* of those that the instruction uses */
    uint64_t rsp, rflags, rip;
    struct guest_walk walk; /* walk_of */
    uint64_t pdpte[4];
    uint64_t copy[GPR_COUNT];
};

static bool read_table(void *ctx, uint64_t gpa, void *out, unsigned len)
{
    return gmem_read(ctx, gpa, out, len) == 0;
}

static inline void view_init(struct vcpu *v, struct cpu_view *w)
{
    w->gpr = v->vmx.gprs.by_index;
    w->gpr[RSP] = w->rsp = guest_rsp();
    w->rflags = guest_rflags();
    w->rip = guest_rip();
    w->walk.read = NULL;
}

/* Most instructions need it for their bytes only, those that are run again not at all. */
static const struct guest_walk *walk_of(struct vcpu *v, struct cpu_view *w)
{
    if (w->walk.read)
        return &w->walk;
    uint64_t cr4 = guest_cr_cr4();
    w->walk = (struct guest_walk){.cr0 = guest_cr_cr0(),
                                  .cr3 = guest_cr3(),
                                  .cr4 = cr4,
                                  .efer = guest_efer(),
                                  .rflags = w->rflags,
                                  .user = guest_cpl() == 3,
                                  .pdpte = w->pdpte,
                                  .phys_bits = v->domain->phys_bits,
                                  .pkru = cr4 & CR4_PKE ? rdpkru() : 0,
                                  .read = read_table,
                                  .ctx = v->domain};
    if ((cr4 & CR4_PAE) && !(w->walk.efer & EFER_LMA))
        guest_pdptes(w->pdpte);
    return &w->walk;
}

static inline bool is_64(const struct vcpu *v)
{
    return v->emulation.insn.mode == INSN_MODE_64;
}

static inline void need_base(const struct vcpu *v, struct cpu_view *w, unsigned segment)
{
    if (!is_64(v) || segment >= INSN_FS)
        w->base[segment] = guest_segment_base(segment);
}

/* Linear to guest-physical; raises the guest's #PF when its tables refuse. */
static enum access translate(struct vcpu *v, struct cpu_view *w, uint64_t linear, enum guest_access kind,
                             uint64_t *gpa)
{
    const struct vcpu_emulation *e = &v->emulation;
    if (linear == e->linear && (kind == GUEST_READ || e->write)) {
        *gpa = e->gpa; /* as the processor has translated it */
        return ACCESS_DONE;
    }
    struct guest_walk_result r = guest_walk(walk_of(v, w), linear, kind);
    if (r.ok) {
        *gpa = r.gpa;
        return ACCESS_DONE;
    }
    if (r.unreadable)
        return ACCESS_FOREIGN;
    write_cr2(linear);
    exit_inject(v, VECTOR_PF, r.error_code);
    return ACCESS_FAULTED;
}

/*
 * An access to a claimed range: the recorded answer when the instruction has come this far before, else a
 * service.
 */
static enum access serviced(struct vcpu *v, uint64_t gpa, uint8_t width, bool write, uint64_t *data)
{
    struct vcpu_emulation *e = &v->emulation;
    if (e->cursor < e->answered) {
        *data = write ? *data : e->answer[e->cursor];
        e->cursor++;
        return ACCESS_DONE;
    }
    service_mmio(v, gpa, width, write, write ? *data : 0);
    return ACCESS_WAITS;
}

static uint64_t all_ones(uint8_t width)
{
    return width >= 8 ? ~0UL : BIT(8 * width) - 1;
}

static enum access access_at(struct vcpu *v, uint64_t gpa, uint8_t width, bool write, uint64_t *data)
{
    if (apic_decodes(v, gpa)) {
        if (write)
            apic_mmio_write(v, gpa & ~PAGE_MASK, width, *data);
        else
            *data = apic_mmio_read(v, gpa & ~PAGE_MASK, width);
        return ACCESS_DONE;
    }
    const struct vcpu_emulation *e = &v->emulation;
    struct ept_leaf leaf = {0};
    if (gpa != e->gpa || !e->hole)
        leaf = ept_lookup(&v->domain->ept, gpa);
    if (leaf.access) {
        /* Memory; a write to read-only memory is swallowed, as a ROM does. */
        if (write && !(leaf.access & EPT_W))
            return ACCESS_DONE;
        int failed = write ? gmem_write(v->domain, gpa, data, width) : gmem_read(v->domain, gpa, data, width);
        return failed ? ACCESS_FOREIGN : ACCESS_DONE;
    }
    if ((write && doorbell_hit(v->domain, HV_CLAIM_MMIO, gpa, width, *data)) ||
        (v->domain->chips && irqchip_mmio(v->domain, gpa, width, write, data)))
        return ACCESS_DONE;
    if (claims_has(v->domain->claims, HV_CLAIM_MMIO, gpa, 1))
        return serviced(v, gpa, width, write, data);
    if (!write)
        *data = all_ones(width);
    return ACCESS_DONE;
}

/*
 * String instructions get here before the processor has looked at both their operands: INS and OUTS exit
 * first, MOVS and CMPS by one of the two. SDM volume 3, "Limit Checking", "Type Checking"; volume 1,
 * "Canonical Addressing".
 */
static bool segment_allows(const struct vcpu *v, const struct cpu_view *w, unsigned segment, uint64_t linear,
                           uint8_t width, bool write)
{
    if (is_64(v))
        return guest_canonical(linear) && guest_canonical(linear + width - 1);
    return guest_segment_allows(segment, (uint32_t)(linear - w->base[segment]), width, write);
}

static enum access access_linear(struct vcpu *v, struct cpu_view *w, uint64_t linear, uint8_t width,
                                 bool write, uint64_t *data)
{
    uint64_t gpa = 0, last = 0, mask = is_64(v) ? ~0UL : UINT32_MAX;
    enum guest_access kind = write ? GUEST_WRITE : GUEST_READ;
    linear &= mask;
    if (!write)
        *data = 0;
    enum access a = translate(v, w, linear, kind, &gpa);
    if (a != ACCESS_DONE)
        return a;
    if ((linear & ~PAGE_MASK) + width <= PAGE_SIZE)
        return access_at(v, gpa, width, write, data);
    /* Two pages: done here only when both are memory or both are nothing and unclaimed. */
    a = translate(v, w, (linear + width - 1) & PAGE_MASK & mask, kind, &last);
    if (a != ACCESS_DONE)
        return a;
    uint8_t head = (uint8_t)(PAGE_SIZE - (linear & ~PAGE_MASK));
    if (claims_has(v->domain->claims, HV_CLAIM_MMIO, gpa, 1) ||
        claims_has(v->domain->claims, HV_CLAIM_MMIO, last, 1))
        return ACCESS_FOREIGN;
    uint64_t low = *data & all_ones(head), high = *data >> (8 * head);
    a = access_at(v, gpa, head, write, &low);
    if (a == ACCESS_DONE)
        a = access_at(v, last, (uint8_t)(width - head), write, &high);
    if (!write)
        *data = low | high << (8 * head);
    return a;
}

static enum access access_string(struct vcpu *v, struct cpu_view *w, unsigned segment, uint64_t linear,
                                 bool write, uint64_t *data)
{
    uint8_t width = v->emulation.insn.opsize;
    if (!segment_allows(v, w, segment, linear, width, write)) {
        bool stack = segment == INSN_SS && !is_64(v);
        exit_inject(v, stack ? VECTOR_SS : VECTOR_GP, 0);
        return ACCESS_FAULTED;
    }
    return access_linear(v, w, linear, width, write, data);
}

static enum access access_port(struct vcpu *v, uint8_t width, bool write, uint64_t *data)
{
    struct vcpu_emulation *e = &v->emulation;
    if (exit_io_device(v, e->port, width, write, data))
        return ACCESS_DONE;
    if (!claims_has(v->domain->claims, HV_CLAIM_PIO, e->port, width)) {
        if (!write)
            *data = all_ones(width);
        return ACCESS_DONE;
    }
    if (e->cursor < e->answered) {
        *data = write ? *data : e->answer[e->cursor] & all_ones(width);
        e->cursor++;
        return ACCESS_DONE;
    }
    service_pio(v, e->port, width, write, write ? *data & all_ones(width) : 0);
    return ACCESS_WAITS;
}

/*
 * Everything has been done: registers and flags become the guest's, and RIP moves unless the string
 * instruction goes on. Either way one step of RFLAGS.TF is done.
 */
static void commit(struct vcpu *v, const struct cpu_view *w, bool repeats)
{
    if (w->gpr == w->copy)
        memcpy(v->vmx.gprs.by_index, w->copy, sizeof(w->copy));
    if (w->gpr[RSP] != w->rsp)
        guest_set_rsp(w->gpr[RSP]);
    if (w->rflags != guest_rflags())
        guest_set_rflags(w->rflags);
    vm_exit_advance_by(repeats ? 0 : v->emulation.insn.len);
}

static enum access run_plain(struct vcpu *v, struct cpu_view *w)
{
    struct vcpu_emulation *e = &v->emulation;
    const struct insn *i = &e->insn;
    need_base(v, w, i->seg);
    uint64_t linear = insn_exec_address(i, w->gpr, w->base, w->rip + i->len);
    uint64_t data = 0;
    enum access a = ACCESS_DONE;
    if (i->is_read) {
        a = access_linear(v, w, linear, i->opsize, false, &data);
        if (a != ACCESS_DONE)
            return a;
        if (i->is_write) {
            memcpy(w->copy, w->gpr, sizeof(w->copy));
            w->gpr = w->copy;
        }
        data = insn_exec_read(i, data, w->gpr, &w->rflags);
    } else {
        data = insn_exec_store(i, w->gpr);
    }
    if (i->is_write)
        a = access_linear(v, w, linear, i->opsize, true, &data);
    if (a != ACCESS_DONE)
        return a;
    if (i->op == INSN_MOV && !i->is_read)
        e->stores[w->rip % VCPU_STORES] = emulate_store_key(w->rip, i->len);
    commit(v, w, false);
    return a;
}

static enum access run_string(struct vcpu *v, struct cpu_view *w)
{
    const struct insn *i = &v->emulation.insn;
    need_base(v, w, i->seg);
    need_base(v, w, INSN_ES);
    struct insn_step s = insn_exec_step(i, w->gpr, w->base);
    uint64_t src = 0, dst = 0;
    enum access a = ACCESS_DONE;
    if (!s.done) {
        if (i->op == INSN_INS)
            a = access_port(v, i->opsize, false, &src);
        if (s.read_src)
            a = access_string(v, w, i->seg, s.src, false, &src);
        if (a == ACCESS_DONE && s.read_dst)
            a = access_string(v, w, INSN_ES, s.dst, false, &dst);
        if (a == ACCESS_DONE && s.write_dst) {
            uint64_t value = i->op == INSN_STOS ? s.value : src;
            a = access_string(v, w, INSN_ES, s.dst, true, &value);
        }
        if (a == ACCESS_DONE && i->op == INSN_OUTS)
            a = access_port(v, i->opsize, true, &src);
        if (a != ACCESS_DONE)
            return a;
    }
    commit(v, w, !s.done && insn_exec_step_end(i, src, dst, w->gpr, &w->rflags));
    return a;
}

/* To the manager, with the bytes. Domain 0 has none: it has done something that nobody can complete. */
static void pass_on(struct vcpu *v)
{
    struct vcpu_emulation *e = &v->emulation;
    if (v->service)
        service_decode(v, e->gpa, e->write, e->bytes, e->count);
    else
        exit_stop_domain(v, HV_DEAD_EXIT, vm_exit_reason());
}

static void run(struct vcpu *v, struct cpu_view *w)
{
    struct vcpu_emulation *e = &v->emulation;
    e->cursor = 0;
    enum access a = insn_is_string(&e->insn) ? run_string(v, w) : run_plain(v, w);
    if (a == ACCESS_WAITS)
        return;
    e->answered = 0;
    if (a == ACCESS_FOREIGN)
        pass_on(v);
}

/*
 * Up to 15 bytes at RIP: fewer when the next page has none. 0: the guest got a fault, or there is not one
 * byte.
 */
static uint8_t fetch(struct vcpu *v, struct cpu_view *w, bool code64, uint8_t bytes[16])
{
    uint64_t linear = w->rip + (code64 ? 0 : guest_segment_base(INSN_CS));
    uint8_t count = 0;
    while (count < INSN_MAX_LEN) {
        uint64_t at = linear + count;
        if (!code64)
            at = (uint32_t)at;
        uint8_t chunk = (uint8_t)(INSN_MAX_LEN - count);
        if ((at & ~PAGE_MASK) + chunk > PAGE_SIZE)
            chunk = (uint8_t)(PAGE_SIZE - (at & ~PAGE_MASK));
        struct guest_walk_result r = guest_walk(walk_of(v, w), at, GUEST_FETCH);
        if (!r.ok || gmem_read(v->domain, r.gpa, bytes + count, chunk))
            break;
        count = (uint8_t)(count + chunk);
    }
    return count;
}

/* Bytes that were decoded last need not be decoded again. */
static enum insn_status decode(struct vcpu_emulation *e, const uint8_t bytes[16], uint8_t count,
                               enum insn_mode mode)
{
    if (e->insn.len && e->count == count && e->insn.mode == mode &&
        !memcmp(e->bytes, bytes, sizeof(e->bytes)))
        return INSN_OK;
    memcpy(e->bytes, bytes, sizeof(e->bytes));
    e->count = count;
    e->insn.len = 0;
    return insn_decode(bytes, count, mode, &e->insn);
}

static void start(struct vcpu *v, bool string_io)
{
    struct vcpu_emulation *e = &v->emulation;
    struct cpu_view w;
    uint8_t bytes[16] = {0};
    view_init(v, &w);
    e->answered = 0;
    enum insn_mode mode = (enum insn_mode)guest_code_bits();
    uint8_t count = fetch(v, &w, mode == INSN_MODE_64, bytes);
    if (!count) {
        /*
         * The instruction was there a moment ago: another vCPU has changed tables or memory. The guest tries
         * again.
         */
        return;
    }
    enum insn_status s = decode(e, bytes, count, mode);
    bool io = s == INSN_OK && (e->insn.op == INSN_INS || e->insn.op == INSN_OUTS);
    if (s != INSN_OK || (string_io && !io)) {
        pass_on(v);
        return;
    }
    if (io && !string_io) {
        /* Its port was not looked at, or another vCPU has just put it here: the processor shall judge. */
        if (guest_cpl() > field_get(w.rflags, 13, 12))
            return;
        e->port = (uint16_t)w.gpr[RDX];
    }
    run(v, &w);
}

void emulate_memory(struct vcpu *v, uint64_t gpa, uint64_t linear, bool write, bool hole)
{
    struct vcpu_emulation *e = &v->emulation;
    e->gpa = gpa;
    e->linear = linear;
    e->write = write;
    e->hole = hole;
    start(v, false);
}

void emulate_string_io(struct vcpu *v, uint16_t port)
{
    struct vcpu_emulation *e = &v->emulation;
    e->port = port;
    e->gpa = 0;
    e->linear = EMULATE_LINEAR_UNKNOWN;
    e->write = e->hole = false;
    start(v, true);
}

void emulate_answer(struct vcpu *v, uint64_t data)
{
    struct vcpu_emulation *e = &v->emulation;
    struct cpu_view w;
    if (e->answered < ARRAY_SIZE(e->answer))
        e->answer[e->answered++] = data;
    view_init(v, &w);
    run(v, &w);
}
