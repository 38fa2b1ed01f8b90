/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * block_image: a disk that is an image in memory, for virtio_block. Pure.
 *
 * The image itself is never written. Read-only, writes are refused; copy-on-write, a page that is written to
 * is copied first and is the disk's from then on. Pages come from the user and go back by block_image_free().
 * When there are no more, writes fail and what was written stays. An image need not be whole sectors: the
 * rest reads as zeros. A disk is at most 512 GiB. Without an image (NULL) the disk begins empty.
 */
#pragma once

#include "mgmt/virtio/virtio_block.h"

enum { BLOCK_IMAGE_PAGE = 4096 };

struct block_image {
    const uint8_t *image; /* NULL: all zeros */
    uint64_t image_size;
    uint64_t size; /* of the disk: at least image_size; whole sectors */
    /* NULL: read-only. Pages of BLOCK_IMAGE_PAGE bytes, cleared or not. */
    void *(*page_alloc)(void *ctx);
    void (*page_free)(void *ctx, void *page);
    void *ctx;
    void *root;         /* NULL at first: nothing was written */
    uint64_t own_pages; /* copies, without tables */
};

/* The fields above `root` are set; `size` 0: the image's. */
struct block_backend block_image_backend(struct block_image *image);

/* Forgets all that was written. */
void block_image_free(struct block_image *image);
