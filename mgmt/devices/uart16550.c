/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uart16550: see uart16550.h. Each register is a row of the table at the end; reads and writes with
 * LCR.DLAB set go to two rows of their own. update_line() computes the interrupt output from the
 * state after every change, so that no path can forget it.
 */
#include "mgmt/devices/uart16550.h"

#include <stddef.h>
#include <string.h>

enum {
    IER_RX = 1 << 0,
    IER_THRE = 1 << 1,
    IER_LINE = 1 << 2,
    IER_MODEM = 1 << 3,
    IIR_NONE = 1,
    IIR_MODEM = 0,
    IIR_THRE = 2,
    IIR_RX = 4,
    IIR_LINE = 6,
    IIR_TIMEOUT = 12,
    IIR_FIFOS = 0xc0,
    FCR_ENABLE = 1 << 0,
    FCR_CLEAR_RX = 1 << 1,
    FCR_KEPT = 0xc9, /* trigger level, DMA mode, enable */
    LCR_DLAB = 1 << 7,
    MCR_DTR = 1 << 0,
    MCR_RTS = 1 << 1,
    MCR_OUT1 = 1 << 2,
    MCR_OUT2 = 1 << 3, /* gates the interrupt output on a PC */
    MCR_LOOP = 1 << 4,
    MCR_MASK = 0x1f,
    LSR_DATA = 1 << 0,
    LSR_OVERRUN = 1 << 1,
    LSR_BREAK = 1 << 4,
    LSR_THRE = 1 << 5,
    LSR_TEMT = 1 << 6,
    LSR_FIFO_ERROR = 1 << 7, /* a byte with an error is in the FIFO */
    MSR_CTS = 1 << 4,
    MSR_DSR = 1 << 5,
    MSR_RI = 1 << 6,
    MSR_DCD = 1 << 7,
};

static uint32_t capacity(const struct uart16550 *uart)
{
    return uart->fcr & FCR_ENABLE ? UART16550_FIFO : 1;
}

/* Bytes in the FIFO that raise the interrupt. */
static uint32_t trigger(const struct uart16550 *uart)
{
    static const uint8_t level[] = {1, 4, 8, 14};
    return uart->fcr & FCR_ENABLE ? level[uart->fcr >> 6] : 1;
}

/* The pending interrupt of the highest priority: line status, data, timeout, THRE, modem. */
static uint8_t pending(const struct uart16550 *uart)
{
    if (uart->ier & IER_LINE && uart->errors != 0)
        return IIR_LINE;
    if (uart->ier & IER_RX && uart->count >= trigger(uart))
        return IIR_RX;
    if (uart->ier & IER_RX && uart->timeout_pending && uart->count > 0)
        return IIR_TIMEOUT;
    if (uart->ier & IER_THRE && uart->thre_pending)
        return IIR_THRE;
    if (uart->ier & IER_MODEM && uart->msr_delta != 0)
        return IIR_MODEM;
    return IIR_NONE;
}

static void update_line(struct uart16550 *uart)
{
    bool line = pending(uart) != IIR_NONE && (uart->mcr & MCR_OUT2) != 0 && (uart->mcr & MCR_LOOP) == 0;
    if (line == uart->line)
        return;
    uart->line = line;
    if (uart->irq)
        uart->irq(uart->ctx, line);
}

void uart16550_reset(struct uart16550 *uart)
{
    struct uart16550 fresh = {.put = uart->put, .irq = uart->irq, .ctx = uart->ctx, .dll = 1};
    fresh.line = uart->line;
    *uart = fresh;
    update_line(uart);
}

uint32_t uart16550_room(const struct uart16550 *uart)
{
    return uart->mcr & MCR_LOOP ? 0 : capacity(uart) - uart->count;
}

/* The error of a byte is shown from when it is the next to be read. */
static void reveal(struct uart16550 *uart)
{
    uint16_t next = (uint16_t)(1U << uart->head);
    if (uart->count == 0 || (uart->marks & next) == 0)
        return;
    uart->marks &= (uint16_t)~next;
    uart->errors |= LSR_BREAK;
}

static void accept(struct uart16550 *uart, uint8_t byte, bool is_break)
{
    if (uart->count >= capacity(uart)) {
        uart->errors |= LSR_OVERRUN;
        /* Without FIFOs the new byte takes the old one's place; with them it is lost. */
        if (capacity(uart) > 1)
            return;
        uart->count = 0;
    }
    uint32_t place = (uart->head + uart->count) % UART16550_FIFO;
    uart->fifo[place] = byte;
    uart->marks = (uint16_t)((uart->marks & ~(1U << place)) | (uint32_t)is_break << place);
    uart->count++;
    uart->timeout_pending = true;
    reveal(uart);
}

void uart16550_receive(struct uart16550 *uart, uint8_t byte)
{
    if (uart->mcr & MCR_LOOP)
        return; /* the receiver is disconnected */
    accept(uart, byte, false);
    update_line(uart);
}

void uart16550_receive_break(struct uart16550 *uart)
{
    if (uart->mcr & MCR_LOOP)
        return;
    accept(uart, 0, true);
    update_line(uart);
}

static uint8_t read_rbr(struct uart16550 *uart)
{
    uint8_t byte = uart->fifo[uart->head];
    if (uart->count == 0)
        return 0;
    uart->head = (uint8_t)((uart->head + 1) % UART16550_FIFO);
    uart->count--;
    reveal(uart);
    return byte;
}

