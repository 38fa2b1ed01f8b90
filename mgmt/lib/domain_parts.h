/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domain_parts: what domain.c, domain_memory.c and domain_service.c share; not for users of the
 * library.
 */
#pragma once

#include "mgmt/lib/domain.h"

extern struct frames *domain_frames;
extern void *(*domain_own_view)(gpa_t gpa, uint64_t bytes);

/* Returns all frames; the hypervisor must have given them back already. */
void domain_give_memory(struct domain *domain);

/* Callbacks of the event loop; ctx is the domain. */
void domain_notice(void *ctx, uint32_t number);
void domain_serve(void *ctx, uint32_t number);
