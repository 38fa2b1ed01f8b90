/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * post_port: port 0x80, where firmware shows its progress and others spend a microsecond. The last
 * bytes are kept for the person who looks after a guest that hangs. Pure.
 */
#pragma once

#include <stdint.h>

#include "mgmt/lib/access.h"

#define POST_PORT 0x80U

enum { POST_PORT_KEPT = 8 };

struct post_port {
    uint64_t writes;              /* so far */
    uint8_t last[POST_PORT_KEPT]; /* that of write n is at n % POST_PORT_KEPT */
};

/* The last byte written; 0: none. */
uint8_t post_port_last(const struct post_port *port);

struct access_range post_port_range(struct post_port *port);
