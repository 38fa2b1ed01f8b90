/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of mgmt/virtio/virtio_saved.c: a device goes on from its record over every transport, at every step
 * of its driver; records that make no sense are refused or do no harm.
 */
#include "mgmt/virtio/virtio_saved.h"

#include "mgmt/virtio/virtio_rng.h"
#include "tests/host/test.h"
#include "tests/host/virtio_driver.h"

#define VERSION_1 (1ULL << 32)
#define EVENT_IDX (1ULL << 29)

static struct driver drivers[2];
static struct virtio_rng rngs[2];

static uint64_t fill(void *ctx, void *to, uint64_t bytes)
{
    (void)ctx;
    memset(to, 0x5a, bytes);
    return bytes;
}

static void attach(int which, enum driver_bus bus)
{
    rngs[which].fill = fill;
    virtio_rng_init(&rngs[which], &guest_memory);
    EXPECT_TRUE(driver_attach(&drivers[which], &rngs[which].virtio, bus));
}

static void save(enum driver_bus bus, struct virtio_saved *to)
{
    if (bus == BUS_MMIO)
        virtio_save_mmio(&drivers[0].mmio, to);
    else
        virtio_save_pci(&drivers[0].pci, to);
}

static bool restore(enum driver_bus bus, const struct virtio_saved *from)
{
    return bus == BUS_MMIO ? virtio_restore_mmio(&drivers[1].mmio, from)
                           : virtio_restore_pci(&drivers[1].pci, from);
}

/* The driver of the first device goes on with the second. */
static void hand_over(enum driver_bus bus)
{
    struct virtio_saved saved;
    save(bus, &saved);
    attach(1, bus);
    struct driver *to = &drivers[1];
    to->common = drivers[0].common;
    EXPECT_TRUE(restore(bus, &saved));
    memcpy(to->ring, drivers[0].ring, sizeof(to->ring));
}

#define ON_EVERY_BUS for (enum driver_bus bus = 0; bus < BUSES; bus++)

TEST(saved_goes_on)
{
    uint32_t used;
    ON_EVERY_BUS
    for (int event = 0; event < 2; event++) {
        test_row("%s, %d", bus_name[bus], event);
        guest_memory_make();
        attach(0, bus);
        EXPECT_TRUE(driver_start(&drivers[0], VERSION_1 | (event ? EVENT_IDX : 0)));
        for (uint16_t i = 0; i < 37; i++) {
            ring_set_used_event(&drivers[0].ring[0], i);
            EXPECT_TRUE(driver_transfer(&drivers[0], 0, 0, 0, GUEST_DATA, 8, &used));
        }
        hand_over(bus);
        EXPECT_EQ(driver_status(&drivers[1]), 15);
        EXPECT_EQ(virtio_has(&rngs[1].virtio, EVENT_IDX), event == 1);
        uint32_t messages = drivers[1].messages;
        virtio_resume(&rngs[1].virtio);
        EXPECT_EQ(drivers[1].messages, messages + (bus == BUS_MSIX));
        EXPECT_EQ(drivers[1].line, bus != BUS_MSIX);
        EXPECT_EQ(driver_interrupt(&drivers[1]), bus == BUS_MSIX ? 0U : 1U);
        ring_set_used_event(&drivers[1].ring[0], 37);
        memset(guest_at(GUEST_DATA), 0, 8);
        EXPECT_TRUE(driver_transfer(&drivers[1], 0, 0, 0, GUEST_DATA, 8, &used));
        EXPECT_EQ(*(uint8_t *)guest_at(GUEST_DATA), 0x5a);
        EXPECT_EQ(rngs[1].virtio.interrupts, 1U);
    }
}

TEST(saved_with_a_chain_that_waits)
{
    uint32_t head, length;
    ON_EVERY_BUS
    {
        test_row("%s", bus_name[bus]);
        guest_memory_make();
        attach(0, bus);
        EXPECT_TRUE(driver_start(&drivers[0], VERSION_1));
        EXPECT_TRUE(driver_transfer(&drivers[0], 0, 0, 0, GUEST_DATA, 8, &length));
        ring_desc(&drivers[0].ring[0], 3, GUEST_DATA + 64, 5, RING_WRITE, 0);
        ring_offer(&drivers[0].ring[0], 3); /* its notification is lost */
        hand_over(bus);
        virtio_resume(&rngs[1].virtio);
        EXPECT_TRUE(ring_take(&drivers[1].ring[0], &head, &length));
        EXPECT_EQ(head, 3U);
        EXPECT_EQ(length, 5U);
        EXPECT_FALSE(ring_take(&drivers[1].ring[0], &head, &length));
    }
}

