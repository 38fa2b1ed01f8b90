/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * post_port: see post_port.h. A read gives the last byte written, as the latch of a POST card does.
 */
#include "mgmt/devices/post_port.h"

uint8_t post_port_last(const struct post_port *port)
{
    return port->writes == 0 ? 0 : port->last[(port->writes - 1) % POST_PORT_KEPT];
}

static uint64_t post_port_read(void *ctx, uint64_t offset, uint8_t width)
{
    (void)offset;
    (void)width;
    return post_port_last(ctx);
}

static void post_port_write(void *ctx, uint64_t offset, uint8_t width, uint64_t data)
{
    struct post_port *port = ctx;
    (void)offset;
    (void)width;
    port->last[port->writes++ % POST_PORT_KEPT] = (uint8_t)data;
}

struct access_range post_port_range(struct post_port *port)
{
    return (struct access_range){HV_CLAIM_PIO, POST_PORT, 1, 1, post_port_read, post_port_write, port};
}
