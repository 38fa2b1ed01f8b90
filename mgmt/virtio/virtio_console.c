/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio_console: see virtio_console.h.
 */
#include "mgmt/virtio/virtio_console.h"

#include <string.h>

enum { RECEIVEQ = 0, TRANSMITQ = 1 };

#define VIRTIO_CONSOLE_F_SIZE        (1ULL << 0)
#define VIRTIO_CONSOLE_F_EMERG_WRITE (1ULL << 2)

/* Section 5.3.4 "Device configuration layout". */
struct virtio_console_config {
    uint16_t cols;
    uint16_t rows;
    uint32_t max_nr_ports;
    uint32_t emerg_wr;
};
_Static_assert(sizeof(struct virtio_console_config) == 12, "VIRTIO 5.3.4");

static int64_t send(struct virtio *virtio)
{
    struct virtio_console *console = (struct virtio_console *)virtio;
    struct queue_cursor cursor = queue_readable(&virtio->chain);
    uint64_t piece = VIRTIO_CONSOLE_MAX;
    const uint8_t *bytes;
    if (virtio->chain.writable != 0 || virtio->chain.readable > VIRTIO_CONSOLE_MAX) {
        virtio_break(virtio);
        return VIRTIO_BAD;
    }
    for (; (bytes = queue_piece(&virtio->queue[TRANSMITQ], &cursor, &piece)); piece = VIRTIO_CONSOLE_MAX) {
        console->sent += piece;
        console->put(console->ctx, bytes, piece);
    }
    return 0;
}

static void serve(struct virtio *virtio, uint16_t queue)
{
    struct virtio_console *console = (struct virtio_console *)virtio;
    if (queue == TRANSMITQ)
        virtio_drain(virtio, queue, send);
    else if (console->ready)
        console->ready(console->ctx);
}

uint32_t virtio_console_receive(struct virtio_console *console, const uint8_t *bytes, uint32_t length)
{
    struct virtio *virtio = &console->virtio;
    uint32_t done = 0;
    while (done < length && virtio_pop(virtio, RECEIVEQ)) {
        struct queue_cursor cursor = queue_writable(&virtio->chain);
        if (virtio->chain.readable != 0) {
            virtio_break(virtio);
            break;
        }
        uint64_t written = queue_write(&virtio->queue[RECEIVEQ], &cursor, bytes + done, length - done);
        queue_push(&virtio->queue[RECEIVEQ], virtio->chain.head, (uint32_t)written);
        done += (uint32_t)written;
    }
    (void)queue_watch(&virtio->queue[RECEIVEQ], true);
    virtio_signal(virtio, RECEIVEQ);
    console->received += done;
    return done;
}

static void configure(struct virtio *virtio, uint16_t offset, uint8_t width, uint32_t value)
{
    struct virtio_console *console = (struct virtio_console *)virtio;
    uint8_t byte = (uint8_t)value;
    if (offset != offsetof(struct virtio_console_config, emerg_wr) || width == 0)
        return;
    console->sent++;
    console->put(console->ctx, &byte, 1);
}

void virtio_console_resize(struct virtio_console *console, uint16_t columns, uint16_t rows)
{
    const struct virtio_console_config config = {.cols = columns, .rows = rows, .max_nr_ports = 1};
    memcpy(console->virtio.config, &config, sizeof(config));
    virtio_config_changed(&console->virtio);
}

void virtio_console_init(struct virtio_console *console, const struct guest_memory *memory)
{
    static const struct virtio_type type = {
        .id = VIRTIO_ID_CONSOLE,
        .queues = 2,
        .queue_size = 64,
        .config_size = sizeof(struct virtio_console_config),
        .features = VIRTIO_CONSOLE_F_SIZE | VIRTIO_CONSOLE_F_EMERG_WRITE,
        .serve = serve,
        .configure = configure,
    };
    virtio_init(&console->virtio, &type, 0, memory);
    console->sent = console->received = 0;
    virtio_console_resize(console, 80, 25);
}
_Static_assert(offsetof(struct virtio_console, virtio) == 0, "a device begins with what is common");
