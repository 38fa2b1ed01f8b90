/* SPDX-License-Identifier: BSD-2-Clause */
/* Part of the test of interrupts: irq.c. */
#pragma once

#include "tests/manager/lab.h"

/* g runs the agent and has no use for port 0x520. */
void irq_ring_and_close(struct guest *g);
/* INIT to g's only vCPU, whose agent is gone then. */
void irq_init_of_first(struct guest *g);

/* n: a notifier; AGENT_MMIO + 64 is free. */
void irq_any_writes(struct guest *g, uint64_t n);
