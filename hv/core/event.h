/* SPDX-License-Identifier: BSD-2-Clause */
/* Events for a vCPU without a local APIC: one external interrupt, NMIs. */
#ifndef HV_CORE_EVENT_H
#define HV_CORE_EVENT_H

#include "hv/core/vcpu.h"

/* Any context. An external interrupt replaces one that has not been taken yet: its sender sees to that. */
void event_external(struct vcpu *v, uint8_t vector);
void event_nmi(struct vcpu *v);

/*
 * On v's CPU with its VMCS current: sets what can be injected, opens windows for what cannot. True when
 * something will be delivered at the entry.
 */
bool event_prepare(struct vcpu *v);

/* The window that was asked for is open. */
void event_window(struct vcpu *v, bool nmi);

/*
 * An exception for a vCPU that does not run and is held: an event of its instruction stream. 0; -HV_EBUSY: it
 * runs, or an event is set already; -HV_EINVAL: an error code for a vector without one. Under the management
 * lock; may wait for another CPU.
 */
int event_exception(struct vcpu *v, uint8_t vector, uint32_t error_code);

#endif
