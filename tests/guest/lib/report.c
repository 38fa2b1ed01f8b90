/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output and the count of checks: see report.h. A line is formatted into a buffer and written by one REP
 * OUTSB.
 */
#include "tests/guest/lib/report.h"

#include <stddef.h>

#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/trap.h"

#define PORT_DEBUG 0xe9
#define PORT_EXIT  0xf4
#define CMDLINE_AT 24 /* struct hvm_start_info: cmdline_paddr */

enum { LINE_MAX = 400, FAILURES_SHOWN = 40 };

static struct {
    char text[LINE_MAX];
    size_t used;
} line;

static struct {
    unsigned passed, failed, skipped;
    bool verbose;
} count;

static void put(char c)
{
    if (line.used < LINE_MAX)
        line.text[line.used++] = c;
}

static void put_number(uint64_t value, unsigned base, unsigned width, char pad)
{
    char digits[24];
    unsigned n = 0;
    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    for (unsigned i = n; i < width; i++)
        put(pad);
    while (n)
        put(digits[--n]);
}

static void put_signed(int64_t value, unsigned width)
{
    if (value < 0)
        put('-');
    put_number(value < 0 ? (uint64_t)-value : (uint64_t)value, 10, width, ' ');
}

/* One conversion behind the %; returns its last character. */
static const char *convert(const char *f, va_list *args)
{
    unsigned width = 0;
    bool wide = false, alternate = *f == '#';
    f += alternate;
    char pad = *f == '0' ? '0' : ' ';
    for (; *f >= '0' && *f <= '9'; f++)
        width = width * 10 + (unsigned)(*f - '0');
    for (; *f == 'l'; f++)
        wide = true;
    if (*f == 's') {
        for (const char *s = va_arg(*args, const char *); *s; s++)
            put(*s);
    } else if (*f == 'c') {
        put((char)va_arg(*args, int));
    } else if (*f == 'd') {
        put_signed(wide ? va_arg(*args, int64_t) : va_arg(*args, int), width);
    } else {
        uint64_t value = wide ? va_arg(*args, uint64_t) : va_arg(*args, unsigned);
        if (alternate) {
            put('0');
            put('x');
        }
        put_number(value, *f == 'u' ? 10 : 16, width, pad);
    }
    return f;
}

static void format(const char *f, va_list *args)
{
    for (; *f; f++) {
        if (*f == '%')
            f = convert(f + 1, args);
        else
            put(*f);
    }
}

static void flush(void)
{
    const char *text = line.text;
    size_t n = line.used;
    __asm__ volatile("rep outsb" : "+S"(text), "+c"(n) : "d"(PORT_DEBUG) : "memory");
    line.used = 0;
}

void print(const char *f, ...)
{
    va_list args;
    va_start(args, f);
    format(f, &args);
    va_end(args);
    flush();
}

static void say(const char *verdict, const char *f, va_list *args)
{
    for (; *verdict; verdict++)
        put(*verdict);
    put(' ');
    format(f, args);
    put('\n');
    flush();
}

void report(bool condition, const char *f, ...)
{
    va_list args;
    va_start(args, f);
    if (condition) {
        count.passed++;
        if (count.verbose)
            say("PASS", f, &args);
    } else if (count.failed++ < FAILURES_SHOWN) {
        say("FAIL", f, &args);
    }
    va_end(args);
}

void report_skip(const char *f, ...)
{
    va_list args;
    va_start(args, f);
    count.skipped++;
    say("SKIP", f, &args);
    va_end(args);
}

void guest_exit(uint8_t code)
{
    for (;;) {
        outb(PORT_EXIT, code);
        __asm__ volatile("cli; hlt");
    }
}

void report_end(void)
{
    print("%s: %u passed, %u failed, %u skipped\n", guest_name, count.passed, count.failed, count.skipped);
    guest_exit(count.failed || !count.passed ? RUN_FAILED : RUN_PASSED);
}

bool guest_has_word(const char *s, const char *word)
{
    while (*s) {
        const char *w = word;
        while (*s == ' ')
            s++;
        while (*w && *s == *w) {
            s++;
            w++;
        }
        if (!*w && (*s == ' ' || !*s))
            return true;
        while (*s && *s != ' ')
            s++;
    }
    return false;
}

void guest_start(const void *start_info)
{
    uint64_t at = *(const uint64_t *)((const char *)start_info + CMDLINE_AT);
    const char *cmdline = at ? (const char *)(uintptr_t)at : "";
    trap_init();
    count.verbose = guest_has_word(cmdline, "verbose");
    guest_main(cmdline);
    report_end();
}
