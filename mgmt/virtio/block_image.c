/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * block_image: see block_image.h. Copies hang in a tree of pages with 512 pointers each, three levels: a copy
 * is found by its number on the disk, 9 bits a level.
 */
#include "mgmt/virtio/block_image.h"

#include <string.h>

enum { LEVELS = 3, LEVEL_BITS = 9, FANOUT = 1 << LEVEL_BITS };
_Static_assert(FANOUT * sizeof(void *) == BLOCK_IMAGE_PAGE, "a table is a page");

#define PAGE     ((uint64_t)BLOCK_IMAGE_PAGE)
#define DISK_MAX (PAGE << LEVELS * LEVEL_BITS)

/* Where the pointer to a copy is kept. NULL: not there, and not made or no page for it. */
static void **slot(struct block_image *image, uint64_t number, bool make)
{
    void **at = &image->root;
    for (uint32_t level = LEVELS; level-- > 0;) {
        if (!*at && make) {
            *at = image->page_alloc(image->ctx);
            if (*at)
                memset(*at, 0, PAGE);
        }
        if (!*at)
            return NULL;
        at = &((void **)*at)[number >> LEVEL_BITS * level & (FANOUT - 1)];
    }
    return at;
}

/* What the image has at [offset, offset + bytes). */
static void read_image(const struct block_image *image, uint64_t offset, uint8_t *to, uint64_t bytes)
{
    uint64_t there = 0;
    if (image->image && offset < image->image_size)
        there = bytes < image->image_size - offset ? bytes : image->image_size - offset;
    if (there > 0)
        memcpy(to, image->image + offset, there);
    memset(to + there, 0, bytes - there);
}

static uint64_t in_page(uint64_t offset, uint64_t bytes)
{
    uint64_t room = PAGE - offset % PAGE;
    return bytes < room ? bytes : room;
}

static bool image_read(void *ctx, uint64_t offset, void *to, uint64_t bytes)
{
    struct block_image *image = ctx;
    uint8_t *at = to;
    for (uint64_t piece; bytes > 0; offset += piece, at += piece, bytes -= piece) {
        void **copy = slot(image, offset / PAGE, false);
        piece = in_page(offset, bytes);
        if (copy && *copy)
            memcpy(at, (const uint8_t *)*copy + offset % PAGE, piece);
        else
            read_image(image, offset, at, piece);
    }
    return true;
}

/* The disk's own page; NULL: no memory. */
static uint8_t *own_page(struct block_image *image, uint64_t number)
{
    void **copy = slot(image, number, true);
    if (copy && !*copy) {
        *copy = image->page_alloc(image->ctx);
        if (*copy) {
            read_image(image, number * PAGE, *copy, PAGE);
            image->own_pages++;
        }
    }
    return copy ? *copy : NULL;
}

static bool image_write(void *ctx, uint64_t offset, const void *from, uint64_t bytes)
{
    struct block_image *image = ctx;
    const uint8_t *at = from;
    for (uint64_t piece; bytes > 0; offset += piece, at += piece, bytes -= piece) {
        uint8_t *copy = own_page(image, offset / PAGE);
        piece = in_page(offset, bytes);
        if (!copy)
            return false;
        memcpy(copy + offset % PAGE, at, piece);
    }
    return true;
}

static bool image_flush(void *ctx)
{
    (void)ctx; /* memory is all there is */
    return true;
}

struct block_backend block_image_backend(struct block_image *image)
{
    uint64_t size = image->size ? image->size : image->image_size;
    if (size > DISK_MAX)
        size = DISK_MAX;
    image->size = (size + VIRTIO_BLOCK_SECTOR - 1) / VIRTIO_BLOCK_SECTOR * VIRTIO_BLOCK_SECTOR;
    image->root = NULL;
    image->own_pages = 0;
    return (struct block_backend){image->size, !image->page_alloc, image_read,
                                  image_write, image_flush,        image};
}

static void free_table(struct block_image *image, void *page, uint32_t level)
{
    void **table = page;
    for (uint32_t i = 0; page && level > 0 && i < FANOUT; i++)
        free_table(image, table[i], level - 1);
    if (page)
        image->page_free(image->ctx, page);
}

void block_image_free(struct block_image *image)
{
    free_table(image, image->root, LEVELS);
    image->root = NULL;
    image->own_pages = 0;
}
