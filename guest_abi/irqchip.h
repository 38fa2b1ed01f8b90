/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupt controllers and the timer of a PC as software sees them, and the records that carry the state
 * of virtual ones: I/O APIC (82093AA, with the EOI register of version 0x20), the pair of 8259A with its
 * edge/level register, the 8254 with port 61h.
 *
 * Records. `size` and `version` come first; every reserved field is 0; a record that no device could have made
 * is refused, and nothing changes. Times are relative, or on a scale of their own, so that a record fits a
 * machine with another clock.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* --- I/O APIC --- */
#define IOAPIC_DEFAULT     0xfec00000U /* address of the first one's page */
#define IOAPIC_IOREGSEL    0x00U
#define IOAPIC_IOWIN       0x10U
#define IOAPIC_EOIR        0x40U /* version 0x20 and later: a vector */
#define IOAPIC_ID          0U    /* registers behind IOREGSEL */
#define IOAPIC_VER         1U
#define IOAPIC_ARB         2U
#define IOAPIC_REDTBL      0x10U /* two registers for each pin */
#define IOAPIC_VERSION_PCI 0x11U
#define IOAPIC_VERSION_EOI 0x20U

/* Entry of the redirection table */
#define IOAPIC_RTE_VECTOR     0xffULL
#define IOAPIC_RTE_MODE_SHIFT 8 /* enum apic_delivery, 3 bits */
#define IOAPIC_RTE_LOGICAL    0x800ULL
#define IOAPIC_RTE_STATUS     0x1000ULL /* read-only: waits to be delivered */
#define IOAPIC_RTE_POLARITY   0x2000ULL
#define IOAPIC_RTE_REMOTE_IRR 0x4000ULL /* read-only: delivered, not ended */
#define IOAPIC_RTE_LEVEL      0x8000ULL
#define IOAPIC_RTE_MASKED     0x10000ULL
#define IOAPIC_RTE_DEST_SHIFT 56
#define IOAPIC_RTE_EXT_SHIFT                                                                                 \
    49 /* 55:49, bits 14:8 of the destination; bit 48 says "remappable" and stays 0 */
#define IOAPIC_RTE_EXT 0x7fULL

#define HV_IOAPIC_VERSION  1U
#define HV_IOAPIC_PINS_MAX 240U

#define HV_IOAPIC_WAITING 1U /* an edge that nobody has taken yet */

struct hv_ioapic_pin {
    uint64_t rte;     /* without STATUS, which follows from the rest */
    uint64_t sources; /* which sources hold the pin asserted; bit: number of the source */
    uint64_t put_off; /* TSC ticks until the storm guard lets the pin go on; 0: it is not held */
    uint32_t streak;  /* immediate deliveries after an EOI, in a row */
    uint16_t reserved;
    uint16_t flags; /* HV_IOAPIC_* */
};
_Static_assert(offsetof(struct hv_ioapic_pin, streak) == 24, "ABI");
_Static_assert(sizeof(struct hv_ioapic_pin) == 32, "ABI");

/* `size` is HV_IOAPIC_SIZE(pins): pins that the device has not are not there. */
struct hv_ioapic {
    uint32_t size;
    uint32_t version;
    uint32_t pins;
    uint32_t id;     /* register 0 */
    uint32_t select; /* IOREGSEL */
    uint32_t reserved[3];
    struct hv_ioapic_pin pin[HV_IOAPIC_PINS_MAX];
};
#define HV_IOAPIC_SIZE(pins) (32U + 32U * (uint32_t)(pins))
_Static_assert(offsetof(struct hv_ioapic, pin) == HV_IOAPIC_SIZE(0), "ABI");
_Static_assert(sizeof(struct hv_ioapic) == HV_IOAPIC_SIZE(HV_IOAPIC_PINS_MAX), "ABI");

/* --- 8259A pair --- */
#define PIC_MASTER_COMMAND 0x20U
#define PIC_MASTER_DATA    0x21U
#define PIC_SLAVE_COMMAND  0xa0U
#define PIC_SLAVE_DATA     0xa1U
#define PIC_ELCR_MASTER    0x4d0U
#define PIC_ELCR_SLAVE     0x4d1U
#define PIC_ELCR_MASTER_RW 0xf8U /* IRQ 0, 1, 2 are edge-triggered for ever, */
#define PIC_ELCR_SLAVE_RW  0xdeU /* so are 8 and 13 */

#define HV_PIC_VERSION 1U

enum hv_pic_flag {
    HV_PIC_SINGLE = 1 << 0,      /* ICW1 */
    HV_PIC_LTIM = 1 << 1,        /* ICW1: all pins level-triggered */
    HV_PIC_NEEDS_ICW4 = 1 << 2,  /* ICW1 */
    HV_PIC_AEOI = 1 << 3,        /* ICW4 */
    HV_PIC_SFNM = 1 << 4,        /* ICW4 */
    HV_PIC_ROTATE_AEOI = 1 << 5, /* OCW2 */
    HV_PIC_SMM = 1 << 6,         /* OCW3 */
    HV_PIC_READ_ISR = 1 << 7,    /* OCW3 */
    HV_PIC_POLL = 1 << 8,        /* OCW3: the next read is a poll */
    HV_PIC_FLAGS = 0x1ff,
};

