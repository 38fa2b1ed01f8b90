/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * msix: the MSI-X table of a function, its pending bits and masks. Pure. PCI Local Bus Specification 3.0,
 * section 6.8.2 "MSI-X Capability and Table Structures".
 *
 * A vector that is raised while it, or the function, is masked becomes pending and is sent when both masks
 * are open. The table is at offset 0 of a page, the pending bit array at MSIX_PBA.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    MSIX_VECTORS_MAX = 4,
    MSIX_PBA = 0x800,
    MSIX_SIZE = 0x1000,
    MSIX_CONTROL_ENABLE = 0x8000, /* Message Control */
    MSIX_CONTROL_MASK = 0x4000,
};

struct msix_entry {
    uint64_t address;
    uint32_t data;
    uint32_t control; /* bit 0: masked */
};

struct msix {
    /* Sends the message of a vector. */
    void (*raise)(void *ctx, uint16_t vector, uint64_t address, uint32_t data);
    /* Where vectors go, or whether they may be sent, has changed; msix_open() tells. NULL: nobody asks. */
    void (*changed)(void *ctx);
    void *ctx;
    uint16_t vectors;
    bool enabled, masked; /* bits of Message Control */
    uint32_t pending;
    struct msix_entry entry[MSIX_VECTORS_MAX];
};

/*
 * As after a reset of the function: disabled, all vectors masked. Hooks and the number of vectors are kept.
 */
void msix_reset(struct msix *msix);
void msix_set_control(struct msix *msix, uint16_t control);
void msix_raise(struct msix *msix, uint16_t vector);

/* Would a message of this vector be sent now? */
bool msix_open(const struct msix *msix, uint16_t vector);

/* Table and pending bits, offset in their page. Writes count only as aligned double words. */
uint32_t msix_read(const struct msix *msix, uint32_t offset, uint8_t width);
void msix_write(struct msix *msix, uint32_t offset, uint8_t width, uint32_t value);
