/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a test guest says: one line for each failed or skipped check, one with the counts at the end, on port
 * 0xE9. Passed checks are counted only, unless the guest's command line has the word `verbose`. Exit codes by
 * port 0xF4: RUN_PASSED, or RUN_FAILED when a check failed or none was made.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

enum { RUN_PASSED = 0x10, RUN_FAILED = 1 };

/* %s %c %d %u %x %ld %lu %lx, # and 0N widths. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void report(bool condition, const char *format, ...) __attribute__((format(printf, 2, 3)));
void report_skip(const char *why, ...) __attribute__((format(printf, 1, 2)));
void report_begin(const char *name);
__attribute__((noreturn)) void report_end(void);
__attribute__((noreturn)) void guest_exit(uint8_t code);

/* Each test has one of these; it returns when it is through. */
extern const char guest_name[];
void guest_main(const char *cmdline);
void guest_start(const void *start_info);

/* True when the command line has this word. */
bool guest_has_word(const char *cmdline, const char *word);
/* The number behind a word like "vcpus="; `otherwise` when the word is not there. */
uint64_t guest_number(const char *cmdline, const char *word, uint64_t otherwise);

/*
 * The word `native`: the guest runs on the bare machine. Output goes to COM1, the end is by port 0x8900. The
 * emulator's own local APIC is looser than the SDM; report_exact leaves out there what it does not do.
 */
extern bool guest_native;
void report_exact(bool condition, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * The trace: what the guest saw, without times and anything else that may differ. Each line counts into a
 * hash, which is printed at the end with the number of lines as "trace: NAME LINES HASH"; the word `trace`
 * prints the lines too. It is the same on every processor: tests/guest/apic/compare.py.
 */
void trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
