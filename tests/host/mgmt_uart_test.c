/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of mgmt/devices/uart16550.c, register by register, against the data sheet of the PC16550D.
 */
#include "mgmt/devices/uart16550.h"

#include "tests/host/test.h"

enum { RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR, BASE = 0x3f8 };

static struct uart16550 uart;
static struct access_table table;
static char out[256];
static size_t out_length;
static bool line;
static uint32_t edges;

static void put(void *ctx, uint8_t byte)
{
    (void)ctx;
    out[out_length++ % sizeof(out)] = (char)byte;
}

static void irq(void *ctx, bool asserted)
{
    (void)ctx;
    EXPECT_NE(asserted, line);
    line = asserted;
    edges++;
}

static void fresh(void)
{
    memset(&uart, 0, sizeof(uart));
    memset(&table, 0, sizeof(table));
    uart.put = put;
    uart.irq = irq;
    out_length = edges = 0;
    line = false;
    uart16550_reset(&uart);
    struct access_range range = uart16550_range(&uart, BASE);
    EXPECT_TRUE(access_add(&table, &range));
}

static uint64_t in(unsigned port)
{
    return access_read(&table, HV_CLAIM_PIO, BASE + port, 1);
}

static void outb(unsigned port, unsigned value)
{
    access_write(&table, HV_CLAIM_PIO, BASE + port, 1, value);
}

TEST(uart_after_reset)
{
    fresh();
    EXPECT_EQ(in(RBR), 0U);
    EXPECT_EQ(in(IER), 0U);
    EXPECT_EQ(in(IIR), 1U);
    EXPECT_EQ(in(LCR), 0U);
    EXPECT_EQ(in(MCR), 0U);
    EXPECT_EQ(in(LSR), 0x60U);
    EXPECT_EQ(in(MSR), 0xb0U);
    EXPECT_EQ(in(SCR), 0U);
}

TEST(uart_every_port_and_width_answers)
{
    for (unsigned port = 0; port < 8; port++)
        for (unsigned width = 1; width <= 4; width *= 2)
            for (unsigned value = 0; value < 256; value++) {
                fresh();
                access_write(&table, HV_CLAIM_PIO, BASE + port, (uint8_t)width, value * 0x01010101U);
                (void)access_read(&table, HV_CLAIM_PIO, BASE + port, (uint8_t)width);
                EXPECT_TRUE(uart.count <= UART16550_FIFO && uart.head < UART16550_FIFO);
            }
}

TEST(uart_writable_bits)
{
    fresh();
    outb(IER, 0xff);
    EXPECT_EQ(in(IER), 0x0fU);
    outb(MCR, 0xff);
    EXPECT_EQ(in(MCR), 0x1fU);
    outb(SCR, 0xa5);
    EXPECT_EQ(in(SCR), 0xa5U);
    outb(LCR, 0x7f);
    EXPECT_EQ(in(LCR), 0x7fU);
    outb(MCR, 0);
    outb(LSR, 0xff);
    EXPECT_EQ(in(LSR), 0x60U);
}

TEST(uart_divisor_latch)
{
    fresh();
    outb(LCR, 0x83);
    outb(RBR, 0x12);
    outb(IER, 0x34);
    EXPECT_EQ(in(RBR), 0x12U);
    EXPECT_EQ(in(IER), 0x34U);
    outb(LCR, 0x03);
    EXPECT_EQ(in(IER), 0U);
    EXPECT_EQ(out_length, 0U);
}

TEST(uart_sends)
{
    fresh();
    outb(RBR, 'o');
    access_write(&table, HV_CLAIM_PIO, BASE, 2, 'k'); /* the upper half goes to IER */
    EXPECT_EQ(out_length, 2U);
    EXPECT_MEMEQ(out, "ok", 2);
    EXPECT_EQ(in(LSR)&0x60, 0x60U);
}

