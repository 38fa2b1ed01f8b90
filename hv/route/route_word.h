/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A route as one word, so that a change is one store: pure encode, decode and check. What a word says can be
 * read back exactly as it was written. 0: no route.
 *
 *   bits 2:0   kind
 *   IRQCHIP    6:3 PIC master, 10:7 slave (bit 3 of each: present)
 *              19:11, 28:20, 37:29 I/O APICs (bit 8: present)
 *   MSI        20:3 address 19:2, 44:21 bits 31:8 of its upper half, 60:45 data
 *   GSI        19:3 GSI
 *   NOTIFY     8:3 vCPU, 20:9 number
 *   OUTPUT     8:3 vCPU, 14:9 number, 21 edge
 *
 * Semantics of entries: KVM's, feature rows. Message format: SDM volume 3, "Message Signalled
 * Interrupts".
 */
#ifndef HV_ROUTE_ROUTE_WORD_H
#define HV_ROUTE_ROUTE_WORD_H

#include <stdbool.h>

#include "arch/cpu/bits.h"
#include "guest_abi/hv_route.h"
#include "hv/vapic/vlapic.h"

enum route_word_kind { ROUTE_NONE, ROUTE_IRQCHIP, ROUTE_MSI, ROUTE_GSI, ROUTE_NOTIFY, ROUTE_OUTPUT };

/* What the domain has. */
struct route_limits {
    uint32_t gsis;
    uint32_t ioapics; /* 0: neither PIC nor I/O APIC */
    uint32_t pins[HV_IOAPICS_MAX];
    uint32_t manager_vcpus;
    uint32_t output_vcpus; /* 0: no outputs */
    bool apics;
};

/*
 * The word of `count` routes of one GSI (0: none). 0; -HV_EINVAL: unknown kind, flags or reserved fields,
 * another GSI, two routes of one chip or a second one beside another kind, no such pin, GSI, vCPU or number,
 * a message that is none; -HV_ENODEV: a kind that is not there yet, or a controller that the domain does not
 * have.
 */
int route_encode(const struct hv_route *r, uint32_t count, uint32_t gsi, const struct route_limits *l,
                 uint64_t *word);

/* The same back. Returns how many. */
uint32_t route_decode(uint64_t word, uint32_t gsi, struct hv_route out[HV_ROUTES_PER_GSI]);

#define MSI_BASE     0xfee00000U
#define MSI_MEANS    0x000fffecU /* address; bit 4: remappable format */
#define MSI_RH       8U
#define MSI_DM       4U
#define MSI_DATA     0x0000c7ffU
#define MSI_NO_MODES (1U << APIC_DM_REMOTE_READ | 1U << APIC_DM_STARTUP)

/* The message of an MSI. False: not one. Bits without a meaning must be 0. */
static inline bool route_encode_msi(uint64_t address, uint64_t data, uint64_t *word)
{
    uint64_t wrong = ((address & ~(0xffffff0000000000UL | MSI_MEANS)) ^ MSI_BASE) |
                     (data & ~(uint64_t)MSI_DATA) | (MSI_NO_MODES >> (data >> 8 & 7) & 1);
    if (wrong || (address >> 32 && (address & 0xfe0)))
        return false;
    *word = ROUTE_MSI | (address & 0xffffc) << 1 | address >> 40 << 21 | data << 45;
    return true;
}

static inline enum route_word_kind route_kind(uint64_t word)
{
    return (enum route_word_kind)(word & 7);
}

static inline uint32_t route_gsi(uint64_t word)
{
    return word >> 3 & (HV_GSI_MAX - 1);
}

static inline uint32_t route_vcpu(uint64_t word)
{
    return word >> 3 & 63;
}

#define ROUTE_EDGE (1U << 21)

static inline uint32_t route_number(uint64_t word)
{
    return word >> 9 & 4095;
}

/* Fixed, edge, to an ID of 8 bits: nothing else is set. */
static inline bool route_is_plain(uint64_t word)
{
    return (word & ~(MASK(20, 13) | MASK(52, 45))) == ROUTE_MSI;
}

/* The redirection hint makes a fixed message one for the lowest priority. */
static inline struct vlapic_message route_message(uint64_t word)
{
    uint64_t address = word >> 1, data = word >> 45;
    uint32_t far = (uint32_t)(word >> 21 & 0xffffff) << 8, middle = (uint32_t)(address << 3) & 0x7f00;
    uint8_t mode = data >> 8 & 7;
    return (struct vlapic_message){
        .dest = (uint8_t)(address >> 12) | middle | far,
        .vector = (uint8_t)data,
        .mode = mode == APIC_DM_FIXED && (address & MSI_RH) ? APIC_DM_LOWEST : mode,
        .level = data >> 15 & 1,
        .logical = address & MSI_DM,
        .wide = far | middle,
    };
}

/* The pin of chip (HV_CHIP_*) in an IRQCHIP word, or -1. */
static inline int route_pin(uint64_t word, uint32_t chip)
{
    if (chip < HV_CHIP_IOAPIC) {
        uint64_t f = word >> (3 + 4 * chip);
        return f & 8 ? (int)(f & 7) : -1;
    }
    uint64_t f = word >> (11 + 9 * (chip - HV_CHIP_IOAPIC));
    return f & 0x100 ? (int)(f & 0xff) : -1;
}

#endif
