/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_saved: what of a guest outlives this program: the state of its devices and how far its end has
 * come, in domain_kept(). It is written after every change and before the guest can go on, so that the
 * next instance takes up the devices where they were; an access that was not yet answered then is
 * answered by it. What the console has shown, typed bytes that wait, and results of guests that are
 * gone are not kept.
 */
#pragma once

#include <stdbool.h>

#include "mgmt/shell/guest.h"

void guest_save(const struct guest *guest);

/* Into devices that were just made. False: nothing was saved, or it makes no sense; nothing changed. */
bool guest_restore(struct guest *guest);
