/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output and the count of checks: see report.h. A line is formatted into a buffer and written by one REP
 * OUTSB.
 */
#include "tests/guest/lib/report.h"

#include <stddef.h>

#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/trap.h"

#define PORT_DEBUG        0xe9
#define PORT_EXIT         0xf4
#define PORT_COM1         0x3f8
#define PORT_PIC          0x20
#define PORT_PIC2         0xa0
#define PORT_BOCHS        0x8900
#define PVH_MAGIC         0x336ec578U
#define PVH_CMDLINE       24 /* struct hvm_start_info: cmdline_paddr */
#define MULTIBOOT_CMDLINE 16

enum {
    LINE_MAX = 400,
    FAILURES_SHOWN = 40,
    LCR = 3,
    LCR_8_BITS = 3,
    LSR = 5,
    LSR_THRE = 0x20,
    LSR_TEMT = 0x40
};

bool guest_native;
static char command_line[512]; /* of our own: the information may lie where a test writes */

static struct {
    char text[LINE_MAX];
    size_t used;
} line;

static struct {
    unsigned passed, failed, skipped;
    bool verbose;
} count;

static struct {
    uint64_t hash;
    unsigned lines;
    bool shown;
} traced = {.hash = 0xcbf29ce484222325UL};

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
    for (; guest_native && n; n--) {
        while (!(inb(PORT_COM1 + LSR) & LSR_THRE))
            ;
        outb(PORT_COM1, (uint8_t)*text++);
    }
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

static void judge(bool condition, bool tolerated, const char *f, va_list *args)
{
    if (condition) {
        count.passed++;
        if (count.verbose)
            say("PASS", f, args);
    } else if (tolerated) {
        count.skipped++;
        if (count.verbose)
            say("LOOSE", f, args);
    } else if (count.failed++ < FAILURES_SHOWN) {
        say("FAIL", f, args);
    }
}

void report(bool condition, const char *f, ...)
{
    va_list args;
    va_start(args, f);
    judge(condition, false, f, &args);
    va_end(args);
}

void report_exact(bool condition, const char *f, ...)
{
    va_list args;
    va_start(args, f);
    judge(condition, guest_native, f, &args);
    va_end(args);
}

void trace(const char *f, ...)
{
    static const char prefix[] = "trace: ";
    va_list args;
    va_start(args, f);
    for (const char *c = prefix; *c; c++)
        put(*c);
    format(f, &args);
    put('\n');
    va_end(args);
    for (size_t i = 0; i < line.used; i++)
        traced.hash = (traced.hash ^ (uint8_t)line.text[i]) * 0x100000001b3UL;
    traced.lines++;
    if (traced.shown)
        flush();
    line.used = 0;
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
        if (guest_native) {
            while (!(inb(PORT_COM1 + LSR) & LSR_TEMT))
                ;
            for (const char *c = "Shutdown"; *c; c++)
                outb(PORT_BOCHS, (uint8_t)*c);
        }
        outb(PORT_EXIT, code);
        __asm__ volatile("cli; hlt");
    }
}

void report_end(void)
{
    if (traced.lines)
        print("trace: %s %u %016lx\n", guest_name, traced.lines, traced.hash);
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

uint64_t guest_number(const char *s, const char *word, uint64_t otherwise)
{
    uint64_t value = 0;
    for (; *s; s++) {
        const char *at = s, *w = word;
        while (*w && *at == *w) {
            at++;
            w++;
        }
        if (*w)
            continue;
        for (; *at >= '0' && *at <= '9'; at++)
            value = value * 10 + (uint64_t)(*at - '0');
        return value;
    }
    return otherwise;
}

static const char *command_line_of(const char *info)
{
    uint32_t at =
        *(const uint32_t *)(info + (*(const uint32_t *)info == PVH_MAGIC ? PVH_CMDLINE : MULTIBOOT_CMDLINE));
    for (size_t i = 0; at && i + 1 < sizeof(command_line); i++) {
        command_line[i] = ((const char *)(uintptr_t)at)[i];
        if (!command_line[i])
            break;
    }
    return command_line;
}

void guest_start(const void *start_info)
{
    const char *cmdline = command_line_of(start_info);
    trap_init();
    guest_native = guest_has_word(cmdline, "native");
    if (guest_native) {
        outb(PORT_COM1 + LCR, LCR_8_BITS);
        outb(PORT_PIC + 1, 0xff); /* the firmware's timer would come by vector 8 */
        outb(PORT_PIC2 + 1, 0xff);
    }
    traced.shown = guest_has_word(cmdline, "trace");
    count.verbose = guest_has_word(cmdline, "verbose");
    guest_main(cmdline);
    report_end();
}
