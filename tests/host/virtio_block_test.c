/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of mgmt/virtio/virtio_block.c and block_image.c: requests of every kind over every transport, the
 * edges of the disk, copies on write, and the end of memory for them.
 */
#include "mgmt/virtio/block_image.h"

#include "tests/host/test.h"
#include "tests/host/virtio_driver.h"

enum {
    IN = 0,
    OUT = 1,
    FLUSH = 4,
    GET_ID = 8,
    HEADER = GUEST_DATA,
    STATUS = GUEST_DATA + 64,
    DATA = GUEST_DATA + 512
};
enum { SECTORS = 40, IMAGE = SECTORS * 512 - 100 }; /* the last sector is not whole */

#define VERSION_1 (1ULL << 32)
#define RO        (1ULL << 5)

static struct driver driver;
static struct virtio_block block;
static struct block_image image;
static uint8_t content[IMAGE];
static uint32_t pages, pages_max;

static void *page_alloc(void *ctx)
{
    EXPECT_TRUE(ctx == &pages);
    if (pages == pages_max)
        return NULL;
    void *page = malloc(BLOCK_IMAGE_PAGE);
    memset(page, 0xee, BLOCK_IMAGE_PAGE);
    pages += page != NULL;
    return page;
}

static void page_free(void *ctx, void *page)
{
    EXPECT_TRUE(ctx == &pages && pages > 0);
    pages--;
    free(page);
}

static uint8_t byte_at(uint64_t offset)
{
    return offset < IMAGE ? (uint8_t)(offset * 7 + offset / 256) : 0;
}

static void fresh(enum driver_bus bus, bool cow)
{
    test_row("%s", bus_name[bus]);
    guest_memory_make();
    block_image_free(&image);
    for (uint64_t i = 0; i < IMAGE; i++)
        content[i] = byte_at(i);
    pages_max = 1000;
    image =
        (struct block_image){.image = content, .image_size = IMAGE, .page_free = page_free, .ctx = &pages};
    image.page_alloc = cow ? page_alloc : NULL;
    block.backend = block_image_backend(&image);
    memcpy(block.id, "disk-of-the-test", 17);
    virtio_block_init(&block, &guest_memory);
    EXPECT_TRUE(driver_attach(&driver, &block.virtio, bus));
    EXPECT_TRUE(driver_start(&driver, VERSION_1 | (driver_features(&driver) & 0xffffff)));
}

/* A request with `length` bytes of data at DATA. The status, or 0xff: not answered. */
static uint8_t request(uint32_t type, uint64_t sector, uint32_t length, uint32_t *used)
{
    struct ring *ring = &driver.ring[0];
    uint32_t head, got = 0;
    bool read = type != OUT;
    uint8_t *header = guest_at(HEADER), *status = guest_at(STATUS);
    memcpy(header, &type, 4);
    memset(header + 4, 0, 4);
    memcpy(header + 8, &sector, 8);
    *status = 0xff;
    ring_desc(ring, 0, HEADER, 16, RING_NEXT, length ? 1 : 2);
    ring_desc(ring, 1, DATA, length, read ? RING_NEXT | RING_WRITE : RING_NEXT, 2);
    ring_desc(ring, 2, STATUS, 1, RING_WRITE, 0);
    ring_offer(ring, 0);
    driver_notify(&driver, 0);
    if (!ring_take(ring, &head, &got) || head != 0)
        return 0xff;
    if (used)
        *used = got;
    return *status;
}

static bool data_is(uint64_t offset, uint32_t length)
{
    const uint8_t *data = guest_at(DATA);
    for (uint32_t i = 0; i < length; i++)
        if (data[i] != byte_at(offset + i))
            return false;
    return true;
}

#define ON_EVERY_BUS for (enum driver_bus bus = 0; bus < BUSES; bus++)

TEST(block_configuration)
{
    ON_EVERY_BUS
    {
        fresh(bus, true);
        EXPECT_EQ(driver_config(&driver, 0, 4), (uint32_t)SECTORS);
        EXPECT_EQ(driver_config(&driver, 4, 4), 0U);
        EXPECT_EQ(driver_config(&driver, 12, 4), 126U);
        EXPECT_EQ(driver_config(&driver, 20, 4), 512U);
        EXPECT_EQ(driver_config(&driver, 24, 4), 0U); /* behind the end */
        EXPECT_EQ(driver_features(&driver) & RO, 0U);
        driver_write(&driver, driver.config, 4, 1); /* read-only */
        EXPECT_EQ(driver_config(&driver, 0, 4), (uint32_t)SECTORS);
        fresh(bus, false);
        EXPECT_EQ(driver_features(&driver) & RO, RO);
    }
}

