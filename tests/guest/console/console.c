/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * console: a guest for the tests of the shell. The first word of its command line says what it does with its
 * serial port: echo (says what it receives, with breaks and overruns), flood (sends without end), deaf (never
 * reads, sends a line now and then), keeper (puts values into registers of its devices and looks, again and
 * again, whether they are still there), irq (sleeps, and says what interrupts it), cost (says what a character takes, in ticks of the TSC). It does not end
 * by itself, but for cost.
 */
#include "tests/guest/devices/devices.h"
#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/trap.h"

const char guest_name[] = "console";

enum { RBR = 0x3f8, FCR = 0x3fa, LCR = 0x3fb, LSR = 0x3fd, SCR = 0x3ff };
enum { LSR_DATA = 1, LSR_OVERRUN = 2, LSR_BREAK = 0x10, CMOS_FREE = 0x40 };
enum {
    PAUSE_TICKS = 20000,
    KEEPER_TICKS = 2000000,
    DEAF_TICKS = 4000000,
    PER_LINE = 16,
    COST_CHARACTERS = 4096
};

static void put(const char *text)
{
    for (; *text; text++)
        out(RBR, 1, (uint8_t)*text);
}

static void put_hex(uint32_t byte)
{
    static const char digits[] = "0123456789abcdef";
    const char text[] = {' ', digits[byte >> 4 & 15], digits[byte & 15], '\0'};
    put(text);
}

static void put_number(uint32_t number)
{
    char text[12], *at = text + sizeof(text) - 1;
    *at = '\0';
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    put(at);
}

static void wait(uint64_t ticks)
{
    uint64_t from = rdtsc();
    while (rdtsc() - from < ticks)
        __asm__ volatile("pause");
}

/* Lines like "got 61 62 BREAK"; a line ends when nothing comes for a while. */
static void echo(void)
{
    uint32_t on_line = 0, quiet = 0;
    out(FCR, 1, 1);
    put("console: ready\n");
    for (;;) {
        uint32_t status = in(LSR, 1);
        if ((status & LSR_DATA) == 0) {
            if (on_line && ++quiet == PER_LINE) {
                put("\n");
                on_line = 0;
            }
            wait(PAUSE_TICKS);
            continue;
        }
        if (on_line == 0)
            put("got");
        uint32_t byte = in(RBR, 1);
        if (status & LSR_OVERRUN)
            put(" OVERRUN");
        if (status & LSR_BREAK)
            put(" BREAK");
        else
            put_hex(byte);
        quiet = 0;
        if (++on_line == PER_LINE) {
            put("\n");
            on_line = 0;
        }
    }
}

static void flood(void)
{
    for (uint32_t n = 0;; n++) {
        put("flood ");
        put_number(n);
        put(" of this and that and more, without end\n");
    }
}

static void deaf(void)
{
    out(FCR, 1, 1);
    for (uint32_t n = 0;; n++) {
        put("deaf ");
        put_number(n);
        put("\n");
        wait(DEAF_TICKS);
    }
}

static uint32_t cmos(void)
{
    return in(0x71, 1);
}

static void keeper(void)
{
    out(LCR, 1, 0x1b);
    out(SCR, 1, 0xa5);
    out(0x70, 1, CMOS_FREE);
    out(0x71, 1, 0x77);
    out(0x602, 2, 0x0101);
    out(0xcf8, 4, 0x80001200);
    uint32_t timer = in(0x608, 4);
    for (uint32_t n = 0;; n++) {
        bool good = in(LCR, 1) == 0x1b && in(SCR, 1) == 0xa5 && cmos() == 0x77 && in(0x602, 2) == 0x0101 &&
                    in(0xcf8, 4) == 0x80001200;
        uint32_t now = in(0x608, 4);
        good = good && (now - timer) << 8 < 0x80000000U; /* 24 bits, onwards */
        timer = now;
        put(good ? "kept " : "LOST ");
        put_number(n);
        put("\n");
        wait(KEEPER_TICKS);
    }
}

/* ---- irq: the 8259 pair at vectors 0x20 to 0x2f, all but serial port, clock and power management masked */

static volatile uint32_t clock_irqs, update_irqs, sci_irqs, uart_irqs, strange_irqs;
static volatile uint8_t heard[64]; /* byte n at n % 64; a BREAK counts as 0xff */
static volatile uint32_t heard_count;

