/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_dump: the rings of trace records over the console, for tools/trace.py, which finds them in what a terminal
 * has logged. It takes the screen while it goes on; other events are handled in between.
 *
 * A line is "~t ", words, '*' and the sum of the bytes from the first word to before the '*', modulo 256, as two hex
 * digits. All numbers are hexadecimal. A dump is
 *
 *   begin VERSION TSC-KHZ CPUS
 *   domain NUMBER NAME                                    of each domain that the manager knows
 *   cpu NUMBER FROM UNTIL BASE                            for each CPU with a ring: numbers of records, TSC of the first
 *   r TSC-BASE KIND [DOMAIN [VCPU [CODE [A [B]]]]]        a record, without zeroes at its end; their numbers follow each other, but
 *   lost COUNT                                            so many were overwritten before they could be read
 *   done NUMBER RECORDS LOST                              the sums of the CPU
 *   end
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The last `records` of each CPU; 0: all that are there. */
void trace_dump_want(uint64_t records);

void trace_dump_start(uint64_t tsc_khz);
void trace_dump_stop(void);
bool trace_dump_over(void);
