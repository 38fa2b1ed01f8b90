/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_virtio_saved: virtio devices over a restart of this program; see guest_virtio.h. Routes and notifiers
 * of the former instance are closed by then (irq_bell_init()), so everything is made anew from the record.
 */
#include "mgmt/shell/guest_virtio_parts.h"
#include "mgmt/shell/screen.h"

void guest_virtio_save(struct guest_virtio *virtio, struct guest_virtio_saved *to)
{
    if (!virtio || !virtio->changed)
        return;
    virtio->changed = false;
    to->parts = virtio->parts;
    for (uint32_t i = 0; i < virtio->parts; i++)
        if (virtio->is_mmio)
            virtio_save_mmio(&virtio->part[i].mmio, &to->part[i]);
        else
            virtio_save_pci(&virtio->part[i].pci, &to->part[i]);
}

static bool read_fails(void *ctx, uint64_t offset, void *to, uint64_t bytes)
{
    (void)ctx;
    (void)offset;
    (void)to;
    (void)bytes;
    return false;
}

static bool write_fails(void *ctx, uint64_t offset, const void *from, uint64_t bytes)
{
    (void)ctx;
    (void)offset;
    (void)from;
    (void)bytes;
    return false;
}

static void lose_disks(struct guest_virtio *virtio)
{
    for (uint32_t i = 0; i < virtio->disks; i++) {
        struct virtio_block *disk = &virtio->disk[i];
        if (disk->backend.read_only || !virtio_running(&disk->virtio))
            continue;
        disk->backend.read = read_fails;
        disk->backend.write = write_fails;
        screen_printf("domain %u (%s): what was written to disk %u is lost; it answers with errors",
                      virtio->id, virtio->domain->name, i + 1);
    }
}

bool guest_virtio_restore(struct guest_virtio *virtio, const struct guest_virtio_saved *from)
{
    bool good = !virtio || from->parts == virtio->parts;
    if (!virtio || !good)
        return good;
    for (uint32_t i = 0; i < virtio->parts; i++) {
        struct part *part = &virtio->part[i];
        good &= virtio->is_mmio ? virtio_restore_mmio(&part->mmio, &from->part[i])
                                : virtio_restore_pci(&part->pci, &from->part[i]);
        if (!virtio->is_mmio)
            guest_virtio_changed(part);
    }
    lose_disks(virtio);
    for (uint32_t i = 0; i < virtio->parts; i++)
        virtio_resume(virtio->part[i].device);
    virtio->changed = true;
    return good;
}