TEST(saved_at_every_step)
{
    ON_EVERY_BUS
    for (int steps = 0; steps <= 5; steps++) {
        test_row("%s, step %d", bus_name[bus], steps);
        guest_memory_make();
        attach(0, bus);
        struct driver *driver = &drivers[0];
        struct ring ring = ring_at(0, 8);
        if (steps > 0)
            driver_set_status(driver, 3);
        if (steps > 1)
            driver_set_features(driver, VERSION_1);
        if (steps > 2)
            driver_set_status(driver, 11);
        if (steps > 3)
            driver_set_queue(driver, 0, &ring);
        if (steps > 4) {
            driver_set_status(driver, 15);
            virtio_break(&rngs[0].virtio);
        }
        hand_over(bus);
        virtio_resume(&rngs[1].virtio);
        EXPECT_EQ(driver_status(&drivers[1]), driver_status(driver));
        EXPECT_EQ(rngs[1].virtio.accepted, rngs[0].virtio.accepted);
        EXPECT_EQ(rngs[1].virtio.queue[0].enabled, rngs[0].virtio.queue[0].enabled);
        EXPECT_EQ(rngs[1].virtio.queue[0].descriptors, rngs[0].virtio.queue[0].descriptors);
        EXPECT_TRUE(driver_start(&drivers[1], VERSION_1));
    }
}

TEST(saved_masks_and_pending)
{
    guest_memory_make();
    attach(0, BUS_MSIX);
    EXPECT_TRUE(driver_start(&drivers[0], VERSION_1));
    driver_write(&drivers[0], drivers[0].msix_table + 16 + 12, 4, 1);
    driver_write(&drivers[0], drivers[0].msix_table + 16 + 8, 4, 0x99);
    EXPECT_TRUE(driver_transfer(&drivers[0], 0, 0, 0, GUEST_DATA, 8, NULL));
    driver_pci_write(&drivers[0], 0x10, 4, DRIVER_PCI_BASE + 0x20000);
    hand_over(BUS_MSIX);
    EXPECT_EQ(virtio_pci_doorbell(&drivers[1].pci, 0), DRIVER_PCI_BASE + 0x23000U);
    EXPECT_EQ(driver_read(&drivers[1], drivers[1].msix_pba, 4), 2U);
    EXPECT_EQ(drivers[1].messages, 0U);
    driver_write(&drivers[1], drivers[1].msix_table + 16 + 12, 4, 0);
    EXPECT_EQ(drivers[1].messages, 1U);
    EXPECT_EQ(drivers[1].last_data, 0x99U);
}

TEST(saved_of_another)
{
    struct virtio_saved saved, bad;
    guest_memory_make();
    attach(0, BUS_MMIO);
    EXPECT_TRUE(driver_start(&drivers[0], VERSION_1));
    save(BUS_MMIO, &saved);
    for (int what = 0; what < 8; what++) {
        test_row("%d", what);
        attach(1, BUS_MMIO);
        bad = saved;
        bad.id = what == 0 ? VIRTIO_ID_BLOCK : bad.id;
        bad.is_mmio = what != 1;
        bad.status = what == 2 ? 0x1f : what == 3 ? 7 : bad.status;
        bad.accepted |= what == 4 ? 1 : 0;
        bad.queue[0].size = what == 5 ? 128 : what == 6 ? 0 : bad.queue[0].size;
        bad.queue[0].device = what == 7 ? GUEST_END : bad.queue[0].device;
        EXPECT_FALSE(restore(BUS_MMIO, &bad));
        EXPECT_EQ(driver_status(&drivers[1]), 0);
        EXPECT_TRUE(driver_start(&drivers[1], VERSION_1));
    }
    attach(1, BUS_MSIX);
    EXPECT_FALSE(restore(BUS_MSIX, &saved));
}

/*
 * Any bit may be wrong: then the record is refused, or the device does what a driver could have made it do.
 */
TEST(saved_any_bit_wrong)
{
    struct virtio_saved saved, bad;
    unsigned refused = 0;
    ON_EVERY_BUS
    {
        guest_memory_make();
        attach(0, bus);
        EXPECT_TRUE(driver_start(&drivers[0], VERSION_1));
        save(bus, &saved);
        for (uint32_t bit = 0; bit < 8 * sizeof(saved); bit++) {
            bad = saved;
            ((uint8_t *)&bad)[bit / 8] ^= (uint8_t)(1U << bit % 8);
            attach(1, bus);
            bool good = restore(bus, &bad);
            refused += !good;
            virtio_resume(&rngs[1].virtio);
            if (!good)
                EXPECT_EQ(rngs[1].virtio.status, 0);
            virtio_reset(&rngs[1].virtio);
            EXPECT_FALSE(drivers[1].line);
        }
    }
    EXPECT_TRUE(refused > 100);
}
