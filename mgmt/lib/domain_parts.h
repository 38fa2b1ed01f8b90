/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domain_parts: what domain.c, domain_memory.c and domain_service.c share; not for users of the
 * library.
 */
#pragma once

#include "mgmt/lib/domain.h"

extern struct frames *domain_frames;
extern void *(*domain_own_view)(gpa_t gpa, uint64_t bytes);

/* Makes it known: domain_of() finds it, notifications reach it. */
void domain_enter(struct domain *domain);
void domain_leave(struct domain *domain);

/* Notes a piece of its memory. False: no memory for the list. */
bool domain_add_chunk(struct domain *domain, gpa_t target, gpa_t own, uint64_t pages);

/* Returns all frames; the hypervisor must have given them back already. */
void domain_give_memory(struct domain *domain);

/* Callbacks of the event loop; ctx is the domain. */
void domain_notice(void *ctx, uint32_t number);
void domain_serve(void *ctx, uint32_t number);
