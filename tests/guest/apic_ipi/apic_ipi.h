/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of apic_ipi and what they share. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

extern unsigned processors;

/*
 * Sends and compares: after it exactly the processors of `want` (a bit each) have taken `vector` once, and
 * nobody anything else. All processors take interrupts meanwhile.
 */
void send_and_check(const char *what, uint32_t dest, uint32_t low, uint8_t vector, uint32_t want);
/* All others wait with interrupts on (or off). */
void listen(void);
void listen_no_more(void);
/* Runs fn(arg) on each processor, one after the other. */
void on_each(void (*fn)(uint64_t arg), uint64_t arg);

void physical_tests(void);
void logical_tests(void);
void lowest_tests(void);
void odd_tests(void);
void start_tests(void);
