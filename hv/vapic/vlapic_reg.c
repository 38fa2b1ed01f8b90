/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers as one table: who may read and write them in which mode, which bits are kept, what a write
 * does. A bit that is neither kept nor tolerated is reserved: ignored by the page, #GP by the MSR.
 *
 * The page never faults. A 4-byte access at a register's offset is what the SDM defines. Beyond it: reads of
 * 1, 2 or 4 bytes that lie inside a register's 4 bytes give those bytes, byte writes to the top byte of ID,
 * LDR and DFR count as writes of the register, all else reads 0 or is ignored. A register that does not exist
 * sets "illegal register" in ESR; a read-only register ignores writes, a write-only one reads 0.
 *
 * SDM volume 3, tables "Local APIC Register Address Map" and "Local APIC Register Address Map Supported by
 * x2APIC", "Reserved Bit Checking".
 */
#include "hv/vapic/vlapic_write.h"

enum { RX = 1, WX = 2, R2 = 4, W2 = 8, R = RX | R2, W = WX | W2, RW = R | W };

#define LVT_SENSOR 0x107ffU /* mask, delivery mode, vector */
#define LVT_PIN    (LVT_SENSOR | APIC_LVT_LEVEL | APIC_LVT_POLARITY)
#define LVT_PLAIN  (APIC_LVT_MASKED | APIC_LVT_VECTOR)
#define STATUS     APIC_LVT_STATUS
#define ANY        0xffffffffU
#define LEGAL      0xffff0000U /* vectors 16 to 31 */
#define SVR_BITS   (APIC_SVR_VECTOR | APIC_SVR_ENABLE | APIC_SVR_FOCUS | APIC_SVR_DIRECTED_EOI)

/* clang-format off */
static const struct row {
    uint8_t may;
    uint32_t keeps;     /* bits that software sets */
    uint32_t tolerates; /* bits that are read-only: ignored in both modes */
    uint32_t facts;     /* what follows from any write */
} rows[APIC_REGS_SIZE / 16] = {
    [APIC_ID / 16]          = {R | WX, 0xff000000, 0, 0},
    [APIC_VERSION / 16]     = {R, 0, ANY, 0},
    [APIC_TPR / 16]         = {RW, 0xff, 0, VLAPIC_FACT_PRIORITY},
    [APIC_APR / 16]         = {RX, 0, 0, 0},
    [APIC_PPR / 16]         = {R, 0, ANY, 0},
    [APIC_EOI / 16]         = {W, 0, 0, VLAPIC_FACT_EOI | VLAPIC_FACT_PRIORITY},
    [APIC_RRD / 16]         = {RX, 0, 0, 0},
    [APIC_LDR / 16]         = {R | WX, 0xff000000, 0, VLAPIC_FACT_LOGICAL},
    [APIC_DFR / 16]         = {RX | WX, 0xf0000000, 0, VLAPIC_FACT_LOGICAL},
    [APIC_SVR / 16]         = {RW, SVR_BITS, 0, 0},
    [APIC_ISR / 16]         = {R, 0, LEGAL, 0}, [APIC_ISR / 16 + 1 ... APIC_ISR / 16 + 7] = {R, 0, ANY, 0},
    [APIC_TMR / 16]         = {R, 0, LEGAL, 0}, [APIC_TMR / 16 + 1 ... APIC_TMR / 16 + 7] = {R, 0, ANY, 0},
    [APIC_IRR / 16]         = {R, 0, LEGAL, 0}, [APIC_IRR / 16 + 1 ... APIC_IRR / 16 + 7] = {R, 0, ANY, 0},
    [APIC_ESR / 16]         = {RW, 0, 0, 0},
    [APIC_LVT_CMCI / 16]    = {RW, LVT_SENSOR, STATUS, 0},
    [APIC_ICR / 16]         = {RW, APIC_ICR_WRITABLE, APIC_ICR_BUSY, 0},
    [APIC_ICR2 / 16]        = {RX | WX, 0xff000000, 0, 0},
    [APIC_LVT_TIMER / 16]   = {RW, LVT_PLAIN | APIC_TIMER_MODE, STATUS, VLAPIC_FACT_TIMER},
    [APIC_LVT_THERMAL / 16] = {RW, LVT_SENSOR, STATUS, 0},
    [APIC_LVT_PMC / 16]     = {RW, LVT_SENSOR, STATUS, 0},
    [APIC_LVT_LINT0 / 16]   = {RW, LVT_PIN, STATUS | APIC_LVT_REMOTE_IRR, VLAPIC_FACT_WIRE},
    [APIC_LVT_LINT1 / 16]   = {RW, LVT_PIN, STATUS | APIC_LVT_REMOTE_IRR, 0},
    [APIC_LVT_ERROR / 16]   = {RW, LVT_PLAIN, STATUS, 0},
    [APIC_TMICT / 16]       = {RW, ANY, 0, VLAPIC_FACT_TIMER},
    [APIC_TMCCT / 16]       = {R, 0, ANY, 0},
    [APIC_TDCR / 16]        = {RW, APIC_TDCR_DIVIDE, 0, VLAPIC_FACT_TIMER},
    [APIC_SELF_IPI / 16]    = {W2, 0xff, 0, 0},
};
/* clang-format on */

