/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Register state between the VMCS and the records of the ABI. The checks are those of SDM volume 3, "Checking
 * and Loading Guest State", as far as a record can break them; what slips through fails the VM entry and
 * stops that domain alone.
 */
#include "arch/vmx/guest_state.h"

#include "arch/cpu/msr.h"
#include "arch/cpu/vectors.h"
#include "arch/vmx/guest_cr.h"
#include "arch/vmx/inject.h"
#include "arch/vmx/vmx_ctls.h"

#define TYPE_RW          BIT(1) /* writable data, readable code */
#define TYPE_EXPAND_DOWN BIT(2)
#define TYPE_CODE        BIT(3)
#define ACCESS_L         BIT(13)
#define ACCESS_DB        BIT(14)
#define ACCESS_UNUSABLE  BIT(16)
#define ACCESS_DEFINED   0x1f0ffUL
#define CR0_WRITABLE                                                                                         \
    (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG)
#define DR7_FIXED            0x400UL
#define BLOCKING_DEFINED     0xbU /* without blocking by SMI, which is for system-management mode */
#define BLOCKING_INSTRUCTION 3U   /* by STI, MOV SS */
#define BLOCKING_NMI         8U
#define DEBUG_DEFINED        0x1500fUL /* SDM volume 3, table "Format of Pending-Debug-Exceptions" */
#define INFO_ERROR_CODE      BIT(11)
#define INFO_DEFINED         0x80000fffU
#define INFO_VALID           BIT(31)

unsigned guest_code_bits(void)
{
    uint64_t access = vmcs_read(VMCS_GUEST_CS_ACCESS);
    if ((access & ACCESS_L) && (vmcs_read(VMCS_GUEST_EFER) & EFER_LMA))
        return 64;
    return access & ACCESS_DB ? 32 : 16;
}

bool guest_segment_allows(unsigned segment, uint32_t offset, unsigned width, bool write)
{
    uint64_t access = vmcs_read((enum vmcs_field)(VMCS_GUEST_ES_ACCESS + 2 * segment));
    uint64_t limit = vmcs_read32((enum vmcs_field)(VMCS_GUEST_ES_LIMIT + 2 * segment));
    uint64_t last = (uint64_t)offset + width - 1;
    bool code = access & TYPE_CODE;
    bool protected = (vmcs_read(VMCS_GUEST_CR0) & CR0_PE) && !(vmcs_read(VMCS_GUEST_RFLAGS) & RFLAGS_VM);
    if (protected && ((access & ACCESS_UNUSABLE) || (write && (code || !(access & TYPE_RW))) ||
                      (code && !(access & TYPE_RW))))
        return false;
    if (!code && (access & TYPE_EXPAND_DOWN))
        return offset > limit && last <= (access & ACCESS_DB ? UINT32_MAX : UINT16_MAX);
    return last <= limit;
}

void guest_pdptes(uint64_t out[4])
{
    for (unsigned i = 0; i < 4; i++)
        out[i] = vmcs_read((enum vmcs_field)(VMCS_GUEST_PDPTE0 + 2 * i));
}

uint64_t guest_pat(void)
{
    return vmcs_read(VMCS_GUEST_PAT);
}

void guest_set_pat(uint64_t pat)
{
    vmcs_write(VMCS_GUEST_PAT, pat);
}

void guest_set_tsc_offset(uint64_t offset)
{
    vmcs_write(VMCS_TSC_OFFSET, offset);
}

static enum vmcs_field sysenter_field(unsigned which)
{
    static const enum vmcs_field field[] = {VMCS_GUEST_SYSENTER_CS, VMCS_GUEST_SYSENTER_ESP,
                                            VMCS_GUEST_SYSENTER_EIP};
    return field[which];
}

uint64_t guest_sysenter(unsigned which)
{
    return vmcs_read(sysenter_field(which));
}

void guest_set_sysenter(unsigned which, uint64_t value)
{
    vmcs_write(sysenter_field(which), value);
}

void guest_set_rip(uint64_t rip)
{
    vmcs_write(VMCS_GUEST_RIP, rip);
}