TEST(block_reads)
{
    uint32_t used;
    ON_EVERY_BUS
    {
        fresh(bus, false);
        EXPECT_EQ(request(IN, 0, 512, &used), 0);
        EXPECT_EQ(used, 513U);
        EXPECT_TRUE(data_is(0, 512));
        EXPECT_EQ(request(IN, 3, 4096, &used), 0); /* across a page of the image */
        EXPECT_EQ(used, 4097U);
        EXPECT_TRUE(data_is(3 * 512, 4096));
        memset(guest_at(DATA), 1, 512);
        EXPECT_EQ(request(IN, SECTORS - 1, 512, NULL), 0); /* zeros behind the image */
        EXPECT_TRUE(data_is((SECTORS - 1) * 512, 512));
        EXPECT_EQ(request(IN, 0, SECTORS * 512, NULL), 0);
        EXPECT_TRUE(data_is(0, SECTORS * 512));
        EXPECT_EQ(block.reads, 4U);
        EXPECT_EQ(block.errors, 0U);
    }
}

TEST(block_read_across_pieces_of_memory)
{
    uint8_t got[1024];
    uint64_t border = GUEST_START + GUEST_PIECE;
    fresh(BUS_MMIO, false);
    struct ring *ring = &driver.ring[0];
    uint32_t zero = 0, head, used;
    memcpy(guest_at(HEADER), &zero, 4);
    ring_desc(ring, 0, HEADER, 8, RING_NEXT,
              1); /* a header in two parts, data in three, status with the data */
    ring_desc(ring, 1, HEADER + 8, 8, RING_NEXT, 2);
    ring_desc(ring, 2, border - 700, 1000, RING_NEXT | RING_WRITE, 3);
    ring_desc(ring, 3, border + 1000, 25, RING_WRITE, 0);
    memset(guest_at(border + 1000), 0xff, 26);
    ring_offer(ring, 0);
    driver_notify(&driver, 0);
    ASSERT_TRUE(ring_take(ring, &head, &used));
    EXPECT_EQ(used, 1025U);
    EXPECT_TRUE(guest_memory_read(&guest_memory, border - 700, got, 1000));
    EXPECT_TRUE(guest_memory_read(&guest_memory, border + 1000, got + 1000, 24));
    for (uint32_t i = 0; i < 1024; i++)
        EXPECT_EQ(got[i], byte_at(i));
    EXPECT_MEMEQ(guest_at(border + 1024), "\0\xff", 2);
}

TEST(block_outside)
{
    static const struct {
        uint64_t sector;
        uint32_t length;
    } rows[] = {{SECTORS, 512},     {SECTORS - 1, 1024},      {UINT64_MAX, 512}, {1ULL << 55, 512},
                {1, SECTORS * 512}, {0, (SECTORS + 1) * 512}, {0, 511},          {0, 1},
                {0, 513},           {1ULL << 63, 512}};
    uint32_t used;
    ON_EVERY_BUS
    for (uint32_t type = IN; type <= OUT; type++)
        for (size_t i = 0; i < COUNT(rows); i++) {
            fresh(bus, true);
            test_row("%s, type %u, row %zu", bus_name[bus], type, i);
            memset(guest_at(DATA), 0x3c, 512);
            EXPECT_EQ(request(type, rows[i].sector, rows[i].length, &used), 1);
            EXPECT_EQ(used, type == IN ? 0U : 1U);
            EXPECT_EQ(*(uint8_t *)guest_at(DATA), 0x3c);
            EXPECT_EQ(pages, 0U);
            EXPECT_EQ(block.errors, 1U);
            EXPECT_EQ(driver_status(&driver), 15);
        }
}

TEST(block_empty_requests_at_the_end)
{
    fresh(BUS_MMIO, true);
    EXPECT_EQ(request(IN, SECTORS, 0, NULL), 0); /* nothing, inside */
    EXPECT_EQ(request(IN, SECTORS + 1, 0, NULL), 1);
}

