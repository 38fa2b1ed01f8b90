/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt routing: irqchips, the GSI table, notifiers, doorbells. guest_abi/README.md says what each call
 * does, and which KVM ioctl it stands for.
 *
 * A GSI is a number for an interrupt source of a domain. Its route says what happens when the source fires:
 * pins of interrupt controllers rise or fall, a message (MSI) goes to local APICs, another GSI fires, or the
 * manager is notified. A notifier is a handle that fires a GSI, or notifies its owner, with no further
 * argument; a doorbell is an address in a domain whose writes signal a notifier.
 */
#pragma once

#include <stddef.h>

#include "guest_abi/hv_abi.h"

#define HV_GSI_MAX                131072U /* GSIs are below this, and below hv_irqchip_config.gsis */
#define HV_IOAPICS_MAX            3U
#define HV_IOAPIC_PINS_CONFIG_MAX 96U

/*
 * ---- irqchips of a domain: hv_domain_create.flags says which; HV_CALL_IRQCHIP_CONFIG, before its first
 * vCPU, how many
 */

struct hv_ioapic_place {
    gpa_t base;        /* of its registers: page-aligned, without memory behind it */
    uint32_t pins;     /* 1 to HV_IOAPIC_PINS_CONFIG_MAX */
    uint32_t reserved; /* 0 */
};

/* Without the call: 4096 GSIs, and for a full irqchip one I/O APIC with 24 pins at 0xfec00000. */
struct hv_irqchip_config {
    uint32_t size;
    uint32_t flags;                                /* 0 */
    uint32_t gsis;                                 /* 1 to HV_GSI_MAX */
    uint32_t ioapics;                              /* full: 1 to HV_IOAPICS_MAX; else 0 */
    struct hv_ioapic_place ioapic[HV_IOAPICS_MAX]; /* those that are not there are 0 */
};
_Static_assert(sizeof(struct hv_irqchip_config) == 64, "ABI");

/* Kinds for HV_CALL_IRQCHIP_GET and HV_CALL_IRQCHIP_SET; records in irqchip.h. */
enum hv_irqchip_state {
    HV_IRQCHIP_STATE_PIC = 0,
    HV_IRQCHIP_STATE_PIT = 1,
    HV_IRQCHIP_STATE_IOAPIC = 2, /* and 3, 4: the second and third */
};

/* ---- routes */

enum hv_route_kind {
    HV_ROUTE_NONE = 0,
    HV_ROUTE_IRQCHIP = 1,    /* a pin; a GSI may have one of each chip */
    HV_ROUTE_MSI = 2,        /* a message to local APICs */
    HV_ROUTE_HV_SINT = 4,    /* not supported yet */
    HV_ROUTE_XEN_EVTCHN = 5, /* not supported yet */
    HV_ROUTE_GSI = 16,       /* another GSI of the domain */
    HV_ROUTE_NOTIFY = 17,    /* a notification of the domain's manager */
    HV_ROUTE_OUTPUT = 18,    /* an output in the service page of a vCPU: HV_DOMAIN_OUTPUTS */
};

enum hv_irqchip {
    HV_CHIP_PIC_MASTER = 0, /* pins 0 to 7 */
    HV_CHIP_PIC_SLAVE = 1,
    HV_CHIP_IOAPIC = 2, /* and 3, 4: the second and third */
};

/* What HV_CALL_IRQ_LINE does with a GSI. */
enum hv_line {
    HV_LINE_DOWN = 0,
    HV_LINE_UP = 1,
    HV_LINE_TICK =
        2, /* a pulse, unless a vCPU has not ended the last tick of this GSI: then nothing, and the result 0 */
    HV_LINE_END = 3, /* the guest has ended it, at a controller that the caller emulates */
};

/* One route of one GSI. A GSI with several IRQCHIP routes is several of these with the same gsi. */
struct hv_route {
    uint32_t gsi;
    uint32_t kind;  /* enum hv_route_kind */
    uint32_t flags; /* 0 */
    uint32_t reserved;
    union {
        struct {
            uint32_t chip; /* enum hv_irqchip */
            uint32_t pin;
            uint32_t reserved[2];
        } irqchip;
        struct {
            uint32_t address;      /* 0xfeexxxxx: 19:12 destination, 11:5 its bits 14:8, 3 RH, 2 DM */
            uint32_t address_high; /* 31:8 bits 31:8 of the destination; then 11:5 of address are 0 */
            uint32_t data;         /* 15 level triggered, 14 assert, 10:8 delivery mode, 7:0 vector */
            uint32_t reserved;
        } msi;
        struct {
            uint32_t gsi;
            uint32_t reserved[3];
        } gsi_to;
        struct {
            uint32_t vcpu;   /* of the manager */
            uint32_t number; /* HV_NOTIFY_OWN to HV_NOTIFY_COUNT - 1 */
            uint32_t reserved[2];
        } notify;
        struct {
            uint32_t vcpu;   /* of the domain */
            uint32_t number; /* bit of device_irq_level, 1 to 63 */
            uint32_t
                edge; /* 1: edges are told, 0: the level, which all sources of the GSI hold up together */
            uint32_t reserved;
        } output;
        uint32_t raw[4];
    };
};
_Static_assert(sizeof(struct hv_route) == 32, "ABI");

/*
 * A list of routes: its size is 16 + count * 32 (for HV_CALL_ROUTE_GET, with the room of the caller as
 * count). What belongs to one GSI stands together.
 */
