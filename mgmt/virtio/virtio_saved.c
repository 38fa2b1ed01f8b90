/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio_saved: see virtio_saved.h. A record comes from a program that died, so it is as hostile as a driver:
 * it is given to the device through the same checks.
 */
#include "mgmt/virtio/virtio_saved.h"

#include <string.h>

enum { CAP_MSIX_CONTROL = 0x9a, USED_INDEX = 2 };

static void save(const struct virtio *virtio, struct virtio_saved *to)
{
    memset(to, 0, sizeof(*to));
    to->accepted = virtio->accepted;
    to->status = virtio->status;
    to->generation = virtio->generation;
    to->id = (uint8_t)virtio->type->id;
    for (uint16_t i = 0; i < virtio->type->queues; i++) {
        const struct queue *queue = &virtio->queue[i];
        to->queue[i].descriptors = queue->descriptors;
        to->queue[i].driver = queue->driver;
        to->queue[i].device = queue->device;
        to->queue[i].size = queue->size;
        to->queue[i].enabled = queue->enabled;
    }
}

void virtio_save_pci(const struct virtio_pci *pci, struct virtio_saved *to)
{
    save(pci->device, to);
    to->select[0] = pci->device_feature_select;
    to->select[1] = pci->driver_feature_select;
    to->select[2] = pci->queue_select;
    to->interrupts = pci->isr;
    to->config_vector = pci->config_vector;
    memcpy(to->queue_vector, pci->queue_vector, sizeof(to->queue_vector));
    to->command = (uint16_t)pci_get(&pci->function, PCI_COMMAND, 2);
    to->msix_control = (uint16_t)pci_get(&pci->function, CAP_MSIX_CONTROL, 2);
    for (uint32_t i = 0; i < 2; i++)
        to->bar[i] = pci_get(&pci->function, (uint8_t)(PCI_BASE_ADDRESS_0 + 4 * i), 4);
    to->pending = pci->msix.pending;
    memcpy(to->entry, pci->msix.entry, sizeof(to->entry));
}

void virtio_save_mmio(const struct virtio_mmio *mmio, struct virtio_saved *to)
{
    save(mmio->device, to);
    to->is_mmio = 1;
    to->select[0] = mmio->device_features_select;
    to->select[1] = mmio->driver_features_select;
    to->select[2] = mmio->queue_select;
    to->interrupts = mmio->interrupt_status;
}

/* False: the guest's memory is not what it was. */
static bool restore_queue(struct virtio *virtio, const struct virtio_saved *from, uint16_t number)
{
    struct queue *queue = &virtio->queue[number];
    queue->descriptors = from->queue[number].descriptors;
    queue->driver = from->queue[number].driver;
    queue->device = from->queue[number].device;
    queue->size = from->queue[number].size;
    if (from->queue[number].enabled == 0)
        return true;
    queue->indirect = virtio_has(virtio, VIRTIO_F_INDIRECT_DESC);
    queue->event_idx = virtio_has(virtio, VIRTIO_F_EVENT_IDX);
    if (queue->size > virtio->type->queue_size || !queue_start(queue))
        return false;
    const uint16_t *used = guest_memory_word(queue->memory, queue->device + USED_INDEX);
    queue->next = queue->used = queue->signalled = used ? *used : 0;
    return used != NULL;
}

static bool restore(struct virtio *virtio, const struct virtio_saved *from, bool is_mmio)
{
    const uint8_t bits = VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_DRIVER_OK | VIRTIO_FEATURES_OK |
                         VIRTIO_DEVICE_NEEDS_RESET | VIRTIO_FAILED;
    bool chosen = (from->status & VIRTIO_FEATURES_OK) != 0, good = true;
    if (from->id != (uint8_t)virtio->type->id || from->is_mmio != is_mmio || (from->status & ~bits) != 0 ||
        (chosen && (from->accepted & ~virtio->offered) != 0) || (!chosen && from->status & VIRTIO_DRIVER_OK))
        return false;
    virtio->status = from->status;
    virtio->accepted = from->accepted;
    virtio->generation = from->generation;
    for (uint16_t i = 0; i < virtio->type->queues && good; i++)
        good = restore_queue(virtio, from, i);
    if (!good && (from->status & VIRTIO_DEVICE_NEEDS_RESET) == 0)
        virtio_reset(virtio);
    return good || (from->status & VIRTIO_DEVICE_NEEDS_RESET) != 0;
}

bool virtio_restore_pci(struct virtio_pci *pci, const struct virtio_saved *from)
{
    if (!restore(pci->device, from, false))
        return false;
    pci->device_feature_select = from->select[0];
    pci->driver_feature_select = from->select[1];
    pci->queue_select = (uint16_t)from->select[2];
    pci->config_vector = from->config_vector;
    memcpy(pci->queue_vector, from->queue_vector, sizeof(pci->queue_vector));
    memcpy(pci->msix.entry, from->entry, sizeof(from->entry));
    pci->msix.pending = from->pending & ((1U << pci->msix.vectors) - 1);
    pci->isr = (uint8_t)(from->interrupts & 3);
    for (uint32_t i = 0; i < 2; i++)
        pci_config_write(&pci->function, (uint8_t)(PCI_BASE_ADDRESS_0 + 4 * i), 4, from->bar[i]);
    pci_config_write(&pci->function, CAP_MSIX_CONTROL, 2, from->msix_control);
    pci_config_write(&pci->function, PCI_COMMAND, 2, from->command);
    return true;
}

bool virtio_restore_mmio(struct virtio_mmio *mmio, const struct virtio_saved *from)
{
    if (!restore(mmio->device, from, true))
        return false;
    mmio->device_features_select = from->select[0];
    mmio->driver_features_select = from->select[1];
    mmio->queue_select = from->select[2];
    mmio->interrupt_status = from->interrupts & 3;
    if (mmio->interrupt_status != 0 && mmio->set_irq)
        mmio->set_irq(mmio->irq_ctx, true);
    return true;
}

void virtio_resume(struct virtio *virtio)
{
    for (uint16_t i = 0; i < virtio->type->queues && virtio_running(virtio); i++) {
        virtio->type->serve(virtio, i);
        if (virtio_running(virtio) && virtio->queue[i].enabled)
            virtio->transport.interrupt(virtio->transport.ctx, i);
    }
}
