/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Driver of a 16550 serial port on I/O ports or MMIO, polled. National Semiconductor PC16550D data sheet. A
 * port that does not take a byte within SPIN_LIMIT polls is given up: a missing or broken port must not stop
 * the machine.
 *
 * Reading the LSR clears the BREAK bit of the byte that is next in the FIFO, whoever reads it, so every reading
 * remembers it for that byte.
 */
#include "drivers/uart16550.h"

#include "arch/cpu/insn.h"

enum uart_register { UART_DATA, UART_IER, UART_FCR, UART_LCR, UART_MCR, UART_LSR, UART_MSR, UART_SCR };

#define IER_DATA      0x01
#define LCR_DLAB      0x80
#define FCR_ENABLE    0x07 /* FIFOs on and empty */
#define MCR_DTR_RTS   0x03
#define MCR_OUT2      0x08 /* connects the interrupt line on PC boards */
#define LSR_DATA      0x01
#define LSR_BREAK     0x10
#define LSR_THR_EMPTY 0x20
#define LSR_IDLE      0x40
#define SPIN_LIMIT    1000000U

static struct uart_config config;
static volatile uint8_t *mmio;
static bool alive;
static bool break_seen;                   /* the next received byte stands for a BREAK */
static uint8_t rest_of_escape, rest_byte; /* so many of that byte are still to be told */

static uint8_t reg_read(enum uart_register reg)
{
    if (config.kind == UART_PIO)
        return inb((uint16_t)(config.base + ((uint32_t)reg << config.reg_shift)));
    volatile uint8_t *p = mmio + ((uint32_t)reg << config.reg_shift);
    return config.reg_width == 4 ? (uint8_t) * (volatile uint32_t *)p : *p;
}

static void reg_write(enum uart_register reg, uint8_t value)
{
    if (config.kind == UART_PIO) {
        outb((uint16_t)(config.base + ((uint32_t)reg << config.reg_shift)), value);
        return;
    }
    volatile uint8_t *p = mmio + ((uint32_t)reg << config.reg_shift);
    if (config.reg_width == 4)
        *(volatile uint32_t *)p = value;
    else
        *p = value;
}

/* A port that is there keeps what is written to its scratch register; an empty bus reads all ones. */
static bool answers(void)
{
    reg_write(UART_SCR, 0x5a);
    bool first = reg_read(UART_SCR) == 0x5a;
    reg_write(UART_SCR, 0xa5);
    return first && reg_read(UART_SCR) == 0xa5;
}

bool uart16550_init(const struct uart_config *c, volatile void *registers)
{
    config = *c;
    mmio = registers;
    alive = answers();
    if (!alive)
        return false;
    /* LCR bits 5:3: enabled, even, stick. */
    static const uint8_t parity[] = {0x00, 0x08, 0x18, 0x28, 0x38};
    uint8_t lcr = (uint8_t)((config.data_bits - 5) | (config.stop_bits == 2 ? 4 : 0) | parity[config.parity]);
    reg_write(UART_IER, 0);
    if (config.baud) {
        uint32_t divisor = config.clock_hz / UART_CLOCKS_PER_BIT / config.baud;
        reg_write(UART_LCR, LCR_DLAB | lcr);
        reg_write(UART_DATA, (uint8_t)divisor);
        reg_write(UART_IER, (uint8_t)(divisor >> 8));
    }
    reg_write(UART_LCR, lcr);
    reg_write(UART_FCR, FCR_ENABLE);
    reg_write(UART_MCR, MCR_DTR_RTS | MCR_OUT2);
    return true;
}

void uart16550_listen(void)
{
    if (alive)
        reg_write(UART_IER, IER_DATA);
}

void uart16550_move(volatile void *registers)
{
    mmio = registers;
    alive = alive && registers;
}

static uint8_t line_status(void)
{
    uint8_t status = reg_read(UART_LSR);
    break_seen |= (status & LSR_BREAK) != 0;
    return status;
}

static bool wait_for(uint8_t bits)
{
    for (uint32_t spins = 0; spins < SPIN_LIMIT; spins++)
        if (line_status() & bits)
            return true;
    return false;
}

void uart16550_putc(char c)
{
    if (!alive)
        return;
    alive = wait_for(LSR_THR_EMPTY);
    if (alive)
        reg_write(UART_DATA, (uint8_t)c);
}

int uart16550_getc(void)
{
    if (rest_of_escape) {
        rest_of_escape--;
        return rest_byte;
    }
    if (!alive || !(line_status() & LSR_DATA))
        return -1;
    uint8_t byte = reg_read(UART_DATA);
    bool was_break = break_seen;
    break_seen = false;
    if (!was_break && byte != UART16550_ESCAPE)
        return byte;
    rest_of_escape = was_break ? 2 : 1;
    rest_byte = was_break ? 0 : UART16550_ESCAPE;
    return UART16550_ESCAPE;
}

void uart16550_flush(void)
{
    if (alive)
        (void)wait_for(LSR_IDLE);
}
