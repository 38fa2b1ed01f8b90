/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of mgmt/virtio/pci.c, msix.c and virtio_pci.c: configuration space, capabilities, messages with their
 * masks, the interrupt pin, and the window of the PCI configuration capability. The device behind it is an
 * entropy device.
 */
#include "mgmt/virtio/virtio_pci.h"

#include "mgmt/virtio/virtio_rng.h"
#include "tests/host/test.h"
#include "tests/host/virtio_driver.h"

#define VERSION_1 (1ULL << 32)

static struct driver driver;
static struct virtio_rng rng;

static uint64_t fill(void *ctx, void *to, uint64_t bytes)
{
    (void)ctx;
    memset(to, 0x5a, bytes);
    return bytes;
}

static void fresh(enum driver_bus bus)
{
    guest_memory_make();
    rng.fill = fill;
    virtio_rng_init(&rng, &guest_memory);
    EXPECT_TRUE(driver_attach(&driver, &rng.virtio, bus));
    EXPECT_TRUE(driver_start(&driver, VERSION_1));
}

static bool use_one(void)
{
    return driver_transfer(&driver, 0, 0, 0, GUEST_DATA, 64, NULL);
}

TEST(pci_nobody_reads_as_ones)
{
    fresh(BUS_MSIX);
    EXPECT_EQ(pci_bus_config_read(&driver.pci_bus, 0x80000000 | 4 << 11, 4), 0xffffffffU);
    EXPECT_EQ(pci_bus_config_read(&driver.pci_bus, 0x80010000 | DRIVER_SLOT << 11, 4), 0xffffffffU);
    EXPECT_EQ(pci_bus_config_read(&driver.pci_bus, 0x80000100 | DRIVER_SLOT << 11, 2), 0xffffU);
    EXPECT_EQ(pci_bus_config_read(&driver.pci_bus, DRIVER_SLOT << 11, 1), 0xffU);
    pci_bus_config_write(&driver.pci_bus, 0x80000000 | 4 << 11, 4, 0);
    EXPECT_EQ(driver_read(&driver, DRIVER_PCI_BASE + 0x80000, 4), 0xffffffffU);
    driver_write(&driver, DRIVER_PCI_BASE + 0x80000, 4, 0);
    EXPECT_EQ(pci_bus_config_read(&driver.pci_bus, 0x80000008, 4) >> 8, 0x060000U); /* host bridge */
}

TEST(pci_identity)
{
    fresh(BUS_MSIX);
    EXPECT_EQ(driver_pci_read(&driver, 0, 4), 0x10441af4U);
    EXPECT_TRUE((driver_pci_read(&driver, 8, 4) & 0xff) >= 1);
    EXPECT_EQ(driver_pci_read(&driver, 0x0e, 1), 0U); /* type 0, one function */
    EXPECT_EQ(driver_pci_read(&driver, 0x3c, 2), 0x010bU);
    EXPECT_EQ(driver_pci_read(&driver, 6, 2) & 0x10, 0x10U);
    EXPECT_EQ(driver_pci_read(&driver, 2, 1), 0x44U);
    for (uint32_t i = 0; i < 256; i += 4) /* identity and capabilities are read-only */
        if (i < 4 || (i >= 6 && i < 12) || (i >= 0x2c && i < 0x3c))
            driver_pci_write(&driver, (uint8_t)i, 4, 0);
    EXPECT_EQ(driver_pci_read(&driver, 0, 4), 0x10441af4U);
    EXPECT_EQ(driver_pci_read(&driver, 0x34, 1), 0x40U);
}

TEST(pci_bar_sizes)
{
    fresh(BUS_MSIX);
    uint32_t before = driver_pci_read(&driver, 0x10, 4);
    EXPECT_EQ(before, (uint32_t)DRIVER_PCI_BASE);
    driver_pci_write(&driver, 0x10, 4, 0xffffffff);
    EXPECT_EQ(driver_pci_read(&driver, 0x10, 4), 0xffffc000U);
    driver_pci_write(&driver, 0x14, 4, 0xffffffff);
    EXPECT_EQ(driver_pci_read(&driver, 0x14, 4), 0xfffff000U);
    for (uint8_t bar = 0x18; bar < 0x28; bar = (uint8_t)(bar + 4)) {
        driver_pci_write(&driver, bar, 4, 0xffffffff);
        EXPECT_EQ(driver_pci_read(&driver, bar, 4), 0U);
    }
    driver_pci_write(&driver, 0x30, 4, 0xffffffff); /* no expansion ROM */
    EXPECT_EQ(driver_pci_read(&driver, 0x30, 4), 0U);
}

