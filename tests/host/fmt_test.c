/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hv/core/fmt.c: rows for its own rules, and the C library's snprintf as the reference for what both define
 * alike.
 */
#include "hv/core/fmt.h"

#include "tests/host/random.h"
#include "tests/host/test.h"

/* What is tested is partly what a compiler warns of. */
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-overflow"
#pragma GCC diagnostic ignored "-Wformat-truncation"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-extra-args"

#define ROW(want, ...)                                                                                       \
    do {                                                                                                     \
        char out[200];                                                                                       \
        memset(out, '#', sizeof(out));                                                                       \
        size_t len = fmt_format(out, sizeof(out), __VA_ARGS__);                                              \
        test_row("%s", want);                                                                                \
        EXPECT_STREQ(out, want);                                                                             \
        EXPECT_EQ(len, strlen(want));                                                                        \
    } while (0)

TEST(rules_of_its_own)
{
    ROW("", "%s", "");
    ROW("plain text", "plain text");
    ROW("100%", "%d%%", 100);
    ROW("(null)|(nu", "%s|%.3s", (char *)NULL, (char *)NULL);
    ROW("0x0 0xff", "%#x %#lx", 0, 255UL);
    ROW("0x000000ff", "%#010x", 255);
    ROW("0x0000beef", "%#010lx", 0xbeefUL);
    ROW("0xAB", "%#X", 0xab);
    ROW("0x1000", "%p", (void *)0x1000);
    ROW("0x0", "%p", (void *)NULL);
    ROW("-9223372036854775808", "%ld", INT64_MIN);
    ROW("18446744073709551615", "%lu", UINT64_MAX);
    ROW("1777777777777777777777", "%lo", UINT64_MAX);
}

TEST(unknown_conversion_ends_the_line)
{
    ROW("1 %q %d", "%d %q %d", 1, 2, 3);
    ROW("%f", "%f", 1.5);
    ROW("50%", "50%");
    ROW("a%-08", "a%-08");
}

TEST(never_writes_beyond_the_end)
{
    for (size_t size = 0; size <= 30; size++) {
        char *out = malloc(size ? size : 1); /* of the exact size: AddressSanitizer watches */
        size_t len = fmt_format(out, size, "%s %8d %-6x|%c", "some text", -42, 0xabc, 'z');
        char want[64];
        snprintf(want, sizeof(want), "%s %8d %-6x|%c", "some text", -42, 0xabc, 'z');
        test_row("size %zu", size);
        if (size) {
            want[size - 1] = '\0';
            EXPECT_STREQ(out, want);
            EXPECT_EQ(len, strlen(want));
        } else {
            EXPECT_EQ(len, 0);
        }
        free(out);
    }
}

TEST(huge_widths_are_bounded)
{
    char out[64];
    EXPECT_EQ(fmt_format(out, sizeof(out), "%99999999999d", 1), 63);
    EXPECT_EQ(fmt_format(out, sizeof(out), "%.99999999999d", 1), 63);
    EXPECT_EQ(fmt_format(out, sizeof(out), "%*d", 1000000, 1), 63);
    EXPECT_EQ(fmt_format(out, sizeof(out), "%.*s", 1000000, "abc"), 3);
    EXPECT_STREQ(out, "abc");
}

/* A random conversion of those that C and we define alike, as text. */
static char random_spec(struct random *r, char *out, size_t *at)
{
    static const char kinds[] = "diuxXos";
    char kind = kinds[random_below(r, 7)];
    out[(*at)++] = '%';
    if (random_one_in(r, 4))
        out[(*at)++] = '-';
    if (random_one_in(r, 3) && kind != 's')
        out[(*at)++] = '0';
    if (random_one_in(r, 2))
        *at += (size_t)sprintf(out + *at, "%u", (unsigned)(1 + random_below(r, 30)));
    if (random_one_in(r, 3))
        *at += (size_t)sprintf(out + *at, ".%u", (unsigned)random_below(r, 25));
    return kind;
}

static uint64_t random_number(struct random *r)
{
    uint64_t v = random_next(r) >> random_below(r, 64);
    return random_one_in(r, 3) ? -v : random_one_in(r, 8) ? 0 : v;
}

TEST(random_numbers_and_strings_against_snprintf)
{
    static const char *const sizes[] = {"", "hh", "h", "l", "ll", "z"};
    struct random r = {4711};
    for (unsigned round = 0; round < 500000 && test_state.failures == 0; round++) {
        char format[64], got[100], want[100];
        size_t at = 0;
        char kind = random_spec(&r, format, &at);
        unsigned size = (unsigned)random_below(&r, 6);
        uint64_t value = random_number(&r);
        size_t room = 1 + random_below(&r, sizeof(got));
        sprintf(format + at, "%s%c", kind == 's' ? "" : sizes[size], kind);
        test_row("%s of %#llx", format, (unsigned long long)value);
        if (kind == 's') {
            const char *text = &"abcdefghijklmnopqrstuvwxyz"[value % 27];
            fmt_format(got, room, format, text);
            snprintf(want, room, format, text);
        } else if (size >= 3) {
            fmt_format(got, room, format, value);
            snprintf(want, room, format, value);
        } else {
            fmt_format(got, room, format, (unsigned)value);
            snprintf(want, room, format, (unsigned)value);
        }
        EXPECT_STREQ(got, want);
    }
}

TEST(stars)
{
    ROW("[   42]", "[%*d]", 5, 42);
    ROW("[00042]", "[%.*d]", 5, 42);
    ROW("[  abc]", "[%*.*s]", 5, 3, "abcdef");
    ROW("[abcdef]", "[%.*s]", -1, "abcdef");
}
