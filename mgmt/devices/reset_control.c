/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reset_control: see reset_control.h. Both registers reset at the change of their bit from 0 to 1.
 */
#include "mgmt/devices/reset_control.h"

enum {
    CF9_RST_CPU = 1 << 2,
    CF9_KEPT = 0x0e, /* SYS_RST, RST_CPU, FULL_RST */
    A_INIT_NOW = 1 << 0,
    A_A20 = 1 << 1,
    A_KEPT = 0x03,
};

void reset_control_init(struct reset_control *control)
{
    control->cf9 = 0;
    control->port_a = A_A20;
}

bool reset_control_a20(const struct reset_control *control)
{
    return (control->port_a & A_A20) != 0;
}

void reset_control_set_a20(struct reset_control *control, bool open)
{
    control->port_a = (uint8_t)((control->port_a & ~A_A20) | (open ? A_A20 : 0));
}

uint8_t reset_control_read_cf9(void *ctx)
{
    const struct reset_control *control = ctx;
    return control->cf9;
}

void reset_control_write_cf9(void *ctx, uint8_t value)
{
    struct reset_control *control = ctx;
    bool rises = (value & ~control->cf9 & CF9_RST_CPU) != 0;
    control->cf9 = value & CF9_KEPT;
    if (rises)
        control->reset(control->ctx);
}

static uint64_t port_a_read(void *ctx, uint64_t offset, uint8_t width)
{
    const struct reset_control *control = ctx;
    (void)offset;
    (void)width;
    return control->port_a;
}

static void port_a_write(void *ctx, uint64_t offset, uint8_t width, uint64_t data)
{
    struct reset_control *control = ctx;
    bool rises = (data & A_INIT_NOW) != 0 && (control->port_a & A_INIT_NOW) == 0;
    (void)offset;
    (void)width;
    control->port_a = data & A_KEPT;
    if (rises)
        control->reset(control->ctx);
}

struct access_range reset_control_range(struct reset_control *control)
{
    return (struct access_range){HV_CLAIM_PIO, RESET_CONTROL_PORT_A, 1,      1,
                                 port_a_read,  port_a_write,         control};
}