TEST(uart_receives_without_fifo)
{
    fresh();
    EXPECT_EQ(uart16550_room(&uart), 1U);
    uart16550_receive(&uart, 'a');
    EXPECT_EQ(uart16550_room(&uart), 0U);
    EXPECT_EQ(in(LSR), 0x61U);
    uart16550_receive(&uart, 'b');
    EXPECT_EQ(in(LSR), 0x63U); /* overrun, told once */
    EXPECT_EQ(in(LSR), 0x61U);
    EXPECT_EQ(in(RBR), (uint64_t)'b'); /* the old byte is gone */
    EXPECT_EQ(in(LSR), 0x60U);
}

TEST(uart_fifo_overrun_keeps_the_old)
{
    fresh();
    outb(IIR, 1);
    EXPECT_EQ(in(IIR), 0xc1U);
    for (unsigned i = 0; i < 17; i++)
        uart16550_receive(&uart, (uint8_t)i);
    EXPECT_EQ(in(LSR), 0x63U);
    for (unsigned i = 0; i < 16; i++)
        EXPECT_EQ(in(RBR), i);
    EXPECT_EQ(in(LSR), 0x60U);
    uart16550_receive(&uart, 1);
    outb(IIR, 3); /* clear the FIFO */
    EXPECT_EQ(in(LSR), 0x60U);
}

TEST(uart_interrupts_by_priority)
{
    fresh();
    outb(MCR, 8);
    outb(IIR, 1);
    outb(IER, 0x0f);
    EXPECT_TRUE(line);
    uart16550_receive(&uart, 'x');
    EXPECT_EQ(in(IIR), 0xc4U); /* trigger level 1: data */
    uart16550_receive_break(&uart);
    EXPECT_EQ(in(IIR), 0xc4U); /* the byte before it is the next one */
    EXPECT_EQ(in(RBR), (uint64_t)'x');
    EXPECT_EQ(in(IIR), 0xc6U); /* line status */
    EXPECT_EQ(in(LSR), 0xf1U);
    EXPECT_EQ(in(IIR), 0xc4U);
    EXPECT_EQ(in(RBR), 0U);
    EXPECT_EQ(in(IIR), 0xc2U); /* transmitter empty, told once */
    EXPECT_EQ(in(IIR), 0xc1U);
    EXPECT_FALSE(line);
    outb(RBR, 'y');
    EXPECT_TRUE(line);
    EXPECT_EQ(in(IIR), 0xc2U);
    EXPECT_FALSE(line);
}

TEST(uart_break_belongs_to_its_byte)
{
    fresh();
    outb(IIR, 1);
    uart16550_receive(&uart, 'a');
    uart16550_receive_break(&uart);
    uart16550_receive(&uart, 'b');
    uart16550_receive_break(&uart);
    EXPECT_EQ(in(LSR), 0xe1U); /* an error in the FIFO, not of the next byte */
    EXPECT_EQ(in(LSR), 0xe1U);
    EXPECT_EQ(in(RBR), (uint64_t)'a');
    EXPECT_EQ(in(LSR), 0xf1U);
    EXPECT_EQ(in(LSR), 0xe1U); /* told once; the other one is still to come */
    EXPECT_EQ(in(RBR), 0U);
    EXPECT_EQ(in(RBR), (uint64_t)'b');
    EXPECT_EQ(in(LSR), 0xf1U);
    EXPECT_EQ(in(LSR), 0x61U);
    EXPECT_EQ(in(RBR), 0U);
    EXPECT_EQ(in(LSR), 0x60U);
}

TEST(uart_break_not_looked_at)
{
    fresh();
    outb(IIR, 1);
    uart16550_receive_break(&uart);
    uart16550_receive(&uart, 'b');
    EXPECT_EQ(in(RBR), 0U);
    EXPECT_EQ(in(LSR), 0xf1U); /* stays until LSR is read */
    EXPECT_EQ(in(LSR), 0x61U);
    uart16550_receive_break(&uart);
    outb(IIR, 3); /* goes with the FIFO */
    EXPECT_EQ(in(LSR), 0x60U);
    uart16550_receive_break(&uart);
    outb(IIR, 3); /* also when it is the next byte */
    EXPECT_EQ(in(LSR), 0x60U);
    for (unsigned round = 0; round < 40; round++) { /* the marks go round with the bytes */
        uart16550_receive(&uart, 'x');
        uart16550_receive_break(&uart);
        EXPECT_EQ(in(LSR), 0xe1U);
        EXPECT_EQ(in(RBR), (uint64_t)'x');
        EXPECT_EQ(in(LSR), 0xf1U);
        EXPECT_EQ(in(RBR), 0U);
        EXPECT_EQ(in(LSR), 0x60U);
    }
}

