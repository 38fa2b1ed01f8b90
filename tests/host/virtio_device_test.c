/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of mgmt/virtio/virtio.c, virtio_mmio.c and virtio_rng.c: initialization over every transport,
 * features, resets at every moment, what a broken driver gets, and work that is put off.
 */
#include "mgmt/virtio/virtio_rng.h"

#include "tests/host/test.h"
#include "tests/host/virtio_driver.h"

#define VERSION_1 (1ULL << 32)
#define INDIRECT  (1ULL << 28)
#define EVENT_IDX (1ULL << 29)

static struct driver driver;
static struct virtio_rng rng;
static uint64_t supply;

static uint64_t fill(void *ctx, void *to, uint64_t bytes)
{
    EXPECT_TRUE(ctx == &supply);
    if (bytes > supply)
        bytes = supply;
    memset(to, 0x5a, bytes);
    supply -= bytes;
    return bytes;
}

static void fresh(enum driver_bus bus)
{
    test_row("%s", bus_name[bus]);
    guest_memory_make();
    supply = UINT64_MAX;
    rng.fill = fill;
    rng.ctx = &supply;
    virtio_rng_init(&rng, &guest_memory);
    EXPECT_TRUE(driver_attach(&driver, &rng.virtio, bus));
}

static void ready(enum driver_bus bus, uint64_t features)
{
    fresh(bus);
    EXPECT_TRUE(driver_start(&driver, VERSION_1 | features));
}

#define ON_EVERY_BUS for (enum driver_bus bus = 0; bus < BUSES; bus++)

TEST(device_initialization)
{
    ON_EVERY_BUS
    {
        fresh(bus);
        EXPECT_EQ(driver_status(&driver), 0);
        EXPECT_EQ(driver_features(&driver), VERSION_1 | INDIRECT | EVENT_IDX);
        EXPECT_EQ(driver_queue_max(&driver, 0), 64);
        EXPECT_EQ(driver_queue_max(&driver, 1), 0);
        EXPECT_TRUE(driver_start(&driver, VERSION_1 | INDIRECT));
    }
}

TEST(device_refuses_features)
{
    static const uint64_t bad[] = {0, INDIRECT, VERSION_1 | 1, VERSION_1 | 1ULL << 63,
                                   VERSION_1 | 1ULL << 40};
    ON_EVERY_BUS
    for (size_t i = 0; i < COUNT(bad); i++) {
        fresh(bus);
        EXPECT_FALSE(driver_start(&driver, bad[i]));
        EXPECT_EQ(driver_status(&driver), 3);
        driver_set_status(&driver, 7); /* DRIVER_OK does not come without FEATURES_OK */
        EXPECT_EQ(driver_status(&driver), 3);
        EXPECT_TRUE(driver_start(&driver, VERSION_1));
    }
}

TEST(device_features_are_final)
{
    ON_EVERY_BUS
    {
        ready(bus, 0);
        driver_set_features(&driver, VERSION_1 | INDIRECT);
        EXPECT_FALSE(virtio_has(&rng.virtio, INDIRECT));
        EXPECT_TRUE(virtio_has(&rng.virtio, VERSION_1));
    }
}

TEST(device_status_bits_stay)
{
    ON_EVERY_BUS
    {
        ready(bus, 0);
        driver_set_status(&driver, 1);
        EXPECT_EQ(driver_status(&driver), 15);
        driver_set_status(&driver, 0x80);
        EXPECT_EQ(driver_status(&driver), 0x8f);
        driver_set_status(&driver, 0x70); /* bits that are not the driver's */
        EXPECT_EQ(driver_status(&driver), 0x8f);
        driver_set_status(&driver, 0);
        EXPECT_EQ(driver_status(&driver), 0);
    }
}

