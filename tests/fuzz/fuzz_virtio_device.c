/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: a guest against virtio devices over every transport. The first byte chooses device and
 * transport and whether a driver has started it; then steps of eight bytes: register and configuration space
 * accesses of any width, words in memory, what comes from the other side. The interrupt line is told in
 * turns, a device that needs a reset touches nothing, the disk's image is never written, and a reset always
 * gives a device that can be started.
 */
#include "mgmt/virtio/block_image.h"
#include "mgmt/virtio/virtio_console.h"
#include "mgmt/virtio/virtio_net.h"
#include "mgmt/virtio/virtio_rng.h"
#include "tests/host/virtio_driver.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { IMAGE = 8192, PAGES_MAX = 40 };

static struct driver driver;
static struct virtio_rng rng;
static struct virtio_console console;
static struct virtio_block block;
static struct block_image image;
static struct virtio_net net;
static struct net_switch net_switch;
static struct net_port other;
static uint8_t content[IMAGE];
static uint32_t pages;

static uint64_t fill(void *ctx, void *to, uint64_t bytes)
{
    assert(!ctx && bytes > 0 && bytes <= VIRTIO_RNG_MAX);
    memset(to, 0xa5, bytes);
    return bytes;
}

static void put(void *ctx, const uint8_t *bytes, uint64_t length)
{
    static volatile uint8_t sum;
    assert(!ctx && length > 0);
    for (uint64_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + bytes[i]);
}

static void *page_alloc(void *ctx)
{
    assert(!ctx);
    if (pages == PAGES_MAX)
        return NULL;
    pages++;
    return malloc(BLOCK_IMAGE_PAGE);
}

static void page_free(void *ctx, void *page)
{
    assert(!ctx && page && pages > 0);
    pages--;
    free(page);
}

static bool deliver(void *ctx, const struct net_frame *frame)
{
    static uint8_t made[NET_FRAME_MAX];
    uint32_t bytes = 0, count = net_offload_count(frame);
    assert(!ctx && frame->length >= NET_FRAME_MIN && frame->length <= NET_BIG_MAX);
    assert(frame->gso != NET_GSO_NONE || frame->length <= NET_FRAME_MAX);
    for (uint32_t n = 0; n < count; n++) {
        uint32_t length = net_offload_make(frame, n, made);
        assert(length <= NET_FRAME_MAX);
        bytes += frame->gso == NET_GSO_NONE ? length : length - frame->header;
    }
    assert(bytes == frame->length - (frame->gso == NET_GSO_NONE ? 0U : frame->header));
    return frame->bytes[0] & 1;
}

static struct virtio *make(uint8_t which)
{
    static const uint8_t mac[] = {2, 0, 0, 0, 0, 1};
    switch (which) {
    case 0:
        rng.fill = fill;
        virtio_rng_init(&rng, &guest_memory);
        return &rng.virtio;
    case 1:
        console.put = put;
        virtio_console_init(&console, &guest_memory);
        return &console.virtio;
    case 2:
        image = (struct block_image){content, IMAGE - 100, 1 << 20, page_alloc, page_free, NULL, NULL, 0};
        block.backend = block_image_backend(&image);
        virtio_block_init(&block, &guest_memory);
        return &block.virtio;
    default:
        net_switch_init(&net_switch);
        other = (struct net_port){.deliver = deliver};
        (void)net_switch_attach(&net_switch, &other);
        assert(virtio_net_init(&net, mac, &net_switch, &guest_memory));
        return &net.virtio;
    }
}

/* To and from some address; mostly a large piece of TCP when it is too long for a frame. */
static void make_frame(const uint8_t *bytes, uint8_t *to, struct net_frame *frame)
{
    static const uint8_t ip[] = {8, 0, 0x45, 0, 0, 0, 0, 0, 0, 0, 64, 6};
    const uint8_t ends[12] = {2, 0, 0, 0, 0, bytes[1], 2, 0, 0, 0, bytes[2], bytes[3]};
    memcpy(to, ends, sizeof(ends));
    memcpy(to + 12, ip, sizeof(ip));
    to[16] = (uint8_t)((frame->length - 14) >> 8);
    to[17] = (uint8_t)(frame->length - 14);
    to[46] = (uint8_t)(bytes[6] << 4 | 0x50);
    frame->partial = frame->length > NET_FRAME_MAX || bytes[6] & 0x10;
    frame->csum_start = 34;
    frame->csum_offset = (bytes[6] & 0x20) != 0 ? 6 : 16;
    frame->gso = frame->length > NET_FRAME_MAX ? NET_GSO_TCP4 : NET_GSO_NONE;
    frame->gso_size = (uint16_t)(bytes[7] * 8);
}

