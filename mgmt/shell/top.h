/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * top: what the vCPUs of all domains did in the last second, drawn anew every second until a key is
 * pressed. It has the screen for itself meanwhile, as an attached console has.
 */
#pragma once

#include <stdint.h>

void top_start(uint64_t tsc_khz);
void top_stop(void);
