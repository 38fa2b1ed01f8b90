/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Services: exits that the manager answers. The vCPU writes its service page, tells the manager and stops
 * (HOLD_SERVICE); the manager's HV_CALL_VCPU_COMPLETE lets it go on, and the CPU that runs it next finishes
 * the access (REQUEST_ANSWER).
 */
#ifndef HV_CORE_SERVICE_H
#define HV_CORE_SERVICE_H

#include "hv/core/vcpu.h"

/* All on v's own CPU, while it runs. */
void service_pio(struct vcpu *v, uint16_t port, uint8_t width, bool write, uint64_t data);
void service_mmio(struct vcpu *v, gpa_t gpa, uint8_t width, bool write, uint64_t data);
void service_decode(struct vcpu *v, gpa_t gpa, bool write, const uint8_t *bytes, uint8_t count);
void service_report(struct vcpu *v,
                    enum hv_exit_kind kind); /* HV_EXIT_KICK, HV_EXIT_SMI: nothing to answer */

/*
 * The manager has answered. 0, or -HV_ENOENT: v waits for no answer. Under no lock; the caller may look up v
 * by domain_get.
 */
int service_complete(struct vcpu *v);

#endif
