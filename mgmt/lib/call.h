/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * call: every hypercall with C arguments. Structures may lie anywhere: they travel through one page
 * that call_init() names, so these functions are for one thread at a time. `size` fields are filled
 * in here. Results are those of the calls: zero or positive, or a negative HV_E*.
 *
 * guest_abi/README.md says what each call does. The ones without structures are inline functions of
 * guest_abi/hv_call.h and need no wrapper, but a program that is tested without a hypervisor wants
 * all of them in one place, so they are here as well.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest_abi/apic.h"
#include "guest_abi/hv_abi.h"
#include "guest_abi/hv_mgmt.h"
#include "guest_abi/hv_trace.h"
#include "guest_abi/hv_vcpu.h"

enum { CALL_PAGE_SIZE = 4096, CALL_LIST_MAX = CALL_PAGE_SIZE / 4 };

/* A page-aligned page and its guest-physical address, for as long as calls are made. */
void call_init(void *page, gpa_t gpa);
/* That page, for structures of other files (irq.h): holds until the next call. */
void *call_room(gpa_t *gpa);

int64_t call_version(void);
int64_t call_capability(enum hv_capability which);
int64_t call_notify_page(gpa_t page, uint8_t vector);
int64_t call_notify_wait(uint64_t tsc_deadline);

int64_t call_system_info(struct hv_system_info *out);
int64_t call_module_info(uint32_t index, struct hv_module_info *out);
int64_t call_cpu_info(uint32_t cpu, struct hv_cpu_info *out);
/* Copies at most `length` bytes of the log from *position on, which moves; *lost: bytes that were
 * overwritten before they could be read. */
int64_t call_log_read(uint64_t *position, uint64_t *lost, char *to, size_t length);
int64_t call_console_write(const char *text, size_t length); /* may take fewer */
int64_t call_console_read(char *to, size_t length);
int64_t call_shutdown(enum hv_shutdown how);

int64_t call_trace_control(enum hv_trace_op op, uint32_t pages, uint64_t cpus, uint32_t kinds);
/* -> how many of at most `room` records of the CPU, from number *position on, which moves; *lost before them. */
int64_t call_trace_read(uint32_t cpu, uint64_t *position, uint64_t *lost, uint64_t *written,
                        struct hv_trace_record *out, uint32_t room);

int64_t call_domain_create(const struct hv_domain_create *in); /* -> domain */
int64_t call_domain_destroy(uint32_t domain);
int64_t call_domain_pause(uint32_t domain);
int64_t call_domain_resume(uint32_t domain);
int64_t call_domain_info(uint32_t domain, struct hv_domain_info *out);
int64_t call_domain_list(uint32_t first, uint32_t *out, uint32_t count);
int64_t call_domain_claim(uint32_t domain, enum hv_claim_space space, uint64_t base, uint64_t length);
int64_t call_domain_unclaim(uint32_t domain, enum hv_claim_space space, uint64_t base, uint64_t length);

int64_t call_vcpu_create(uint32_t domain, uint32_t vcpu, gpa_t service_page);
int64_t call_vcpu_start(uint32_t domain, uint32_t vcpu);
int64_t call_vcpu_stop(uint32_t domain, uint32_t vcpu);
int64_t call_vcpu_get(uint32_t domain, uint32_t vcpu, enum hv_state_kind kind, void *out, size_t size);
int64_t call_vcpu_set(uint32_t domain, uint32_t vcpu, enum hv_state_kind kind, const void *in, size_t size);
int64_t call_vcpu_affinity(uint32_t domain, uint32_t vcpu, uint64_t cpus);
int64_t call_vcpu_priority(uint32_t domain, uint32_t vcpu, uint32_t priority, uint64_t slice_us);
int64_t call_vcpu_inject(uint32_t domain, uint32_t vcpu, enum hv_inject kind, uint32_t vector,
                         uint32_t error_code);
int64_t call_vcpu_kick(uint32_t domain, uint32_t vcpu);
int64_t call_vcpu_info(uint32_t domain, uint32_t vcpu, struct hv_vcpu_info *out);
int64_t call_vcpu_apic(uint32_t domain, uint32_t vcpu, struct hv_vcpu_apic *out);
int64_t call_vcpu_complete(uint32_t domain, uint32_t vcpu);

/* Pages done; these three repeat the call until all are done or an error comes. */
int64_t call_mem_donate(uint32_t domain, gpa_t own, gpa_t target, uint64_t pages, uint32_t flags);
int64_t call_mem_share(uint32_t domain, gpa_t own, gpa_t target, uint64_t pages, uint32_t flags);
int64_t call_mem_unmap(uint32_t domain, gpa_t gpa, uint64_t pages);
int64_t call_mem_query(uint32_t domain, struct hv_mem_query *inout);