TEST(pci_bar_moves)
{
    fresh(BUS_MSIX);
    uint64_t old = driver.common;
    EXPECT_EQ(virtio_pci_doorbell(&driver.pci, 0), DRIVER_PCI_BASE + 0x3000U);
    driver_pci_write(&driver, 0x10, 4, DRIVER_PCI_BASE + 0x40000);
    EXPECT_EQ(driver_read(&driver, old + 20, 1), 0xffU);
    EXPECT_EQ(driver_read(&driver, old + 0x40000 + 20, 1), 15U);
    EXPECT_EQ(virtio_pci_doorbell(&driver.pci, 0), DRIVER_PCI_BASE + 0x43000U);
    driver_pci_write(&driver, 4, 2, 0); /* no decoding */
    EXPECT_EQ(driver_read(&driver, old + 0x40000 + 20, 1), 0xffU);
    EXPECT_EQ(virtio_pci_doorbell(&driver.pci, 0), 0U);
    driver_pci_write(&driver, 4, 2, 2);
    driver_pci_write(&driver, 0x10, 4, 0x70000000); /* out of the window: not reached, and nothing breaks */
    EXPECT_EQ(driver_read(&driver, old + 20, 1), 0xffU);
    EXPECT_EQ(driver_status(&driver), 0xffU);
    EXPECT_EQ(rng.virtio.status, 15);
}

TEST(pci_bus_is_full)
{
    static struct pci_function function[PCI_SLOTS];
    static const struct pci_ids ids = {1, 2, 3, 4, 5};
    struct pci_bus bus;
    uint32_t added = 0;
    pci_bus_init(&bus, 0x80000000, 0x10000);
    for (uint32_t i = 1; i < PCI_SLOTS; i++) {
        pci_init(&function[i], &ids);
        function[i].bar[0].size = 0x1000;
        function[i].bar[2].size = 0x2000;
        added += pci_bus_add(&bus, i, &function[i]);
    }
    EXPECT_EQ(added, 4U); /* 16 KiB each, by alignment */
    EXPECT_EQ(pci_get(&function[4], 0x18, 4), 0x8000e000U);
    EXPECT_FALSE(pci_bus_add(&bus, 0, &function[9]));
    EXPECT_FALSE(pci_bus_add(&bus, 1, &function[9]));
    EXPECT_FALSE(pci_bus_add(&bus, PCI_SLOTS, &function[9]));
    EXPECT_EQ(pci_bus_config_read(&bus, 0x80000000 | 9 << 11, 4), 0xffffffffU);
}

TEST(virtio_pci_capabilities)
{
    static const struct {
        uint8_t type, length;
        uint32_t size;
    } rows[] = {{1, 16, 60}, {2, 20, 4}, {3, 16, 1}, {5, 20, 0}};
    fresh(BUS_MSIX);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("type %u", rows[i].type);
        uint8_t at = driver_pci_find(&driver, 0x09, rows[i].type);
        ASSERT_TRUE(at >= 0x40 && at % 4 == 0);
        EXPECT_EQ(driver_pci_read(&driver, at + 2, 1), rows[i].length);
        EXPECT_EQ(driver_pci_read(&driver, at + 4, 1), 0U);
        EXPECT_EQ(driver_pci_read(&driver, at + 12, 4), rows[i].size);
    }
    EXPECT_EQ(driver_pci_find(&driver, 0x09, 4), 0U); /* no configuration, no structure */
    uint32_t count = 0;
    for (uint8_t at = 0x34;
         (at = (uint8_t)driver_pci_read(&driver, count ? at + 1 : at, 1)) != 0 && count < 32;)
        count++;
    EXPECT_EQ(count, 5U);
    uint8_t msix = driver_pci_find(&driver, 0x11, 0);
    ASSERT_TRUE(msix != 0);
    EXPECT_EQ(driver_pci_read(&driver, msix + 2, 2), 0x8001U); /* enabled, two vectors */
    driver_pci_write(&driver, msix + 2, 2, 0xffff);
    EXPECT_EQ(driver_pci_read(&driver, msix + 2, 2), 0xc001U);
}