TEST(device_does_nothing_before_driver_ok)
{
    uint64_t before;
    ON_EVERY_BUS
    {
        fresh(bus);
        driver_set_status(&driver, 3);
        struct ring ring = ring_at(0, 8);
        driver_set_queue(&driver, 0, &ring); /* too early: features are not settled */
        EXPECT_FALSE(rng.virtio.queue[0].enabled);
        driver_set_features(&driver, VERSION_1);
        driver_set_status(&driver, 11);
        driver_set_queue(&driver, 0, &ring);
        EXPECT_TRUE(rng.virtio.queue[0].enabled);
        ring_desc(&ring, 0, GUEST_DATA, 16, RING_WRITE, 0);
        ring_offer(&ring, 0);
        before = guest_memory_sum();
        driver_notify(&driver, 0);
        EXPECT_EQ(guest_memory_sum(), before);
        driver_set_status(&driver, 15); /* what waited is answered now */
        EXPECT_EQ(ring_used_index(&ring), 1);
        EXPECT_NE(guest_memory_sum(), before);
    }
}

TEST(device_queue_comes_late)
{
    ON_EVERY_BUS
    {
        fresh(bus);
        driver_set_status(&driver, 3);
        driver_set_features(&driver, VERSION_1);
        driver_set_status(&driver, 15);
        EXPECT_EQ(driver_status(&driver), 15);
        driver_notify(&driver, 0);
        EXPECT_EQ(driver_status(&driver), 15); /* a queue that is not enabled is no offence */
        struct ring ring = ring_at(0, 8);
        ring_desc(&ring, 0, GUEST_DATA, 16, RING_WRITE, 0);
        ring_offer(&ring, 0);
        driver_set_queue(&driver, 0, &ring);
        EXPECT_EQ(ring_used_index(&ring), 1);
    }
}

TEST(device_reset_at_every_step)
{
    uint32_t used;
    ON_EVERY_BUS
    for (int steps = 0; steps <= 6; steps++) {
        fresh(bus);
        test_row("%s, step %d", bus_name[bus], steps);
        struct ring ring = ring_at(0, 8);
        if (steps > 0)
            driver_set_status(&driver, 3);
        if (steps > 1)
            driver_set_features(&driver, VERSION_1 | EVENT_IDX);
        if (steps > 2)
            driver_set_status(&driver, 11);
        if (steps > 3)
            driver_set_queue(&driver, 0, &ring);
        if (steps > 4)
            driver_set_status(&driver, 15);
        if (steps > 5) { /* with a chain in use, and broken */
            ring_desc(&ring, 0, 0, 16, RING_WRITE, 0);
            ring_offer(&ring, 0);
            driver_notify(&driver, 0);
            EXPECT_EQ(driver_status(&driver), 15 | 64);
        }
        driver_set_status(&driver, 0);
        EXPECT_EQ(driver_status(&driver), 0);
        EXPECT_FALSE(driver.line);
        EXPECT_EQ(rng.virtio.accepted, 0U);
        EXPECT_FALSE(rng.virtio.queue[0].enabled || rng.virtio.queue[0].broken);
        EXPECT_EQ(rng.virtio.queue[0].next | rng.virtio.queue[0].used, 0);
        guest_memory_make();
        EXPECT_TRUE(driver_start(&driver, VERSION_1));
        EXPECT_TRUE(driver_transfer(&driver, 0, 0, 0, GUEST_DATA, 100, &used));
        EXPECT_EQ(used, 100U);
    }
}

