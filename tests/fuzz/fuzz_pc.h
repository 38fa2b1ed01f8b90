/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the fuzz targets of a PC's devices share: a guest against one of them, at the ports from `base`
 * on, with the others beside it. Four bytes per step: what and width, port, 16 bits of data, which a
 * 32-bit access has twice. In between time passes, or the manager looks whether something is due. The
 * clock shows a date after each update, interrupt outputs change in turns and rise when they said so,
 * nothing is set where nothing can be, and nobody is on the PCI bus.
 */
#pragma once

#include "mgmt/devices/acpi_pm.h"
#include "mgmt/devices/debug_console.h"
#include "mgmt/devices/debug_exit.h"
#include "mgmt/devices/i8042.h"
#include "mgmt/devices/pci_host.h"
#include "mgmt/devices/post_port.h"
#include "mgmt/devices/rtc.h"

#include <assert.h>
#include <stddef.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BASES_MAX 4

#define HZ 1000000ULL

static uint64_t tsc;
static struct rtc rtc;
static struct acpi_pm pm;
static struct reset_control control;
static struct i8042 i8042;
static struct pci_host host;
static struct debug_console console;
static struct debug_exit debug_exit;
static struct post_port post;
static struct access_table table;
static unsigned long ends, sent;
static bool rtc_line, pm_line;

static uint64_t now(void *ctx)
{
    (void)ctx;
    return tsc;
}

static void on_end(void *ctx)
{
    assert(ctx == &ends);
    ends++;
}

static void on_code(void *ctx, uint32_t code)
{
    assert(ctx == &ends && (code & 1) != 0);
    ends++;
}

static void on_byte(void *ctx, uint8_t byte)
{
    assert(ctx == &sent);
    sent += 1U + (byte & 0U);
}

static void on_irq(void *ctx, bool asserted)
{
    bool *line = ctx;
    assert(*line != asserted);
    *line = asserted;
}

/* Nothing rises before its time, and nothing that is due is due for ever. */
static void look(void)
{
    uint64_t rtc_due = rtc_next(&rtc), pm_due = acpi_pm_next(&pm);
    bool rtc_was = rtc_line, pm_was = pm_line;
    rtc_poll(&rtc);
    acpi_pm_poll(&pm);
    assert(!rtc_line || rtc_was || rtc_due <= tsc);
    assert(!pm_line || pm_was || pm_due <= tsc);
    assert(rtc_next(&rtc) > tsc && acpi_pm_next(&pm) > tsc);
}

static void pass(uint8_t amount, uint16_t data)
{
    /* From microseconds to 16 years at a time. */
    tsc += (uint64_t)data << (amount % 34);
}

static void check_clock(void)
{
    int64_t seconds;
    uint8_t before = rtc.index;
    bool frozen = (rtc.bytes[RTC_B] & 0x80) != 0 || (rtc.bytes[RTC_A] & 0x60) == 0x60;
    tsc += 2 * HZ;
    access_write(&table, HV_CLAIM_PIO, 0x70, 1, RTC_D);
    assert(access_read(&table, HV_CLAIM_PIO, 0x71, 1) == 0x80);
    assert(frozen || rtc_time_read(rtc.bytes, &seconds));
    access_write(&table, HV_CLAIM_PIO, 0x70, 1, before);
}

/* base: up to BASES_MAX ports, a 0 behind the last. */
static void step(const uint16_t *base, const uint8_t *bytes)
{
    uint32_t bases = 0;
    while (bases < BASES_MAX && base[bases] != 0)
        bases++;
    uint8_t width = (uint8_t)(1U << (bytes[0] & 3));
    uint64_t port = base[(bytes[1] >> 5) % bases] + (bytes[1] & 31U);
    uint16_t half = (uint16_t)(bytes[2] | bytes[3] << 8);
    uint64_t value = half | (uint64_t)half << 16 | (uint64_t)half << 32;
    if (bytes[0] & 0x80) {
        pass(bytes[1], half);
        return;
    }
    if (bytes[0] & 0x20) {
        look();
        return;
    }
    if (bytes[0] & 0x40) {
        access_write(&table, HV_CLAIM_PIO, port, width, value);
    } else {
        value = access_read(&table, HV_CLAIM_PIO, port, width);
        assert(width == 8 || value >> 8 * width == 0);
        if (port >= 0xcfc && port + width <= 0xd00)
            assert(value == (width == 4 ? 0xffffffffU : (1U << 8 * width) - 1));
    }
    assert((host.address & ~0x80fffffcU) == 0 && (pm.enable & ~0x4721) == 0);
    assert(rtc.line == rtc_line && pm.line == pm_line);
    assert((pm.control & ~0x1e02) == 0 && (control.cf9 & ~0x0e) == 0 && rtc.index < RTC_BYTES);
}

static inline void fuzz_pc(const uint16_t *base, const uint8_t *data, size_t size)
{
    const struct device_clock clock = {.now = now, .hz = HZ};
    tsc = 1ULL << 40;
    rtc_init(&rtc, &clock, 1700000000);
    rtc.irq = on_irq;
    rtc.irq_ctx = &rtc_line;
    rtc_line = pm_line = false;
    rtc_set_memory(&rtc, 640 << 10, 16 << 20, 0);
    acpi_pm_init(&pm, &clock, on_end, &ends);
    pm.irq = on_irq;
    pm.irq_ctx = &pm_line;
    control = (struct reset_control){.reset = on_end, .ctx = &ends};
    reset_control_init(&control);
    i8042_init(&i8042, &control);
    host = (struct pci_host){
        .read_cf9 = reset_control_read_cf9, .write_cf9 = reset_control_write_cf9, .ctx = &control};
    console = (struct debug_console){on_byte, &sent};
    debug_exit = (struct debug_exit){on_code, &ends};
    post = (struct post_port){.writes = 0};
    const struct access_range ranges[] = {rtc_range(&rtc),
                                          acpi_pm_range(&pm),
                                          reset_control_range(&control),
                                          i8042_data_range(&i8042),
                                          i8042_command_range(&i8042),
                                          pci_host_range(&host),
                                          post_port_range(&post),
                                          debug_console_range(&console),
                                          debug_exit_range(&debug_exit)};
    table.count = 0;
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (!access_add(&table, &ranges[i]))
            __builtin_trap();
    for (size_t i = 0; i + 4 <= size; i += 4)
        step(base, data + i);
    check_clock();
}
