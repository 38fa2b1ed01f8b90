/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of the power management registers, the PCI ports, the reset registers and the keyboard
 * controller, through the table that a domain uses.
 */
#include "mgmt/devices/acpi_pm.h"
#include "mgmt/devices/i8042.h"
#include "mgmt/devices/pci_host.h"
#include "mgmt/devices/reset_control.h"

#include "tests/host/test.h"

#define HZ 2400000000ULL

static uint64_t tsc;
static unsigned resets, offs;
static struct acpi_pm pm;
static struct reset_control control;
static struct i8042 i8042;
static struct pci_host host;
static struct access_table table;

static uint64_t now(void *ctx)
{
    (void)ctx;
    return tsc;
}

static void reset(void *ctx)
{
    EXPECT_TRUE(ctx == &resets);
    resets++;
}

static void power_off(void *ctx)
{
    EXPECT_TRUE(ctx == &offs);
    offs++;
}

static void make(void)
{
    const struct device_clock clock = {.now = now, .hz = HZ};
    tsc = 1234567;
    resets = offs = 0;
    acpi_pm_init(&pm, &clock, power_off, &offs);
    control = (struct reset_control){.reset = reset, .ctx = &resets};
    reset_control_init(&control);
    i8042_init(&i8042, &control);
    host = (struct pci_host){
        .read_cf9 = reset_control_read_cf9, .write_cf9 = reset_control_write_cf9, .ctx = &control};
    const struct access_range ranges[] = {acpi_pm_range(&pm), reset_control_range(&control),
                                          i8042_data_range(&i8042), i8042_command_range(&i8042),
                                          pci_host_range(&host)};
    table.count = 0;
    for (size_t i = 0; i < COUNT(ranges); i++)
        EXPECT_TRUE(access_add(&table, &ranges[i]));
}

static uint32_t in(uint16_t port, uint8_t width)
{
    return (uint32_t)access_read(&table, HV_CLAIM_PIO, port, width);
}

static void out(uint16_t port, uint8_t width, uint32_t value)
{
    access_write(&table, HV_CLAIM_PIO, port, width, value);
}

/* ---- power management */

TEST(pm_timer_counts)
{
    make();
    EXPECT_EQ(in(0x608, 4), 0U);
    tsc += HZ;
    EXPECT_EQ(in(0x608, 4), 3579545U);
    tsc += HZ / 2;
    EXPECT_EQ(in(0x608, 4), 5369317U);
    EXPECT_EQ(in(0x608, 2), 5369317U & 0xffff);
    EXPECT_EQ(in(0x60a, 2), 5369317U >> 16);
    EXPECT_EQ(in(0x60a, 1), 5369317U >> 16);
    EXPECT_EQ(in(0x609, 1), 5369317U >> 8 & 0xff);
    EXPECT_EQ(in(0x60b, 1), 0U);
    tsc += 4 * HZ; /* 24 bits */
    EXPECT_EQ(in(0x608, 4), (uint32_t)(5369317ULL + 4 * 3579545 - (1 << 24)));
    out(0x608, 4, 0xffffffff);
    EXPECT_EQ(in(0x608, 4), (uint32_t)(5369317ULL + 4 * 3579545 - (1 << 24)));
    tsc += HZ * 1000000000; /* years do not overflow */
    EXPECT_EQ(in(0x608, 4), (uint32_t)((5369317ULL + 1000000004ULL * 3579545) & ((1 << 24) - 1)));
}

TEST(pm_status)
{
    make();
    EXPECT_EQ(in(0x600, 2), 0U);
    tsc += 3 * HZ; /* past 2^23 */
    EXPECT_EQ(in(0x600, 2), 1U);
    out(0x600, 2, 0xfffe); /* other bits do not clear it */
    EXPECT_EQ(in(0x600, 4), 1U);
    out(0x600, 1, 1);
    EXPECT_EQ(in(0x600, 2), 0U);
    tsc += 3 * HZ;
    EXPECT_EQ(in(0x600, 1), 1U);
    out(0x602, 2, 0xffff);
    EXPECT_EQ(in(0x602, 2), 0x4721U);
    out(0x603, 1, 0);
    EXPECT_EQ(in(0x602, 2), 0x21U);
    EXPECT_EQ(in(0x600, 4), 0x210001U);
    out(0x600, 4, 0x01000001);
    EXPECT_EQ(in(0x600, 4), 0x01000000U);
    EXPECT_EQ(in(0x602, 4), 0x00010100U);
}

static unsigned raised, lowered;

