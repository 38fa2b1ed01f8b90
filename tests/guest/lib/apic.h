/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC of the processor that executes, in whichever mode it is (struct cpu says so), and the
 * interrupts that it takes. Registers and bits: guest_abi/apic.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "guest_abi/apic.h"
#include "tests/guest/lib/trap.h"

#define MSR_APIC_BASE    0x1bU
#define MSR_TSC_DEADLINE 0x6e0U

/* Vectors that the tests use have nothing to do with these two. */
enum { VECTOR_SPURIOUS = 0xff, VECTOR_STOP = 0x20 };

uint32_t apic_read(uint32_t reg);
void apic_write(uint32_t reg, uint32_t value);

static inline void apic_eoi(void)
{
    apic_write(APIC_EOI, 0);
}

/* Destination as the mode writes it: 8 or 32 bits. */
void apic_icr(uint32_t dest, uint32_t low);
void apic_self(uint8_t vector);
/* An error status that is up to date. */
uint32_t apic_esr(void);

bool apic_bit(uint32_t bits, uint8_t vector); /* in APIC_IRR, APIC_ISR, APIC_TMR */
/* The highest vector there; 0: none. */
uint8_t apic_highest(uint32_t bits);
unsigned apic_bits(uint32_t bits); /* how many */

void apic_enable(void); /* SVR: enabled, VECTOR_SPURIOUS */
/* From xAPIC or x2APIC mode, through "off" where that is the way; software-enabled afterwards. */
void apic_mode(bool x2apic);
bool apic_has_x2apic(void);
