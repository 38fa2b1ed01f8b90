/* SPDX-License-Identifier: BSD-2-Clause */
/* What guests see of the processor: which CR4 and EFER bits, MSRs and CPUID leaves. */
#ifndef HV_CORE_POLICY_H
#define HV_CORE_POLICY_H

#include "arch/vmx/guest_cr.h"
#include "hv/core/domain.h"

/* Which bits a guest of d may set, and the capabilities of the machine's VMX. */
void policy_cr(const struct domain *d, struct guest_cr_env *env);

/* Memory types of a PAT value: SDM volume 3, "IA32_PAT MSR". */
bool policy_pat_valid(uint64_t pat);

#endif
