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
        size_t cursor;
        enum shell_key last;
    } rows[] = {
        {"list", "list", 4, SHELL_TYPED},
        {"lisx\bt", "list", 4, SHELL_TYPED},
        {"lisx\177t", "list", 4, SHELL_TYPED},
        {"\b", "", 0, SHELL_NOTHING},
        {"abc\025", "", 0, SHELL_CHANGED},
        {"\025", "", 0, SHELL_NOTHING},
        {"start a  \027", "start ", 6, SHELL_CHANGED},
        {"start\027\027", "", 0, SHELL_NOTHING},
        {"abc\003", "", 0, SHELL_DROPPED},
        {"a\r", "a", 1, SHELL_DONE},
        {"a\n", "a", 1, SHELL_DONE},
        {"a\x07\tb\x80", "ab", 2, SHELL_NOTHING},
        {"abc\033[Dx", "abxc", 3, SHELL_CHANGED},
        {"abc\033ODx", "abxc", 3, SHELL_CHANGED},
        {"abc\033[H\033[3~", "bc", 0, SHELL_CHANGED},
        {"abc\001\004", "bc", 0, SHELL_CHANGED},
        {"abc\004", "abc", 3, SHELL_NOTHING},
        {"abc\033[1~\033[C\013", "a", 1, SHELL_CHANGED},
        {"abc\001\033[4~d", "abcd", 4, SHELL_TYPED},
        {"abc\001\005d", "abcd", 4, SHELL_TYPED},
        {"abc\002\002\025", "bc", 0, SHELL_CHANGED},
        {"\002", "", 0, SHELL_NOTHING},
        {"ab\006", "ab", 2, SHELL_NOTHING},
        {"one two\002\027", "one o", 4, SHELL_CHANGED},
        {"a\033[5~\033[1;5P\033xb", "ab", 2, SHELL_TYPED},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct shell_line line = {.length = 0};
        test_row("row %zu", i);
        EXPECT_EQ(type(&line, rows[i].keys), rows[i].last);
        EXPECT_STREQ(line.text, rows[i].text);
        EXPECT_EQ(line.length, strlen(line.text));
        EXPECT_EQ(line.cursor, rows[i].cursor);
    }
}

static void enter(struct shell_line *line, const char *text)
{
    (void)type(line, text);
    EXPECT_EQ(shell_line_key(line, '\r'), SHELL_DONE);
    shell_line_clear(line);
}

TEST(line_history)
{
    static struct shell_line line;
    memset(&line, 0, sizeof(line));
    EXPECT_EQ(type(&line, "\033[A"), SHELL_NOTHING);
    enter(&line, "first");
    enter(&line, "second");
    enter(&line, "second");
    enter(&line, "");
    EXPECT_EQ(type(&line, "new\033[A"), SHELL_CHANGED);
    EXPECT_STREQ(line.text, "second");
    (void)type(&line, "\020");
    EXPECT_STREQ(line.text, "first");
    EXPECT_EQ(type(&line, "\033[A"), SHELL_NOTHING);
    (void)type(&line, "!\033[B");
    EXPECT_STREQ(line.text, "second");
    (void)type(&line, "\033[B");
    EXPECT_STREQ(line.text, "new");
    EXPECT_EQ(type(&line, "\016"), SHELL_NOTHING);
    (void)type(&line, "\033[A\033[A");
    EXPECT_STREQ(line.text, "first"); /* what was changed there is not kept */
    shell_line_clear(&line);
    char number[16];
    for (unsigned i = 0; i < 100; i++) {
        snprintf(number, sizeof(number), "line %u", i);
        enter(&line, number);
    }
    for (unsigned i = 0; i < SHELL_HISTORY; i++)
        EXPECT_EQ(type(&line, "\033[A"), SHELL_CHANGED);
    EXPECT_STREQ(line.text, "line 68");
    EXPECT_EQ(type(&line, "\033[A"), SHELL_NOTHING);
}

TEST(line_survives_anything)
{
    static struct shell_line line;
    uint32_t state = 5;
    memset(&line, 0, sizeof(line));
    for (uint32_t i = 0; i < 300000; i++) {
        state = state * 1664525U + 1013904223U;
        static const char often[] = "\033[ABCD31~OHF\r\b ab\020\016\001\005\013\027";
        uint32_t pick = state >> 8;
        if (shell_line_key(&line, pick & 1 ? (char)(pick >> 1) : often[(pick >> 1) % 24]) == SHELL_DONE)
            shell_line_clear(&line);
        EXPECT_TRUE(line.cursor <= line.length && line.length < SHELL_LINE_SIZE);
        EXPECT_EQ(line.text[line.length], '\0');
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
    EXPECT_STREQ(take_seen(), "[vm] ab\tc\n");
    put("$ \033[6n\033[1;31mred\033[m \033c\033]x[6n\n");
    EXPECT_STREQ(take_seen(), "[vm] $ red c]x[6n\n");
    put("a\033[12\nb\033\nc\033[\tJd\n");
    EXPECT_STREQ(take_seen(), "[vm] a\n[vm] b\n[vm] c\tJd\n");
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
