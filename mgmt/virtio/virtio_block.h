/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio_block: a disk. Pure. Virtual I/O Device (VIRTIO) Version 1.2, section 5.2 "Block Device".
 *
 * Requests are done at once by the backend, in the guest's own buffers. A request outside the disk, one that
 * is no whole number of sectors, a write to a read-only disk and one larger than the driver may make end with
 * VIRTIO_BLK_S_IOERR; a chain without room for header or status breaks the device.
 */
#pragma once

#include "mgmt/virtio/virtio.h"

enum { VIRTIO_BLOCK_SECTOR = 512, VIRTIO_BLOCK_ID_SIZE = 20 };

struct block_backend {
    uint64_t size; /* bytes, whole sectors */
    bool read_only;
    /* [offset, offset + bytes) lies in it. False: it could not be done. */
    bool (*read)(void *ctx, uint64_t offset, void *to, uint64_t bytes);
    bool (*write)(void *ctx, uint64_t offset, const void *from, uint64_t bytes);
    bool (*flush)(void *ctx);
    void *ctx;
};

struct virtio_block {
    struct virtio virtio;
    struct block_backend backend;
    char id[VIRTIO_BLOCK_ID_SIZE]; /* NUL-terminated if shorter */
    uint64_t reads, writes, flushes, errors;
    uint64_t bytes_read, bytes_written;
};

/* backend and id are set before. */
void virtio_block_init(struct virtio_block *block, const struct guest_memory *memory);
