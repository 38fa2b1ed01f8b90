/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of physical interrupts share: the machine's clock chip, whose ports are the manager's, as the device, and
 * a guest that takes its interrupts. The clock raises ISA interrupt 8 at up to 8192 Hz and holds the line up until its
 * register C is read. Its pin taken as an edge or as a level makes it a source of either kind, and one that nobody reads
 * a line that is stuck.
 */
#pragma once

#include "mgmt/lib/irq.h"
#include "tests/manager/lab.h"

#define NUMBER(n)  (HV_NOTIFY_OWN + (n))
#define LINE(name) -(uint64_t)(name)
#define TAKE_MS    2000U
#define CLOCK      8U /* ISA interrupt, and GSI */
#define MASKED     (1U << 16)

enum {
    RTC_A = 10,
    RTC_B,
    RTC_C,
    RTC_PIE = 0x40,
    RTC_24H = 2,
    RTC_1024 = 0x26,
    RTC_8192 = 0x23,
    RTC_QUIET = 0x20
};

extern struct guest *pirq_guest;
extern uint64_t pirq_notifier; /* that the clock signals */

uint8_t pirq_rtc(uint8_t reg);
void pirq_start(uint8_t rate);
void pirq_hold(void); /* no further tick; the line stays as it is */
void pirq_stop(void);

struct hv_pirq_info pirq_info(void);
int64_t pirq_bind(uint32_t flags, uint32_t limit); /* storms are NUMBER(20) */
void pirq_is_unbound(void);

/* The notifier: to a GSI of the guest, with its listener at NUMBER(21), or to NUMBER(22). */
void pirq_to_guest(uint32_t gsi, bool resample);
void pirq_to_us(void);

void pirq_redirect(uint32_t pin, uint32_t low); /* of the guest's I/O APIC */
void pirq_stop_guest(void);

/* ---- pirq_storm.c */
void pirq_storms(void);
