/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host_clock: the time of the machine's own clock, which the hypervisor leaves to the management
 * domain (ports 0x70 and 0x71).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Seconds since 1970 as the clock shows them, in whatever time zone it is kept. False: there is no
 * clock, it does not tick, or it shows no date; *seconds is the start of the year 2000 then. */
bool host_clock_read(int64_t *seconds);
