/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uart_config: the value of com1= as a struct. Pure; the 16550 driver programs what stands here.
 *
 *     uart   := "none" | rate [ "," [ frame ] [ "," [ place ] { "," option } ] ]
 *     rate   := ( baud | "auto" ) [ "/" base ]   auto: leave the divisor as the firmware set it
 *     frame  := data parity stop                 5-8, n o e m s, 1 2: "8n1"
 *     place  := port | "mmio" "," address        decimal or 0x...
 *     option := "shift=" 0-3 | "width=" ( 1 | 2 | 4 )
 *                                registers are 2^shift bytes apart and width bytes wide
 *
 * As in Xen, base is the clock after the 16550's own division by 16 (115200 for 1.8432 MHz), and
 * what is left empty keeps its value:
 *
 *     com1=115200,8n1,0x3f8    com1=115200,,mmio,0xfe034000,shift=2,width=4    com1=9600/4000000
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum uart_kind { UART_NONE, UART_PIO, UART_MMIO };
enum uart_parity { UART_PARITY_NONE, UART_PARITY_ODD, UART_PARITY_EVEN, UART_PARITY_MARK, UART_PARITY_SPACE };

enum { UART_CLOCK_HZ = 1843200, UART_CLOCKS_PER_BIT = 16 };

struct uart_config {
    enum uart_kind kind;
    uint64_t base;     /* port or physical address of register 0 */
    uint32_t baud;     /* 0: as the firmware set it */
    uint32_t clock_hz; /* before the division by 16 */
    uint8_t data_bits;
    enum uart_parity parity;
    uint8_t stop_bits;
    uint8_t reg_shift;
    uint8_t reg_width; /* bytes */
};

/* COM1 of a PC at 115200 8n1. */
struct uart_config uart_config_default(void);

/* The ISA interrupt of a PC's port, by where it is; below 0: not one of those. */
int uart_config_isa_irq(const struct uart_config *config);

/* Changes *config only when the whole text is sound and baud can be made from the clock (divisor 1
 * to 65535). */
bool uart_config_parse(struct uart_config *config, const char *text) __attribute__((warn_unused_result));
