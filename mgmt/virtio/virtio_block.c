/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio_block: see virtio_block.h. Section 5.2.6 "Device Operation": a request is a header that the device
 * reads, data in one of the two directions, and a status byte, the last one that the device writes.
 */
#include "mgmt/virtio/virtio_block.h"

#include <string.h>

enum {
    REQUESTQ = 0,
    QUEUE_SIZE = 128,
    SEG_MAX = QUEUE_SIZE - 2, /* header and status take one each */
    SIZE_MAX_BYTES = 65536,
    VIRTIO_BLK_T_IN = 0,
    VIRTIO_BLK_T_OUT = 1,
    VIRTIO_BLK_T_FLUSH = 4,
    VIRTIO_BLK_T_GET_ID = 8,
    VIRTIO_BLK_S_OK = 0,
    VIRTIO_BLK_S_IOERR = 1,
    VIRTIO_BLK_S_UNSUPP = 2,
};

#define VIRTIO_BLK_F_SIZE_MAX (1ULL << 1)
#define VIRTIO_BLK_F_SEG_MAX  (1ULL << 2)
#define VIRTIO_BLK_F_RO       (1ULL << 5)
#define VIRTIO_BLK_F_BLK_SIZE (1ULL << 6)
#define VIRTIO_BLK_F_FLUSH    (1ULL << 9)

struct virtio_blk_req {
    uint32_t type;
    uint32_t reserved;
    uint64_t sector;
};
_Static_assert(sizeof(struct virtio_blk_req) == 16, "VIRTIO 5.2.6");

/* Section 5.2.4, up to what is used. */
struct virtio_blk_config {
    uint64_t capacity;
    uint32_t size_max;
    uint32_t seg_max;
    uint16_t cylinders;
    uint8_t heads;
    uint8_t sectors;
    uint32_t blk_size;
};
_Static_assert(sizeof(struct virtio_blk_config) == 24, "VIRTIO 5.2.4");
_Static_assert(offsetof(struct virtio_blk_config, blk_size) == 20, "VIRTIO 5.2.4");

/* Whole sectors inside the disk, and not more than a driver may ask for? */
static bool good_range(const struct virtio_block *block, uint64_t sector, uint64_t bytes)
{
    uint64_t size = block->backend.size;
    return bytes % VIRTIO_BLOCK_SECTOR == 0 && bytes <= (uint64_t)SEG_MAX * SIZE_MAX_BYTES &&
           sector <= size / VIRTIO_BLOCK_SECTOR && bytes <= size - sector * VIRTIO_BLOCK_SECTOR;
}

static uint8_t read_sectors(struct virtio_block *block, uint64_t sector)
{
    const struct queue_chain *chain = &block->virtio.chain;
    struct queue_cursor cursor = queue_writable(chain);
    uint64_t bytes = chain->writable - 1, piece;
    if (!good_range(block, sector, bytes))
        return VIRTIO_BLK_S_IOERR;
    for (uint64_t done = 0; done < bytes; done += piece) {
        piece = bytes - done;
        void *to = queue_piece(&block->virtio.queue[REQUESTQ], &cursor, &piece);
        if (!to || !block->backend.read(block->backend.ctx, sector * VIRTIO_BLOCK_SECTOR + done, to, piece))
            return VIRTIO_BLK_S_IOERR;
    }
    block->reads++;
    block->bytes_read += bytes;
    return VIRTIO_BLK_S_OK;
}

static uint8_t write_sectors(struct virtio_block *block, uint64_t sector, struct queue_cursor *cursor)
{
    uint64_t bytes = block->virtio.chain.readable - sizeof(struct virtio_blk_req), piece;
    if (block->backend.read_only || !good_range(block, sector, bytes))
        return VIRTIO_BLK_S_IOERR;
    for (uint64_t done = 0; done < bytes; done += piece) {
        piece = bytes - done;
        const void *from = queue_piece(&block->virtio.queue[REQUESTQ], cursor, &piece);
        if (!from ||
            !block->backend.write(block->backend.ctx, sector * VIRTIO_BLOCK_SECTOR + done, from, piece))
            return VIRTIO_BLK_S_IOERR;
    }
    block->writes++;
    block->bytes_written += bytes;
    return VIRTIO_BLK_S_OK;
}

