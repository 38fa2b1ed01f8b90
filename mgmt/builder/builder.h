/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * builder: carries a plan out on a domain that has been created and has no memory yet.
 *
 * After it the domain's memory is donated and vCPU 0 stands at its entry; the others wait in their
 * reset state, stopped. Nothing has run.
 */
#pragma once

#include "mgmt/builder/plan.h"
#include "mgmt/lib/domain.h"

/* Zero, or a negative HV_E* with *step the name of what failed. */
int64_t builder_fill(struct domain *domain, const struct plan *plan, uint32_t vcpus, const char **step);
