/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of boot/cmdline.c: what is stored and what is reported, one line per row. */
#include "boot/cmdline.h"

#include "tests/host/test.h"

static struct {
    bool trace, debug;
    uint64_t hvmem, maxcpus;
    char com1[16], guard;
    uint32_t exit;
} got;

static const char *const exits[] = {"halt", "shutdown-port", "debug-exit", "reboot", NULL};

static const struct cmdline_key keys[] = {
    {.name = "trace", .form = "trace", .type = CMDLINE_FLAG, .to.flag = &got.trace},
    {.name = "debug", .form = "debug", .type = CMDLINE_FLAG, .to.flag = &got.debug},
    {.name = "hvmem",
     .form = "hvmem=<size>",
     .type = CMDLINE_U64,
     .to.number = &got.hvmem,
     .min = 1 << 20,
     .max = UINT64_MAX},
    {.name = "maxcpus",
     .form = "maxcpus=<1-512>",
     .type = CMDLINE_U64,
     .to.number = &got.maxcpus,
     .min = 1,
     .max = 512},
    {.name = "com1",
     .form = "com1=<uart>",
     .type = CMDLINE_STRING,
     .to.text = got.com1,
     .size = sizeof(got.com1)},
    {.name = "exit", .form = "exit=halt|...", .type = CMDLINE_ENUM, .to.choice = &got.exit, .names = exits},
};

/* The reports of one line as text: "problem key=value (form); ..." */
static char reports[4096];

static void on_problem(void *ctx, enum cmdline_problem problem, const char *key, const char *value,
                       const char *form)
{
    size_t len = strlen(reports);
    EXPECT_TRUE(ctx == &got);
    snprintf(reports + len, sizeof(reports) - len, "%s%s %.20s=%.20s (%s)", len ? "; " : "",
             cmdline_problem_text(problem), key, value, form);
}

static const char *parse(const char *line, bool image_first)
{
    static char *copy;
    struct cmdline_report report = {on_problem, &got};
    free(copy); /* of exact size, so that a read behind the NUL is found */
    copy = strdup(line);
    memset(&got, 0, sizeof(got));
    strcpy(got.com1, "old");
    got.guard = 'g';
    got.hvmem = got.maxcpus = 7;
    reports[0] = '\0';
    const char *rest = cmdline_parse(copy, image_first, keys, COUNT(keys), &report);
    EXPECT_EQ(got.guard, 'g');
    return rest;
}

TEST(cmdline_stores)
{
    const char *rest =
        parse(" trace  debug=on\thvmem=64M maxcpus=0x10 com1=115200,8n1 exit=reboot \r\n", false);
    EXPECT_STREQ(reports, "");
    EXPECT_STREQ(rest, "");
    EXPECT_TRUE(got.trace && got.debug);
    EXPECT_EQ(got.hvmem, 64 << 20);
    EXPECT_EQ(got.maxcpus, 16);
    EXPECT_STREQ(got.com1, "115200,8n1");
    EXPECT_EQ(got.exit, 3);
    parse("trace trace=off exit=halt exit=debug-exit", false);
    EXPECT_FALSE(got.trace);
    EXPECT_EQ(got.exit, 2);
    EXPECT_STREQ(parse("", false), "");
    EXPECT_STREQ(parse(" \t \n", true), "");
    EXPECT_STREQ(reports, "");
}

