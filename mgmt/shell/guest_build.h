/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_build: makes the domain of a guest (guest_create() in guest.h), and the callbacks in guest.c
 * that its devices get.
 */
#pragma once

#include <stdint.h>

#include "mgmt/shell/guest.h"

/* Makes the devices anew. Zero, or a negative HV_E*. */
int64_t guest_add_devices(struct guest *guest);

/* Devices that were just made: their interrupts, if the domain has pins for them. */
void guest_irq_connect(struct guest *guest);

/* By guest->ends_at, or from now on when that is 0 and it has one. */
void guest_arm_timeout(struct guest *guest);

/* By what its clock and power management have before them. */
void guest_arm_wake(struct guest *guest);

/* Its result is known; what follows from it is done by the event loop. */
void guest_finish_soon(struct guest *guest);

void guest_on_answer(struct domain *domain);
void guest_on_exit_port(void *ctx, uint32_t code);
void guest_on_reset(void *ctx);
void guest_on_power_off(void *ctx);
void guest_on_panic(void *ctx);
void guest_on_output(void *ctx, uint8_t byte);
void guest_on_death(struct domain *domain, const struct hv_domain_info *info);