static void other_side(const uint8_t *bytes, struct virtio *virtio)
{
    static uint8_t start[NET_BIG_MAX];
    struct net_frame frame = {.bytes = start, .length = (uint32_t)(bytes[4] | bytes[5] << 8)};
    if (virtio == &console.virtio) {
        uint32_t length = bytes[1] % 8;
        assert(virtio_console_receive(&console, bytes, length) <= length);
    } else if (virtio == &net.virtio) {
        make_frame(bytes, start, &frame);
        net_switch_send(&net_switch, &other, &frame);
    }
    if (bytes[1] & 0x80)
        virtio_config_changed(virtio);
    virtio_poll(virtio);
}

/* The place of an access: mostly where there are registers. */
static uint64_t place(const uint8_t *bytes)
{
    uint64_t offset = bytes[1] | (uint64_t)(bytes[2] & 0x0f) << 8;
    if (driver.bus == BUS_MMIO)
        return DRIVER_MMIO_BASE + offset;
    return DRIVER_PCI_BASE + ((uint64_t)(bytes[2] >> 4) % 5 << 12) +
           (bytes[2] & 8 ? offset : bytes[1] & 0x7f);
}

static void step(const uint8_t *bytes, struct virtio *virtio)
{
    uint8_t width = (uint8_t)(1U << (bytes[3] & 3));
    uint32_t value;
    memcpy(&value, bytes + 4, sizeof(value));
    switch (bytes[0] % 8) {
    case 0:
    case 1:
        access_write(&driver.table, HV_CLAIM_MMIO, place(bytes), width, value);
        break;
    case 2:
        (void)access_read(&driver.table, HV_CLAIM_MMIO, place(bytes), width);
        break;
    case 3:
        if (driver.bus != BUS_MMIO && width < 8)
            driver_pci_write(&driver, bytes[1] & (uint8_t) ~(width - 1), width, value);
        break;
    case 4:
        if (driver.bus != BUS_MMIO && width < 8)
            (void)driver_pci_read(&driver, bytes[1] & (uint8_t) ~(width - 1), width);
        break;
    case 5: /* the rings, and what they lead to */
        memcpy(guest_at(GUEST_START + ((bytes[1] | (uint64_t)bytes[2] << 8) & 0xfffc)), &value, 4);
        break;
    case 6:
        driver_notify(&driver, bytes[1] & 1);
        break;
    default:
        other_side(bytes, virtio);
        break;
    }
}

static void check(const struct virtio *virtio)
{
    assert((virtio->status & ~0xcf) == 0);
    for (uint16_t i = 0; i < virtio->type->queues; i++) {
        const struct queue *queue = &virtio->queue[i];
        assert(!queue->enabled || (queue->size > 0 && queue->size <= virtio->type->queue_size) ||
               virtio->status & VIRTIO_DEVICE_NEEDS_RESET);
        assert(!queue->broken || virtio->status & VIRTIO_DEVICE_NEEDS_RESET);
    }
    if (driver.bus == BUS_MMIO) {
        assert(driver.line == (driver.mmio.interrupt_status != 0));
        return;
    }
    assert(!driver.line || (driver.pci.isr != 0 && !driver.pci.msix.enabled));
    assert(driver.pci.msix.pending >> driver.pci.msix.vectors == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    guest_memory_make();
    memset(content, 0x11, sizeof(content));
    struct virtio *virtio = make(data[0] & 3);
    assert(driver_attach(&driver, virtio, (enum driver_bus)((data[0] >> 2 & 3) % BUSES)));
    if (data[0] & 0x80)
        assert(driver_start(&driver, VIRTIO_F_VERSION_1 | (uint64_t)(data[0] & 0x60) << 23 |
                                         (data[0] & 0x10 ? driver_features(&driver) & 0xffffff : 0)));
    for (size_t i = 1; i + 8 <= size; i += 8) {
        bool needs = (virtio->status & VIRTIO_DEVICE_NEEDS_RESET) != 0;
        uint64_t chains = virtio->chains;
        step(data + i, virtio);
        assert(!needs || virtio->chains == chains || virtio->status == 0);
        check(virtio);
    }
    virtio_reset(virtio);
    assert(virtio->status == 0 && !driver.line);
    for (size_t i = 0; i < IMAGE; i++)
        assert(content[i] == 0x11);
    block_image_free(&image);
    assert(pages == 0);
    return 0;
}
