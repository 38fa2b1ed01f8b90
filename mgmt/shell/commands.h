/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * commands: what the shell can do. One function per command, one table.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mgmt/lib/frames.h"
#include "mgmt/shell/guest.h"

void commands_init(const struct frames *frames, uint64_t tsc_khz);

/* words[0] is the command; count > 0. */
void commands_run(int count, char *words[]);

/* The guest whose console the last command asked for, once; NULL: none. */
struct guest *commands_attached(void);

/* What takes the screen for itself until a key is pressed, or until it is over. */
struct commands_mode {
    void (*start)(uint64_t tsc_khz);
    void (*stop)(void);
    bool (*over)(void); /* NULL: never by itself */
};

/* The one that the last command asked for, once; NULL: none. */
const struct commands_mode *commands_mode(void);

/* Listings, in commands_show.c. */
void commands_list(int count, char *words[]);
void commands_info(int count, char *words[]);
void commands_vcpus(int count, char *words[]);
void commands_stats(int count, char *words[]);
void commands_apics(int count, char *words[]); /* commands_apics.c */
void commands_modules(int count, char *words[]);
void commands_dmesg(int count, char *words[]);

/* In commands_trace.c; true: a dump is to begin. */
bool commands_trace(int count, char *words[]);

/* Interrupts, in commands_irq.c. */
void commands_irqs(int count, char *words[]);
void commands_routes(int count, char *words[]);
void commands_route(int count, char *words[]);
void commands_inject(int count, char *words[]);
void commands_msi(int count, char *words[]);
void commands_irq_line(int count, char *words[]);
void commands_nmi(int count, char *words[]);
void commands_lines(int count, char *words[]);   /* commands_pirq.c */
void commands_latency(int count, char *words[]); /* commands_latency.c */

/* Virtio, in commands_virtio.c. */
void commands_devices(int count, char *words[]);
void commands_switches(int count, char *words[]);

/* Takes "--json" out of the words. */
bool commands_json(int *count, char *words[]);

/* For these: the guest that a word names, or a message. */
struct guest *commands_guest(const char *word);

/* The guest, which is there, and its vCPU that two words name, or NULL and a message. */
struct guest *commands_vcpu(char *words[], uint32_t *vcpu);
const struct frames *commands_frames(void);
uint64_t commands_khz(void);