/* The eight segments of struct hv_sregs stand in the order of the VMCS encodings. */
static void get_segment(unsigned i, struct hv_segment *s)
{
    *s = (struct hv_segment){
        .selector = (uint16_t)vmcs_read((enum vmcs_field)(VMCS_GUEST_ES_SELECTOR + 2 * i)),
        .base = vmcs_read((enum vmcs_field)(VMCS_GUEST_ES_BASE + 2 * i)),
        .limit = vmcs_read32((enum vmcs_field)(VMCS_GUEST_ES_LIMIT + 2 * i)),
        .access = vmcs_read32((enum vmcs_field)(VMCS_GUEST_ES_ACCESS + 2 * i)),
    };
}

static void set_segment(unsigned i, const struct hv_segment *s)
{
    vmcs_write((enum vmcs_field)(VMCS_GUEST_ES_SELECTOR + 2 * i), s->selector);
    vmcs_write((enum vmcs_field)(VMCS_GUEST_ES_BASE + 2 * i), s->base);
    vmcs_write((enum vmcs_field)(VMCS_GUEST_ES_LIMIT + 2 * i), s->limit);
    vmcs_write((enum vmcs_field)(VMCS_GUEST_ES_ACCESS + 2 * i), s->access);
}

void guest_get_sregs(struct hv_sregs *s)
{
    struct hv_segment *segment = &s->es;
    for (unsigned i = 0; i < 8; i++)
        get_segment(i, &segment[i]);
    s->gdt = (struct hv_table){.base = vmcs_read(VMCS_GUEST_GDTR_BASE),
                               .limit = vmcs_read32(VMCS_GUEST_GDTR_LIMIT)};
    s->idt = (struct hv_table){.base = vmcs_read(VMCS_GUEST_IDTR_BASE),
                               .limit = vmcs_read32(VMCS_GUEST_IDTR_LIMIT)};
    s->cr0 = guest_cr_cr0();
    s->cr3 = vmcs_read(VMCS_GUEST_CR3);
    s->cr4 = guest_cr_cr4();
    s->efer = vmcs_read(VMCS_GUEST_EFER);
    s->dr7 = vmcs_read(VMCS_GUEST_DR7);
}

void guest_debug_exception_taken(void)
{
    vmcs_write(VMCS_GUEST_DR7, vmcs_read(VMCS_GUEST_DR7) & ~BIT(13));
}

static bool sregs_valid(const struct hv_sregs *s, uint64_t cr4_allowed, uint64_t efer_allowed)
{
    const struct hv_segment *segment = &s->es;
    for (unsigned i = 0; i < 8; i++)
        if (segment[i].reserved || segment[i].reserved1 || (segment[i].access & ~ACCESS_DEFINED) ||
            !guest_canonical(segment[i].base))
            return false;
    bool lma = s->efer & EFER_LMA;
    bool paging = s->cr0 & CR0_PG;
    return !(s->cr0 & ~(uint64_t)CR0_WRITABLE) && (!paging || (s->cr0 & CR0_PE)) &&
           (!(s->cr0 & CR0_NW) || (s->cr0 & CR0_CD)) && (!(s->cr4 & CR4_PCIDE) || lma) &&
           !(s->cr4 & ~cr4_allowed) && !(s->efer & ~(efer_allowed | EFER_LMA)) &&
           lma == (paging && (s->efer & EFER_LME)) && (!lma || (s->cr4 & CR4_PAE)) && !(s->cr3 >> 52) &&
           !(s->dr7 >> 32) && guest_canonical(s->gdt.base) && guest_canonical(s->idt.base) &&
           s->gdt.limit <= 0xffff && s->idt.limit <= 0xffff && !s->gdt.reserved && !s->idt.reserved;
}

