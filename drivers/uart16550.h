/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's serial port: output for the log, polled input for the management domain's
 * console. Callers serialise.
 */
#ifndef DRIVERS_UART16550_H
#define DRIVERS_UART16550_H

#include "arch/cpu/bits.h"
#include "drivers/uart_config.h"

/*
 * Programs the port. `registers` is where an MMIO port's registers are mapped; ignored for I/O
 * ports. False: nothing answers there, and uart16550_putc does nothing from then on.
 */
bool uart16550_init(const struct uart_config *config, volatile void *registers);

/* It raises its interrupt from now on while there is something to read. */
void uart16550_listen(void);

/* The MMIO registers have moved to another virtual address. */
void uart16550_move(volatile void *registers);

/* Sends a byte; waits for room, but not for a port that has died. */
void uart16550_putc(char c);

/*
 * The next byte of what was received, or -1. A BREAK is told as ESCAPE 0 0, a received byte ESCAPE as ESCAPE
 * ESCAPE; bytes with a wrong parity or stop bit come as they are.
 */
#define UART16550_ESCAPE 0xff
int uart16550_getc(void);

/* Waits until the last byte has left the shift register, within bounds. */
void uart16550_flush(void);

#endif