TEST(cmdline_numbers)
{
    static const struct {
        const char *text;
        uint64_t value; /* 7: refused */
        const char *report;
    } rows[] = {
        {"hvmem=1048576", 1 << 20, ""},
        {"hvmem=1M", 1 << 20, ""},
        {"hvmem=1024k", 1 << 20, ""},
        {"hvmem=2g", 2ull << 30, ""},
        {"hvmem=0x10M", 16 << 20, ""},
        {"hvmem=0XfFfFfFfFfFfFfFfF", UINT64_MAX, ""},
        {"hvmem=18446744073709551615", UINT64_MAX, ""},
        {"hvmem=0000000000000000000000001048576", 1 << 20, ""},
        {"hvmem=0xABCDEFabcdef", 0xabcdefabcdef, ""},
        {"hvmem=17179869183G", 17179869183ull << 30, ""},
        {"hvmem=17179869184G", 7, "value out of range hvmem=17179869184G (hvmem=<size>)"},
        {"hvmem=18446744073709551616", 7, "value out of range hvmem=18446744073709551616 (hvmem=<size>)"},
        {"hvmem=99999999999999999999999", 7, "value out of range hvmem=99999999999999999999 (hvmem=<size>)"},
        {"hvmem=1048575", 7, "value out of range hvmem=1048575 (hvmem=<size>)"},
        {"hvmem=0", 7, "value out of range hvmem=0 (hvmem=<size>)"},
        {"hvmem=", 7, "malformed value hvmem= (hvmem=<size>)"},
        {"hvmem", 7, "no value hvmem= (hvmem=<size>)"},
        {"hvmem=M", 7, "malformed value hvmem=M (hvmem=<size>)"},
        {"hvmem=0x", 7, "malformed value hvmem=0x (hvmem=<size>)"},
        {"hvmem=0xM", 7, "malformed value hvmem=0xM (hvmem=<size>)"},
        {"hvmem=-1", 7, "malformed value hvmem=-1 (hvmem=<size>)"},
        {"hvmem=+1M", 7, "malformed value hvmem=+1M (hvmem=<size>)"},
        {"hvmem=1MB", 7, "malformed value hvmem=1MB (hvmem=<size>)"},
        {"hvmem=1T", 7, "malformed value hvmem=1T (hvmem=<size>)"},
        {"hvmem=1 M", 7, "value out of range hvmem=1 (hvmem=<size>); unknown key M= ()"},
        {"hvmem=12a", 7, "malformed value hvmem=12a (hvmem=<size>)"},
        {"hvmem==1M", 7, "malformed value hvmem==1M (hvmem=<size>)"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("%s", rows[i].text);
        parse(rows[i].text, false);
        EXPECT_EQ(got.hvmem, rows[i].value);
        EXPECT_STREQ(reports, rows[i].report);
    }
    parse("maxcpus=512", false);
    EXPECT_EQ(got.maxcpus, 512);
    parse("maxcpus=513", false);
    EXPECT_EQ(got.maxcpus, 7);
    EXPECT_STREQ(reports, "value out of range maxcpus=513 (maxcpus=<1-512>)");
}

TEST(cmdline_reports)
{
    static const struct {
        const char *line, *report;
    } rows[] = {
        {"unknown", "unknown key unknown= ()"},
        {"unknown=1", "unknown key unknown=1 ()"},
        {"=1", "unknown key =1 ()"},
        {"=", "unknown key = ()"},
        {"Trace", "unknown key Trace= ()"},
        {"trac trace2", "unknown key trac= (); unknown key trace2= ()"},
        {"trace=yes", "malformed value trace=yes (trace)"},
        {"trace=", "malformed value trace= (trace)"},
        {"exit", "no value exit= (exit=halt|...)"},
        {"exit=", "malformed value exit= (exit=halt|...)"},
        {"exit=hal", "malformed value exit=hal (exit=halt|...)"},
        {"exit=halting", "malformed value exit=halting (exit=halt|...)"},
        {"com1=123456789012345", ""},
        {"com1=1234567890123456", "value out of range com1=1234567890123456 (com1=<uart>)"},
        {"\"\"", "unknown key = ()"},
        {"com1=\"a b\" trace", ""},
        {"com1='a b", "quote without an end com1=a b (com1=<uart>)"},
        {"\"unknown", "quote without an end unknown= ()"},
        {"hvmem=2 trace maxcpus=9 bad", "value out of range hvmem=2 (hvmem=<size>); unknown key bad= ()"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("%s", rows[i].line);
        parse(rows[i].line, false);
        EXPECT_STREQ(reports, rows[i].report);
        EXPECT_EQ(got.exit, 0);
    }
    EXPECT_TRUE(got.trace);
    EXPECT_EQ(got.maxcpus, 9);
    EXPECT_EQ(got.hvmem, 7);
}

TEST(cmdline_quotes)
{
    static const struct {
        const char *line, *com1;
    } rows[] = {
        {"com1=\"a b\"", "a b"}, {"com1='a \"b'", "a \"b"}, {"\"com1=a b\"", "a b"},
        {"co'm1=a 'b", "a b"},   {"com1=\"\"", ""},         {"com1=a''b", "ab"},
        {"com1='a b", "old"},    {"com1='--' trace", "--"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("%s", rows[i].line);
        parse(rows[i].line, false);
        EXPECT_STREQ(got.com1, rows[i].com1);
    }
    EXPECT_TRUE(got.trace);
}

TEST(cmdline_end)
{
    static const struct {
        const char *line, *rest;
        bool debug;
    } rows[] = {
        {"debug -- trace", "trace", true}, {"--", "", false},        {"--  \t", "", false},
        {"-- debug", "debug", false},      {"'--' debug", "", true}, {"--debug debug", "", true},
        {"a-- -- -- x", "-- x", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("%s", rows[i].line);
        EXPECT_STREQ(parse(rows[i].line, false), rows[i].rest);
        EXPECT_EQ(got.debug, rows[i].debug);
        EXPECT_FALSE(got.trace);
    }
}

TEST(cmdline_image)
{
    static const struct {
        const char *line;
        bool trace;
        const char *report; /* with image_first */
    } rows[] = {
        {"/boot/signalbox.elf trace", true, ""},
        {"(hd0,1)/boot/signalbox trace", true, ""},
        {"signalbox.elf trace", true, ""},
        {"build/signalbox trace", true, ""},
        {"/odd=name/signalbox trace", true, ""},
        {"trace", true, ""},
        {"trace=on /boot/x", true, "unknown key /boot/x= ()"},
        {"unknown=1 trace", true, "unknown key unknown=1 ()"},
        {"/boot/signalbox", false, ""},
        {"/a /b trace", true, "unknown key /b= ()"},
        {"'/my disk/signalbox' trace", true, ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("%s", rows[i].line);
        parse(rows[i].line, true);
        EXPECT_EQ(got.trace, rows[i].trace);
        EXPECT_STREQ(reports, rows[i].report);
    }
    parse("/boot/signalbox.elf trace", false);
    EXPECT_STREQ(reports, "unknown key /boot/signalbox.elf= ()");
}

TEST(cmdline_long_words)
{
    static const size_t lengths[] = {CMDLINE_WORD_SIZE - 2, CMDLINE_WORD_SIZE - 1, CMDLINE_WORD_SIZE, 2047,
                                     100000};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        static char line[100100];
        test_row("%zu characters", lengths[i]);
        memset(line, 'x', lengths[i]);
        strcpy(line + lengths[i], " trace");
        parse(line, false);
        EXPECT_TRUE(got.trace);
        bool too_long = lengths[i] >= CMDLINE_WORD_SIZE;
        EXPECT_STREQ(reports, too_long ? "word too long xxxxxxxxxxxxxxxxxxxx= ()"
                                       : "unknown key xxxxxxxxxxxxxxxxxxxx= ()");
        memcpy(line, "com1=", 5);
        parse(line, false);
        EXPECT_STREQ(got.com1, "old");
        EXPECT_STREQ(reports, too_long ? "word too long com1=xxxxxxxxxxxxxxxxxxxx (com1=<uart>)"
                                       : "value out of range com1=xxxxxxxxxxxxxxxxxxxx (com1=<uart>)");
    }
}

/* Every beginning of a line is a line. */
TEST(cmdline_cut_everywhere)
{
    static const char line[] = "/boot/x trace com1=\"a b\" hvmem=0x100000 exit='halt' maxcpus=9 -- rest";
    char cut[sizeof(line)];
    for (size_t len = 0; len < sizeof(line); len++) {
        memcpy(cut, line, len);
        cut[len] = '\0';
        parse(cut, true);
        EXPECT_TRUE(strlen(reports) < 80);
    }
    EXPECT_STREQ(reports, "");
}

TEST(cmdline_texts)
{
    for (int i = 0; i <= CMDLINE_OPEN_QUOTE; i++)
        EXPECT_TRUE(strlen(cmdline_problem_text((enum cmdline_problem)i)) > 5);
    EXPECT_STREQ(cmdline_problem_text((enum cmdline_problem)(CMDLINE_OPEN_QUOTE + 1)), "unknown problem");
}
