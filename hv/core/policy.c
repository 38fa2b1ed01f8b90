/* SPDX-License-Identifier: BSD-2-Clause */
/* bring-up */
#include "hv/core/policy.h"
#include <string.h>
#include "arch/cpu/msr.h"
#include "hv/core/page.h"
#include "hv/core/readiness.h"

static void *deny_all_ports;

void policy_cr(const struct domain *d, struct guest_cr_env *env)
{
    (void)d;
    env->caps = readiness_caps();
    env->cr4_allowed = CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE |
                       CR4_PGE | CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_FSGSBASE | CR4_PCIDE |
                       CR4_OSXSAVE | CR4_SMEP | CR4_SMAP | CR4_UMIP;
    env->efer_allowed = EFER_SCE | EFER_LME | EFER_NXE;
}

bool domain_policy_init(struct domain *d)
{
    if (!deny_all_ports) {
        deny_all_ports = page_alloc();
        memset(deny_all_ports, 0xff, 4096);
    }
    memset(d->msr_bitmap, 0xff, 4096);
    static const uint32_t pass[] = {MSR_IA32_STAR,           MSR_IA32_LSTAR,   MSR_IA32_CSTAR,
                                    MSR_IA32_FMASK,          MSR_IA32_FS_BASE, MSR_IA32_GS_BASE,
                                    MSR_IA32_KERNEL_GS_BASE, MSR_IA32_TSC_AUX};
    uint8_t *b = d->msr_bitmap;
    for (unsigned i = 0; i < ARRAY_SIZE(pass); i++) {
        uint32_t n = pass[i] & 0x1fff;
        b[1024 + n / 8] &= (uint8_t) ~(1u << n % 8);
        b[3072 + n / 8] &= (uint8_t) ~(1u << n % 8);
    }
    d->io_bitmap[0] = d->io_bitmap[1] = deny_all_ports;
    return true;
}

bool policy_pat_valid(uint64_t pat)
{
    for (unsigned i = 0; i < 64; i += 8) {
        uint64_t type = pat >> i & 0xff;
        if (type == 2 || type == 3 || type > 7)
            return false;
    }
    return true;
}
