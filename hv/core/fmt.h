/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text formatting for the log: the subset of printf that a hypervisor needs, pure and bounded.
 *
 *   %d %i %u %x %X %o  with h, hh, l, ll, z;  %p;  %s;  %c;  %%;  flags '-', '0', '#', width, '*',
 * precision for %s and numbers.
 */
#ifndef HV_CORE_FMT_H
#define HV_CORE_FMT_H

#include <stdarg.h>
#include <stddef.h>

/* Writes at most size bytes, always NUL-terminated when size > 0. Returns the length written,
 * without the NUL. */
size_t fmt_vformat(char *out, size_t size, const char *format, va_list args);
size_t fmt_format(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
