/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of drivers/uart16550.c on registers in memory: what is received, a BREAK, and a BREAK whose
 * only sign went by while something was being sent.
 */
#include "drivers/uart16550.h"

#include "tests/host/test.h"

enum { RBR, IER, FCR, LCR, MCR, LSR, MSR, SCR, REGISTERS };
enum { DATA = 0x01, BREAK = 0x10, EMPTY = 0x60 };

static volatile uint8_t port[REGISTERS];

static void fresh(void)
{
    const struct uart_config config = {.kind = UART_MMIO, .reg_width = 1, .data_bits = 8, .stop_bits = 1};
    EXPECT_TRUE(uart16550_init(&config, port));
    port[LSR] = EMPTY;
    while (uart16550_getc() >= 0)
        continue; /* the end of an escape of the test before */
}

static void arrives(uint8_t byte, uint8_t status)
{
    port[RBR] = byte;
    port[LSR] = (uint8_t)(EMPTY | DATA | status);
}

TEST(driver_receives)
{
    fresh();
    EXPECT_EQ(uart16550_getc(), -1);
    for (int byte = 0; byte < 255; byte++) {
        arrives((uint8_t)byte, 0);
        EXPECT_EQ(uart16550_getc(), byte);
        port[LSR] = EMPTY;
        EXPECT_EQ(uart16550_getc(), -1);
    }
    arrives(0x41, 0x0c); /* parity and stop bit wrong */
    EXPECT_EQ(uart16550_getc(), 0x41);
}

TEST(driver_escapes_the_escape)
{
    fresh();
    arrives(0xff, 0);
    EXPECT_EQ(uart16550_getc(), 0xff);
    port[LSR] = EMPTY;
    EXPECT_EQ(uart16550_getc(), 0xff);
    EXPECT_EQ(uart16550_getc(), -1);
}

TEST(driver_tells_a_break)
{
    fresh();
    arrives(0, BREAK);
    EXPECT_EQ(uart16550_getc(), 0xff);
    arrives('x', 0);
    EXPECT_EQ(uart16550_getc(), 0);
    EXPECT_EQ(uart16550_getc(), 0);
    EXPECT_EQ(uart16550_getc(), 'x'); /* and it is over */
}

TEST(driver_remembers_a_break_seen_while_sending)
{
    fresh();
    arrives(0, BREAK);
    uart16550_putc('o'); /* reads LSR, which clears the bit in a real port */
    arrives(0, 0);
    EXPECT_EQ(uart16550_getc(), 0xff);
    port[LSR] = EMPTY;
    EXPECT_EQ(uart16550_getc(), 0);
    EXPECT_EQ(uart16550_getc(), 0);
    EXPECT_EQ(uart16550_getc(), -1);
    arrives(0, 0);
    EXPECT_EQ(uart16550_getc(), 0); /* a zero that is none */
}

TEST(driver_interrupts_when_it_is_to)
{
    fresh();
    EXPECT_EQ(port[IER], 0);
    EXPECT_EQ(port[MCR] & 8, 8); /* OUT2: the line is connected */
    uart16550_listen();
    EXPECT_EQ(port[IER], 1); /* for received bytes only */
}

TEST(driver_without_a_port)
{
    const struct uart_config config = {.kind = UART_MMIO, .reg_width = 1, .data_bits = 8, .stop_bits = 1};
    EXPECT_TRUE(uart16550_init(&config, port));
    uart16550_move(NULL);
    EXPECT_EQ(uart16550_getc(), -1);
    uart16550_putc('x');
    uart16550_flush();
}