TEST(uart_break_without_fifo)
{
    fresh();
    uart16550_receive_break(&uart);
    EXPECT_EQ(in(LSR), 0x71U); /* bit 7 is of the FIFO */
    EXPECT_EQ(in(RBR), 0U);
    uart16550_receive(&uart, 'x');
    uart16550_receive_break(&uart); /* takes the byte's place */
    EXPECT_EQ(in(LSR), 0x73U);
    EXPECT_EQ(in(RBR), 0U);
    outb(MCR, 0x10);
    uart16550_receive_break(&uart);
    EXPECT_EQ(in(LSR), 0x60U);
}

TEST(uart_break_when_the_fifo_is_full)
{
    fresh();
    outb(IIR, 1);
    for (unsigned i = 0; i < UART16550_FIFO; i++)
        uart16550_receive(&uart, 'x');
    uart16550_receive_break(&uart);
    EXPECT_EQ(in(LSR), 0x63U); /* lost, as any byte */
    for (unsigned i = 0; i < UART16550_FIFO; i++)
        EXPECT_EQ(in(RBR), (uint64_t)'x');
    EXPECT_EQ(in(LSR), 0x60U);
}

TEST(uart_trigger_level_and_timeout)
{
    fresh();
    outb(MCR, 8);
    outb(IIR, 0x81); /* 8 bytes */
    outb(IER, 1);
    uart16550_receive(&uart, 1);
    EXPECT_EQ(in(IIR), 0xccU); /* below the level: timeout */
    for (unsigned i = 0; i < 7; i++)
        uart16550_receive(&uart, 2);
    EXPECT_EQ(in(IIR), 0xc4U);
    while (in(LSR)&1)
        (void)in(RBR);
    EXPECT_FALSE(line);
}

TEST(uart_out2_gates_the_interrupt)
{
    fresh();
    outb(IER, 1);
    uart16550_receive(&uart, 1);
    EXPECT_FALSE(line);
    outb(MCR, 8);
    EXPECT_TRUE(line);
    outb(MCR, 0);
    EXPECT_FALSE(line);
    EXPECT_EQ(edges, 2U);
}

TEST(uart_loopback)
{
    fresh();
    outb(MCR, 0x10);
    outb(RBR, 'z');
    EXPECT_EQ(out_length, 0U);
    EXPECT_EQ(uart16550_room(&uart), 0U);
    uart16550_receive(&uart, 'n'); /* the receiver is off the line */
    EXPECT_EQ(in(LSR), 0x61U);
    EXPECT_EQ(in(RBR), (uint64_t)'z');
    EXPECT_EQ(in(LSR), 0x60U);
    (void)in(MSR);
    static const struct {
        unsigned mcr, msr;
    } rows[] = {{0x11, 0x20}, {0x12, 0x10}, {0x14, 0x40}, {0x18, 0x80}, {0x1f, 0xf0}, {0x10, 0}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        outb(MCR, rows[i].mcr);
        EXPECT_EQ(in(MSR)&0xf0, rows[i].msr);
    }
}

TEST(uart_modem_deltas)
{
    fresh();
    outb(MCR, 0x10); /* all inputs fall */
    EXPECT_EQ(in(MSR), 0x0bU);
    EXPECT_EQ(in(MSR), 0U);
    outb(MCR, 0x14);
    EXPECT_EQ(in(MSR), 0x40U); /* a rising ring is not told */
    outb(MCR, 0x10);
    EXPECT_EQ(in(MSR), 0x04U); /* its end is */
}
