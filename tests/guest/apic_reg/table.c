/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SDM volume 3, tables "Local APIC Register Address Map" and "Local APIC Register Address Map Supported by
 * x2APIC", figures of the registers; "Local APIC State After Power-Up or Reset". CMCI is there when the
 * version register counts it.
 */
#include "tests/guest/apic_reg/apic_reg.h"
#include "tests/guest/lib/apic.h"

#define R  (PAGE_R | MSR_R)
#define RW (R | PAGE_W | MSR_W)

enum { MAX_LVT_CMCI = 6 };

static bool is_bits(uint32_t offset)
{
    return offset >= APIC_ISR && offset < APIC_ESR;
}

static struct reg_rule local_vector(uint32_t offset)
{
    struct reg_rule r = {RW, APIC_LVT_MASKED | APIC_LVT_VECTOR, APIC_LVT_STATUS, 0, APIC_LVT_MASKED};
    if (offset == APIC_LVT_TIMER)
        r.keeps |= APIC_TIMER_MODE;
    else if (offset != APIC_LVT_ERROR)
        r.keeps |= 7 << APIC_LVT_MODE_SHIFT;
    if (offset == APIC_LVT_LINT0 || offset == APIC_LVT_LINT1) {
        r.keeps |= APIC_LVT_LEVEL | APIC_LVT_POLARITY;
        r.ignores |= APIC_LVT_REMOTE_IRR;
    }
    return r;
}

struct reg_rule reg_rule(uint32_t offset)
{
    if (is_bits(offset))
        return (struct reg_rule){R, 0, 0, 0, 0};
    if ((offset >= APIC_LVT_TIMER && offset <= APIC_LVT_ERROR) || offset == APIC_LVT_CMCI) {
        if (offset == APIC_LVT_CMCI &&
            (apic_read(APIC_VERSION) >> APIC_VERSION_MAX_LVT_SHIFT & 0xff) < MAX_LVT_CMCI)
            return (struct reg_rule){0};
        return local_vector(offset);
    }
    switch (offset) {
    case APIC_ID:
        return (struct reg_rule){R | PAGE_W, 0, 0, 0, 0};
    case APIC_VERSION:
    case APIC_PPR:
    case APIC_TMCCT:
        return (struct reg_rule){R, 0, 0, 0, 0};
    case APIC_TPR:
        return (struct reg_rule){RW, 0xff, 0, 0, 0};
    case APIC_APR:
    case APIC_RRD:
        return (struct reg_rule){PAGE_R, 0, 0, 0, 0};
    case APIC_EOI:
        return (struct reg_rule){PAGE_W | MSR_W, 0, 0, 0, 0};
    case APIC_LDR:
        return (struct reg_rule){R | PAGE_W, 0xff000000, 0, 0, 0};
    case APIC_DFR:
        return (struct reg_rule){PAGE_R | PAGE_W, 0xf0000000, 0, APIC_DFR_ONES, APIC_DFR_FLAT};
    case APIC_SVR:
        return (struct reg_rule){
            RW,
            APIC_SVR_VECTOR | APIC_SVR_ENABLE | APIC_SVR_FOCUS |
                (apic_read(APIC_VERSION) & APIC_VERSION_DIRECTED_EOI ? APIC_SVR_DIRECTED_EOI : 0),
            0, 0, 0xff};
    case APIC_ESR:
        return (struct reg_rule){RW, 0, 0, 0, 0};
    case APIC_ICR:
        return (struct reg_rule){RW, APIC_ICR_WRITABLE, APIC_ICR_BUSY, 0, 0};
    case APIC_ICR2:
        return (struct reg_rule){PAGE_R | PAGE_W, 0xff000000, 0, 0, 0};
    case APIC_TMICT:
        return (struct reg_rule){RW, 0xffffffff, 0, 0, 0};
    case APIC_TDCR:
        return (struct reg_rule){RW, APIC_TDCR_DIVIDE, 0, 0, 0};
    case APIC_SELF_IPI:
        return (struct reg_rule){MSR_W, 0, 0, 0, 0};
    default:
        return (struct reg_rule){0};
    }
}