static void sci(void *ctx, bool asserted)
{
    EXPECT_TRUE(ctx == &raised);
    raised += asserted;
    lowered += !asserted;
    EXPECT_EQ(raised - lowered, (unsigned)asserted);
}

TEST(pm_power_button)
{
    make();
    raised = lowered = 0;
    pm.irq = sci;
    pm.irq_ctx = &raised;
    acpi_pm_press_power_button(&pm); /* before anybody wants to hear of it */
    EXPECT_EQ(in(0x600, 2), 0x100U);
    EXPECT_EQ(raised, 0U);
    out(0x602, 2, 0x100);
    EXPECT_EQ(raised, 1U);
    out(0x600, 2, 0xfeff); /* the others */
    EXPECT_EQ(lowered, 0U);
    out(0x601, 1, 1);
    EXPECT_EQ(in(0x600, 2), 0U);
    EXPECT_EQ(lowered, 1U);
    acpi_pm_press_power_button(&pm);
    acpi_pm_press_power_button(&pm);
    EXPECT_EQ(raised, 2U);
    out(0x602, 2, 1); /* the timer's interrupt alone */
    EXPECT_EQ(lowered, 2U);
    EXPECT_EQ(in(0x600, 2), 0x100U);
    EXPECT_TRUE(acpi_pm_next(&pm) != ACPI_PM_NEVER);
}

TEST(pm_interrupt)
{
    const uint64_t half = ((1ULL << 23) * HZ + 3579544) / 3579545;
    make();
    raised = lowered = 0;
    pm.irq = sci;
    pm.irq_ctx = &raised;
    EXPECT_TRUE(acpi_pm_next(&pm) == ACPI_PM_NEVER);
    out(0x602, 2, 0x20); /* another enable */
    EXPECT_TRUE(acpi_pm_next(&pm) == ACPI_PM_NEVER);
    out(0x602, 2, 1);
    EXPECT_EQ(acpi_pm_next(&pm) - tsc, half);
    for (unsigned n = 1; n <= 5; n++) {
        tsc = acpi_pm_next(&pm) - 1;
        acpi_pm_poll(&pm);
        EXPECT_EQ(raised, n - 1);
        tsc++;
        acpi_pm_poll(&pm);
        EXPECT_EQ(raised, n);
        EXPECT_TRUE(acpi_pm_next(&pm) == ACPI_PM_NEVER); /* until somebody clears it */
        EXPECT_EQ(in(0x600, 2), 1U);
        EXPECT_EQ(lowered, n - 1);
        out(0x600, 2, 1);
        EXPECT_EQ(lowered, n);
    }
    tsc += 2 * half;
    EXPECT_EQ(in(0x608, 4) >> 23, 1U); /* any access notices */
    EXPECT_EQ(raised, 6U);
    out(0x602, 2, 0);
    EXPECT_EQ(lowered, 6U);
    out(0x602, 2, 1);
    EXPECT_EQ(raised, 7U);
}

