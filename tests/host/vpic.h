/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of hv/irqchip/vpic share: a pair of chips, and accesses with their facts. */
#pragma once

#include "hv/irqchip/vpic.h"

#include "tests/host/random.h"
#include "tests/host/test.h"

static struct vpic p;
static struct vpic_facts f;

static inline void out8(uint16_t port, uint8_t value)
{
    memset(&f, 0, sizeof(f));
    vpic_write(&p, port, value, &f);
}

static inline uint8_t in8(uint16_t port)
{
    memset(&f, 0, sizeof(f));
    return vpic_read(&p, port, &f);
}

static inline int ack(void)
{
    memset(&f, 0, sizeof(f));
    return vpic_ack(&p, &f);
}

static inline void pulse(unsigned pin)
{
    vpic_line(&p, pin, 0, true);
    vpic_line(&p, pin, 0, false);
}

/* As a PC does it: vectors 20h and 28h; ICW4 as given. */
static inline void make(uint8_t icw4_master, uint8_t icw4_slave)
{
    vpic_init(&p);
    out8(0x20, 0x11);
    out8(0x21, 0x20);
    out8(0x21, 0x04);
    out8(0x21, icw4_master);
    out8(0xa0, 0x11);
    out8(0xa1, 0x28);
    out8(0xa1, 0x02);
    out8(0xa1, icw4_slave);
}