/* The rights in the mode, as RX and WX; 0: not there. */
static unsigned rights(const struct vlapic *a, enum vlapic_mode mode, uint32_t offset)
{
    unsigned may = rows[offset / 16].may;
    if (offset == APIC_LVT_CMCI && !a->features.cmci)
        return 0;
    return mode == VLAPIC_X2APIC ? may >> 2 : may & (RX | WX);
}

static uint32_t keeps(const struct vlapic *a, uint32_t offset)
{
    uint32_t bits = rows[offset / 16].keeps;
    if (offset == APIC_SVR && !a->features.directed_eoi)
        bits &= ~APIC_SVR_DIRECTED_EOI;
    if (offset == APIC_LVT_TIMER && !a->features.tsc_deadline)
        bits &= ~APIC_TIMER_DEADLINE;
    return bits;
}

static uint32_t read_reg(struct vlapic *a, uint32_t offset, uint64_t now)
{
    if (offset == APIC_TMCCT)
        return vlapic_timer_count(a, now);
    return offset == APIC_PPR ? vlapic_ppr(a) : vlapic_reg_get(a, offset);
}

static void write_reg(const struct vlapic_access *x, uint32_t value)
{
    x->f->what |= rows[x->offset / 16].facts;
    vlapic_write(x, value & keeps(x->a, x->offset));
}

/* --- the page --- */
uint64_t vlapic_mmio_read(struct vlapic *a, uint32_t offset, unsigned size, uint64_t now,
                          struct vlapic_facts *f)
{
    struct vlapic_access x = {a, offset & ~15U, now, f};
    unsigned byte = offset & 15, may;
    uint64_t mask = size >= 8 ? UINT64_MAX : ((uint64_t)1 << size * 8) - 1;
    if (vlapic_mode(a) != VLAPIC_XAPIC)
        return mask;
    may = offset < APIC_REGS_SIZE ? rights(a, VLAPIC_XAPIC, x.offset) : 0;
    if (may == 0)
        vlapic_write_error(&x, APIC_ESR_ILLEGAL_REGISTER);
    if (!(may & RX) || byte + size > 4)
        return 0;
    return read_reg(a, x.offset, now) >> byte * 8 & mask;
}

void vlapic_mmio_write(struct vlapic *a, uint32_t offset, unsigned size, uint64_t value, uint64_t now,
                       struct vlapic_facts *f)
{
    struct vlapic_access x = {a, offset & ~15U, now, f};
    bool top = (offset & 15) == 3 && size == 1 &&
               (x.offset == APIC_ID || x.offset == APIC_LDR || x.offset == APIC_DFR);
    unsigned may;
    if (vlapic_mode(a) != VLAPIC_XAPIC)
        return;
    may = offset < APIC_REGS_SIZE ? rights(a, VLAPIC_XAPIC, x.offset) : 0;
    if (may == 0)
        vlapic_write_error(&x, APIC_ESR_ILLEGAL_REGISTER);
    if ((may & WX) && (top || (size == 4 && (offset & 15) == 0)))
        write_reg(&x, (uint32_t)(top ? value << 24 : value));
}

