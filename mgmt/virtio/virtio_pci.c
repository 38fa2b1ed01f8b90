/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio_pci: see virtio_pci.h. The common configuration structure (4.1.4.3) is a table of fields: a read
 * sees any bytes of it, a write counts only with a field's own place and width; 64-bit fields are two of 32
 * bits.
 */
#include "mgmt/virtio/virtio_pci.h"

#include <string.h>

enum {
    COMMON = 0x0000, /* in BAR 0 */
    ISR = 0x1000,
    DEVICE = 0x2000,
    NOTIFY = 0x3000,
    BAR_SIZE = 0x4000,
    COMMON_SIZE = 60,
    NOTIFY_MULTIPLIER = 4,
    CAP_COMMON = 0x40, /* in configuration space */
    CAP_NOTIFY = 0x50,
    CAP_ISR = 0x64,
    CAP_DEVICE = 0x74,
    CAP_PCI = 0x84,
    CAP_PCI_DATA = CAP_PCI + 16,
    CAP_MSIX = 0x98,
    CAP_ID_VENDOR = 0x09,
    CAP_ID_MSIX = 0x11,
    VIRTIO_PCI_CAP_COMMON_CFG = 1,
    VIRTIO_PCI_CAP_NOTIFY_CFG = 2,
    VIRTIO_PCI_CAP_ISR_CFG = 3,
    VIRTIO_PCI_CAP_DEVICE_CFG = 4,
    VIRTIO_PCI_CAP_PCI_CFG = 5,
    VIRTIO_MSI_NO_VECTOR = 0xffff,
    ISR_QUEUE = 1,
    ISR_CONFIG = 2,
};

static struct queue *selected(const struct virtio_pci *pci)
{
    return pci->queue_select < pci->device->type->queues ? &pci->device->queue[pci->queue_select] : NULL;
}

/* ---- interrupts */

