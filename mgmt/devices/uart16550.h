/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uart16550: a serial port of the type 16550A. Pure.
 *
 * The line is infinitely fast: a byte written is sent at once, so the transmitter is always empty,
 * and a byte received waits in a FIFO of 16 (or one byte, FIFOs off) until it is read. What does not
 * fit there sets the overrun bit; uart16550_room() lets the other side avoid that. A BREAK is a byte
 * 0 in the FIFO with a mark of its own, which LSR shows once that byte is the next to be read. Texas
 * Instruments, PC16550D data sheet, "Registers".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mgmt/lib/access.h"

enum { UART16550_FIFO = 16, UART16550_PORTS = 8 };

struct uart16550 {
    void (*put)(void *ctx, uint8_t byte);  /* sent by the guest */
    void (*irq)(void *ctx, bool asserted); /* level of the interrupt output; NULL: not connected */
    void *ctx;
    uint8_t fifo[UART16550_FIFO];
    uint16_t marks; /* bit n: fifo[n] is a BREAK that LSR has not shown yet */
    uint8_t head, count;
    uint8_t ier, fcr, lcr, mcr, scr, dll, dlm;
    uint8_t errors; /* LSR bits 1 to 4 as shown, cleared by reading LSR */
    uint8_t msr_delta;
    bool thre_pending;
    bool timeout_pending; /* bytes below the trigger level, nothing came since */
    bool line;            /* of the interrupt output */
};

/* State after reset; the callbacks are kept. */
void uart16550_reset(struct uart16550 *uart);

/* Bytes that can be received now without overrun. */
uint32_t uart16550_room(const struct uart16550 *uart);
void uart16550_receive(struct uart16550 *uart, uint8_t byte);
void uart16550_receive_break(struct uart16550 *uart);

/* At port 0x3f8 it is the first serial port. */
struct access_range uart16550_range(struct uart16550 *uart, uint16_t port);