static uint8_t flush(struct virtio_block *block)
{
    block->flushes++;
    return block->backend.flush(block->backend.ctx) ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR;
}

static uint8_t get_id(struct virtio_block *block)
{
    struct queue_cursor cursor = queue_writable(&block->virtio.chain);
    if (block->virtio.chain.writable - 1 != VIRTIO_BLOCK_ID_SIZE)
        return VIRTIO_BLK_S_IOERR;
    (void)queue_write(&block->virtio.queue[REQUESTQ], &cursor, block->id, VIRTIO_BLOCK_ID_SIZE);
    return VIRTIO_BLK_S_OK;
}

static uint8_t execute(struct virtio_block *block, const struct virtio_blk_req *req,
                       struct queue_cursor *cursor)
{
    switch (req->type) {
    case VIRTIO_BLK_T_IN:
        return read_sectors(block, req->sector);
    case VIRTIO_BLK_T_OUT:
        return write_sectors(block, req->sector, cursor);
    case VIRTIO_BLK_T_FLUSH:
        return flush(block);
    case VIRTIO_BLK_T_GET_ID:
        return get_id(block);
    default:
        return VIRTIO_BLK_S_UNSUPP;
    }
}

static int64_t answer(struct virtio *virtio)
{
    struct virtio_block *block = (struct virtio_block *)virtio;
    struct queue_chain *chain = &virtio->chain;
    struct queue_cursor cursor = queue_readable(chain);
    struct virtio_blk_req req;
    if (chain->writable == 0 ||
        queue_read(&virtio->queue[REQUESTQ], &cursor, &req, sizeof(req)) != sizeof(req)) {
        virtio_break(virtio);
        return VIRTIO_BAD;
    }
    uint8_t status = execute(block, &req, &cursor);
    (void)guest_memory_write(virtio->queue[REQUESTQ].memory, queue_chain_end(chain) - 1, &status, 1);
    if (status == VIRTIO_BLK_S_OK)
        return (int64_t)chain->writable;
    block->errors++;
    return chain->writable == 1 ? 1 : 0; /* the bytes before the status may not have been written */
}

static void serve(struct virtio *virtio, uint16_t queue)
{
    virtio_drain(virtio, queue, answer);
}

void virtio_block_init(struct virtio_block *block, const struct guest_memory *memory)
{
    static const struct virtio_type type = {
        .id = VIRTIO_ID_BLOCK,
        .queues = 1,
        .queue_size = QUEUE_SIZE,
        .config_size = sizeof(struct virtio_blk_config),
        .features = VIRTIO_BLK_F_SIZE_MAX | VIRTIO_BLK_F_SEG_MAX | VIRTIO_BLK_F_RO | VIRTIO_BLK_F_BLK_SIZE |
                    VIRTIO_BLK_F_FLUSH,
        .serve = serve,
    };
    const struct virtio_blk_config config = {
        .capacity = block->backend.size / VIRTIO_BLOCK_SECTOR,
        .size_max = SIZE_MAX_BYTES,
        .seg_max = SEG_MAX,
        .blk_size = VIRTIO_BLOCK_SECTOR,
    };
    virtio_init(&block->virtio, &type, block->backend.read_only ? 0 : VIRTIO_BLK_F_RO, memory);
    memcpy(block->virtio.config, &config, sizeof(config));
    block->reads = block->writes = block->flushes = block->errors = 0;
    block->bytes_read = block->bytes_written = 0;
}
_Static_assert(offsetof(struct virtio_block, virtio) == 0, "a device begins with what is common");