static void start_pics(void)
{
    static const struct {
        uint16_t port;
        uint8_t value;
    } rows[] = {{0x20, 0x11}, {0xa0, 0x11}, {0x21, 0x20}, {0xa1, 0x28}, {0x21, 4},
                {0xa1, 2},    {0x21, 1},    {0xa1, 1},    {0x21, 0xeb}, {0xa1, 0xfc}};
    for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        out(rows[i].port, 1, rows[i].value);
}

static void on_uart(void)
{
    uart_irqs++;
    for (uint32_t why; ((why = in(FCR, 1)) & 1) == 0;) {
        uint32_t status = in(LSR, 1);
        strange_irqs += (status & LSR_DATA) == 0;
        if ((status & LSR_DATA) == 0)
            return;
        uint32_t byte = in(RBR, 1);
        heard[heard_count++ % sizeof(heard)] = (uint8_t)(status & LSR_BREAK ? 0xff : byte);
    }
}

static void on_clock(void)
{
    out(0x70, 1, 0x0c);
    uint32_t flags = in(0x71, 1);
    clock_irqs += (flags & 0xc0) == 0xc0;
    update_irqs += (flags & 0x90) == 0x90;
}

static bool on_interrupt(struct trap_frame *frame)
{
    if (frame->vector < 0x20 || frame->vector > 0x2f)
        return false;
    if (frame->vector == 0x24)
        on_uart();
    else if (frame->vector == 0x28)
        on_clock();
    else if (frame->vector == 0x29 && in(0x600, 2) == 1)
        sci_irqs++, out(0x600, 2, 1);
    else
        strange_irqs++;
    if (frame->vector >= 0x28)
        out(0xa0, 1, 0x20);
    out(0x20, 1, 0x20);
    return true;
}

static void sleep_until(volatile uint32_t *count, uint32_t least)
{
    __asm__ volatile("cli");
    while (*count < least)
        __asm__ volatile("sti; hlt; cli" ::: "memory");
    __asm__ volatile("sti");
}

static void set_clock(uint8_t reg, uint8_t value)
{
    __asm__ volatile("cli");
    out(0x70, 1, reg);
    out(0x71, 1, value);
    __asm__ volatile("sti");
}

static void irq(void)
{
    trap_hook_fn = on_interrupt;
    start_pics();
    __asm__ volatile("sti");
    set_clock(0x0a, 0x2a); /* 64 Hz */
    set_clock(0x0b, 0x42);
    uint64_t begin = rdtsc();
    sleep_until(&clock_irqs, 32);
    uint64_t half_second = rdtsc() - begin;
    set_clock(0x0b, 0x12);
    sleep_until(&update_irqs, 2);
    set_clock(0x0b, 0x02);
    put("irq: clock, 32 periods in ");
    put_number((uint32_t)(half_second / 1000));
    put(" thousand ticks\n");
    out(0x602, 2, 1);
    sleep_until(&sci_irqs, 2);
    out(0x602, 2, 0);
    put("irq: power management twice\n");
    out(FCR, 1, 1);
    out(0x3fc, 1, 0x0b);
    out(0x3f9, 1, 5);
    put("irq: ready\n");
    for (uint32_t told = 0;; told++) {
        sleep_until(&heard_count, told + 1);
        put(heard[told % sizeof(heard)] == 0xff ? "irq: BREAK" : "irq:");
        if (heard[told % sizeof(heard)] != 0xff)
            put_hex(heard[told % sizeof(heard)]);
        put(strange_irqs ? ", and strange ones\n" : "\n");
    }
}

/* On a machine with one CPU the ticks of the emulator are instructions, those of the manager included. */
static void cost(void)
{
    uint64_t begin = rdtsc();
    for (uint32_t n = 0; n < COST_CHARACTERS; n++)
        out(RBR, 1, n % 64 == 63 ? '\n' : 'x');
    uint64_t sent = rdtsc();
    for (uint32_t n = 0; n < COST_CHARACTERS; n++)
        (void)in(LSR, 1);
    uint64_t looked = rdtsc();
    put("cost: ");
    put_number((uint32_t)((sent - begin) / COST_CHARACTERS));
    put(" ticks to send a character, ");
    put_number((uint32_t)((looked - sent) / COST_CHARACTERS));
    put(" to read the line status\n");
    guest_exit(RUN_PASSED);
}

void guest_main(const char *cmdline)
{
    if (guest_has_word(cmdline, "echo"))
        echo();
    if (guest_has_word(cmdline, "flood"))
        flood();
    if (guest_has_word(cmdline, "deaf"))
        deaf();
    if (guest_has_word(cmdline, "keeper"))
        keeper();
    if (guest_has_word(cmdline, "irq"))
        irq();
    if (guest_has_word(cmdline, "cost"))
        cost();
}
