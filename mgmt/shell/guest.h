/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest: a configured domain and what became of it: its devices, its console, its end.
 *
 * A guest is defined by the configuration; create makes the domain (memory, devices, vCPUs, nothing
 * runs), start lets it run. It ends by itself (debug exit, death, timeout) or by destroy. What is to
 * happen then is the key on_exit; the result stays to be listed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mgmt/config/config.h"
#include "mgmt/devices/debug_console.h"
#include "mgmt/devices/debug_exit.h"
#include "mgmt/devices/panic_port.h"
#include "mgmt/devices/post_port.h"
#include "mgmt/devices/uart16550.h"
#include "mgmt/lib/domain.h"
#include "mgmt/lib/events.h"
#include "mgmt/shell/console.h"
#include "mgmt/shell/guest_pc.h"
#include "mgmt/shell/guest_virtio.h"

enum guest_state {
    GUEST_DEFINED, /* no domain */
    GUEST_CREATED, /* has not run yet */
    GUEST_RUNNING,
    GUEST_PAUSED,
    GUEST_ENDED, /* on_exit = keep: the domain is still there, stopped */
};

enum guest_result {
    GUEST_NONE,
    GUEST_EXITED, /* with `code` */
    GUEST_DIED,
    GUEST_TIMED_OUT,
    GUEST_NOT_CREATED,
    GUEST_DESTROYED,   /* by a person */
    GUEST_RESET,       /* by itself, through a reset port */
    GUEST_POWERED_OFF, /* by itself, through ACPI */
    GUEST_PANICKED,    /* by itself, as it said */
};

enum { GUEST_INPUT = 1024, GUEST_BREAK = 0x100 };

struct guest {
    const struct config_domain *config;
    struct domain *domain; /* NULL: GUEST_DEFINED */
    uint32_t id;           /* of the last domain */
    enum guest_state state;
    enum guest_result result; /* of the last run */
    uint32_t code;
    bool ever_failed;
    uint64_t ends_at; /* TSC of its timeout; 0: none */
    bool foreign;     /* not in the configuration, found at a restart: another manager serves it */
    char death[80];
    struct console console;
    struct debug_console debug_console;
    struct debug_exit debug_exit;
    struct panic_port panic_port;
    struct post_port post_port;
    struct uart16550 uart;
    struct guest_pc pc;
    struct guest_virtio *virtio; /* NULL: it has no such devices */
    bool on_vcon; /* the virtio console spoke last, not the serial port: it gets what is typed */
    uint16_t input[GUEST_INPUT]; /* bytes and breaks; waits for room in the UART */
    uint32_t input_head, input_count;
    struct events_timer finish, timeout, flush;
    struct events_timer wake; /* its clock or power management interrupts then */
    uint64_t wakes_at;        /* TSC; UINT64_MAX: not set */
    uint64_t flush_bytes;     /* of console output, when `flush` was set */
};

enum { GUEST_FOREIGN_MAX = 16 };

/* One guest for each domain of the configuration, which must outlive them. */
void guest_init_all(const struct config *config, uint64_t tsc_khz);
uint32_t guest_count(void);
struct guest *guest_get(uint32_t index);
struct guest *guest_find(const char *name_or_id);
struct guest *guest_find_name(const char *name);

/* For guest_adopt_all(): one more. NULL: there are too many, or no memory. */
struct guest *guest_add_foreign(const struct hv_domain_info *info);

/* False: `error` has the reason, a phrase. */
enum { GUEST_ERROR_SIZE = 320 };
bool guest_create(struct guest *guest, char *error);
bool guest_start(struct guest *guest, char *error);
bool guest_pause(struct guest *guest, char *error);
bool guest_resume(struct guest *guest, char *error);
bool guest_destroy(struct guest *guest, char *error);

/* Finds domains that a former instance of this program has left, and serves them from here on; those that
 * are not in the configuration can be looked at, paused and destroyed only. True: there were any. */
bool guest_adopt_all(void);

/* Creates and starts what has autostart = yes; prints what cannot be. */
void guest_autostart(void);

/* A byte typed by a person, or GUEST_BREAK. */
void guest_type(struct guest *guest, uint16_t what);
/* Moves typed bytes on; to be called now and then. */
void guest_poll(struct guest *guest);

/* No domain runs, is paused, or is about to end. */
bool guest_all_ended(void);
/* How many ended (*all) and how many of them as failures. */
uint32_t guest_failures(uint32_t *all);

const char *guest_state_text(const struct guest *guest);
/* "code 33", "died: triple fault"...; "" before the first end. */
void guest_result_text(const struct guest *guest, char *to, uint32_t size);