TEST(device_breaks_and_says_so)
{
    ON_EVERY_BUS
    {
        ready(bus, 0);
        ring_desc(&driver.ring[0], 0, GUEST_END, 16, RING_WRITE, 0);
        ring_offer(&driver.ring[0], 0);
        uint64_t before = guest_memory_sum();
        driver_notify(&driver, 0);
        EXPECT_EQ(driver_status(&driver), 15 | 64);
        EXPECT_EQ(rng.virtio.broken, 1U);
        EXPECT_EQ(rng.virtio.interrupts, 1U);
        if (bus == BUS_MSIX)
            EXPECT_EQ(driver.last_data, 0x40U); /* the configuration's vector */
        else
            EXPECT_TRUE(driver.line);
        EXPECT_EQ(driver_interrupt(&driver), bus == BUS_MSIX ? 0U : 2U);
        /* Nothing more until a reset, also when the chain is good. */
        ring_desc(&driver.ring[0], 0, GUEST_DATA, 16, RING_WRITE, 0);
        before = guest_memory_sum();
        driver_notify(&driver, 0);
        driver_set_status(&driver, 15);
        virtio_poll(&rng.virtio);
        EXPECT_EQ(guest_memory_sum(), before);
        EXPECT_EQ(driver_status(&driver), 15 | 64);
        EXPECT_EQ(rng.virtio.interrupts, 1U);
    }
}

TEST(device_breaks_before_driver_ok_in_silence)
{
    ON_EVERY_BUS
    {
        fresh(bus);
        driver_set_status(&driver, 3);
        driver_set_features(&driver, VERSION_1);
        driver_set_status(&driver, 11);
        struct ring ring = ring_at(0, 8);
        ring.used = GUEST_END;
        driver_set_queue(&driver, 0, &ring);
        EXPECT_EQ(driver_status(&driver), 11 | 64);
        EXPECT_EQ(rng.virtio.interrupts, 0U);
        EXPECT_FALSE(driver.line);
        driver_set_status(&driver, 15);
        EXPECT_FALSE(virtio_running(&rng.virtio));
    }
}

TEST(device_largest_queue)
{
    ON_EVERY_BUS
    {
        fresh(bus);
        driver_set_status(&driver, 3);
        driver_set_features(&driver, VERSION_1);
        driver_set_status(&driver, 11);
        struct ring ring = ring_at(0, 64);
        driver_set_queue(&driver, 0, &ring);
        driver_set_status(&driver, 15);
        EXPECT_TRUE(driver_transfer(&driver, 0, 0, 0, GUEST_DATA, 8, NULL));
        EXPECT_EQ(driver_status(&driver), 15);
    }
}

TEST(device_bad_queues)
{
    ON_EVERY_BUS
    for (int what = 0; what < 6; what++) {
        fresh(bus);
        driver_set_status(&driver, 3);
        driver_set_features(&driver, VERSION_1);
        driver_set_status(&driver, 11);
        struct ring ring = ring_at(0, 8);
        ring.size = what == 0 ? 128 : what == 1 ? 0 : what == 2 ? 63 : 8;
        ring.desc += what == 3 ? 8 : 0;
        ring.avail += what == 4 ? 1 : 0;
        ring.used = what == 5 ? UINT64_MAX - 3 : ring.used;
        test_row("%s, %d", bus_name[bus], what);
        driver_set_queue(&driver, 0, &ring);
        EXPECT_EQ(driver_status(&driver), 11 | 64);
        EXPECT_TRUE(driver_start(&driver, VERSION_1));
    }
}

TEST(device_interrupts_by_index)
{
    ON_EVERY_BUS
    {
        ready(bus, EVENT_IDX);
        ring_set_used_event(&driver.ring[0], 2);
        for (uint32_t i = 0; i < 4; i++) {
            EXPECT_TRUE(driver_transfer(&driver, 0, 0, 0, GUEST_DATA, 8, NULL));
            EXPECT_EQ(rng.virtio.interrupts, i >= 2);
            EXPECT_EQ(rng.virtio.notified, i + 1);
        }
        EXPECT_EQ(ring_avail_event(&driver.ring[0]), 4);
    }
}

