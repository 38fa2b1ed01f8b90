/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio_mmio: see virtio_mmio.h. Registers are those of section 4.2.2, table "MMIO Device Register Layout";
 * they count only as aligned 32-bit accesses, the configuration space behind them in any width.
 */
#include "mgmt/virtio/virtio_mmio.h"

enum {
    MAGIC_VALUE = 0x000,
    VERSION = 0x004,
    DEVICE_ID = 0x008,
    VENDOR_ID = 0x00c,
    DEVICE_FEATURES = 0x010,
    DEVICE_FEATURES_SEL = 0x014,
    DRIVER_FEATURES = 0x020,
    DRIVER_FEATURES_SEL = 0x024,
    QUEUE_SEL = 0x030,
    QUEUE_NUM_MAX = 0x034,
    QUEUE_NUM = 0x038,
    QUEUE_READY = 0x044,
    QUEUE_NOTIFY = VIRTIO_MMIO_QUEUE_NOTIFY,
    INTERRUPT_STATUS = 0x060,
    INTERRUPT_ACK = 0x064,
    STATUS = 0x070,
    QUEUE_DESC_LOW = 0x080,
    QUEUE_DESC_HIGH = 0x084,
    QUEUE_DRIVER_LOW = 0x090,
    QUEUE_DRIVER_HIGH = 0x094,
    QUEUE_DEVICE_LOW = 0x0a0,
    QUEUE_DEVICE_HIGH = 0x0a4,
    SHM_LEN_LOW = 0x0b0,
    SHM_BASE_HIGH = 0x0bc,
    CONFIG_GENERATION = 0x0fc,
    CONFIG = 0x100,
    INTERRUPT_QUEUE = 1,
    INTERRUPT_CONFIG = 2,
};

#define MAGIC  0x74726976U /* "virt" */
#define VENDOR 0x31584253U /* "SBX1" */

static struct queue *selected(const struct virtio_mmio *mmio)
{
    return mmio->queue_select < mmio->device->type->queues ? &mmio->device->queue[mmio->queue_select] : NULL;
}

static void set_interrupts(struct virtio_mmio *mmio, uint32_t status)
{
    bool before = mmio->interrupt_status != 0, after = status != 0;
    mmio->interrupt_status = status;
    if (before != after && mmio->set_irq)
        mmio->set_irq(mmio->irq_ctx, after);
}

static void interrupt(void *ctx, uint16_t queue)
{
    struct virtio_mmio *mmio = ctx;
    set_interrupts(mmio,
                   mmio->interrupt_status | (queue == VIRTIO_CONFIG ? INTERRUPT_CONFIG : INTERRUPT_QUEUE));
}

static void forget(void *ctx)
{
    struct virtio_mmio *mmio = ctx;
    mmio->device_features_select = mmio->driver_features_select = mmio->queue_select = 0;
    set_interrupts(mmio, 0);
}

static uint32_t read_queue(const struct virtio_mmio *mmio, uint64_t offset)
{
    const struct queue *queue = selected(mmio);
    if (!queue)
        return 0;
    return offset == QUEUE_READY ? queue->enabled : mmio->device->type->queue_size;
}

static uint32_t read_register(const struct virtio_mmio *mmio, uint64_t offset)
{
    switch (offset) {
    case MAGIC_VALUE:
        return MAGIC;
    case VERSION:
        return 2;
    case DEVICE_ID:
        return (uint32_t)mmio->device->type->id;
    case VENDOR_ID:
        return VENDOR;
    case DEVICE_FEATURES:
        return virtio_get_features(mmio->device, mmio->device_features_select);
    case QUEUE_NUM_MAX:
    case QUEUE_READY:
        return read_queue(mmio, offset);
    case INTERRUPT_STATUS:
        return mmio->interrupt_status;
    case STATUS:
        return mmio->device->status;
    case CONFIG_GENERATION:
        return mmio->device->generation;
    default:
        /* No shared memory regions: section 4.2.2 wants all ones. */
        return offset >= SHM_LEN_LOW && offset <= SHM_BASE_HIGH ? UINT32_MAX : 0;
    }
}

