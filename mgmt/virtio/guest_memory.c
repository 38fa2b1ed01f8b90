/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_memory: see guest_memory.h. Pieces are whole pages, so an aligned word never lies in two of them.
 */
#include "mgmt/virtio/guest_memory.h"

#include <string.h>

bool guest_memory_has(const struct guest_memory *memory, uint64_t gpa, uint64_t bytes)
{
    if (bytes > 0 && gpa + (bytes - 1) < gpa)
        return false;
    while (bytes > 0) {
        uint64_t piece = bytes;
        if (!memory->view(memory->ctx, gpa, &piece))
            return false;
        gpa += piece;
        bytes -= piece;
    }
    return true;
}

bool guest_memory_read(const struct guest_memory *memory, uint64_t gpa, void *to, uint64_t bytes)
{
    uint8_t *at = to;
    if (!guest_memory_has(memory, gpa, bytes))
        return false;
    while (bytes > 0) {
        uint64_t piece = bytes;
        const void *from = memory->view(memory->ctx, gpa, &piece);
        memcpy(at, from, piece);
        at += piece;
        gpa += piece;
        bytes -= piece;
    }
    return true;
}

bool guest_memory_write(const struct guest_memory *memory, uint64_t gpa, const void *from, uint64_t bytes)
{
    const uint8_t *at = from;
    if (!guest_memory_has(memory, gpa, bytes))
        return false;
    while (bytes > 0) {
        uint64_t piece = bytes;
        void *to = memory->view(memory->ctx, gpa, &piece);
        memcpy(to, at, piece);
        at += piece;
        gpa += piece;
        bytes -= piece;
    }
    return true;
}

uint16_t *guest_memory_word(const struct guest_memory *memory, uint64_t gpa)
{
    uint64_t piece = sizeof(uint16_t);
    if (gpa % sizeof(uint16_t) != 0)
        return NULL;
    void *word = memory->view(memory->ctx, gpa, &piece);
    return piece == sizeof(uint16_t) ? word : NULL;
}