TEST(device_puts_off_what_is_too_much)
{
    ON_EVERY_BUS
    {
        fresh(bus);
        driver_set_status(&driver, 3);
        driver_set_features(&driver, VERSION_1 | INDIRECT);
        driver_set_status(&driver, 11);
        struct ring ring = ring_at(0, 64);
        driver_set_queue(&driver, 0, &ring);
        driver_set_status(&driver, 15);
        /* 64 chains that cost 33 each. */
        ring_desc(&ring, 0, GUEST_DATA, 0x20000, RING_WRITE, 0);
        for (int i = 0; i < 64; i++)
            ring_offer(&ring, 0);
        driver_notify(&driver, 0);
        EXPECT_EQ(ring_used_index(&ring), 16);
        EXPECT_EQ(driver.defers, 1U);
        EXPECT_EQ(ring_flags(&ring), 1); /* no need to notify */
        for (int i = 0; i < 3; i++)
            virtio_poll(&rng.virtio);
        EXPECT_EQ(ring_used_index(&ring), 64);
        EXPECT_EQ(rng.virtio.chains, 64U);
        EXPECT_EQ(ring_flags(&ring), 0);
        uint32_t defers = driver.defers;
        virtio_poll(&rng.virtio);
        EXPECT_EQ(driver.defers, defers);
        for (int i = 0; i < 64; i++)
            ring_offer(&ring, 0);
        driver_notify(&driver, 0);
        driver_set_status(&driver, 0); /* with work put off */
        uint64_t before = guest_memory_sum();
        virtio_poll(&rng.virtio);
        EXPECT_EQ(guest_memory_sum(), before);
    }
}

TEST(device_notifications_that_mean_nothing)
{
    ON_EVERY_BUS
    {
        ready(bus, 0);
        uint64_t before = rng.virtio.notified;
        driver_notify(&driver, 1);
        driver_notify(&driver, 0xffff);
        virtio_notify(&rng.virtio, UINT32_MAX);
        EXPECT_EQ(driver_status(&driver), 15);
        /* The transport of PCI tells the queue by the place, which is queue 0's here. */
        EXPECT_TRUE(rng.virtio.notified - before <= 2);
    }
}

TEST(rng_fills)
{
    uint32_t used;
    ON_EVERY_BUS
    {
        ready(bus, 0);
        EXPECT_TRUE(driver_transfer(&driver, 0, 0, 0, GUEST_DATA, 33, &used));
        EXPECT_EQ(used, 33U);
        const uint8_t *data = guest_at(GUEST_DATA);
        for (int i = 0; i < 33; i++)
            EXPECT_EQ(data[i], 0x5a);
        EXPECT_EQ(data[33], 0);
        EXPECT_TRUE(driver_transfer(&driver, 0, 0, 0, GUEST_DATA, 3 * VIRTIO_RNG_MAX, &used));
        EXPECT_EQ(used, (uint32_t)VIRTIO_RNG_MAX);
        supply = 5;
        EXPECT_TRUE(driver_transfer(&driver, 0, 0, 0, GUEST_DATA, 33, &used));
        EXPECT_EQ(used, 5U);
        EXPECT_EQ(rng.bytes, 33U + VIRTIO_RNG_MAX + 5);
    }
}

TEST(rng_fills_across_pieces)
{
    uint32_t used;
    uint64_t border = GUEST_START + GUEST_PIECE + GUEST_PIECE;
    ready(BUS_MMIO, 0);
    EXPECT_TRUE(driver_transfer(&driver, 0, 0, 0, border - 10, 30, &used));
    EXPECT_EQ(used, 30U);
    EXPECT_EQ(*(uint8_t *)guest_at(border + 19), 0x5a);
}

TEST(device_fields_that_are_none)
{
    fresh(BUS_MSIX);
    driver_set_status(&driver, 3);
    driver_set_features(&driver, VERSION_1);
    driver_set_status(&driver, 11);
    (void)driver_queue_max(&driver, 0);
    for (uint32_t offset = 56; offset < 0x100; offset += 4)
        driver_write(&driver, driver.common + offset, 4, 0xffffffff);
    const struct queue *queue = &rng.virtio.queue[0];
    EXPECT_EQ(queue->descriptors | queue->driver | queue->device, 0U);
}

