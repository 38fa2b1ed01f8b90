/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by state.c and state_bad.c. */
#pragma once

#include "tests/manager/lab.h"

union record {
    struct hv_regs regs;
    struct hv_sregs sregs;
    struct hv_msrs msrs;
    struct hv_events events;
    struct {
        struct hv_xsave_header header;
        uint8_t area[PAGE - sizeof(struct hv_xsave_header)];
    } xsave;
};

size_t state_size(enum hv_state_kind kind);
void state_get(const struct guest *g, enum hv_state_kind kind, union record *r);
int64_t state_set(const struct guest *g, enum hv_state_kind kind, const union record *r);

/* Every value that must be refused, one at a time, for vCPU 0. */
void state_refused(const struct guest *g);