TEST(pm_power_off)
{
    static const struct {
        uint16_t port;
        uint8_t width;
        uint32_t value;
        unsigned offs;
    } rows[] = {
        {0x604, 2, 0x2000, 1}, {0x604, 4, 0x2000, 1}, {0x605, 1, 0x20, 1},       {0x604, 2, 0x2001, 1},
        {0x603, 2, 0x2000, 0}, {0x604, 1, 0x20, 0},   {0x604, 2, 0x3c00, 0},     {0x604, 2, 0x2400, 0},
        {0x604, 2, 0x1c00, 0}, {0x606, 2, 0x2000, 0}, {0x602, 4, 0x20000000, 1}, {0x603, 4, 0x200000, 1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("row %zu", i);
        make();
        out(rows[i].port, rows[i].width, rows[i].value);
        EXPECT_EQ(offs, rows[i].offs);
        EXPECT_EQ(in(0x604, 2) & 0x2001, 1U);
    }
    make();
    out(0x604, 2, 0x1402);
    EXPECT_EQ(in(0x604, 2), 0x1403U);
    EXPECT_EQ(in(0x606, 2), 0U);
    EXPECT_EQ(in(0x5fe, 4), 0x0000ffffU);
    EXPECT_EQ(in(0x60a, 4), 0xffff0000U);
}

/* ---- PCI ports */

TEST(pci_address)
{
    make();
    EXPECT_EQ(in(0xcf8, 4), 0U);
    out(0xcf8, 4, 0xffffffff);
    EXPECT_EQ(in(0xcf8, 4), 0x80fffffcU);
    out(0xcf8, 4, 0x80000000);
    EXPECT_EQ(in(0xcf8, 4), 0x80000000U);
    for (unsigned i = 0; i < 4; i++) { /* narrow accesses miss it */
        out((uint16_t)(0xcf8 + i), 1, i == 1 ? 0 : 0x11);
        EXPECT_EQ(in((uint16_t)(0xcf8 + i), 1), i == 1 ? 0U : 0xffU);
    }
    out(0xcf8, 2, 0x0022);
    out(0xcfa, 2, 0x2222);
    EXPECT_EQ(in(0xcf8, 2), 0x00ffU);
    EXPECT_EQ(in(0xcfa, 2), 0xffffU);
    EXPECT_EQ(in(0xcf9, 4), 0xffffff00U);
    EXPECT_EQ(in(0xcf8, 4), 0x80000000U);
    EXPECT_EQ(resets, 0U);
}

TEST(pci_nobody_there)
{
    make();
    for (uint32_t address = 0; address < 0x1000000; address += 0xffc) {
        out(0xcf8, 4, address | (address & 4 ? 0x80000000U : 0));
        for (uint16_t lane = 0; lane < 4; lane++) {
            for (uint8_t width = 1; width <= 4 && lane + width <= 4; width *= 2) {
                out((uint16_t)(0xcfc + lane), width, 0);
                ASSERT_EQ(in((uint16_t)(0xcfc + lane), width), 0xffffffffU >> (32 - 8 * width));
            }
        }
    }
    out(0xcfe, 4, 0);
    EXPECT_EQ(in(0xcfe, 4), 0xffffffffU);
    EXPECT_EQ(in(0xcfa, 4), 0xffffffffU);
    host.read_cf9 = NULL; /* without a reset register */
    host.write_cf9 = NULL;
    out(0xcf9, 1, 6);
    EXPECT_EQ(in(0xcf9, 1), 0xffU);
    EXPECT_EQ(resets, 0U);
}

/* ---- reset */

TEST(reset_by_cf9)
{
    static const struct {
        uint16_t port;
        uint8_t width;
        uint32_t value, after;
        unsigned resets;
    } rows[] = {
        {0xcf9, 1, 0x06, 0x06, 1},    {0xcf9, 1, 0x04, 0x04, 1}, {0xcf9, 1, 0x0e, 0x0e, 1},
        {0xcf9, 1, 0x02, 0x02, 0},    {0xcf9, 1, 0xfb, 0x0a, 0}, {0xcf8, 2, 0x0600, 0x06, 1},
        {0xcf9, 2, 0x0006, 6, 1},     {0xcf8, 4, 0x0600, 0, 0},  {0xcf9, 4, 0x00000006, 6, 1},
        {0xcf6, 4, 0x06000000, 6, 1}, {0xcf7, 2, 0x0606, 0, 0},  {0xcf8, 1, 0x06, 0, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("row %zu", i);
        make();
        out(rows[i].port, rows[i].width, rows[i].value);
        EXPECT_EQ(resets, rows[i].resets);
        EXPECT_EQ(in(0xcf9, 1), rows[i].after);
    }
    make();
    out(0xcf9, 1, 4);
    out(0xcf9, 1, 4); /* no change of the bit */
    EXPECT_EQ(resets, 1U);
    out(0xcf9, 1, 0);
    out(0xcf9, 1, 4);
    EXPECT_EQ(resets, 2U);
}

TEST(port_92)
{
    make();
    EXPECT_EQ(in(0x92, 1), 2U);
    out(0x92, 1, 0);
    EXPECT_EQ(in(0x92, 1), 0U);
    EXPECT_FALSE(reset_control_a20(&control));
    out(0x92, 1, 0xfe);
    EXPECT_EQ(in(0x92, 1), 2U);
    EXPECT_EQ(resets, 0U);
    out(0x91, 2, 0x0300);
    EXPECT_EQ(resets, 1U);
    EXPECT_EQ(in(0x92, 2), 0xff03U);
    out(0x92, 1, 3);
    EXPECT_EQ(resets, 1U);
}

/* ---- keyboard controller */

static uint8_t ask(uint8_t command)
{
    out(0x64, 1, command);
    EXPECT_EQ(in(0x64, 1) & 3, 1U);
    uint8_t value = (uint8_t)in(0x60, 1);
    EXPECT_EQ(in(0x64, 1) & 3, 0U);
    return value;
}

TEST(i8042_commands)
{
    make();
    EXPECT_EQ(in(0x64, 1), 0x14U);
    EXPECT_EQ(ask(0xaa), 0x55U);
    EXPECT_EQ(ask(0xab), 0U);
    EXPECT_EQ(ask(0xa9), 0U);
    EXPECT_EQ(ask(0x20), 0x34U);
    out(0x64, 1, 0xae);
    out(0x64, 1, 0xa8);
    EXPECT_EQ(ask(0x20), 0x04U);
    out(0x64, 1, 0xad);
    out(0x64, 1, 0xa7);
    EXPECT_EQ(ask(0x20), 0x34U);
    out(0x64, 1, 0x60);
    EXPECT_EQ(in(0x64, 1), 0x1cU); /* the last byte was a command */
    out(0x60, 1, 0x41);
    EXPECT_EQ(in(0x64, 1), 0x10U);
    EXPECT_EQ(ask(0x20), 0x41U);
    EXPECT_EQ(ask(0xc0), 0x80U);
    EXPECT_EQ(ask(0xd0), 0xcfU);
    out(0x64, 1, 0xd2);
    out(0x60, 1, 0x99);
    EXPECT_EQ(in(0x64, 1) & 0x21, 1U);
    EXPECT_EQ(in(0x60, 1), 0x99U);
    out(0x64, 1, 0xd3);
    out(0x60, 1, 0x98);
    EXPECT_EQ(in(0x64, 1) & 0x21, 0x21U);
    EXPECT_EQ(in(0x60, 1), 0x98U);
    EXPECT_EQ(in(0x64, 1) & 0x21, 0U);
    EXPECT_EQ(resets, 0U);
}

TEST(i8042_nobody_answers)
{
    make();
    for (unsigned value = 0; value < 256; value++) { /* to the keyboard, then to the mouse */
        out(0x60, 1, value);
        EXPECT_EQ(in(0x64, 1) & 1, 0U);
        out(0x64, 1, 0xd4);
        out(0x60, 1, value);
        EXPECT_EQ(in(0x64, 1) & 1, 0U);
    }
    out(0x64, 1, 0x60); /* another command takes the place of one that waits for data */
    out(0x64, 1, 0xaa);
    (void)in(0x60, 1);
    out(0x60, 1, 0);
    EXPECT_EQ(ask(0x20), 0x34U);
    EXPECT_EQ(in(0x62, 4) >> 16 & 0xff, 0x1cU); /* 0x64 is one port wide, the last was a command */
    EXPECT_EQ(in(0x62, 4) | 0x00ff0000, 0xffffffffU);
    EXPECT_EQ(in(0x60, 4) & 0xffffff00, 0xffffff00U);
}

TEST(i8042_resets_and_a20)
{
    for (unsigned command = 0; command < 256; command++) {
        test_row("command %#x", command);
        make();
        out(0x64, 1, command);
        EXPECT_EQ(resets, command >= 0xf0 && command % 2 == 0 ? 1U : 0U);
    }
    make();
    out(0x64, 1, 0xdd);
    EXPECT_EQ(in(0x92, 1), 0U);
    EXPECT_EQ(ask(0xd0), 0xcdU);
    out(0x64, 1, 0xdf);
    EXPECT_EQ(in(0x92, 1), 2U);
    out(0x64, 1, 0xd1);
    out(0x60, 1, 0xcd);
    EXPECT_EQ(in(0x92, 1), 0U);
    out(0x92, 1, 2);
    EXPECT_EQ(ask(0xd0), 0xcfU);
    EXPECT_EQ(resets, 0U);
    out(0x64, 1, 0xd1);
    out(0x60, 1, 0xfe);
    EXPECT_EQ(resets, 1U);
}

static struct {
    uint32_t address;
    uint8_t width;
    uint32_t value;
} last_config;

static uint32_t config_read(void *bus, uint32_t address, uint8_t width)
{
    EXPECT_TRUE(bus == &last_config);
    last_config.address = address;
    last_config.width = width;
    return 0x12345678;
}

static void config_write(void *bus, uint32_t address, uint8_t width, uint32_t value)
{
    (void)config_read(bus, address, width);
    last_config.value = value;
}

TEST(pci_bus_behind_the_ports)
{
    make();
    host.config_read = config_read;
    host.config_write = config_write;
    host.bus = &last_config;
    out(0xcf8, 4, 0x80001814);
    EXPECT_EQ(in(0xcfc, 4), 0x12345678U);
    EXPECT_EQ(last_config.address, 0x80001814U);
    EXPECT_EQ(in(0xcfe, 2), 0x5678U);
    EXPECT_EQ(last_config.address, 0x80001816U);
    out(0xcff, 1, 0xab);
    EXPECT_EQ(last_config.address, 0x80001817U);
    EXPECT_EQ(last_config.width, 1);
    EXPECT_EQ(last_config.value, 0xabU);
    EXPECT_EQ(in(0xcf8, 4), 0x80001814U);
}