TEST(rng_wants_room_only)
{
    ON_EVERY_BUS
    {
        ready(bus, 0);
        EXPECT_FALSE(driver_transfer(&driver, 0, GUEST_DATA, 8, GUEST_DATA + 64, 8, NULL));
        EXPECT_EQ(driver_status(&driver), 15 | 64);
        EXPECT_EQ(*(uint8_t *)guest_at(GUEST_DATA + 64), 0);
    }
}

TEST(mmio_registers)
{
    static const uint32_t zeros[] = {0x0c0, 0x0ac, 0x100, 0x1fc, 0x50, 0x38, 0xffc};
    fresh(BUS_MMIO);
    for (size_t i = 0; i < COUNT(zeros); i++)
        EXPECT_EQ(driver_read(&driver, DRIVER_MMIO_BASE + zeros[i], 4), 0U);
    for (uint32_t at = 0xb0; at <= 0xbc; at += 4)
        EXPECT_EQ(driver_read(&driver, DRIVER_MMIO_BASE + at, 4), 0xffffffffU);
    EXPECT_EQ(driver_read(&driver, DRIVER_MMIO_BASE, 2), 0U); /* only words */
    EXPECT_EQ(driver_read(&driver, DRIVER_MMIO_BASE + 2, 4), 0U);
    driver_write(&driver, DRIVER_MMIO_BASE + 0x70, 1, 3);
    EXPECT_EQ(driver_status(&driver), 0);
    driver_write(&driver, DRIVER_MMIO_BASE, 4, 0);
    EXPECT_EQ(driver_read(&driver, DRIVER_MMIO_BASE, 4), 0x74726976U);
}

TEST(mmio_queue_size_is_not_cut)
{
    fresh(BUS_MMIO);
    driver_set_status(&driver, 3);
    driver_set_features(&driver, VERSION_1);
    driver_set_status(&driver, 11);
    struct ring ring = ring_at(0, 8);
    (void)driver_queue_max(&driver, 0);
    driver_set_queue(&driver, 0, &ring);
    EXPECT_EQ(driver_status(&driver), 11);
    driver_write(&driver, DRIVER_MMIO_BASE + 0x44, 4, 0);
    EXPECT_EQ(driver_read(&driver, DRIVER_MMIO_BASE + 0x44, 4), 0U);
    driver_write(&driver, DRIVER_MMIO_BASE + 0x38, 4, 0x10008);
    driver_write(&driver, DRIVER_MMIO_BASE + 0x44, 4, 1);
    EXPECT_EQ(driver_status(&driver), 11 | 64);
}

TEST(mmio_queue_stops_and_starts)
{
    uint32_t used;
    ready(BUS_MMIO, EVENT_IDX);
    EXPECT_TRUE(driver_transfer(&driver, 0, 0, 0, GUEST_DATA, 8, &used));
    driver_write(&driver, DRIVER_MMIO_BASE + 0x30, 4, 0);
    driver_write(&driver, DRIVER_MMIO_BASE + 0x44, 4, 0);
    driver_notify(&driver, 0);
    guest_memory_make();
    struct ring ring = ring_at(0, 8);
    driver_set_queue(&driver, 0, &ring);
    EXPECT_TRUE(driver_transfer(&driver, 0, 0, 0, GUEST_DATA, 8, &used));
    EXPECT_EQ(ring_avail_event(&driver.ring[0]), 1); /* features are still those that were agreed */
}

TEST(mmio_interrupt_status)
{
    ready(BUS_MMIO, 0);
    EXPECT_TRUE(driver_transfer(&driver, 0, 0, 0, GUEST_DATA, 8, NULL));
    virtio_config_changed(&rng.virtio);
    EXPECT_TRUE(driver.line);
    driver_write(&driver, DRIVER_MMIO_BASE + 0x64, 4, 1);
    EXPECT_TRUE(driver.line);
    EXPECT_EQ(driver_interrupt(&driver), 2U);
    EXPECT_FALSE(driver.line);
    EXPECT_EQ(driver.edges, 2U);
}