TEST(virtio_pci_common_registers)
{
    fresh(BUS_MSIX);
    EXPECT_EQ(driver_read(&driver, driver.common + 18, 2), 1U);
    EXPECT_EQ(driver_read(&driver, driver.common + 16, 2), 0U);
    driver_write(&driver, driver.common + 16, 2, 2); /* there is no vector 2 */
    EXPECT_EQ(driver_read(&driver, driver.common + 16, 2), 0xffffU);
    driver_write(&driver, driver.common + 22, 2, 0);
    EXPECT_EQ(driver_read(&driver, driver.common + 26, 2), 1U);
    driver_write(&driver, driver.common + 26, 2, 0x800);
    EXPECT_EQ(driver_read(&driver, driver.common + 26, 2), 0xffffU);
    EXPECT_EQ(driver_read(&driver, driver.common + 28, 2), 1U);
    /* An enabled queue does not change. */
    driver_write(&driver, driver.common + 24, 2, 64);
    driver_write(&driver, driver.common + 32, 4, 0x1000);
    driver_write(&driver, driver.common + 28, 2, 0);
    EXPECT_EQ(driver_read(&driver, driver.common + 24, 2), 16U);
    EXPECT_EQ(driver_read(&driver, driver.common + 32, 4), 0x10000U);
    EXPECT_EQ(driver_read(&driver, driver.common + 28, 2), 1U);
    EXPECT_EQ(driver_read(&driver, driver.common + 12, 4), 1U); /* VERSION_1, in the second word */
    /* A queue that is not there. */
    driver_write(&driver, driver.common + 22, 2, 1);
    driver_write(&driver, driver.common + 28, 2, 1);
    for (uint32_t field = 24; field < 56; field += 2)
        EXPECT_EQ(driver_read(&driver, driver.common + field, 2), 0U);
    EXPECT_EQ(driver_status(&driver), 15);
}

TEST(virtio_pci_odd_widths)
{
    fresh(BUS_MSIX);
    driver_write(&driver, driver.common + 22, 2, 7);
    driver_write(&driver, driver.common + 22, 1, 0); /* not the field's width */
    EXPECT_EQ(driver_read(&driver, driver.common + 22, 2), 7U);
    driver_write(&driver, driver.common + 20, 4, 0);
    EXPECT_EQ(driver_status(&driver), 15);
    EXPECT_EQ(driver_read(&driver, driver.common + 20, 4), 15U | 7U << 16);
    EXPECT_EQ(driver_read(&driver, driver.common + 58, 4), 0U);
    EXPECT_EQ(driver_read(&driver, driver.common + 0xffe, 4), 0U);
    EXPECT_EQ(driver_read(&driver, driver.isr + 1, 1), 0U);
    EXPECT_EQ(driver_read(&driver, driver.notify, 2), 0U);
    for (uint32_t offset = 0; offset < 0x5000; offset++)
        for (uint8_t width = 1; width <= 8; width = (uint8_t)(width * 2))
            if (offset < 0x1000 || offset % 0x100 < 8)
                (void)access_read(&driver.table, HV_CLAIM_MMIO, DRIVER_PCI_BASE + offset, width);
    EXPECT_EQ(driver_status(&driver), 15);
}

TEST(msix_sends_to_the_vectors)
{
    fresh(BUS_MSIX);
    EXPECT_TRUE(use_one());
    EXPECT_EQ(driver.messages, 1U);
    EXPECT_EQ(driver.last_address, 0xfee00000U);
    EXPECT_EQ(driver.last_data, 0x41U);
    virtio_config_changed(&rng.virtio);
    EXPECT_EQ(driver.messages, 2U);
    EXPECT_EQ(driver.last_data, 0x40U);
    EXPECT_EQ(driver.edges, 0U); /* the pin is silent */
    EXPECT_EQ(driver_read(&driver, driver.isr, 1), 0U);
    driver_write(&driver, driver.common + 16, 2, 0xffff);
    virtio_config_changed(&rng.virtio);
    EXPECT_EQ(driver.messages, 2U);
}

