/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test: the harness of the host tests. One program per pure module, one .c file with the tests in
 * it:
 *
 *     #include "boot/cmdline.h"    // the header under test first: it must stand alone
 *     #include "tests/host/test.h" // brings main() with it, so into one file per program only
 *
 *     TEST(cmdline_empty)
 *     {
 *         for (size_t i = 0; i < COUNT(rows); i++) {
 *             test_row("row %zu: %s", i, rows[i].name); // printed with each failure until the test
 * ends EXPECT_EQ(parse(rows[i].text), rows[i].want);
 *         }
 *     }
 *
 * EXPECT_* notes a failure and goes on; ASSERT_* leaves the function. Integers are compared as
 * 64-bit values with their sign, so an int -1 and a uint64_t of all ones differ. `program [-v]
 * [word...]` runs the tests whose name contains one of the words. The last line is "N passed, N
 * failed"; the exit status is 0 only if at least one test ran and none failed. A test without one
 * EXPECT or ASSERT fails: it could never find anything.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct test_case {
    const char *name;
    void (*run)(void);
    struct test_case *next;
};

static struct {
    struct test_case *first, **last;
    unsigned long checks, failures; /* of the running test */
    char row[256];
} test_state;

/* Values are kept as a magnitude with a sign so that signed and unsigned ones compare by value. */
struct test_value {
    bool negative;
    uint64_t bits;
};

static inline struct test_value test_signed(long long v)
{
    return (struct test_value){v < 0, (uint64_t)v};
}

static inline struct test_value test_unsigned(unsigned long long v)
{
    return (struct test_value){false, v};
}

/* clang-format off */
#define TEST_VALUE(x)                                                                              \
    _Generic((x), char: test_signed, signed char: test_signed, short: test_signed,                 \
             int: test_signed, long: test_signed, long long: test_signed,                          \
             bool: test_unsigned, unsigned char: test_unsigned, unsigned short: test_unsigned,     \
             unsigned int: test_unsigned, unsigned long: test_unsigned,                            \
             unsigned long long: test_unsigned)(x)
/* clang-format on */

__attribute__((format(printf, 1, 2))) static inline void test_row(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(test_state.row, sizeof(test_state.row), format, args);
    va_end(args);
}

enum { TEST_SHOWN = 20 }; /* failures of one test that are printed */

static inline bool test_where(const char *file, int line)
{
    test_state.failures++;
    if (test_state.failures == TEST_SHOWN + 1)
        printf("    further failures of this test are not shown\n");
    if (test_state.failures > TEST_SHOWN)
        return false;
    printf("%s:%d: ", file, line);
    if (test_state.row[0] != '\0')
        printf("[%s] ", test_state.row);
    return true;
}

static inline void test_print(struct test_value v)
{
    if (v.negative)
        printf("%lld", (long long)v.bits);
    else
        printf("%llu (0x%llx)", (unsigned long long)v.bits, (unsigned long long)v.bits);
}

static inline bool test_compare(struct test_value a, struct test_value b, bool want_equal, const char *text,
                                const char *file, int line)
{
    bool equal = a.negative == b.negative && a.bits == b.bits;
    test_state.checks++;
    if (equal == want_equal)
        return true;
    if (!test_where(file, line))
        return false;
    printf("%s: got ", text);
    test_print(a);
    printf(want_equal ? ", want " : ", want anything but ");
    test_print(b);
    printf("\n");
    return false;
}

static inline bool test_true(bool ok, const char *text, const char *file, int line)
{
    test_state.checks++;
    if (!ok && test_where(file, line))
        printf("not true: %s\n", text);
    return ok;
}

static inline bool test_string(const char *a, const char *b, const char *text, const char *file, int line)
{
    test_state.checks++;
    if (a != NULL && b != NULL && strcmp(a, b) == 0)
        return true;
    if (test_where(file, line))
        printf("%s: got \"%s\", want \"%s\"\n", text, a ? a : "(null)", b ? b : "(null)");
    return false;
}

static inline bool test_bytes(const void *a, const void *b, size_t len, const char *text, const char *file,
                              int line)
{
    const unsigned char *x = (const unsigned char *)a, *y = (const unsigned char *)b;
    test_state.checks++;
    for (size_t i = 0; i < len; i++) {
        if (x[i] == y[i])
            continue;
        if (test_where(file, line))
            printf("%s: byte %zu of %zu: got 0x%02x, want 0x%02x\n", text, i, len, x[i], y[i]);
        return false;
    }
    return true;
}

#define TEST_AT(text) text, __FILE__, __LINE__

#define EXPECT_EQ(got, want)                                                                                 \
    ((void)test_compare(TEST_VALUE(got), TEST_VALUE(want), true, TEST_AT(#got " == " #want)))
#define EXPECT_NE(got, other)                                                                                \
    ((void)test_compare(TEST_VALUE(got), TEST_VALUE(other), false, TEST_AT(#got " != " #other)))
#define EXPECT_TRUE(condition)       ((void)test_true((condition), TEST_AT(#condition)))
#define EXPECT_FALSE(condition)      ((void)test_true(!(condition), TEST_AT("!(" #condition ")")))
#define EXPECT_STREQ(got, want)      ((void)test_string((got), (want), TEST_AT(#got)))
#define EXPECT_MEMEQ(got, want, len) ((void)test_bytes((got), (want), (len), TEST_AT(#got)))

#define ASSERT_EQ(got, want)                                                                                 \
    do {                                                                                                     \
        if (!test_compare(TEST_VALUE(got), TEST_VALUE(want), true, TEST_AT(#got " == " #want)))              \
            return;                                                                                          \
    } while (0)
#define ASSERT_TRUE(condition)                                                                               \
    do {                                                                                                     \
        if (!test_true((condition), TEST_AT(#condition)))                                                    \
            return;                                                                                          \
    } while (0)

static inline void test_register(struct test_case *test)
{
    if (test_state.last == NULL)
        test_state.last = &test_state.first;
    *test_state.last = test;
    test_state.last = &test->next;
}

#define TEST(title)                                                                                          \
    static void test_##title(void);                                                                          \
    __attribute__((constructor)) static void register_##title(void)                                          \
    {                                                                                                        \
        static struct test_case test = {#title, test_##title, NULL};                                         \
        test_register(&test);                                                                                \
    }                                                                                                        \
    static void test_##title(void)

static inline bool test_chosen(const char *name, int argc, char **argv)
{
    bool any_word = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-v") == 0)
            continue;
        any_word = true;
        if (strstr(name, argv[i]) != NULL)
            return true;
    }
    return !any_word;
}

static inline bool test_run(const struct test_case *test)
{
    test_state.checks = test_state.failures = 0;
    test_state.row[0] = '\0';
    test->run();
    test_state.row[0] = '\0';
    if (test_state.checks == 0)
        (void)test_true(false, "the test checks something", test->name, 0);
    return test_state.failures == 0;
}

int main(int argc, char **argv)
{
    unsigned passed = 0, failed = 0;
    bool verbose = false;
    for (int i = 1; i < argc; i++)
        verbose |= strcmp(argv[i], "-v") == 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (const struct test_case *test = test_state.first; test != NULL; test = test->next) {
        if (!test_chosen(test->name, argc, argv))
            continue;
        bool ok = test_run(test);
        if (ok)
            passed++;
        else
            failed++;
        if (verbose || !ok)
            printf("%s %s (%lu checks)\n", ok ? "pass" : "FAIL", test->name, test_state.checks);
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed == 0 && passed > 0 ? 0 : 1;
}
