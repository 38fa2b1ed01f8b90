/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between vlapic_reg.c, which decides whether a write counts, and vlapic_write.c, which does what it means:
 * `value` has its reserved bits removed.
 */
#ifndef HV_VAPIC_VLAPIC_WRITE_H
#define HV_VAPIC_VLAPIC_WRITE_H

#include "hv/vapic/vlapic.h"

struct vlapic_access {
    struct vlapic *a;
    uint32_t offset;
    uint64_t now;
    struct vlapic_facts *f;
};

void vlapic_write_error(const struct vlapic_access *x, uint32_t esr_bits);
void vlapic_write(const struct vlapic_access *x, uint32_t value);

#endif