static void write_thr(struct uart16550 *uart, uint8_t value)
{
    if (uart->mcr & MCR_LOOP)
        accept(uart, value, false);
    else
        uart->put(uart->ctx, value);
    uart->thre_pending = true; /* empty again at once */
}

static uint8_t read_ier(struct uart16550 *uart)
{
    return uart->ier;
}

static void write_ier(struct uart16550 *uart, uint8_t value)
{
    /* Enabling THRE while the transmitter is empty raises it. */
    if (value & ~uart->ier & IER_THRE)
        uart->thre_pending = true;
    uart->ier = value & 0x0f;
}

static uint8_t read_iir(struct uart16550 *uart)
{
    uint8_t what = pending(uart);
    if (what == IIR_THRE)
        uart->thre_pending = false;
    return (uint8_t)(what | (uart->fcr & FCR_ENABLE ? IIR_FIFOS : 0));
}

static void write_fcr(struct uart16550 *uart, uint8_t value)
{
    bool toggled = ((value ^ uart->fcr) & FCR_ENABLE) != 0;
    if (toggled || value & FCR_CLEAR_RX) {
        uart->head = uart->count = 0;
        uart->marks = 0;
        uart->errors &= LSR_OVERRUN;
        uart->timeout_pending = false;
    }
    uart->fcr = value & FCR_ENABLE ? value & FCR_KEPT : 0;
}

static uint8_t read_lcr(struct uart16550 *uart)
{
    return uart->lcr;
}

static void write_lcr(struct uart16550 *uart, uint8_t value)
{
    uart->lcr = value;
}

static uint8_t read_mcr(struct uart16550 *uart)
{
    return uart->mcr;
}

/* Modem inputs: a terminal that is always there, or the outputs in loopback mode. */
static uint8_t modem_inputs(const struct uart16550 *uart)
{
    if ((uart->mcr & MCR_LOOP) == 0)
        return MSR_CTS | MSR_DSR | MSR_DCD;
    return (uint8_t)((uart->mcr & MCR_RTS ? MSR_CTS : 0) | (uart->mcr & MCR_DTR ? MSR_DSR : 0) |
                     (uart->mcr & MCR_OUT1 ? MSR_RI : 0) | (uart->mcr & MCR_OUT2 ? MSR_DCD : 0));
}

static void write_mcr(struct uart16550 *uart, uint8_t value)
{
    uint8_t before = modem_inputs(uart);
    uart->mcr = value & MCR_MASK;
    uint8_t after = modem_inputs(uart);
    uint8_t changed = (uint8_t)((before ^ after) & (MSR_CTS | MSR_DSR | MSR_DCD));
    /* The ring indicator reports only its trailing edge. */
    changed |= (uint8_t)(before & ~after & MSR_RI);
    uart->msr_delta |= changed >> 4;
}

static uint8_t read_lsr(struct uart16550 *uart)
{
    uint8_t value = (uint8_t)((uart->count ? LSR_DATA : 0) | uart->errors | LSR_THRE | LSR_TEMT);
    if (uart->fcr & FCR_ENABLE && (uart->errors & LSR_BREAK || uart->marks != 0))
        value |= LSR_FIFO_ERROR;
    uart->errors = 0;
    return value;
}

static uint8_t read_msr(struct uart16550 *uart)
{
    uint8_t value = modem_inputs(uart) | uart->msr_delta;
    uart->msr_delta = 0;
    return value;
}

static uint8_t read_scr(struct uart16550 *uart)
{
    return uart->scr;
}

static void write_scr(struct uart16550 *uart, uint8_t value)
{
    uart->scr = value;
}

static uint8_t read_dll(struct uart16550 *uart)
{
    return uart->dll;
}

static void write_dll(struct uart16550 *uart, uint8_t value)
{
    uart->dll = value;
}

static uint8_t read_dlm(struct uart16550 *uart)
{
    return uart->dlm;
}

static void write_dlm(struct uart16550 *uart, uint8_t value)
{
    uart->dlm = value;
}

struct row {
    uint8_t (*read)(struct uart16550 *uart);
    void (*write)(struct uart16550 *uart, uint8_t value);
};

/* LSR and MSR are written by factory tests only. */
static const struct row registers[UART16550_PORTS] = {
    {read_rbr, write_thr}, {read_ier, write_ier}, {read_iir, write_fcr}, {read_lcr, write_lcr},
    {read_mcr, write_mcr}, {read_lsr, NULL},      {read_msr, NULL},      {read_scr, write_scr},
};

static const struct row divisor[2] = {{read_dll, write_dll}, {read_dlm, write_dlm}};

static const struct row *row_of(const struct uart16550 *uart, uint64_t offset)
{
    return uart->lcr & LCR_DLAB && offset < 2 ? &divisor[offset] : &registers[offset];
}

static uint64_t uart16550_read(void *ctx, uint64_t offset, uint8_t width)
{
    struct uart16550 *uart = ctx;
    uint8_t value = row_of(uart, offset)->read(uart);
    (void)width;
    update_line(uart);
    return value;
}

static void uart16550_write(void *ctx, uint64_t offset, uint8_t width, uint64_t data)
{
    struct uart16550 *uart = ctx;
    const struct row *row = row_of(uart, offset);
    (void)width;
    if (row->write)
        row->write(uart, (uint8_t)data);
    update_line(uart);
}

struct access_range uart16550_range(struct uart16550 *uart, uint16_t port)
{
    return (struct access_range){HV_CLAIM_PIO,    port, UART16550_PORTS, 1, uart16550_read,
                                 uart16550_write, uart};
}
