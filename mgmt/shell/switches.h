/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * switches: the network switches by name; one comes into being when a domain first names it, and stays.
 */
#pragma once

#include <stdint.h>

#include "mgmt/virtio/net_switch.h"

enum { SWITCHES_MAX = 16 };

/* NULL: SWITCHES_MAX exist, or no memory. */
struct net_switch *switches_get(const char *name);

uint32_t switches_count(void);
struct net_switch *switches_at(uint32_t index, const char **name);
