/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shell: commands typed by a person on the machine's console. It stays silent until the first byte
 * comes, so that a machine that nobody looks at prints results only, unless the configuration has a banner.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mgmt/config/config.h"
#include "mgmt/lib/frames.h"

/* Starts to listen. */
void shell_init(const struct frames *frames, uint64_t tsc_khz);

/* Shows the configuration's banner, if it has one, and then the prompt. */
void shell_greet(const struct config *config);

/* Somebody has typed something: the machine is not to be turned off behind his back. */
bool shell_in_use(void);
