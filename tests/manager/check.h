/* SPDX-License-Identifier: BSD-2-Clause */
/* Counting checks of a test manager; the first failures are printed with their place. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CHECK(condition)    check_true((condition), __FILE__, __LINE__, #condition)
#define CHECK_EQ(got, want) check_equal((uint64_t)(got), (uint64_t)(want), __FILE__, __LINE__, #got)
/* With a text that says which of many this is. */
#define CHECK_CASE(got, want, ...)                                                                           \
    check_case((int64_t)(got), (int64_t)(want), __FILE__, __LINE__, __VA_ARGS__)

bool check_true(bool ok, const char *file, int line, const char *what);
bool check_equal(uint64_t got, uint64_t want, const char *file, int line, const char *what);
__attribute__((format(printf, 5, 6))) bool check_case(int64_t got, int64_t want, const char *file, int line,
                                                      const char *format, ...);
/* Nothing can go on: the machine ends as failed. */
__attribute__((noreturn, format(printf, 1, 2))) void check_abort(const char *format, ...);

uint64_t check_count(void);
uint64_t check_failures(void);
