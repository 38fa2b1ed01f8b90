/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domain_memory: frames of a domain, from the allocator to the hypervisor and back.
 *
 * Pieces are as large as free memory allows, and at the same offset in a large page at both sides,
 * so that the hypervisor can use large pages. Memory is cleared here before anything is put in: it
 * may hold what a boot loader left. What comes back was cleared by the hypervisor.
 */
#include <stdlib.h>
#include <string.h>

#include "mgmt/lib/call.h"
#include "mgmt/lib/domain.h"
#include "mgmt/lib/domain_parts.h"

#define SIZE_2M 0x200000ULL
#define SIZE_1G 0x40000000ULL

bool domain_add_chunk(struct domain *domain, gpa_t target, gpa_t own, uint64_t pages)
{
    if (domain->chunks == domain->chunk_capacity) {
        uint32_t capacity = domain->chunk_capacity ? domain->chunk_capacity * 2 : 8;
        struct domain_chunk *chunk = realloc(domain->chunk, capacity * sizeof(*chunk));
        if (!chunk)
            return false;
        domain->chunk = chunk;
        domain->chunk_capacity = capacity;
    }
    domain->chunk[domain->chunks++] = (struct domain_chunk){target, own, pages};
    return true;
}

/* One piece of at most `pages` pages that suits `target`; *got: its size. */
static gpa_t take_piece(gpa_t target, uint64_t pages, uint64_t *got)
{
    for (uint64_t want = pages;; want = (want + 1) / 2) {
        uint64_t align = FRAMES_PAGE;
        if (want * FRAMES_PAGE >= SIZE_1G)
            align = SIZE_1G;
        else if (want * FRAMES_PAGE >= SIZE_2M)
            align = SIZE_2M;
        *got = want;
        for (; align > FRAMES_PAGE; align = align == SIZE_1G ? SIZE_2M : FRAMES_PAGE) {
            gpa_t own = frames_take(domain_frames, want, align, target % align);
            if (own != FRAMES_NONE)
                return own;
        }
        gpa_t own = frames_take(domain_frames, want, FRAMES_PAGE, 0);
        if (own != FRAMES_NONE || want == 1)
            return own;
    }
}

static void drop_chunks(struct domain *domain, uint32_t keep)
{
    while (domain->chunks > keep) {
        const struct domain_chunk *chunk = &domain->chunk[--domain->chunks];
        (void)frames_give(domain_frames, chunk->own, chunk->pages);
    }
}

int64_t domain_add_memory(struct domain *domain, gpa_t target, uint64_t pages)
{
    uint32_t before = domain->chunks;
    if (domain->donated)
        return -HV_EBUSY;
    if (target % FRAMES_PAGE != 0 || pages == 0)
        return -HV_EINVAL;
    while (pages > 0) {
        uint64_t got;
        gpa_t own = take_piece(target, pages, &got);
        if (own == FRAMES_NONE) {
            drop_chunks(domain, before);
            return -HV_ENOMEM;
        }
        void *view = domain_own_view(own, got * FRAMES_PAGE);
        if (!view || !domain_add_chunk(domain, target, own, got)) {
            (void)frames_give(domain_frames, own, got);
            drop_chunks(domain, before);
            return -HV_ENOMEM;
        }
        memset(view, 0, got * FRAMES_PAGE);
        target += got * FRAMES_PAGE;
        pages -= got;
    }
    return 0;
}

void *domain_view(struct domain *domain, gpa_t gpa, uint64_t *bytes)
{
    for (uint32_t i = 0; i < domain->chunks && (domain->shared || !domain->donated); i++) {
        const struct domain_chunk *chunk = &domain->chunk[i];
        uint64_t size = chunk->pages * FRAMES_PAGE, offset = gpa - chunk->target;
        if (offset >= size)
            continue;
        if (*bytes > size - offset)
            *bytes = size - offset;
        return domain_own_view(chunk->own + offset, *bytes);
    }
    return NULL;
}

bool domain_write(struct domain *domain, gpa_t gpa, const void *from, uint64_t bytes)
{
    uint64_t piece;
    for (uint64_t done = 0; done < bytes; done += piece) {
        piece = bytes - done;
        if (gpa + done < gpa || !domain_view(domain, gpa + done, &piece))
            return false;
    }
    for (uint64_t done = 0; done < bytes; done += piece) {
        piece = bytes - done;
        void *to = domain_view(domain, gpa + done, &piece);
        memcpy(to, (const unsigned char *)from + done, piece);
    }
    return true;
}

int64_t domain_donate(struct domain *domain)
{
    const uint32_t flags = HV_MEM_WRITE | HV_MEM_EXEC;
    domain->donated = true;
    for (uint32_t i = 0; i < domain->chunks; i++) {
        const struct domain_chunk *chunk = &domain->chunk[i];
        int64_t result = domain->shared
                             ? call_mem_share(domain->id, chunk->own, chunk->target, chunk->pages, flags)
                             : call_mem_donate(domain->id, chunk->own, chunk->target, chunk->pages, flags);
        if (result < 0)
            return result;
    }
    return 0;
}

int64_t domain_add_range(struct domain *domain, const struct access_range *range)
{
    if (!access_add(&domain->access, range))
        return -HV_EINVAL;
    int64_t result = call_domain_claim(domain->id, range->space, range->base, range->length);
    if (result == -HV_EEXIST && domain->adopted)
        return 0;
    if (result < 0)
        domain->access.count--;
    return result;
}

void domain_give_memory(struct domain *domain)
{
    drop_chunks(domain, 0);
    free(domain->chunk);
    domain->chunk = NULL;
    domain->chunk_capacity = 0;
}

void *domain_page_take(void)
{
    gpa_t own = frames_take(domain_frames, 1, FRAMES_PAGE, 0);
    void *page = own != FRAMES_NONE ? domain_own_view(own, FRAMES_PAGE) : NULL;
    if (own != FRAMES_NONE && !page)
        (void)frames_give(domain_frames, own, 1);
    return page;
}

void domain_page_give(void *page)
{
    /* The view is one window that begins with address 0. */
    uintptr_t window = (uintptr_t)domain_own_view(0, 1);
    (void)frames_give(domain_frames, (uintptr_t)page - window, 1);
}