/* What the next write to the data port is. */
enum hv_pic_step { HV_PIC_COLD, HV_PIC_ICW2, HV_PIC_ICW3, HV_PIC_ICW4, HV_PIC_READY };

struct hv_pic_chip {
    uint16_t flags;
    uint8_t step; /* enum hv_pic_step; COLD: never initialized, OCW1 */
    uint8_t base; /* ICW2 */
    uint8_t icw3;
    uint8_t latch; /* edges that were not acknowledged; a level pin's request is its line */
    uint8_t isr, imr;
    uint8_t elcr;
    uint8_t lowest; /* pin with the lowest priority */
    uint8_t reserved[6];
};
_Static_assert(sizeof(struct hv_pic_chip) == 16, "ABI");

struct hv_pic {
    uint32_t size;
    uint32_t version;
    uint32_t reserved[2];
    struct hv_pic_chip chip[2]; /* master, slave */
    uint64_t sources[16];       /* as in struct hv_ioapic_pin; [2] is 0 */
};
_Static_assert(offsetof(struct hv_pic, sources) == 48, "ABI");
_Static_assert(sizeof(struct hv_pic) == 176, "ABI");

/* --- 8254 and port 61h --- */
#define PIT_HZ          1193182U
#define PIT_CHANNEL0    0x40U /* to 0x42 */
#define PIT_CONTROL     0x43U
#define PIT_PORT61      0x61U
#define PORT61_GATE2    0x01U
#define PORT61_SPEAKER  0x02U
#define PORT61_WRITABLE 0x0fU
#define PORT61_REFRESH  0x10U
#define PORT61_OUT2     0x20U

#define HV_PIT_VERSION 1U
#define HV_PIT_NEVER   UINT64_MAX

enum hv_pit_channel_flag {
    HV_PIT_BCD = 1 << 0,
    HV_PIT_NULL = 1 << 1,           /* `reload` was written and not loaded yet */
    HV_PIT_WRITE_HIGH = 1 << 2,     /* the next byte written is the high one */
    HV_PIT_READ_HIGH = 1 << 3,      /* the next byte read is the high one */
    HV_PIT_LATCHED_COUNT = 1 << 4,  /* .latch */
    HV_PIT_LATCHED_STATUS = 1 << 5, /* .status */
    HV_PIT_GATE = 1 << 6,
    HV_PIT_CHANNEL_FLAGS = 0x7f,
};

/* Positions are PIT ticks on the scale of hv_pit.position. */
struct hv_pit_channel {
    uint64_t start;     /* where the counter was loaded with `count` */
    uint64_t load_at;   /* where it is loaded with `reload`; HV_PIT_NEVER: at a trigger, or not at all */
    uint64_t frozen_at; /* where a low gate has stopped it; HV_PIT_NEVER: it runs */
    uint32_t count;     /* loaded; 0: none. 65536, or 10000 in BCD, is written as 0 by the guest */
    uint32_t reload;    /* written; 0: none */
    uint16_t latch;
    uint8_t status;
    uint8_t mode;   /* 0 to 5 */
    uint8_t access; /* 1: low byte, 2: high byte, 3: low, then high */
    uint8_t low;    /* first byte of a pair */
    uint16_t flags; /* enum hv_pit_channel_flag */
};
_Static_assert(offsetof(struct hv_pit_channel, count) == 24, "ABI");
_Static_assert(sizeof(struct hv_pit_channel) == 40, "ABI");

enum hv_pit_flag {
    HV_PIT_REINJECT = 1 << 0,  /* missed ticks are delivered later */
    HV_PIT_UNACKED = 1 << 1,   /* a tick was delivered and not acknowledged */
    HV_PIT_MUTED = 1 << 2,     /* no ticks: something else (HPET, legacy replacement) drives IRQ 0 */
    HV_PIT_COALESCED = 1 << 3, /* the last tick was: the next one comes 200 us after it at the earliest */
    HV_PIT_FLAGS = 0xf,
};

struct hv_pit {
    uint32_t size;
    uint32_t version;
    uint64_t position; /* PIT ticks, from some start; 2^16 to 2^62 */
    uint64_t phase;    /* TSC ticks since `position` was reached: less than one PIT tick, else cut */
    uint64_t served;   /* position when a tick was delivered last */
    uint32_t edges;    /* rising edges of channel 0 that are still to be delivered */
    uint16_t flags;    /* enum hv_pit_flag */
    uint8_t port61;    /* bits 3:0 */
    uint8_t reserved;
    uint64_t reserved2[3];
    struct hv_pit_channel channel[3];
};
_Static_assert(offsetof(struct hv_pit, edges) == 32, "ABI");
_Static_assert(offsetof(struct hv_pit, channel) == 64, "ABI");
_Static_assert(sizeof(struct hv_pit) == 184, "ABI");
