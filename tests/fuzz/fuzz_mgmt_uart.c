/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: a guest against its serial port, four bytes per step: what and width, port, data. In
 * between the other side types and sends breaks. The FIFO stays within its bounds, a break is told
 * once at most, the interrupt line changes in turns, and a byte with room is never lost.
 */
#include "mgmt/devices/uart16550.h"

#include <assert.h>
#include <stddef.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BASE = 0x3f8, LSR = 5, LSR_OVERRUN = 2, LSR_BREAK = 0x10 };

static bool line;
static unsigned long breaks_sent, breaks_told;

static void on_byte(void *ctx, uint8_t byte)
{
    unsigned long *count = ctx;
    *count += 1U + (byte & 0U);
}

static void on_irq(void *ctx, bool asserted)
{
    (void)ctx;
    assert(asserted != line);
    line = asserted;
}

static void receive(struct uart16550 *uart, uint8_t byte, bool is_break)
{
    uint8_t room = (uint8_t)uart16550_room(uart), count = uart->count;
    bool overrun = (uart->errors & LSR_OVERRUN) != 0;
    breaks_sent += is_break;
    if (is_break)
        uart16550_receive_break(uart);
    else
        uart16550_receive(uart, byte);
    if (room > 0)
        assert(uart->count == count + 1 && ((uart->errors & LSR_OVERRUN) != 0) == overrun);
}

static void step(struct uart16550 *uart, const struct access_table *table, const uint8_t *bytes)
{
    uint8_t width = (uint8_t)(1U << (bytes[0] >> 2 & 3));
    uint64_t port = 0x3f0 + (bytes[1] & 31U);
    uint64_t value = bytes[2] | (uint64_t)bytes[3] << 8 | (uint64_t)bytes[2] << 16;
    if (bytes[0] & 0xc0)
        receive(uart, bytes[2], (bytes[0] & 0x80) == 0);
    else if (bytes[0] & 0x20)
        access_write(table, HV_CLAIM_PIO, port, width, value);
    else
        value = access_read(table, HV_CLAIM_PIO, port, width);
    if ((bytes[0] & 0xe0) == 0 && width < 8)
        assert(value >> 8 * width == 0);
    if ((bytes[0] & 0xe0) == 0 && width == 1 && port == BASE + LSR)
        breaks_told += (value & LSR_BREAK) != 0;
    assert(uart->count <= UART16550_FIFO && uart->head < UART16550_FIFO && uart->line == line);
    assert(uart16550_room(uart) <= UART16550_FIFO && breaks_told <= breaks_sent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned long sent = 0;
    struct uart16550 uart = {.put = on_byte, .irq = on_irq, .ctx = &sent};
    struct access_table table = {.count = 0};
    line = false;
    breaks_sent = breaks_told = 0;
    uart16550_reset(&uart);
    const struct access_range range = uart16550_range(&uart, BASE);
    if (!access_add(&table, &range))
        __builtin_trap();
    for (size_t i = 0; i + 4 <= size; i += 4)
        step(&uart, &table, data + i);
    return 0;
}