TEST(block_larger_than_allowed)
{
    /* All of the guest memory, again and again: 42 times are 126 segments of 64 KiB, the most allowed. */
    for (uint16_t times = 42; times <= 43; times++) {
        fresh(BUS_MMIO, true);
        pages_max = 5000;
        block.backend.size = 1ULL << 40;
        struct ring ring = ring_at(0, 64);
        driver_set_status(&driver, 0);
        driver_set_status(&driver, 3);
        driver_set_features(&driver, VERSION_1);
        driver_set_status(&driver, 11);
        driver_set_queue(&driver, 0, &ring);
        driver_set_status(&driver, 15);
        uint32_t out = OUT, head, used;
        memcpy(guest_at(HEADER), &out, 4);
        ring_desc(&ring, 0, HEADER, 16, RING_NEXT, 1);
        for (uint16_t i = 1; i <= times; i++)
            ring_desc(&ring, i, GUEST_START, GUEST_END - GUEST_START, RING_NEXT, (uint16_t)(i + 1));
        ring_desc(&ring, times + 1, STATUS, 1, RING_WRITE, 0);
        ring_offer(&ring, 0);
        driver_notify(&driver, 0);
        ASSERT_TRUE(ring_take(&ring, &head, &used));
        EXPECT_EQ(*(uint8_t *)guest_at(STATUS), times == 42 ? 0 : 1);
        EXPECT_EQ(image.own_pages, times == 42 ? 2016U : 0U);
    }
    block_image_free(&image);
}

TEST(block_read_only)
{
    uint32_t used;
    ON_EVERY_BUS
    {
        fresh(bus, false);
        memset(guest_at(DATA), 0x99, 512);
        EXPECT_EQ(request(OUT, 0, 512, &used), 1);
        EXPECT_EQ(used, 1U);
        EXPECT_EQ(content[0], byte_at(0));
        EXPECT_EQ(request(FLUSH, 0, 0, NULL), 0);
    }
}

TEST(block_copy_on_write)
{
    ON_EVERY_BUS
    {
        fresh(bus, true);
        memset(guest_at(DATA), 0x99, 1024);
        EXPECT_EQ(request(OUT, 7, 1024, NULL), 0); /* the last of one page and the first of the next */
        EXPECT_EQ(image.own_pages, 2U);
        EXPECT_EQ(pages, 5U); /* and three levels of tables */
        for (uint64_t i = 0; i < IMAGE; i++)
            if (content[i] != byte_at(i))
                EXPECT_EQ(i, (uint64_t)IMAGE);
        EXPECT_EQ(request(IN, 6, 2048, NULL), 0);
        const uint8_t *data = guest_at(DATA);
        for (uint32_t i = 0; i < 2048; i++)
            EXPECT_EQ(data[i], i < 512 || i >= 1536 ? byte_at(6 * 512 + i) : 0x99);
        memset(guest_at(DATA), 0x77, 512);
        EXPECT_EQ(request(OUT, 8, 512, NULL), 0);
        EXPECT_EQ(image.own_pages, 2U);
        EXPECT_EQ(request(OUT, SECTORS - 1, 512, NULL), 0); /* behind the end of the image */
        EXPECT_EQ(request(IN, SECTORS - 1, 512, NULL), 0);
        EXPECT_EQ(data[511], 0x77);
        driver_set_status(&driver, 0); /* what is written survives a reset of the device */
        EXPECT_TRUE(driver_start(&driver, VERSION_1));
        EXPECT_EQ(request(IN, 8, 512, NULL), 0);
        EXPECT_EQ(data[0], 0x77);
        block_image_free(&image);
        EXPECT_EQ(pages, 0U);
        EXPECT_EQ(request(IN, 8, 512, NULL), 0);
        EXPECT_TRUE(data_is(8 * 512, 512));
    }
}

TEST(block_no_memory_for_copies)
{
    for (pages_max = 0; pages_max < 5; pages_max++) {
        uint32_t limit = pages_max;
        fresh(BUS_MMIO, true);
        pages_max = limit;
        memset(guest_at(DATA), 0x99, 1024);
        EXPECT_EQ(request(OUT, 7, 1024, NULL), 1);
        EXPECT_EQ(driver_status(&driver), 15);
        EXPECT_EQ(request(IN, 9, 512, NULL), 0);
        EXPECT_TRUE(data_is(9 * 512, 512));
        pages_max = 1000; /* there is again */
        memset(guest_at(DATA), 0x99, 1024);
        EXPECT_EQ(request(OUT, 7, 1024, NULL), 0);
        EXPECT_EQ(pages, 5U);
        pages_max = limit;
    }
}