TEST(msix_vector_mask)
{
    fresh(BUS_MSIX);
    driver_write(&driver, driver.msix_table + 16 + 12, 4, 1);
    EXPECT_TRUE(use_one());
    EXPECT_TRUE(use_one());
    EXPECT_EQ(driver.messages, 0U);
    EXPECT_EQ(driver_read(&driver, driver.msix_pba, 4), 2U);
    virtio_config_changed(&rng.virtio);
    EXPECT_EQ(driver.messages, 1U); /* the other vector is open */
    driver_write(&driver, driver.msix_table + 16 + 8, 4, 0x77);
    EXPECT_EQ(driver.messages, 1U);
    driver_write(&driver, driver.msix_table + 16 + 12, 4, 0);
    EXPECT_EQ(driver.messages, 2U); /* once, and with what the entry says now */
    EXPECT_EQ(driver.last_data, 0x77U);
    EXPECT_EQ(driver_read(&driver, driver.msix_pba, 4), 0U);
    driver_write(&driver, driver.msix_table + 16 + 12, 4, 1);
    driver_write(&driver, driver.msix_table + 16 + 12, 4, 0);
    EXPECT_EQ(driver.messages, 2U);
}

TEST(msix_function_mask)
{
    fresh(BUS_MSIX);
    uint8_t at = driver_pci_find(&driver, 0x11, 0);
    driver_pci_write(&driver, at + 2, 2, 0xc000);
    EXPECT_TRUE(use_one());
    virtio_config_changed(&rng.virtio);
    EXPECT_EQ(driver.messages, 0U);
    EXPECT_EQ(driver_read(&driver, driver.msix_pba, 4), 3U);
    driver_write(&driver, driver.msix_table + 12, 4, 1);
    driver_pci_write(&driver, at + 2, 2, 0x8000);
    EXPECT_EQ(driver.messages, 1U);
    EXPECT_EQ(driver.last_data, 0x41U);
    EXPECT_EQ(driver_read(&driver, driver.msix_pba, 4), 1U);
    driver_set_status(&driver, 0); /* a reset forgets what is pending */
    EXPECT_EQ(driver_read(&driver, driver.msix_pba, 4), 0U);
    driver_write(&driver, driver.msix_table + 12, 4, 0);
    EXPECT_EQ(driver.messages, 1U);
}

static unsigned changes;

static void changed(void *ctx)
{
    (void)ctx;
    changes++;
}

TEST(msix_tells_of_changes)
{
    fresh(BUS_MSIX);
    driver.pci.msix.changed = changed;
    changes = 0;
    EXPECT_TRUE(msix_open(&driver.pci.msix, 1));
    driver_write(&driver, driver.msix_table + 16 + 12, 4, 1);
    EXPECT_EQ(changes, 1U);
    EXPECT_FALSE(msix_open(&driver.pci.msix, 1));
    EXPECT_TRUE(msix_open(&driver.pci.msix, 0));
    EXPECT_FALSE(msix_open(&driver.pci.msix, 2));
    driver_pci_write(&driver, driver_pci_find(&driver, 0x11, 0) + 2, 2, 0);
    EXPECT_TRUE(changes > 1);
    EXPECT_FALSE(msix_open(&driver.pci.msix, 0));
    changes = 0;
    driver_pci_write(&driver, 4, 2, 0);
    EXPECT_EQ(changes, 1U); /* doorbells */
}

TEST(msix_table_accesses)
{
    fresh(BUS_MSIX);
    EXPECT_EQ(driver_read(&driver, driver.msix_table + 16, 4), 0xfee00000U);
    EXPECT_EQ(driver_read(&driver, driver.msix_table + 24, 2), 0x41U);
    driver_write(&driver, driver.msix_table + 24, 2, 0x99); /* too narrow */
    EXPECT_EQ(driver_read(&driver, driver.msix_table + 24, 4), 0x41U);
    driver_write(&driver, driver.msix_table + 16, 4, 0xfee00fff);
    EXPECT_EQ(driver_read(&driver, driver.msix_table + 16, 4), 0xfee00ffcU);
    driver_write(&driver, driver.msix_table + 28, 4, 0xffffffff);
    EXPECT_EQ(driver_read(&driver, driver.msix_table + 28, 4), 1U);
    driver_write(&driver, driver.msix_table + 32, 4, 1); /* behind the last entry */
    EXPECT_EQ(driver_read(&driver, driver.msix_table + 32, 4), 0U);
    driver_write(&driver, driver.msix_pba, 4, 0xff);
    EXPECT_EQ(driver_read(&driver, driver.msix_pba, 4), 0U);
    EXPECT_EQ(driver_read(&driver, driver.msix_pba + 0x7fe, 4), 0U);
    access_write(&driver.table, HV_CLAIM_MMIO, driver.msix_table + 16, 8, 0x1122334455667788);
    EXPECT_EQ(driver_read(&driver, driver.msix_table + 20, 4), 0x11223344U);
}

