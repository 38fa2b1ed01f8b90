/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * msix: see msix.h.
 */
#include "mgmt/virtio/msix.h"

#include <string.h>

enum { ENTRY_SIZE = 16, ENTRY_MASKED = 1 };

void msix_reset(struct msix *msix)
{
    msix->enabled = msix->masked = false;
    msix->pending = 0;
    for (uint16_t i = 0; i < MSIX_VECTORS_MAX; i++)
        msix->entry[i] = (struct msix_entry){.control = ENTRY_MASKED};
    if (msix->changed)
        msix->changed(msix->ctx);
}

bool msix_open(const struct msix *msix, uint16_t vector)
{
    return vector < msix->vectors && msix->enabled && !msix->masked &&
           (msix->entry[vector].control & ENTRY_MASKED) == 0;
}

static void send(const struct msix *msix, uint16_t vector)
{
    if (msix->raise)
        msix->raise(msix->ctx, vector, msix->entry[vector].address, msix->entry[vector].data);
}

/* Sends what masks have kept back. */
static void release(struct msix *msix)
{
    if (msix->changed)
        msix->changed(msix->ctx);
    for (uint16_t i = 0; i < msix->vectors; i++) {
        if ((msix->pending & 1U << i) == 0 || !msix_open(msix, i))
            continue;
        msix->pending &= ~(1U << i);
        send(msix, i);
    }
}

void msix_set_control(struct msix *msix, uint16_t control)
{
    bool enabled = (control & MSIX_CONTROL_ENABLE) != 0, masked = (control & MSIX_CONTROL_MASK) != 0;
    if (enabled == msix->enabled && masked == msix->masked)
        return;
    msix->enabled = enabled;
    msix->masked = masked;
    if (!enabled)
        msix->pending = 0;
    release(msix);
}

void msix_raise(struct msix *msix, uint16_t vector)
{
    if (vector >= msix->vectors || !msix->enabled)
        return;
    if (msix_open(msix, vector))
        send(msix, vector);
    else
        msix->pending |= 1U << vector;
}

uint32_t msix_read(const struct msix *msix, uint32_t offset, uint8_t width)
{
    uint8_t bytes[ENTRY_SIZE * MSIX_VECTORS_MAX];
    uint32_t value = 0, limit = ENTRY_SIZE * (uint32_t)msix->vectors;
    memcpy(bytes, msix->entry, sizeof(bytes));
    if (offset >= MSIX_PBA) {
        offset -= MSIX_PBA;
        limit = sizeof(uint64_t);
        memset(bytes, 0, sizeof(uint64_t));
        memcpy(bytes, &msix->pending, sizeof(msix->pending));
    }
    for (uint32_t i = 0; i < width; i++)
        if (offset + i < limit)
            value |= (uint32_t)bytes[offset + i] << 8 * i;
    return value;
}

void msix_write(struct msix *msix, uint32_t offset, uint8_t width, uint32_t value)
{
    uint32_t vector = offset / ENTRY_SIZE;
    if (width != 4 || offset % 4 != 0 || vector >= msix->vectors)
        return;
    struct msix_entry *entry = &msix->entry[vector];
    switch (offset % ENTRY_SIZE / 4) {
    case 0:
        entry->address = (entry->address & ~0xffffffffULL) | (value & ~3U);
        break;
    case 1:
        entry->address = (entry->address & 0xffffffffULL) | (uint64_t)value << 32;
        break;
    case 2:
        entry->data = value;
        break;
    default:
        entry->control = value & ENTRY_MASKED;
        break;
    }
    release(msix);
}
_Static_assert(sizeof(struct msix_entry) == ENTRY_SIZE, "PCI 3.0, 6.8.2");
