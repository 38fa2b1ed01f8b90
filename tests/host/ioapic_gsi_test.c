/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of drivers/ioapic_gsi.c: what overrides make of ISA interrupts, and what a GSI's signal is. */
#include "drivers/acpi.h"
#include "drivers/ioapic.h"

#include "tests/host/test.h"

static const struct acpi_madt pc = {
    .override =
        {{0, 0, 0x0, 2}, {0, 9, 0xd, 9}, {0, 10, 0xf, 20}, {1, 11, 0xf, 30}, {0, 5, 0x5, 5}, {0, 6, 0x3, 21}},
    .override_count = 6,
};

static bool is(uint32_t gsi, bool level, bool low)
{
    struct ioapic_signal s = ioapic_firmware_signal(&pc, gsi);
    return s.level == level && s.low == low;
}

TEST(ioapic_isa_interrupts)
{
    EXPECT_EQ(ioapic_isa_gsi(&pc, 0), 2);
    EXPECT_EQ(ioapic_isa_gsi(&pc, 1), 1);
    EXPECT_EQ(ioapic_isa_gsi(&pc, 9), 9);
    EXPECT_EQ(ioapic_isa_gsi(&pc, 10), 20);
    EXPECT_EQ(ioapic_isa_gsi(&pc, 11), 11); /* the override is of another bus */
    EXPECT_EQ(ioapic_isa_gsi(&pc, 15), 15);
}

TEST(ioapic_signals)
{
    EXPECT_TRUE(is(2, false, false)); /* as the bus has it */
    EXPECT_TRUE(is(4, false, false)); /* no override */
    EXPECT_TRUE(is(5, false, false)); /* said, and the same */
    EXPECT_TRUE(is(9, true, false));
    EXPECT_TRUE(is(15, false, false));
    EXPECT_TRUE(is(16, true, true)); /* PCI */
    EXPECT_TRUE(is(20, true, true));
    EXPECT_TRUE(is(21, false, true)); /* beyond 15, and of the ISA bus all the same */
    EXPECT_TRUE(is(30, true, true));
    EXPECT_TRUE(is(UINT32_MAX, true, true));
}
