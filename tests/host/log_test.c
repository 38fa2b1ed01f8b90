/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hv/core/log.c. Its state is one ring for the whole program, so tests read from where it ends when they
 * begin. Time is this machine's TSC: the speed that a test claims for it decides whether time seems to fly or
 * to stand still.
 */
#include "hv/core/log.h"

#include "hv/core/config.h"
#include "tests/host/test.h"

static char console[1 << 20];
static size_t console_len;
static unsigned drains;

static void sink(char c)
{
    if (console_len < sizeof(console) - 1)
        console[console_len++] = c;
    console[console_len] = '\0';
}

static void drain(void)
{
    drains++;
}

static void console_clear(void)
{
    console_len = 0;
    console[0] = '\0';
}

static uint64_t ring_end(void)
{
    uint64_t pos = UINT64_MAX, lost;
    char none;
    log_read(&pos, &none, 0, &lost);
    return pos;
}

/* All text from pos on. */
static const char *text_from(uint64_t pos)
{
    static char text[CONFIG_LOG_SIZE + 1];
    uint64_t lost;
    text[log_read(&pos, text, CONFIG_LOG_SIZE, &lost)] = '\0';
    return text;
}

TEST(lines_before_there_is_a_console)
{
    /* The first test: nothing has been logged, no clock, no console. */
    EXPECT_EQ(ring_end(), 0);
    log_error("first %d", 1);
    log_warning("second");
    log_info("third");
    log_debug("fourth");
    EXPECT_STREQ(text_from(0), "[E    0.000000] first 1\n[W    0.000000] second\n"
                               "[I    0.000000] third\n[D    0.000000] fourth\n");
    log_set_console(sink, drain, LOG_WARNING);
    EXPECT_STREQ(console, "[E    0.000000] first 1\r\n[W    0.000000] second\r\n");
    console_clear();
    log_info("ring only");
    log_error("both");
    EXPECT_STREQ(console, "[E    0.000000] both\r\n");
    log_flush();
    EXPECT_EQ(drains, 1);
    console_clear();
    log_set_console(sink, drain, LOG_DEBUG);
    EXPECT_TRUE(strstr(console, "] fourth\r\n[I    0.000000] ring only\r\n[E") != NULL);
    log_set_console(NULL, NULL, LOG_ERROR);
    console_clear();
    log_error("no console");
    log_flush();
    EXPECT_EQ(console_len, 0);
    EXPECT_EQ(drains, 1);
}

TEST(long_lines_are_cut)
{
    char text[2 * CONFIG_LOG_LINE_MAX];
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    uint64_t start = ring_end();
    log_info("%s", text);
    log_info("next");
    const char *got = text_from(start), *end = strchr(got, '\n');
    ASSERT_TRUE(end != NULL);
    EXPECT_TRUE(end - got >= CONFIG_LOG_LINE_MAX - 3 && end - got < CONFIG_LOG_LINE_MAX);
    EXPECT_EQ(end[-1], 'x');
    EXPECT_STREQ(end + 1, "[I    0.000000] next\n");
}

TEST(reading_in_pieces)
{
    uint64_t start = ring_end(), pos = start, lost = 77;
    char whole[400], piece[7];
    size_t at = 0, n;
    log_info("one line to be read in pieces");
    log_info("and another");
    strcpy(whole, text_from(start));
    while ((n = log_read(&pos, piece, sizeof(piece), &lost)) > 0) {
        EXPECT_EQ(lost, 0);
        EXPECT_MEMEQ(piece, whole + at, n);
        at += n;
    }
    EXPECT_EQ(at, strlen(whole));
    EXPECT_EQ(pos, ring_end());
    pos = ring_end() + 1000; /* a position that does not exist yet */
    EXPECT_EQ(log_read(&pos, piece, sizeof(piece), &lost), 0);
    EXPECT_EQ(pos, ring_end());
    EXPECT_EQ(lost, 0);
}

TEST(overwritten_text_is_counted)
{
    uint64_t start = ring_end(), written = 0, lost;
    for (unsigned i = 0; written < CONFIG_LOG_SIZE + 5000; i++) {
        log_debug("line %u", i);
        written = ring_end() - start;
    }
    static char text[CONFIG_LOG_SIZE + 1];
    uint64_t pos = start;
    size_t n = log_read(&pos, text, sizeof(text), &lost);
    EXPECT_EQ(n, CONFIG_LOG_SIZE);
    EXPECT_EQ(lost, written - CONFIG_LOG_SIZE);
    EXPECT_EQ(pos, ring_end());
    EXPECT_EQ(text[n - 1], '\n');
    /* One byte more makes it one byte less. */
    pos = ring_end() - CONFIG_LOG_SIZE;
    log_debug("x");
    uint64_t step = ring_end() - pos - CONFIG_LOG_SIZE;
    log_read(&pos, text, 0, &lost);
    EXPECT_EQ(lost, step);
}

TEST(limit_holds_back_and_counts)
{
    struct log_limit limit = {0, 0, 0};
    log_set_clock(UINT64_MAX / 1000); /* time stands still: no token comes back */
    uint64_t start = ring_end();
    for (unsigned i = 0; i < LOG_BURST + 25; i++)
        log_limited(&limit, LOG_WARNING, "guest says %u", i);
    const char *got = text_from(start);
    unsigned lines = 0;
    for (const char *p = got; (p = strchr(p, '\n')) != NULL; p++)
        lines++;
    EXPECT_EQ(lines, LOG_BURST);
    EXPECT_TRUE(strstr(got, "held back") == NULL);
    EXPECT_EQ(limit.held_back, 25);
    log_set_clock(1); /* time flies */
    start = ring_end();
    log_limited(&limit, LOG_WARNING, "again");
    EXPECT_TRUE(strstr(text_from(start), "] again (25 like it held back)\n") != NULL);
    EXPECT_EQ(limit.held_back, 0);
    start = ring_end();
    log_limited(&limit, LOG_WARNING, "again");
    EXPECT_TRUE(strstr(text_from(start), "] again\n") != NULL);
}

TEST(stamps_grow)
{
    log_set_clock(1000); /* one tick is one microsecond */
    uint64_t start = ring_end();
    log_info("a");
    for (volatile unsigned i = 0; i < 100000; i++)
        ;
    log_info("b");
    unsigned long s[2], us[2];
    char name[2];
    ASSERT_EQ(sscanf(text_from(start), "[I %lu.%6lu] %c\n[I %lu.%6lu] %c\n", &s[0], &us[0], &name[0], &s[1],
                     &us[1], &name[1]),
              6);
    EXPECT_TRUE(s[1] * 1000000 + us[1] > s[0] * 1000000 + us[0]);
}

TEST(broken_lock)
{
    uint64_t start = ring_end();
    log_break_lock();
    log_error("after all");
    EXPECT_TRUE(strstr(text_from(start), "after all") != NULL);
}
