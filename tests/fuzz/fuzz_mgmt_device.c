/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: a guest against the devices, four bytes per access: what, port, data. In between the
 * other side types. The FIFO stays within its bounds, the interrupt line is told in turns, and what
 * no device answers reads as ones.
 */
#include "mgmt/devices/debug_console.h"
#include "mgmt/devices/debug_exit.h"
#include "mgmt/devices/post_port.h"
#include "mgmt/devices/uart16550.h"

#include <assert.h>
#include <stddef.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool line;

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

static void on_end(void *ctx, uint32_t code)
{
    (void)ctx;
    assert(code & 1);
}

static void step(struct uart16550 *uart, const struct access_table *table, const uint8_t *bytes)
{
    static const uint16_t base[] = {0x3f0, 0xe0, 0xf0, 0x78};
    uint8_t width = (uint8_t)(1U << (bytes[0] >> 2 & 3));
    uint64_t port = base[bytes[0] & 3] + (bytes[1] & 31U);
    uint64_t value = bytes[2] | (uint64_t)bytes[3] << 8 | (uint64_t)bytes[2] << 16;
    if (bytes[0] & 0x80)
        uart16550_receive(uart, bytes[2]);
    else if (bytes[0] & 0x40)
        uart16550_receive_break(uart);
    else if (bytes[0] & 0x20)
        access_write(table, HV_CLAIM_PIO, port, width, value);
    else
        value = access_read(table, HV_CLAIM_PIO, port, width);
    if ((bytes[0] & 0xe0) == 0 && width < 8)
        assert(value >> 8 * width == 0);
    assert(uart->count <= UART16550_FIFO && uart->head < UART16550_FIFO && uart->line == line);
    assert(uart16550_room(uart) <= UART16550_FIFO);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned long sent = 0;
    struct debug_console console = {on_byte, &sent};
    struct debug_exit debug_exit = {on_end, NULL};
    struct post_port post = {.writes = 0};
    struct uart16550 uart = {.put = on_byte, .irq = on_irq, .ctx = &sent};
    struct access_table table = {.count = 0};
    line = false;
    uart16550_reset(&uart);
    const struct access_range ranges[] = {debug_console_range(&console), debug_exit_range(&debug_exit),
                                          post_port_range(&post), uart16550_range(&uart, 0x3f8)};
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (!access_add(&table, &ranges[i]))
            __builtin_trap();
    for (size_t i = 0; i + 4 <= size; i += 4)
        step(&uart, &table, data + i);
    return 0;
}