struct hv_routes {
    uint32_t size;
    uint32_t count;
    uint32_t gsi; /* ROUTE_SET: whose route it is; ROUTE_GET: in: first, out: where to go on; else 0 */
    uint32_t reserved;
    struct hv_route route[];
};
_Static_assert(sizeof(struct hv_routes) == 16, "ABI");
#define HV_ROUTES_MAX     127U /* in one list */
#define HV_ROUTES_PER_GSI 5U   /* one of each chip */

/* What HV_CALL_ROUTE_REPLACE does with its list. Without COMMIT nothing is visible yet. */
#define HV_REPLACE_BEGIN  (1U << 0) /* forget what was prepared; the new table is empty */
#define HV_REPLACE_COMMIT (1U << 1) /* after this list, the new table takes the place of the old */
#define HV_REPLACE_ABORT  (1U << 2) /* forget what was prepared; alone, with an empty list */

/* Reverse look-up: the next GSI from `gsi` on whose interrupts can come as this vector. */
struct hv_route_lookup {
    uint32_t size;
    uint32_t flags;       /* HV_LOOKUP_* */
    uint32_t gsi;         /* in: first; out: found, or where to go on */
    uint32_t vector;      /* 0 to 255 */
    uint32_t destination; /* as the message has it */
    uint32_t reserved;
};
_Static_assert(sizeof(struct hv_route_lookup) == 24, "ABI");
#define HV_LOOKUP_DESTINATION (1U << 0) /* only with this destination */

struct hv_route_stats {
    uint32_t size;
    uint32_t gsi;          /* in */
    uint64_t fired;        /* a level that rose, an edge, a message, a notification */
    uint64_t delivered;    /* of these: new for at least one vCPU, or for the manager */
    uint64_t coalesced;    /* pending already */
    uint64_t masked;       /* nobody took it */
    uint64_t acknowledged; /* ended by an EOI that the hypervisor sees: level-triggered, and PIC */
    uint64_t storms;       /* times that its I/O APIC pins were put off: asserted at 10,000 EOIs in a row */
    uint64_t reserved[1];
};
_Static_assert(sizeof(struct hv_route_stats) == 64, "ABI");

/*
 * How long the interrupts of a GSI took from when they were sent to a local APIC (I/O APIC) or requested (PIC) until the guest
 * ended them. Of those whose end is seen: level-triggered ones, and the PIC's. count[0]: less than 2^10 ticks of the TSC,
 * count[n]: 2^(9+n) and more, less than 2^(10+n); the last one: all that is longer. They wrap.
 */
#define HV_LATENCY_BUCKETS 22U
#define HV_LATENCY_SHIFT   10U
struct hv_route_latency {
    uint32_t size;
    uint32_t gsi; /* in */
    uint64_t reserved[2];
    uint32_t count[HV_LATENCY_BUCKETS];
};
_Static_assert(sizeof(struct hv_route_latency) == 112, "ABI");

/* ---- notifiers. A handle is never used twice: after CLOSE it is -HV_ENOENT for good. */

enum hv_notifier_kind {
    HV_NOTIFIER_COUNT = 0,  /* signals are only counted */
    HV_NOTIFIER_GSI = 1,    /* fires a GSI of a domain that the owner manages */
    HV_NOTIFIER_NOTIFY = 2, /* sets a notification of the owner */
};

/*
 * GSI: the line stays up until the guest's EOI; then it falls, and after that all resample notifiers of this
 * GSI set their notifications. Who still has a reason signals again.
 */
#define HV_NOTIFIER_RESAMPLE (1U << 0)

struct hv_notifier {
    uint32_t size;
    uint32_t kind;   /* enum hv_notifier_kind */
    uint32_t flags;  /* HV_NOTIFIER_* */
    uint32_t domain; /* GSI */
    uint32_t gsi;    /* GSI */
    uint32_t vcpu;   /* NOTIFY and RESAMPLE: of the owner */
    uint32_t number; /* NOTIFY and RESAMPLE: HV_NOTIFY_OWN to HV_NOTIFY_COUNT - 1 */
    uint32_t reserved;
};
_Static_assert(sizeof(struct hv_notifier) == 32, "ABI");

struct hv_notifier_info {
    uint32_t size;
    uint32_t reserved0;
    uint64_t signals;        /* in all */
    uint64_t unread;         /* since the last HV_CALL_NOTIFIER_READ */
    uint64_t resampled;      /* times the listener was told of an EOI */
    uint64_t may_signal[4];  /* bit per domain; the owner always may */
    struct hv_notifier bind; /* with its size */
};
_Static_assert(sizeof(struct hv_notifier_info) == 96, "ABI");

/* ---- doorbells */

#define HV_DOORBELL_MATCH (1U << 0) /* only writes of `data` */

struct hv_doorbell {
    uint32_t size;
    uint32_t space;    /* enum hv_claim_space */
    uint64_t address;  /* port or guest-physical address of the write, exactly */
    uint32_t width;    /* 1, 2, 4, 8 (MMIO); 0: any */
    uint32_t flags;    /* HV_DOORBELL_* */
    uint64_t data;     /* with MATCH; below 2^(8 * width) */
    uint64_t notifier; /* handle of the caller's */
    uint64_t reserved;
};
_Static_assert(sizeof(struct hv_doorbell) == 48, "ABI");