TEST(block_empty_disk)
{
    fresh(BUS_MSIX, true);
    block_image_free(&image);
    image = (struct block_image){
        .size = 1ULL << 38, .page_alloc = page_alloc, .page_free = page_free, .ctx = &pages};
    block.backend = block_image_backend(&image);
    virtio_block_init(&block, &guest_memory);
    EXPECT_TRUE(driver_attach(&driver, &block.virtio, BUS_MSIX));
    EXPECT_TRUE(driver_start(&driver, VERSION_1));
    EXPECT_EQ(driver_config(&driver, 0, 4), 1U << 29);
    memset(guest_at(DATA), 0x44, 512);
    EXPECT_EQ(request(OUT, (1U << 29) - 1, 512, NULL), 0);
    EXPECT_EQ(request(IN, (1U << 29) - 2, 1024, NULL), 0);
    const uint8_t *data = guest_at(DATA);
    EXPECT_EQ(data[0] | data[511], 0);
    EXPECT_EQ(data[512], 0x44);
    EXPECT_EQ(request(IN, 0, 512, NULL), 0);
    EXPECT_EQ(data[0], 0);
    block_image_free(&image);
    EXPECT_EQ(pages, 0U);
}

TEST(block_flush_and_id)
{
    uint32_t used;
    ON_EVERY_BUS
    {
        fresh(bus, true);
        EXPECT_EQ(request(FLUSH, 0, 0, &used), 0);
        EXPECT_EQ(used, 1U);
        EXPECT_EQ(block.flushes, 1U);
        EXPECT_EQ(request(GET_ID, 0, 20, &used), 0);
        EXPECT_EQ(used, 21U);
        EXPECT_STREQ(guest_at(DATA), "disk-of-the-test");
        EXPECT_EQ(request(GET_ID, 0, 19, NULL), 1);
        EXPECT_EQ(request(GET_ID, 0, 0, NULL), 1);
    }
}

TEST(block_unknown_types)
{
    static const uint32_t types[] = {2, 3, 5, 9, 11, 13, 0x80000000, 0xffffffff};
    fresh(BUS_MMIO, true);
    for (size_t i = 0; i < COUNT(types); i++)
        EXPECT_EQ(request(types[i], 0, 512, NULL), 2);
    EXPECT_EQ(driver_status(&driver), 15);
}

static bool fails(void *ctx, uint64_t offset, void *to, uint64_t bytes)
{
    (void)ctx;
    (void)to;
    return offset + bytes <= 512;
}

static bool no_flush(void *ctx)
{
    (void)ctx;
    return false;
}

TEST(block_backend_fails)
{
    fresh(BUS_MMIO, true);
    block.backend.read = fails;
    block.backend.flush = no_flush;
    EXPECT_EQ(request(IN, 0, 512, NULL), 0);
    EXPECT_EQ(request(IN, 0, 1024, NULL), 1);
    EXPECT_EQ(request(FLUSH, 0, 0, NULL), 1);
    EXPECT_EQ(block.errors, 2U);
}

TEST(block_bad_chains)
{
    ON_EVERY_BUS
    for (int what = 0; what < 4; what++) {
        fresh(bus, true);
        test_row("%s, %d", bus_name[bus], what);
        struct ring *ring = &driver.ring[0];
        ring_desc(ring, 0, HEADER, what == 1 ? 15 : 16, what == 0 ? 0 : RING_NEXT, 1);
        ring_desc(ring, 1, STATUS, 1, what == 2 ? 0 : RING_WRITE, 0);
        if (what == 3)
            ring_desc(ring, 0, HEADER, 16, RING_WRITE, 0);
        ring_offer(ring, 0);
        ring_offer(ring, 0); /* what waits behind a bad one is left alone */
        ring_set_flags(ring, 0);
        *(uint8_t *)guest_at(ring->used) = 1; /* as the device will leave it */
        uint64_t before = guest_memory_sum();
        driver_notify(&driver, 0);
        EXPECT_EQ(driver_status(&driver), 15 | 64);
        EXPECT_EQ(guest_memory_sum(), before);
        EXPECT_EQ(block.virtio.broken, 1U);
        EXPECT_EQ(pages, 0U);
        EXPECT_TRUE(driver_start(&driver, VERSION_1));
        EXPECT_EQ(request(IN, 0, 512, NULL), 0);
    }
}