TEST(msix_off_uses_the_pin)
{
    fresh(BUS_MSIX);
    driver_pci_write(&driver, driver_pci_find(&driver, 0x11, 0) + 2, 2, 0);
    EXPECT_TRUE(use_one());
    EXPECT_EQ(driver.messages, 0U);
    EXPECT_TRUE(driver.line);
}

TEST(intx_level_and_status)
{
    fresh(BUS_INTX);
    EXPECT_FALSE(driver.line);
    EXPECT_TRUE(use_one());
    EXPECT_TRUE(driver.line);
    EXPECT_EQ(driver_pci_read(&driver, 6, 2) & 8, 8U);
    EXPECT_TRUE(use_one());
    EXPECT_EQ(driver.edges, 1U);
    virtio_config_changed(&rng.virtio);
    EXPECT_EQ(driver_interrupt(&driver), 3U);
    EXPECT_FALSE(driver.line);
    EXPECT_EQ(driver_pci_read(&driver, 6, 2) & 8, 0U);
    EXPECT_EQ(driver_interrupt(&driver), 0U);
    EXPECT_EQ(driver.messages, 0U);
}

TEST(intx_disable)
{
    fresh(BUS_INTX);
    driver_pci_write(&driver, 4, 2, 0x406);
    EXPECT_TRUE(use_one());
    EXPECT_FALSE(driver.line);
    EXPECT_EQ(driver_pci_read(&driver, 6, 2) & 8, 8U);
    driver_pci_write(&driver, 4, 2, 0x006);
    EXPECT_TRUE(driver.line);
    driver_set_status(&driver, 0);
    EXPECT_FALSE(driver.line);
    EXPECT_EQ(driver_pci_read(&driver, 6, 2) & 8, 0U);
}

TEST(virtio_pci_configuration_window)
{
    fresh(BUS_MSIX);
    uint8_t at = driver_pci_find(&driver, 0x09, 5);
    driver_pci_write(&driver, at + 4, 1, 0);
    driver_pci_write(&driver, at + 8, 4, 20);
    driver_pci_write(&driver, at + 12, 4, 1);
    EXPECT_EQ(driver_pci_read(&driver, at + 16, 1), 15U); /* device_status */
    driver_pci_write(&driver, at + 16, 1, 0);
    EXPECT_EQ(driver_status(&driver), 0);
    driver_pci_write(&driver, at + 4, 1, 1); /* the MSI-X table */
    driver_pci_write(&driver, at + 8, 4, 24);
    driver_pci_write(&driver, at + 12, 4, 4);
    driver_pci_write(&driver, at + 16, 4, 0xabcd);
    EXPECT_EQ(driver_read(&driver, driver.msix_table + 24, 4), 0xabcdU);
}

TEST(virtio_pci_configuration_window_bad)
{
    static const struct {
        uint32_t bar, offset, length;
    } rows[] = {{0, 20, 0}, {0, 20, 3},   {0, 20, 8},     {0, 22, 4},         {2, 20, 1},
                {6, 20, 1}, {255, 20, 1}, {0, 0x4000, 1}, {0, 0xffffffff, 1}, {0, 20, 0x101}};
    fresh(BUS_MSIX);
    uint8_t at = driver_pci_find(&driver, 0x09, 5);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("%zu", i);
        driver_pci_write(&driver, at + 4, 1, rows[i].bar);
        driver_pci_write(&driver, at + 8, 4, rows[i].offset);
        driver_pci_write(&driver, at + 12, 4, rows[i].length);
        driver_pci_write(&driver, at + 16, 4, 0);
        EXPECT_EQ(driver_pci_read(&driver, at + 16, 4), 0U);
        EXPECT_EQ(driver_status(&driver), 15);
    }
}
