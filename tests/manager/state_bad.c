/* SPDX-License-Identifier: BSD-2-Clause */
/* Values that SET refuses: a table of fields and what must not be in them. */
#include "tests/manager/state.h"

#include <string.h>

#define NOT_CANONICAL 0x0000800000000000ULL
#define R(member)     HV_STATE_REGS, offsetof(struct hv_regs, member), 8
#define S(member)     HV_STATE_SREGS, offsetof(struct hv_sregs, member), 8
#define S4(member)    HV_STATE_SREGS, offsetof(struct hv_sregs, member), 4
#define S2(member)    HV_STATE_SREGS, offsetof(struct hv_sregs, member), 2
#define M(member)     HV_STATE_MSRS, offsetof(struct hv_msrs, member), 8
#define E(member)     HV_STATE_EVENTS, offsetof(struct hv_events, member), 4
#define X4(member)    HV_STATE_XSAVE, offsetof(struct hv_xsave_header, member), 4
#define X(offset)     HV_STATE_XSAVE, offset, 8
#define AREA(offset)  (sizeof(struct hv_xsave_header) + (offset))

/* A value is put into the field, or, with `bits`, each bit of it is flipped alone. */
static const struct {
    enum hv_state_kind kind;
    size_t offset;
    uint32_t width;
    uint64_t value;
    bool bits;
} rows[] = {
    {R(rflags), ~0x3f7fd7ULL | 2, true}, /* reserved ones, and bit 1 */
    {R(rip), NOT_CANONICAL, false},
    {R(rip), 1ULL << 63, false},

    {S(es.base), NOT_CANONICAL, false},
    {S(fs.base), NOT_CANONICAL, false},
    {S(gs.base), 1ULL << 63, false},
    {S(tr.base), NOT_CANONICAL, false},
    {S(ldtr.base), NOT_CANONICAL, false},
    {S(gdt.base), NOT_CANONICAL, false},
    {S(idt.base), NOT_CANONICAL, false},
    {S4(gdt.limit), 0xffff0000, true},
    {S4(idt.limit), 0xffff0000, true},
    {S4(gdt.reserved), 0xffffffff, true},
    {S4(idt.reserved), 0xffffffff, true},
    {S4(cs.access), 0xfffe0f00, true},
    {S4(tr.access), 0xfffe0f00, true},
    {S2(cs.reserved), 0xffff, true},
    {S2(tr.reserved), 0xffff, true},
    {S4(cs.reserved1), 0xffffffff, true},
    {S4(gs.reserved1), 0xffffffff, true},
    {S(cr0), ~0xe005003fULL, true},
    {S(cr0), 1ULL << 31, false},              /* PG without PE */
    {S(cr0), 1ULL << 29 | 0x80000031, false}, /* NW without CD */
    {S(cr0), 0x31, false},                    /* LMA without PG */
    {S(cr3), 0xfffULL << 52, true},
    {S(cr4), 0xfffffffffe08b000ULL | 1ULL << 23, true}, /* LA57, VMXE, KL, CET, PKS and what has no name */
    {S(cr4), 1ULL << 14, true},                         /* SMXE */
    {S(cr4), 0, false},                                 /* LMA without PAE */
    {S(efer), ~0xd01ULL, true},
    {S(efer), 0x100, false}, /* LME without LMA, with PG */
    {S(efer), 0x400, false}, /* LMA without LME */
    {S(dr6), 0xffffffffULL << 32 | 0x1000, true},
    {S(dr7), 0xffffffffULL << 32, true},
    {S(xcr0), 0, false},
    {S(xcr0), 2, false},
    {S(xcr0), 5, false}, /* AVX without SSE */
    {S(xcr0), 1ULL << 63 | 1, false},
    {S(xcr0), 1ULL << 5 | 3, false}, /* a third of AVX-512 */

    {M(lstar), NOT_CANONICAL, false},
    {M(cstar), NOT_CANONICAL, false},
    {M(kernel_gs_base), NOT_CANONICAL, false},
    {M(sysenter_esp), NOT_CANONICAL, false},
    {M(sysenter_eip), 1ULL << 63, false},
    {M(fmask), 0xffffffffULL << 32, true},
    {M(tsc_aux), 0xffffffffULL << 32, true},
    {M(sysenter_cs), 0xffffffffULL << 32, true},
    {M(pat), 2, false},
    {M(pat), 3ULL << 8, false},
    {M(pat), 8ULL << 56, false},
    {M(pat), 0xffULL << 32, false},
    {M(pat), UINT64_MAX, false},
    {M(misc_enable), ~1ULL, true},
    {M(xss), UINT64_MAX, true},
    {M(reserved[0]), UINT64_MAX, true},
    {M(tsc_deadline), 1, true}, /* there is no such MSR */
    {M(tsc_deadline), UINT64_MAX, true},

    {E(interruptibility), 0xfffffff4, true}, /* SMI, and what is reserved */
    {E(interruptibility), 3, false},         /* STI and MOV SS at once */
    {E(activity), 2, false},
    {E(activity), 3, false},
    {E(activity), UINT32_MAX, false},
    {E(pending), 0x7fffffff, true},  /* not valid */
    {E(pending), 0x80000120, false}, /* type 1 */
    {E(pending), 0x80000700, false}, /* type 7 */
    {E(pending), 0x80000203, false}, /* an NMI with vector 3 */
    {E(pending), 0x80000320, false}, /* an exception with vector 32 */
    {E(pending), 0x80000302, false}, /* an exception with vector 2 */
    {E(pending), 0x80000b06, false}, /* #UD with an error code */
    {E(pending), 0x80000820, false}, /* an interrupt with an error code */
    {E(pending), 0x80001320, false},
    {E(pending), 0x80000030, false}, /* an interrupt while RFLAGS.IF = 0 */
    {E(pending), 0x80000480, false}, /* INT n, INT1, INT3: nobody says how long the instruction is */
    {E(pending), 0x80000501, false},
    {E(pending), 0x80000603, false},
    {E(pending), 0x8000030d, false}, /* #GP without an error code */
    {E(pending), UINT32_MAX, false},
    {E(nmi_pending), 3, false},
    {E(nmi_pending), UINT32_MAX, false},
    {E(external_pending), 1, false},
    {E(external_pending), 0xff, false},
    {E(external_pending), 0x200, false},
    {E(external_pending), 0x1ff00, false},
    {E(external_pending), UINT32_MAX, false},
    {HV_STATE_EVENTS, offsetof(struct hv_events, pending_debug), 8, ~0x1500fULL, true},

    {X4(size), UINT32_MAX, true},
    {X4(reserved), UINT32_MAX, true},
    {X(offsetof(struct hv_xsave_header, xcr0)), 0, false},
    {X(offsetof(struct hv_xsave_header, xcr0)), 2, false},
    {X(offsetof(struct hv_xsave_header, xcr0)), 1ULL << 62 | 1, false},
    {X(offsetof(struct hv_xsave_header, reserved1)), UINT64_MAX, true},
    {X(offsetof(struct hv_xsave_header, reserved1) + 40), UINT64_MAX, true},
    {HV_STATE_XSAVE, AREA(24), 4, 0xffff0000, true}, /* MXCSR */
    {X(AREA(512)), 1ULL << 62, true},                /* a component that does not exist */
    {X(AREA(520)), UINT64_MAX, true},                /* compacted */
    {X(AREA(528)), UINT64_MAX, true},
    {X(AREA(568)), UINT64_MAX, true},
};