static void update_line(struct virtio_pci *pci)
{
    bool off = (pci_get(&pci->function, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE) != 0;
    bool pending = pci->isr != 0 && !pci->msix.enabled, line = pending && !off;
    uint32_t status = pci_get(&pci->function, PCI_STATUS, 2) & ~(uint32_t)PCI_STATUS_INTERRUPT;
    pci_put(&pci->function, PCI_STATUS, 2, status | (pending ? PCI_STATUS_INTERRUPT : 0));
    if (line == pci->line)
        return;
    pci->line = line;
    if (pci->set_irq)
        pci->set_irq(pci->irq_ctx, line);
}

static void interrupt(void *ctx, uint16_t queue)
{
    struct virtio_pci *pci = ctx;
    bool config = queue == VIRTIO_CONFIG;
    if (pci->msix.enabled) {
        msix_raise(&pci->msix, config ? pci->config_vector : pci->queue_vector[queue]);
        return;
    }
    pci->isr |= config ? ISR_CONFIG : ISR_QUEUE;
    update_line(pci);
}

/* Of the device, not of the function: the MSI-X table stays. */
static void forget(void *ctx)
{
    struct virtio_pci *pci = ctx;
    pci->device_feature_select = pci->driver_feature_select = 0;
    pci->queue_select = 0;
    pci->config_vector = VIRTIO_MSI_NO_VECTOR;
    for (uint32_t i = 0; i < VIRTIO_QUEUES_MAX; i++)
        pci->queue_vector[i] = VIRTIO_MSI_NO_VECTOR;
    pci->msix.pending = 0;
    pci->isr = 0;
    update_line(pci);
}

/* ---- common configuration structure */

static uint16_t vector_or_none(const struct virtio_pci *pci, uint32_t value)
{
    return value < pci->msix.vectors ? (uint16_t)value : VIRTIO_MSI_NO_VECTOR;
}

static uint32_t read_feature(const struct virtio_pci *pci)
{
    return virtio_get_features(pci->device, pci->device_feature_select);
}

static uint32_t read_accepted(const struct virtio_pci *pci)
{
    uint32_t word = pci->driver_feature_select;
    return word > 1 ? 0 : (uint32_t)(pci->device->accepted >> 32 * word);
}

static void put(uint8_t *to, uint64_t value, uint32_t bytes)
{
    memcpy(to, &value, bytes); /* little-endian, as this machine */
}

static void fill_common(const struct virtio_pci *pci, uint8_t *to)
{
    const struct queue *queue = selected(pci);
    memset(to, 0, COMMON_SIZE);
    put(to + 0, pci->device_feature_select, 4);
    put(to + 4, read_feature(pci), 4);
    put(to + 8, pci->driver_feature_select, 4);
    put(to + 12, read_accepted(pci), 4);
    put(to + 16, pci->config_vector, 2);
    put(to + 18, pci->device->type->queues, 2);
    put(to + 20, pci->device->status, 1);
    put(to + 21, pci->device->generation, 1);
    put(to + 22, pci->queue_select, 2);
    if (!queue)
        return;
    put(to + 24, queue->size, 2);
    put(to + 26, pci->queue_vector[pci->queue_select], 2);
    put(to + 28, queue->enabled, 2);
    put(to + 30, pci->queue_select, 2); /* queue_notify_off */
    put(to + 32, queue->descriptors, 8);
    put(to + 40, queue->driver, 8);
    put(to + 48, queue->device, 8);
}

static void set_half(uint64_t *field, uint32_t value, bool high)
{
    *field = high ? (*field & 0xffffffffULL) | (uint64_t)value << 32 : (*field & ~0xffffffffULL) | value;
}

/* Fields of a queue that is not enabled yet. */
static void write_queue(struct virtio_pci *pci, uint32_t offset, uint8_t width, uint32_t value)
{
    struct queue *queue = selected(pci);
    if (!queue || queue->enabled)
        return;
    if (offset == 24 && width == 2)
        queue->size = (uint16_t)value;
    else if (offset == 28 && width == 2 && value == 1)
        virtio_enable_queue(pci->device, pci->queue_select);
    else if (width == 4 && offset >= 32 && offset < 40)
        set_half(&queue->descriptors, value, offset == 36);
    else if (width == 4 && offset >= 40 && offset < 48)
        set_half(&queue->driver, value, offset == 44);
    else if (width == 4 && offset >= 48 && offset < 56)
        set_half(&queue->device, value, offset == 52);
}

static void write_common(struct virtio_pci *pci, uint32_t offset, uint8_t width, uint32_t value)
{
    if (offset == 0 && width == 4)
        pci->device_feature_select = value;
    else if (offset == 8 && width == 4)
        pci->driver_feature_select = value;
    else if (offset == 12 && width == 4)
        virtio_set_features(pci->device, pci->driver_feature_select, value);
    else if (offset == 16 && width == 2)
        pci->config_vector = vector_or_none(pci, value);
    else if (offset == 20 && width == 1)
        virtio_set_status(pci->device, (uint8_t)value);
    else if (offset == 22 && width == 2)
        pci->queue_select = (uint16_t)value;
    else if (offset == 26 && width == 2 && selected(pci))
        pci->queue_vector[pci->queue_select] = vector_or_none(pci, value);
    else if (offset % width == 0)
        write_queue(pci, offset, width, value);
}

/* ---- BARs */

static uint32_t read_common(const struct virtio_pci *pci, uint32_t offset, uint8_t width)
{
    uint8_t common[COMMON_SIZE];
    uint32_t value = 0;
    if (offset > COMMON_SIZE || width > COMMON_SIZE - offset)
        return 0;
    fill_common(pci, common);
    memcpy(&value, common + offset, width);
    return value;
}

static uint32_t structures_read(struct virtio_pci *pci, uint32_t offset, uint8_t width)
{
    uint32_t inside = offset & 0xfff, isr = pci->isr;
    switch (offset & ~0xfffU) {
    case COMMON:
        return read_common(pci, inside, width);
    case ISR:
        if (inside != 0)
            return 0;
        pci->isr = 0; /* section 4.1.4.5: reading clears it */
        update_line(pci);
        return isr;
    case DEVICE:
        return virtio_config_read(pci->device, inside, width);
    default:
        return 0;
    }
}

static void structures_write(struct virtio_pci *pci, uint32_t offset, uint8_t width, uint32_t value)
{
    uint32_t inside = offset & 0xfff;
    switch (offset & ~0xfffU) {
    case COMMON:
        write_common(pci, inside, width, value);
        break;
    case DEVICE:
        virtio_config_write(pci->device, inside, width, value);
        break;
    case NOTIFY:
        if (inside % NOTIFY_MULTIPLIER == 0)
            virtio_notify(pci->device, inside / NOTIFY_MULTIPLIER);
        break;
    default:
        break;
    }
}

static uint32_t bar0_read(void *ctx, uint32_t offset, uint8_t width)
{
    return structures_read(ctx, offset, width);
}

static void bar0_write(void *ctx, uint32_t offset, uint8_t width, uint32_t value)
{
    structures_write(ctx, offset, width, value);
}

static uint32_t bar1_read(void *ctx, uint32_t offset, uint8_t width)
{
    struct virtio_pci *pci = ctx;
    return msix_read(&pci->msix, offset, width);
}

static void bar1_write(void *ctx, uint32_t offset, uint8_t width, uint32_t value)
{
    struct virtio_pci *pci = ctx;
    msix_write(&pci->msix, offset, width, value);
}

/* ---- configuration space */

/* Section 4.1.4.9: an access to pci_cfg_data is one of a BAR. False: the driver has not named one. */
static bool pci_cfg_window(const struct virtio_pci *pci, uint32_t *bar, uint32_t *offset, uint8_t *width)
{
    const struct pci_function *function = &pci->function;
    uint32_t length = pci_get(function, CAP_PCI + 12, 4);
    *bar = pci_get(function, CAP_PCI + 4, 1);
    *offset = pci_get(function, CAP_PCI + 8, 4);
    *width = (uint8_t)length;
    return (length == 1 || length == 2 || length == 4) && *offset % length == 0 && *bar < PCI_BARS &&
           *offset < function->bar[*bar].size;
}

static bool touches_data(uint8_t offset, uint8_t width)
{
    return offset < CAP_PCI_DATA + 4 && offset + width > CAP_PCI_DATA;
}

static void before_read(void *ctx, uint8_t offset, uint8_t width)
{
    struct virtio_pci *pci = ctx;
    uint32_t bar, at;
    uint8_t bytes;
    if (touches_data(offset, width) && pci_cfg_window(pci, &bar, &at, &bytes))
        pci_put(&pci->function, CAP_PCI_DATA, 4, pci_bar_read(&pci->function, bar, at, bytes));
}

static void written(void *ctx, uint8_t offset, uint8_t width)
{
    struct virtio_pci *pci = ctx;
    uint32_t bar, at;
    uint8_t bytes;
    if (touches_data(offset, width) && pci_cfg_window(pci, &bar, &at, &bytes))
        pci_bar_write(&pci->function, bar, at, bytes, pci_get(&pci->function, CAP_PCI_DATA, 4));
    if (offset < CAP_MSIX + 4 && offset + width > CAP_MSIX + 2)
        msix_set_control(&pci->msix, (uint16_t)pci_get(&pci->function, CAP_MSIX + 2, 2));
    if (pci->msix.changed && offset < PCI_BASE_ADDRESS_0 + 4 * PCI_BARS)
        pci->msix.changed(pci->msix.ctx); /* doorbells may have moved as well */
    update_line(pci);
}

/* Section 4.1.4 "Virtio Structure PCI Capabilities". */
static void add_structure(struct virtio_pci *pci, uint8_t at, uint8_t type, uint32_t offset, uint32_t length)
{
    struct pci_function *function = &pci->function;
    bool longer = type == VIRTIO_PCI_CAP_NOTIFY_CFG || type == VIRTIO_PCI_CAP_PCI_CFG;
    pci_add_capability(function, at, CAP_ID_VENDOR);
    pci_put(function, at + 2, 1, longer ? 20 : 16);
    pci_put(function, at + 3, 1, type);
    pci_put(function, at + 8, 4, offset);
    pci_put(function, at + 12, 4, length);
    if (type == VIRTIO_PCI_CAP_NOTIFY_CFG)
        pci_put(function, at + 16, 4, NOTIFY_MULTIPLIER);
}

static void add_capabilities(struct virtio_pci *pci)
{
    struct pci_function *function = &pci->function;
    const struct virtio_type *type = pci->device->type;
    add_structure(pci, CAP_COMMON, VIRTIO_PCI_CAP_COMMON_CFG, COMMON, COMMON_SIZE);
    add_structure(pci, CAP_NOTIFY, VIRTIO_PCI_CAP_NOTIFY_CFG, NOTIFY,
                  NOTIFY_MULTIPLIER * (uint32_t)type->queues);
    add_structure(pci, CAP_ISR, VIRTIO_PCI_CAP_ISR_CFG, ISR, 1);
    if (type->config_size > 0)
        add_structure(pci, CAP_DEVICE, VIRTIO_PCI_CAP_DEVICE_CFG, DEVICE, type->config_size);
    add_structure(pci, CAP_PCI, VIRTIO_PCI_CAP_PCI_CFG, 0, 0);
    memset(&function->writable[CAP_PCI + 4], 0xff, 1);
    memset(&function->writable[CAP_PCI + 8], 0xff, 12);
    pci_add_capability(function, CAP_MSIX, CAP_ID_MSIX);
    pci_put(function, CAP_MSIX + 2, 2, (uint32_t)pci->msix.vectors - 1);
    pci_put(function, CAP_MSIX + 4, 4, 1); /* table at offset 0 of BAR 1 */
    pci_put(function, CAP_MSIX + 8, 4, MSIX_PBA | 1);
    function->writable[CAP_MSIX + 3] = (MSIX_CONTROL_ENABLE | MSIX_CONTROL_MASK) >> 8;
}

void virtio_pci_init(struct virtio_pci *pci, struct virtio *device, uint8_t irq)
{
    static const uint32_t class_codes[] = {
        [VIRTIO_ID_NET] = 0x020000,
        [VIRTIO_ID_BLOCK] = 0x018000,
        [VIRTIO_ID_CONSOLE] = 0x078000,
        [VIRTIO_ID_ENTROPY] = 0xff0000,
    };
    uint16_t id = (uint16_t)device->type->id;
    const struct pci_ids ids = {0x1af4, (uint16_t)(0x1040 + id), (uint16_t)(0x40 + id), 1, class_codes[id]};
    pci->device = device;
    pci_init(&pci->function, &ids);
    pci_put(&pci->function, PCI_INTERRUPT_LINE, 1, irq);
    pci_put(&pci->function, PCI_INTERRUPT_PIN, 1, 1); /* INTA# */
    pci->msix.vectors = (uint16_t)(device->type->queues + 1);
    add_capabilities(pci);
    pci->function.bar[0] = (struct pci_bar){BAR_SIZE, bar0_read, bar0_write};
    pci->function.bar[1] = (struct pci_bar){MSIX_SIZE, bar1_read, bar1_write};
    pci->function.ctx = pci;
    pci->function.before_read = before_read;
    pci->function.written = written;
    device->transport = (struct virtio_transport){interrupt, forget, pci};
    pci->line = false;
    msix_reset(&pci->msix);
    forget(pci);
}

uint32_t virtio_pci_doorbell(const struct virtio_pci *pci, uint16_t queue)
{
    uint32_t bar = pci_bar_address(&pci->function, 0);
    return bar == 0 ? 0 : bar + NOTIFY + NOTIFY_MULTIPLIER * (uint32_t)queue;
}
