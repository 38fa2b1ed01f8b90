/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical interrupts: the lines of the machine's devices as sources. guest_abi/README.md says what each call does.
 *
 * A line is named by its GSI in the machine. It has an owner, domain 0 at first, who may bind it to a notifier of its own
 * (hv_route.h): each interrupt signals the notifier, which fires a GSI of a domain, or notifies the owner, or only counts. Edges
 * are signals and no more. A level is blocked at the machine's I/O APIC when it has been taken, until the guest ends the
 * interrupt (a RESAMPLE notifier: first the guest's line falls, then the machine's is opened, and if the device still
 * asserts it there is a new signal), or until the owner's HV_CALL_PIRQ_ACK (every other notifier).
 *
 * A line that fires more than `limit` times within HV_PIRQ_WINDOW_MS is a storm: it is blocked for HV_PIRQ_PAUSE_MS, the log
 * names it, and the owner gets a notification if it wants one. After that an edge is signalled once more, since one may have
 * come meanwhile.
 */
#pragma once

#include <stddef.h>

#include "guest_abi/hv_abi.h"

/* What PIRQ_BIND's number is, if no GSI. */
#define HV_PIRQ_ISA     (1U << 0) /* an ISA interrupt, 0 to 15 */
#define HV_PIRQ_CONSOLE (1U << 1) /* 0: the receiver of the console's port */
/* The signal; without a flag as the firmware says. */
#define HV_PIRQ_EDGE  (1U << 2)
#define HV_PIRQ_LEVEL (1U << 3)
#define HV_PIRQ_HIGH  (1U << 4)
#define HV_PIRQ_LOW   (1U << 5)
/* Only in hv_pirq_info. */
#define HV_PIRQ_BOUND   (1U << 8)
#define HV_PIRQ_WAITS   (1U << 9)  /* for the end of a level */
#define HV_PIRQ_STORMED (1U << 10) /* blocked for a while */

#define HV_PIRQ_ANY_CPU   0xffffffffU
#define HV_PIRQ_LIMIT     500U /* what `limit` 0 stands for */
#define HV_PIRQ_WINDOW_MS 10U
#define HV_PIRQ_PAUSE_MS  100U

struct hv_pirq {
    uint32_t size;
    uint32_t flags;        /* HV_PIRQ_* */
    uint64_t notifier;     /* the caller's, and no other line's */
    uint32_t cpu;          /* of the machine, which takes the interrupts, or HV_PIRQ_ANY_CPU */
    uint32_t limit;        /* interrupts within the window that are no storm; 0: HV_PIRQ_LIMIT */
    uint32_t storm_vcpu;   /* of the caller, gets the notification of a storm */
    uint32_t storm_number; /* HV_NOTIFY_OWN to HV_NOTIFY_COUNT - 1; 0: none, and storm_vcpu is 0 */
};
_Static_assert(sizeof(struct hv_pirq) == 32, "ABI");

struct hv_pirq_info {
    uint32_t size;
    uint32_t
        flags; /* EDGE or LEVEL, HIGH or LOW, state; of a line that is not bound: what the firmware says */
    uint32_t owner; /* domain */
    uint32_t cpu;   /* bound: which takes the interrupts; else 0, and so all that follows */
    uint64_t notifier;
    uint64_t entry; /* of the I/O APIC, as the register has it now */
    uint64_t fired; /* since it was bound; and the next too */
    uint64_t storms;
    uint32_t vector; /* of the CPU */
    uint32_t limit;
};
_Static_assert(sizeof(struct hv_pirq_info) == 56, "ABI");