static void try_value(const struct guest *g, size_t row, const union record *old, uint64_t value)
{
    static union record bad, now;
    bad = *old;
    memcpy((uint8_t *)&bad + rows[row].offset, &value, rows[row].width);
    if (!CHECK_CASE(state_set(g, rows[row].kind, &bad), -HV_EINVAL, "kind %d, offset %zu, %#llx",
                    rows[row].kind, rows[row].offset, (unsigned long long)value))
        CHECK_EQ(state_set(g, rows[row].kind, old), 0);
    state_get(g, rows[row].kind, &now);
    CHECK_CASE(memcmp(&now, old, state_size(rows[row].kind)), 0, "kind %d, offset %zu, %#llx: state changed",
               rows[row].kind, rows[row].offset, (unsigned long long)value);
}

void state_refused(const struct guest *g)
{
    static union record old;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t was = 0;
        state_get(g, rows[i].kind, &old);
        memcpy(&was, (uint8_t *)&old + rows[i].offset, rows[i].width);
        if (!rows[i].bits)
            try_value(g, i, &old, rows[i].value);
        for (unsigned bit = 0; rows[i].bits && bit < 64; bit++)
            if (rows[i].value >> bit & 1)
                try_value(g, i, &old, was ^ 1ULL << bit);
    }
}