static void set_half(uint64_t *field, uint32_t value, bool high)
{
    *field = high ? (*field & 0xffffffffULL) | (uint64_t)value << 32 : (*field & ~0xffffffffULL) | value;
}

static void write_ready(struct virtio_mmio *mmio, struct queue *queue, uint32_t value)
{
    if (value == 1)
        virtio_enable_queue(mmio->device, (uint16_t)mmio->queue_select);
    else if (value == 0 && queue->enabled)
        queue_reset(queue, mmio->device->type->queue_size);
}

static void write_queue(struct virtio_mmio *mmio, uint64_t offset, uint32_t value)
{
    struct queue *queue = selected(mmio);
    if (!queue)
        return;
    if (offset == QUEUE_READY)
        write_ready(mmio, queue, value);
    else if (queue->enabled)
        return;
    else if (offset == QUEUE_NUM)
        queue->size =
            value > UINT16_MAX ? 0 : (uint16_t)value; /* no size at all: refused when it is started */
    else if (offset == QUEUE_DESC_LOW || offset == QUEUE_DESC_HIGH)
        set_half(&queue->descriptors, value, offset == QUEUE_DESC_HIGH);
    else if (offset == QUEUE_DRIVER_LOW || offset == QUEUE_DRIVER_HIGH)
        set_half(&queue->driver, value, offset == QUEUE_DRIVER_HIGH);
    else if (offset == QUEUE_DEVICE_LOW || offset == QUEUE_DEVICE_HIGH)
        set_half(&queue->device, value, offset == QUEUE_DEVICE_HIGH);
}

static void write_register(struct virtio_mmio *mmio, uint64_t offset, uint32_t value)
{
    switch (offset) {
    case DEVICE_FEATURES_SEL:
        mmio->device_features_select = value;
        break;
    case DRIVER_FEATURES:
        virtio_set_features(mmio->device, mmio->driver_features_select, value);
        break;
    case DRIVER_FEATURES_SEL:
        mmio->driver_features_select = value;
        break;
    case QUEUE_SEL:
        mmio->queue_select = value;
        break;
    case QUEUE_NOTIFY:
        virtio_notify(mmio->device, value);
        break;
    case INTERRUPT_ACK:
        set_interrupts(mmio, mmio->interrupt_status & ~value);
        break;
    case STATUS:
        virtio_set_status(mmio->device, (uint8_t)value);
        break;
    default:
        write_queue(mmio, offset, value);
        break;
    }
}

static uint64_t mmio_read(void *ctx, uint64_t offset, uint8_t width)
{
    const struct virtio_mmio *mmio = ctx;
    if (offset >= CONFIG)
        return virtio_config_read(mmio->device, (uint32_t)offset - CONFIG, width);
    return width == 4 && offset % 4 == 0 ? read_register(mmio, offset) : 0;
}

static void mmio_write(void *ctx, uint64_t offset, uint8_t width, uint64_t data)
{
    struct virtio_mmio *mmio = ctx;
    if (offset >= CONFIG)
        virtio_config_write(mmio->device, (uint32_t)offset - CONFIG, width, (uint32_t)data);
    else if (width == 4 && offset % 4 == 0)
        write_register(mmio, offset, (uint32_t)data);
}

void virtio_mmio_init(struct virtio_mmio *mmio, struct virtio *device)
{
    mmio->device = device;
    mmio->interrupt_status = 0;
    device->transport = (struct virtio_transport){interrupt, forget, mmio};
    forget(mmio);
}

struct access_range virtio_mmio_range(struct virtio_mmio *mmio, uint64_t base)
{
    return (struct access_range){HV_CLAIM_MMIO, base, VIRTIO_MMIO_SIZE, 4, mmio_read, mmio_write, mmio};
}
