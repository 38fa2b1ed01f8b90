/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio: what all virtio devices have in common, between a transport (virtio_pci, virtio_mmio) and a type
 * (virtio_block...). Pure. Virtual I/O Device (VIRTIO) Version 1.2, chapter 2 "Basic Facilities of a Virtio
 * Device", section 3.1 "Device Initialization".
 *
 * The transport tells what the driver does: status, features, queues, notifications. The type serves queues
 * from virtio_drain(). A driver that breaks the rules makes the device set DEVICE_NEEDS_RESET and do nothing
 * until it is reset; a reset is good at every moment.
 */
#pragma once

#include "mgmt/virtio/queue.h"

enum { VIRTIO_QUEUES_MAX = 2, VIRTIO_CONFIG_MAX = 64, VIRTIO_CONFIG = 0xffff };

/* Section 2.1 "Device Status Field". */
enum {
    VIRTIO_ACKNOWLEDGE = 1,
    VIRTIO_DRIVER = 2,
    VIRTIO_DRIVER_OK = 4,
    VIRTIO_FEATURES_OK = 8,
    VIRTIO_DEVICE_NEEDS_RESET = 64,
    VIRTIO_FAILED = 128,
};

/* Chapter 6 "Reserved Feature Bits". */
#define VIRTIO_F_INDIRECT_DESC (1ULL << 28)
#define VIRTIO_F_EVENT_IDX     (1ULL << 29)
#define VIRTIO_F_VERSION_1     (1ULL << 32)

/* Chapter 5 "Device Types". */
enum virtio_id { VIRTIO_ID_NET = 1, VIRTIO_ID_BLOCK = 2, VIRTIO_ID_CONSOLE = 3, VIRTIO_ID_ENTROPY = 4 };

struct virtio;

/* Answers the chain in virtio->chain: bytes written into it, or VIRTIO_BAD after virtio_break(). */
typedef int64_t virtio_answer_fn(struct virtio *virtio);
#define VIRTIO_BAD (-1)

struct virtio_type {
    enum virtio_id id;
    uint16_t queues;
    uint16_t queue_size; /* largest */
    uint16_t config_size;
    uint64_t features; /* of the type; those of chapter 6 are added */
    /* The driver has notified, or virtio_poll() goes on. */
    void (*serve)(struct virtio *virtio, uint16_t queue);
    void (*reset)(struct virtio *virtio); /* NULL: nothing to forget */
    /* The driver writes to the configuration space, `width` bytes that lie in it. NULL: read-only. */
    void (*configure)(struct virtio *virtio, uint16_t offset, uint8_t width, uint32_t value);
};

/* How the device reaches its driver; set by the transport. */
struct virtio_transport {
    void (*interrupt)(void *ctx, uint16_t queue); /* VIRTIO_CONFIG: the configuration has changed */
    void (*reset)(void *ctx);
    void *ctx;
};

struct virtio {
    const struct virtio_type *type;
    struct virtio_transport transport;
    /* Wants virtio_poll() from the event loop, soon. Must be set. */
    void (*defer)(void *ctx);
    void *defer_ctx;
    uint64_t offered, accepted; /* features */
    uint8_t status;
    uint8_t generation; /* of the configuration */
    uint32_t deferred;  /* queues with work left */
    struct queue queue[VIRTIO_QUEUES_MAX];
    uint8_t config[VIRTIO_CONFIG_MAX];
    struct queue_chain chain;                      /* the one that is being answered */
    uint32_t extra;                                /* what it costs besides its length: virtio_drain() */
    uint64_t notified, interrupts, chains, broken; /* counters, kept over resets */
};

/* `without`: features of the type that are not offered. transport and defer are to be set afterwards. */
void virtio_init(struct virtio *virtio, const struct virtio_type *type, uint64_t without,
                 const struct guest_memory *memory);

/* By the transport. */
void virtio_reset(struct virtio *virtio);
void virtio_set_status(struct virtio *virtio, uint8_t status);
void virtio_set_features(struct virtio *virtio, uint32_t word, uint32_t value);
uint32_t virtio_get_features(const struct virtio *virtio, uint32_t word);
void virtio_enable_queue(struct virtio *virtio, uint16_t queue);
void virtio_notify(struct virtio *virtio, uint32_t queue);
/* Configuration space; bytes that are not there read as zero. */
uint32_t virtio_config_read(const struct virtio *virtio, uint32_t offset, uint8_t width);
void virtio_config_write(struct virtio *virtio, uint32_t offset, uint8_t width, uint32_t value);

/* By the event loop, after `defer`. */
void virtio_poll(struct virtio *virtio);

/* By the type. */
bool virtio_running(const struct virtio *virtio);
bool virtio_has(const struct virtio *virtio, uint64_t feature);
/* Takes the next chain into virtio->chain. False: none, not running, or it has just broken. */
bool virtio_pop(struct virtio *virtio, uint16_t queue);
/*
 * Answers what waits in the queue, a bounded number of chains, and interrupts the driver if it wants that.
 * `answer` may set virtio->extra when a chain makes more work than its bytes show.
 */
void virtio_drain(struct virtio *virtio, uint16_t queue, virtio_answer_fn *answer);
void virtio_signal(struct virtio *virtio, uint16_t queue);
void virtio_config_changed(struct virtio *virtio);
void virtio_break(struct virtio *virtio);
