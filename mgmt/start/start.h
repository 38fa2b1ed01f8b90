/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * start: what the manager knows about the machine before main() runs. Filled once by start_main()
 * from the PVH start info and the stub's handoff, never changed afterwards.
 */
#pragma once

#include <stdint.h>

#include "guest_abi/hv_abi.h"
#include "mgmt/start/handoff.h"

enum { START_CMDLINE_SIZE = 1024, START_MEMORY_MAX = 128 };

struct start_range {
    gpa_t start;
    gpa_t end; /* exclusive */
};

struct start_info {
    char cmdline[START_CMDLINE_SIZE];
    struct start_range memory[START_MEMORY_MAX]; /* RAM that the manager may use for anything */
    uint32_t memory_count;
    uint32_t memory_left_out; /* ranges for which there was no room */
};

extern struct start_info start_info;

/* The stub fills it; the name is known to manager.ld. */
extern struct handoff handoff;

/* Guest-physical memory as the manager sees it; NULL when it is outside the window. */
void *start_view(gpa_t gpa, uint64_t bytes);

/* The guest-physical address of something in the manager's image, stack or heap. */
gpa_t start_gpa(const void *pointer);

void start_main(void);
int main(void);
