/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reaching a domain's memory: copies in and out through this CPU's window, page by page, and pins for ABI
 * pages that stay mapped. The hypervisor has no other map of guest memory. Addresses are guest-physical; what
 * they lead to comes from the domain's EPT, and a page counts as memory only with the access that is asked
 * for, and when a domain owns its frame: devices and the hypervisor's own frames are never reached.
 *
 * Copies take no lock. They are right because they serve no cross-CPU call: whoever unmaps memory makes each
 * CPU that may be copying answer one before the frames are used again (arch/vmx/ept.h). A CPU may be copying
 * from or to the domain whose vCPU it runs, and to any domain while it holds the management lock, which those
 * who unmap hold too.
 */
#ifndef HV_CORE_GMEM_H
#define HV_CORE_GMEM_H

#include "guest_abi/hv_abi.h"
#include "arch/cpu/bits.h"

struct domain;

/* Prepares the executing CPU's window. False: no page for its page tables. */
bool gmem_init_cpu(void);

/* A copy touches at most this many pages. */
#define GMEM_COPY_PAGES 16

/*
 * 0, or with nothing copied -HV_EFAULT: some page of [gpa, gpa + len) is not memory of the domain with that
 * access; -HV_E2BIG: more than GMEM_COPY_PAGES pages. Nothing to copy (len 0) is always 0. Not from an NMI.
 */
int gmem_read(struct domain *d, gpa_t gpa, void *out, uint64_t len) __attribute__((warn_unused_result));
int gmem_write(struct domain *d, gpa_t gpa, const void *in, uint64_t len) __attribute__((warn_unused_result));

/* Clears `pages` frames from physical address pa on, through the window. */
void gmem_scrub(uint64_t pa, uint64_t pages);

/*
 * Pins the page at gpa (page-aligned, writable memory that the domain owns) and maps it until gmem_unpin.
 * -HV_EFAULT: no such memory; -HV_EINVAL: not page-aligned; -HV_ENOMEM: no page tables or no place left to
 * map it; -HV_EBUSY: too many pins of this page. May serve cross-CPU calls: no lock held.
 */
int gmem_pin(struct domain *d, gpa_t gpa, void **va) __attribute__((warn_unused_result));

/* No CPU may use va any more. Serves no cross-CPU calls. */
void gmem_unpin(void *va);

#endif
