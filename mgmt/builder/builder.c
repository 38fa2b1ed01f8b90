/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * builder: see builder.h. The state of a vCPU is read first and then changed, so that what is not
 * set here is what the hypervisor gives a new vCPU. SDM volume 3, "Guest Register State" for the
 * access rights; Multiboot section 3.2 and Xen's arch-x86/hvm/start_info.h for flat32.
 */
#include "mgmt/builder/builder.h"

#include <string.h>

#include "mgmt/builder/linux.h"
#include "mgmt/lib/call.h"

enum {
    ACCESS_CODE16 = 0x9b,
    ACCESS_DATA16 = 0x93,
    ACCESS_CODE32 = 0xc09b,
    ACCESS_DATA32 = 0xc093,
    ACCESS_TSS = 0x8b,
    CR0_PE = 1,
    CR0_NW_CD = 0x60000000, /* set by a reset; a loader hands over with caches on */
    RFLAGS_FIXED = 2,
    FLAT_CODE = 8,
    FLAT_DATA = 16,
};

static void set_all_data(struct hv_sregs *sregs, struct hv_segment data)
{
    sregs->ds = sregs->es = sregs->ss = sregs->fs = sregs->gs = data;
}

static void set_real16(struct hv_sregs *sregs, struct hv_regs *regs, uint32_t entry)
{
    uint16_t selector = entry < 0x10000 ? 0 : (uint16_t)(entry / 16);
    set_all_data(sregs, (struct hv_segment){.limit = 0xffff, .access = ACCESS_DATA16});
    sregs->cs = (struct hv_segment){
        .base = (uint64_t)selector * 16, .limit = 0xffff, .selector = selector, .access = ACCESS_CODE16};
    sregs->idt = (struct hv_table){.base = 0, .limit = 0x3ff};
    sregs->cr0 &= ~(uint64_t)CR0_PE;
    regs->rip = entry - (uint32_t)selector * 16;
    regs->rsp = 0x7c00; /* as after a BIOS; the guest sets its own */
}

static void set_flat32(struct hv_sregs *sregs, struct hv_regs *regs, const struct plan *plan)
{
    set_all_data(sregs,
                 (struct hv_segment){.limit = 0xffffffff, .selector = FLAT_DATA, .access = ACCESS_DATA32});
    sregs->cs = (struct hv_segment){.limit = 0xffffffff, .selector = FLAT_CODE, .access = ACCESS_CODE32};
    sregs->tr = (struct hv_segment){.limit = 0x67, .access = ACCESS_TSS};
    sregs->cr0 |= CR0_PE;
    regs->rip = plan->entry;
    regs->rax = plan->eax;
    regs->rbx = plan->ebx;
}

static int64_t set_entry(const struct domain *domain, const struct plan *plan)
{
    struct hv_sregs sregs;
    struct hv_regs regs = {.rflags = RFLAGS_FIXED};
    int64_t result = call_vcpu_get(domain->id, 0, HV_STATE_SREGS, &sregs, sizeof(sregs));
    if (result < 0)
        return result;
    sregs.cr0 &= ~(uint64_t)CR0_NW_CD;
    if (plan->mode == PLAN_REAL16)
        set_real16(&sregs, &regs, plan->entry);
    else if (plan->mode == PLAN_FLAT32)
        set_flat32(&sregs, &regs, plan);
    else
        linux_set_state(plan, &sregs, &regs);
    result = call_vcpu_set(domain->id, 0, HV_STATE_SREGS, &sregs, sizeof(sregs));
    if (result < 0)
        return result;
    return call_vcpu_set(domain->id, 0, HV_STATE_REGS, &regs, sizeof(regs));
}

static int64_t add_memory(struct domain *domain, const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->rams; i++) {
        const struct plan_range *ram = &plan->ram[i];
        int64_t result = domain_add_memory(domain, ram->start, (ram->end - ram->start) / FRAMES_PAGE);
        if (result < 0)
            return result;
    }
    const struct plan_range *firmware = &plan->firmware;
    if (firmware->start == firmware->end)
        return 0;
    return domain_add_memory(domain, firmware->start, (firmware->end - firmware->start) / FRAMES_PAGE);
}

int64_t builder_fill(struct domain *domain, const struct plan *plan, uint32_t vcpus, const char **step)
{
    *step = "taking its memory";
    int64_t result = add_memory(domain, plan);
    if (result < 0)
        return result;
    for (uint32_t i = 0; i < plan->pieces; i++) {
        const struct plan_piece *piece = &plan->piece[i];
        *step = piece->what;
        if (!domain_write(domain, piece->to, piece->from, piece->bytes))
            return -HV_EFAULT;
    }
    *step = "donating its memory";
    result = domain_donate(domain);
    if (result < 0)
        return result;
    *step = "creating its vCPUs";
    for (uint32_t i = 0; i < vcpus; i++) {
        result = domain_add_vcpu(domain);
        if (result < 0)
            return result;
    }
    *step = "setting the state of vCPU 0";
    return set_entry(domain, plan);
}
