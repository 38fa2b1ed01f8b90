/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: a guest against clock, power management, reset, keyboard controller and PCI ports,
 * four bytes per step: what and width, port, 16 bits of data, which a 32-bit access has twice. In
 * between time passes. The clock shows a date after each update, the timer does not run backwards,
 * nothing is set where nothing can be, and nobody is on the PCI bus.
 */
#include "mgmt/devices/acpi_pm.h"
#include "mgmt/devices/i8042.h"
#include "mgmt/devices/pci_host.h"
#include "mgmt/devices/rtc.h"

#include <assert.h>
#include <stddef.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HZ 1000000ULL

static uint64_t tsc;
static struct rtc rtc;
static struct acpi_pm pm;
static struct reset_control control;
static struct i8042 i8042;
static struct pci_host host;
static struct access_table table;
static unsigned long ends;

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

static void step(const uint8_t *bytes)
{
    static const uint16_t base[] = {0x68, 0xcf0, 0x8a, 0x5f8, 0x58};
    uint8_t width = (uint8_t)(1U << (bytes[0] & 3));
    uint64_t port = base[(bytes[1] >> 5) % 5] + (bytes[1] & 31U);
    uint16_t half = (uint16_t)(bytes[2] | bytes[3] << 8);
    uint64_t value = half | (uint64_t)half << 16 | (uint64_t)half << 32;
    if (bytes[0] & 0x80) {
        pass(bytes[1], half);
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
    assert((pm.control & ~0x1e02) == 0 && (control.cf9 & ~0x0e) == 0 && rtc.index < RTC_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct device_clock clock = {.now = now, .hz = HZ};
    tsc = 1ULL << 40;
    rtc_init(&rtc, &clock, 1700000000);
    rtc_set_memory(&rtc, 640 << 10, 16 << 20, 0);
    acpi_pm_init(&pm, &clock, on_end, &ends);
    control = (struct reset_control){.reset = on_end, .ctx = &ends};
    reset_control_init(&control);
    i8042_init(&i8042, &control);
    host = (struct pci_host){reset_control_read_cf9, reset_control_write_cf9, &control, 0};
    const struct access_range ranges[] = {
        rtc_range(&rtc),          acpi_pm_range(&pm),          reset_control_range(&control),
        i8042_data_range(&i8042), i8042_command_range(&i8042), pci_host_range(&host)};
    table.count = 0;
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (!access_add(&table, &ranges[i]))
            __builtin_trap();
    for (size_t i = 0; i + 4 <= size; i += 4)
        step(data + i);
    check_clock();
    return 0;
}
