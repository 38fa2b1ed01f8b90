/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of the shell's line, the screen and the consoles: what a person would see, byte by byte.
 */
#include "mgmt/shell/shell_line.h"

#include "mgmt/shell/console.h"
#include "mgmt/shell/screen.h"
#include "tests/host/test.h"

static char seen[65536];
static size_t seen_length;

static void sink(const char *text, size_t length)
{
    ASSERT_TRUE(seen_length + length < sizeof(seen));
    memcpy(seen + seen_length, text, length);
    seen_length += length;
    seen[seen_length] = '\0';
}

static const char *take_seen(void)
{
    static char copy[sizeof(seen)];
    memcpy(copy, seen, seen_length + 1);
    seen_length = 0;
    seen[0] = '\0';
    return copy;
}

static void fresh(void)
{
    screen_init(sink);
    screen_raw(false);
    screen_prompt(NULL);
    (void)take_seen();
}

static enum shell_key type(struct shell_line *line, const char *keys)
{
    enum shell_key last = SHELL_NOTHING;
    for (; *keys; keys++)
        last = shell_line_key(line, *keys);
    return last;
}

TEST(line_editing)
{
    static const struct {
        const char *keys, *text;
        enum shell_key last;
    } rows[] = {
        {"list", "list", SHELL_CHANGED},
        {"lisx\bt", "list", SHELL_CHANGED},
        {"lisx\177t", "list", SHELL_CHANGED},
        {"\b", "", SHELL_NOTHING},
        {"abc\025", "", SHELL_CHANGED},
        {"\025", "", SHELL_NOTHING},
        {"start a  \027", "start ", SHELL_CHANGED},
        {"start\027\027", "", SHELL_NOTHING},
        {"abc\003", "", SHELL_DROPPED},
        {"a\r", "a", SHELL_DONE},
        {"a\n", "a", SHELL_DONE},
        {"a\033[Ab", "ab", SHELL_CHANGED},
        {"a\033OPb", "ab", SHELL_CHANGED},
        {"a\033[3~b", "ab", SHELL_CHANGED},
        {"a\x01\tb\x80", "ab", SHELL_NOTHING},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct shell_line line = {.length = 0};
        test_row("row %zu", i);
        EXPECT_EQ(type(&line, rows[i].keys), rows[i].last);
        EXPECT_STREQ(line.text, rows[i].text);
        EXPECT_EQ(line.length, strlen(line.text));
    }
}

TEST(line_is_bounded)
{
    struct shell_line line = {.length = 0};
    for (unsigned i = 0; i < 1000; i++)
        (void)shell_line_key(&line, 'x');
    EXPECT_EQ(line.length, SHELL_LINE_SIZE - 1U);
    EXPECT_EQ(strlen(line.text), SHELL_LINE_SIZE - 1U);
}

TEST(line_split)
{
    char text[] = "  console   one two ";
    char many[] = "a b c d e f g h i j k l m n o p q r s t";
    char none[] = "   ";
    char *words[SHELL_WORDS_MAX];
    EXPECT_EQ(shell_line_split(text, words), 3);
    EXPECT_STREQ(words[0], "console");
    EXPECT_STREQ(words[2], "two");
    EXPECT_EQ(shell_line_split(many, words), SHELL_WORDS_MAX);
    EXPECT_EQ(shell_line_split(none, words), 0);
}

TEST(screen_keeps_the_prompt_at_the_bottom)
{
    fresh();
    screen_line("one", 3);
    EXPECT_STREQ(take_seen(), "one\n");
    screen_prompt("> li");
    EXPECT_STREQ(take_seen(), "> li");
    screen_line("two", 3);
    EXPECT_STREQ(take_seen(), "\r\033[Ktwo\n> li");
    screen_prompt_grew('s');
    EXPECT_STREQ(take_seen(), "s");
    screen_prompt(NULL);
    EXPECT_STREQ(take_seen(), "\r\033[K");
    screen_printf("a %d\nb", 5);
    EXPECT_STREQ(take_seen(), "a 5\nb\n");
}

TEST(screen_holds_lines_while_attached)
{
    fresh();
    screen_raw(true);
    screen_line("held", 4);
    screen_prompt("> ");
    screen_prompt_grew('x');
    screen_raw_bytes("raw\033[2J", 7);
    EXPECT_STREQ(take_seen(), "raw\033[2J");
    screen_raw(false);
    EXPECT_STREQ(take_seen(), "held\n");
    screen_raw_bytes("late", 4);
    EXPECT_STREQ(take_seen(), "");
}

TEST(screen_says_what_was_lost)
{
    char line[100];
    fresh();
    memset(line, 'x', sizeof(line));
    screen_raw(true);
    for (unsigned i = 0; i < 1000; i++)
        screen_line(line, sizeof(line));
    screen_raw(false);
    const char *all = take_seen();
    EXPECT_TRUE(strncmp(all, "(838 lines were lost", 20) == 0);
    EXPECT_TRUE(strlen(all) > 16000 && strlen(all) < 16500);
    EXPECT_EQ(all[strlen(all) - 1], '\n');
}

static struct console console;

static void put(const char *text)
{
    for (; *text; text++)
        console_put(&console, (uint8_t)*text);
}

TEST(console_in_the_background)
{
    fresh();
    console_init(&console, "vm", false);
    put("hello\r\nhalf");
    EXPECT_STREQ(take_seen(), "[vm] hello\n");
    console_flush(&console);
    EXPECT_STREQ(take_seen(), "[vm] half\n");
    console_flush(&console);
    put("\n");
    EXPECT_STREQ(take_seen(), "[vm]  \n");
    put("a\033[2Jb\tc\n");
    EXPECT_STREQ(take_seen(), "[vm] a[2Jb\tc\n");
    for (unsigned i = 0; i < CONSOLE_LINE; i++)
        put("x");
    EXPECT_EQ(strlen(take_seen()), 5U + CONSOLE_LINE + 1);
}

TEST(console_quiet_is_kept)
{
    fresh();
    console_init(&console, "vm", true);
    put("secret\n");
    EXPECT_STREQ(take_seen(), "");
    console_attach(&console);
    EXPECT_STREQ(take_seen(), "secret\n");
    put("\033[1mraw");
    EXPECT_STREQ(take_seen(), "\033[1mraw");
    console_detach(&console);
    put("more\n");
    EXPECT_STREQ(take_seen(), "");
}

TEST(console_keeps_the_last)
{
    fresh();
    console_init(&console, "vm", true);
    for (unsigned i = 0; i < CONSOLE_KEPT; i++)
        put("a");
    put("end");
    console_attach(&console);
    const char *all = take_seen();
    EXPECT_EQ(strlen(all), (size_t)CONSOLE_KEPT);
    EXPECT_STREQ(all + CONSOLE_KEPT - 4, "aend");
    console_detach(&console);
}
