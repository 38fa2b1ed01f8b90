/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of hv/vapic share: an APIC on a page with a canary behind it, and short forms of accesses.
 * Numbers in the tests are typed from the SDM, not taken from guest_abi/apic.h, where that is possible.
 */
#pragma once

#include "hv/vapic/vlapic.h"

#include <string.h>

enum { VAPIC_PAGE = 4096, VAPIC_CANARY = 64 };

struct vapic {
    struct vlapic a;
    _Alignas(64) uint32_t page[(VAPIC_PAGE + VAPIC_CANARY) / 4];
    struct vlapic_facts f; /* of the last access */
    uint64_t now;
};

static const struct vlapic_features VAPIC_ALL = {
    .x2apic = true, .tsc_deadline = true, .cmci = true, .directed_eoi = true, .tick = 4};

static inline void vapic_make(struct vapic *v, uint32_t id, bool bsp, const struct vlapic_features *features)
{
    memset(v, 0, sizeof(*v));
    memset(v->page, 0xc5, sizeof(v->page));
    v->now = 1000000;
    vlapic_init(&v->a, v->page, id, id, bsp, features ? features : &VAPIC_ALL);
}

/* Nothing behind the 1 KiB that is used has changed. */
static inline bool vapic_intact(const struct vapic *v)
{
    const uint8_t *p = (const uint8_t *)v->page;
    for (size_t i = 1024; i < sizeof(v->page); i++)
        if (p[i] != 0xc5)
            return false;
    return true;
}

static inline void vapic_write(struct vapic *v, uint32_t offset, uint32_t value)
{
    memset(&v->f, 0, sizeof(v->f));
    vlapic_mmio_write(&v->a, offset, 4, value, v->now, &v->f);
}

static inline uint32_t vapic_read(struct vapic *v, uint32_t offset)
{
    memset(&v->f, 0, sizeof(v->f));
    return (uint32_t)vlapic_mmio_read(&v->a, offset, 4, v->now, &v->f);
}

static inline bool vapic_wrmsr(struct vapic *v, uint32_t msr, uint64_t value)
{
    memset(&v->f, 0, sizeof(v->f));
    return vlapic_msr_write(&v->a, msr, value, v->now, &v->f);
}

static inline bool vapic_base(struct vapic *v, uint64_t value)
{
    memset(&v->f, 0, sizeof(v->f));
    return vlapic_base_set(&v->a, value, &v->f);
}

/* Enabled by software, mode x2APIC when `x2apic`. */
static inline void vapic_enable(struct vapic *v, bool x2apic)
{
    vapic_write(v, 0xf0, 0x1ff);
    if (x2apic)
        vapic_base(v, 0xfee00c00 | (v->a.bsp ? 0x100 : 0));
}

static inline enum vlapic_receipt vapic_send(struct vapic *v, uint8_t mode, uint8_t vector, bool level,
                                             uint8_t *error)
{
    struct vlapic_message m = {.mode = mode, .vector = vector, .level = level};
    return vlapic_receive(&v->a, &m, error);
}

static inline uint8_t vapic_fold(struct vapic *v, const uint64_t pir[4])
{
    uint8_t highest = 0;
    for (uint32_t i = 0; i < 4; i++)
        highest = vlapic_fold(&v->a, i, pir[i], highest);
    return highest;
}

static inline enum vlapic_receipt vapic_fixed(struct vapic *v, uint8_t vector)
{
    uint8_t error;
    return vapic_send(v, 0, vector, false, &error);
}

/* The error status as a guest reads it: write, then read. */
static inline uint32_t vapic_esr(struct vapic *v)
{
    uint64_t value = 0;
    if (vlapic_mode(&v->a) == VLAPIC_X2APIC) {
        vapic_wrmsr(v, 0x828, 0);
        vlapic_msr_read(&v->a, 0x828, v->now, &value);
        return (uint32_t)value;
    }
    vapic_write(v, 0x280, 0);
    return vapic_read(v, 0x280);
}