bool guest_set_sregs(const struct hv_sregs *s, const struct vmx_caps *caps, uint64_t cr4_allowed,
                     uint64_t efer_allowed)
{
    if (!sregs_valid(s, cr4_allowed, efer_allowed))
        return false;
    const struct hv_segment *segment = &s->es;
    for (unsigned i = 0; i < 8; i++)
        set_segment(i, &segment[i]);
    vmcs_write(VMCS_GUEST_GDTR_BASE, s->gdt.base);
    vmcs_write(VMCS_GUEST_GDTR_LIMIT, s->gdt.limit);
    vmcs_write(VMCS_GUEST_IDTR_BASE, s->idt.base);
    vmcs_write(VMCS_GUEST_IDTR_LIMIT, s->idt.limit);
    uint64_t must = caps->cr0_must & ~(uint64_t)(CR0_PE | CR0_PG);
    vmcs_write(VMCS_GUEST_CR0, (s->cr0 & ~(uint64_t)(CR0_CD | CR0_NW)) | must | CR0_ET);
    vmcs_write(VMCS_CR0_SHADOW, s->cr0 | CR0_ET);
    vmcs_write(VMCS_GUEST_CR3, s->cr3);
    vmcs_write(VMCS_GUEST_CR4, s->cr4 | caps->cr4_must);
    vmcs_write(VMCS_CR4_SHADOW, s->cr4);
    vmcs_write(VMCS_GUEST_EFER, s->efer);
    vmcs_write(VMCS_GUEST_DR7, s->dr7 | DR7_FIXED);
    uint64_t entry = vmcs_read(VMCS_ENTRY_CONTROLS) & ~ENTRY_IA32E_GUEST;
    vmcs_write(VMCS_ENTRY_CONTROLS, s->efer & EFER_LMA ? entry | ENTRY_IA32E_GUEST : entry);
    return true;
}

void guest_get_events(struct hv_events *e)
{
    e->interruptibility = vmcs_read32(VMCS_GUEST_INTERRUPTIBILITY);
    e->pending = inject_get(&e->pending_error);
    /*
     * An entry clears the valid bit and leaves the rest behind. A software interrupt or exception comes from the instruction
     * that RIP still names, which is executed again: the record has no place for its length.
     */
    if (!(e->pending & INFO_VALID) || field_get(e->pending, 10, 8) >= INJECT_SW_INTERRUPT)
        e->pending = e->pending_error = 0;
    e->pending_debug = vmcs_read(VMCS_GUEST_PENDING_DEBUG);
}

/* SDM volume 3, "VM-Entry Control Fields", checks on the interruption information, and on the guest's state for it. */
static bool pending_valid(uint32_t pending, uint32_t error, uint32_t blocked)
{
    if (!pending)
        return true;
    uint8_t vector = (uint8_t)pending;
    bool with_code = pending & INFO_ERROR_CODE;
    if (!(pending & INFO_VALID) || (pending & ~INFO_DEFINED) || (with_code && error >> 16))
        return false;
    switch (field_get(pending, 10, 8)) {
    case INJECT_EXTERNAL:
        return !with_code && (vmcs_read(VMCS_GUEST_RFLAGS) & RFLAGS_IF) && !(blocked & BLOCKING_INSTRUCTION);
    case INJECT_NMI:
        return vector == VECTOR_NMI && !with_code && !(blocked & (BLOCKING_INSTRUCTION | BLOCKING_NMI));
    case INJECT_HW_EXCEPTION:
        return vector < VECTOR_EXCEPTIONS_END && vector != VECTOR_NMI &&
               with_code == (inject_has_error_code(vector) && (vmcs_read(VMCS_GUEST_CR0) & CR0_PE));
    default:
        return false;
    }
}

bool guest_set_events(const struct hv_events *e)
{
    if ((e->interruptibility & ~BLOCKING_DEFINED) ||
        (e->interruptibility & BLOCKING_INSTRUCTION) == BLOCKING_INSTRUCTION ||
        (e->pending_debug & ~DEBUG_DEFINED) ||
        !pending_valid(e->pending, e->pending_error, e->interruptibility))
        return false;
    vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, e->interruptibility);
    vmcs_write(VMCS_GUEST_PENDING_DEBUG, e->pending_debug);
    inject_set(e->pending, e->pending_error);
    return true;
}

void guest_start_at(uint8_t vector)
{
    vmcs_write(VMCS_GUEST_CS_SELECTOR, (uint64_t)vector << 8);
    vmcs_write(VMCS_GUEST_CS_BASE, (uint64_t)vector << 12);
    vmcs_write(VMCS_GUEST_RIP, 0);
}
