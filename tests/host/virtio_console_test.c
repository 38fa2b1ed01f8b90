/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of mgmt/virtio/virtio_console.c over every transport.
 */
#include "mgmt/virtio/virtio_console.h"

#include "tests/host/test.h"
#include "tests/host/virtio_driver.h"

#define VERSION_1 (1ULL << 32)
#define EVENT_IDX (1ULL << 29)

static struct driver driver;
static struct virtio_console console;
static char out[4096];
static size_t out_length;
static unsigned readies;

static void put(void *ctx, const uint8_t *bytes, uint64_t length)
{
    EXPECT_TRUE(ctx == &console);
    for (uint64_t i = 0; i < length; i++)
        out[out_length++ % sizeof(out)] = (char)bytes[i];
}

static void on_ready(void *ctx)
{
    EXPECT_TRUE(ctx == &console);
    readies++;
}

static void fresh(enum driver_bus bus, uint64_t features)
{
    test_row("%s", bus_name[bus]);
    guest_memory_make();
    out_length = readies = 0;
    console.put = put;
    console.ready = on_ready;
    console.ctx = &console;
    virtio_console_init(&console, &guest_memory);
    EXPECT_TRUE(driver_attach(&driver, &console.virtio, bus));
    EXPECT_TRUE(driver_start(&driver, VERSION_1 | features));
}

static void offer_buffer(uint16_t index, uint32_t length, uint16_t flags)
{
    ring_desc(&driver.ring[0], index, GUEST_DATA + 256U * index, length, flags, 0);
    ring_offer(&driver.ring[0], index);
}

static uint32_t type(const char *text)
{
    return virtio_console_receive(&console, (const uint8_t *)text, (uint32_t)strlen(text));
}

#define ON_EVERY_BUS for (enum driver_bus bus = 0; bus < BUSES; bus++)

TEST(console_sends)
{
    uint32_t used;
    ON_EVERY_BUS
    {
        fresh(bus, 0);
        memcpy(guest_at(GUEST_DATA), "hello, world", 12);
        EXPECT_TRUE(driver_transfer(&driver, 1, GUEST_DATA, 12, 0, 0, &used));
        EXPECT_EQ(used, 0U);
        EXPECT_EQ(out_length, 12U);
        EXPECT_MEMEQ(out, "hello, world", 12);
        EXPECT_EQ(console.sent, 12U);
    }
}

TEST(console_sends_across_pieces)
{
    uint64_t border = GUEST_START + 2 * GUEST_PIECE;
    ON_EVERY_BUS
    {
        fresh(bus, 0);
        EXPECT_TRUE(guest_memory_write(&guest_memory, border - 3, "abcdefgh", 8));
        EXPECT_TRUE(driver_transfer(&driver, 1, border - 3, 8, 0, 0, NULL));
        EXPECT_EQ(out_length, 8U);
        EXPECT_MEMEQ(out, "abcdefgh", 8);
    }
}

TEST(console_receives)
{
    uint32_t head, length;
    ON_EVERY_BUS
    {
        fresh(bus, 0);
        EXPECT_EQ(type("lost"), 0U); /* no buffer: it is told so */
        offer_buffer(0, 4, RING_WRITE);
        offer_buffer(1, 100, RING_WRITE);
        unsigned before = readies;
        driver_notify(&driver, 0);
        EXPECT_EQ(readies, before + 1);
        EXPECT_EQ(type("abcdef"), 6U);
        EXPECT_EQ(console.virtio.interrupts, 1U);
        ASSERT_TRUE(ring_take(&driver.ring[0], &head, &length));
        EXPECT_EQ(head, 0U);
        EXPECT_EQ(length, 4U);
        EXPECT_MEMEQ(guest_at(GUEST_DATA), "abcd", 4);
        ASSERT_TRUE(ring_take(&driver.ring[0], &head, &length));
        EXPECT_EQ(head, 1U);
        EXPECT_EQ(length, 2U);
        EXPECT_MEMEQ(guest_at(GUEST_DATA + 256), "ef", 3);
        EXPECT_EQ(type("x"), 0U);
        EXPECT_EQ(console.received, 6U);
    }
}

TEST(console_takes_what_fits)
{
    ON_EVERY_BUS
    {
        fresh(bus, EVENT_IDX);
        offer_buffer(0, 3, RING_WRITE);
        EXPECT_EQ(type("abcdef"), 3U);
        EXPECT_EQ(ring_avail_event(&driver.ring[0]), 1); /* asks for the next one */
        driver_set_status(&driver, 0);
        EXPECT_EQ(type("abc"), 0U);
    }
}

TEST(console_configuration)
{
    ON_EVERY_BUS
    {
        fresh(bus, 5);
        EXPECT_EQ(driver_config(&driver, 0, 4), 80U | 25U << 16);
        EXPECT_EQ(driver_config(&driver, 4, 4), 1U);
        EXPECT_EQ(driver_features(&driver) & 7, 5U); /* size and emergency write, no second port */
        uint8_t generation = driver_generation(&driver);
        virtio_console_resize(&console, 132, 43);
        EXPECT_NE(driver_generation(&driver), generation);
        EXPECT_EQ(driver_config(&driver, 0, 2), 132U);
        EXPECT_EQ(driver_config(&driver, 2, 2), 43U);
        EXPECT_EQ(console.virtio.interrupts, 1U);
        EXPECT_EQ(driver_interrupt(&driver), bus == BUS_MSIX ? 0U : 2U);
    }
}

TEST(console_emergency_write)
{
    ON_EVERY_BUS
    {
        fresh(bus, 0);
        driver_set_status(&driver, 0);
        driver_write(&driver, driver.config + 8, 4, '!');
        driver_write(&driver, driver.config, 4, '?'); /* another field */
        driver_write(&driver, driver.config + 12, 4, '?');
        EXPECT_EQ(out_length, 1U);
        EXPECT_EQ(out[0], '!');
    }
}

TEST(console_wrong_direction)
{
    ON_EVERY_BUS
    {
        fresh(bus, 0);
        EXPECT_FALSE(driver_transfer(&driver, 1, 0, 0, GUEST_DATA, 8, NULL)); /* nothing to send, but room */
        EXPECT_EQ(driver_status(&driver), 15 | 64);
        EXPECT_EQ(out_length, 0U);
        fresh(bus, 0);
        offer_buffer(0, 8, 0);
        memset(guest_at(GUEST_DATA), 7, 8);
        EXPECT_EQ(type("abc"), 0U);
        EXPECT_EQ(driver_status(&driver), 15 | 64);
        EXPECT_EQ(*(uint8_t *)guest_at(GUEST_DATA), 7);
    }
}

TEST(console_too_much_at_once)
{
    fresh(BUS_MMIO, 0);
    struct ring *ring = &driver.ring[1];
    for (uint16_t i = 0; i < 8; i++)
        ring_desc(ring, i, GUEST_START, GUEST_END - GUEST_START, i < 7 ? RING_NEXT : 0, (uint16_t)(i + 1));
    ring_offer(ring, 0);
    driver_notify(&driver, 1);
    EXPECT_EQ(driver_status(&driver), 15 | 64);
    EXPECT_EQ(out_length, 0U);
}