void vlapic_written(struct vlapic *a, uint32_t offset, uint64_t now, struct vlapic_facts *f)
{
    struct vlapic_access x = {a, offset & ~15U, now, f};
    if (offset < APIC_REGS_SIZE && (rights(a, vlapic_mode(a), x.offset) & WX))
        write_reg(&x, vlapic_reg_get(a, x.offset));
}

/* --- MSRs --- */
static bool msr_offset(const struct vlapic *a, uint32_t msr, unsigned need, uint32_t *offset)
{
    *offset = (msr - X2APIC_MSR_FIRST) * 16;
    return vlapic_mode(a) == VLAPIC_X2APIC && msr >= X2APIC_MSR_FIRST && *offset < APIC_REGS_SIZE &&
           msr <= X2APIC_MSR_LAST && (rights(a, VLAPIC_X2APIC, *offset) & need);
}

bool vlapic_msr_read(struct vlapic *a, uint32_t msr, uint64_t now, uint64_t *value)
{
    uint32_t offset;
    if (!msr_offset(a, msr, RX, &offset))
        return false;
    *value = read_reg(a, offset, now);
    if (offset == APIC_ICR)
        *value |= (uint64_t)vlapic_reg_get(a, APIC_ICR + 4) << 32;
    return true;
}

bool vlapic_msr_write(struct vlapic *a, uint32_t msr, uint64_t value, uint64_t now, struct vlapic_facts *f)
{
    struct vlapic_access x = {a, 0, now, f};
    if (!msr_offset(a, msr, WX, &x.offset))
        return false;
    uint64_t allowed = keeps(a, x.offset) | rows[x.offset / 16].tolerates;
    if (x.offset == APIC_ICR)
        allowed |= (uint64_t)X2APIC_BROADCAST << APIC_ICR_X2APIC_DEST;
    if (value & ~allowed)
        return false;
    if (x.offset == APIC_ICR)
        vlapic_reg_set(a, APIC_ICR + 4, (uint32_t)(value >> 32));
    write_reg(&x, (uint32_t)value);
    return true;
}

uint64_t vlapic_cr8(const struct vlapic *a)
{
    return vlapic_reg_get(a, APIC_TPR) >> 4 & 15;
}

bool vlapic_cr8_set(struct vlapic *a, uint64_t value, struct vlapic_facts *f)
{
    struct vlapic_access x = {a, APIC_TPR, 0, f};
    if (value > 15)
        return false;
    write_reg(&x, (uint32_t)value << 4);
    return true;
}

/* --- state records --- */
static bool reg_valid(const struct vlapic *a, enum vlapic_mode mode, uint32_t offset, uint32_t value)
{
    uint32_t bits = keeps(a, offset) | rows[offset / 16].tolerates;
    if (offset == APIC_ID || offset == APIC_VERSION)
        return value == (offset == APIC_VERSION  ? vlapic_reg_get(a, offset)
                         : mode == VLAPIC_X2APIC ? a->id
                                                 : a->id << 24);
    if (offset == APIC_DFR)
        return (value & APIC_DFR_ONES) == APIC_DFR_ONES;
    if (offset == APIC_LDR && mode == VLAPIC_X2APIC)
        return true; /* follows from the ID */
    if (rights(a, mode, offset) == 0)
        bits = 0;
    return (value & ~(offset == APIC_ESR ? 0xff : bits)) == 0;
}

bool vlapic_regs_valid(const struct vlapic *a, enum vlapic_mode mode, const uint32_t *regs)
{
    for (uint32_t offset = 0; offset < APIC_REGS_SIZE; offset += 4) {
        bool head = (offset & 15) == 0, icr_high = offset == APIC_ICR + 4 && mode == VLAPIC_X2APIC;
        if (head ? !reg_valid(a, mode, offset, regs[offset / 4]) : !icr_high && regs[offset / 4] != 0)
            return false;
    }
    return true;
}
