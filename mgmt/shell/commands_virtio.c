/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * commands_virtio: the virtio devices of a domain and the network switches, with what has gone through them.
 */
#include <stdio.h>

#include "mgmt/shell/commands.h"
#include "mgmt/shell/guest_virtio_parts.h"
#include "mgmt/shell/screen.h"
#include "mgmt/shell/switches.h"
#include "mgmt/shell/table.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { PLACE_SIZE = 16, DETAIL_SIZE = 240 };

static const char *type_of(const struct part *part)
{
    switch (part->device->type->id) {
    case VIRTIO_ID_NET:
        return "net";
    case VIRTIO_ID_BLOCK:
        return "disk";
    case VIRTIO_ID_CONSOLE:
        return "console";
    case VIRTIO_ID_ENTROPY:
        return "rng";
    }
    return "?";
}

static const char *state_of(const struct virtio *virtio)
{
    if (virtio->status & VIRTIO_DEVICE_NEEDS_RESET)
        return "broken";
    if (virtio->status & VIRTIO_FAILED)
        return "given up";
    return virtio->status & VIRTIO_DRIVER_OK ? "running" : virtio->status ? "starting" : "reset";
}

/* Rounded up. */
static unsigned long long kib(uint64_t bytes)
{
    return (bytes + 1023) / 1024;
}

static void describe_disk(const struct virtio_block *disk, char *to)
{
    const struct block_image *image = disk->backend.ctx;
    snprintf(to, DETAIL_SIZE, "%.20s, %llu KiB%s; %llu KiB read, %llu written, %llu own; %llu errors",
             disk->id, kib(disk->backend.size), disk->backend.read_only ? ", ro" : "", kib(disk->bytes_read),
             kib(disk->bytes_written), kib(image->own_pages * BLOCK_IMAGE_PAGE),
             (unsigned long long)disk->errors);
}

static void describe_net(const struct virtio_net *net, char *to)
{
    const uint8_t *mac = net->virtio.config;
    snprintf(to, DETAIL_SIZE,
             "%02x:%02x:%02x:%02x:%02x:%02x; %llu sent, %llu received, %llu lost, %llu refused", mac[0],
             mac[1], mac[2], mac[3], mac[4], mac[5], (unsigned long long)net->port.in,
             (unsigned long long)net->port.out, (unsigned long long)net->port.dropped,
             (unsigned long long)net->port.refused);
}

static void describe(const struct part *part, char *to)
{
    const struct guest_virtio *all = part->all;
    switch (part->device->type->id) {
    case VIRTIO_ID_BLOCK:
        describe_disk((const struct virtio_block *)part->device, to);
        return;
    case VIRTIO_ID_NET:
        describe_net((const struct virtio_net *)part->device, to);
        return;
    case VIRTIO_ID_CONSOLE:
        snprintf(to, DETAIL_SIZE, "%llu bytes sent, %llu received", (unsigned long long)all->console.sent,
                 (unsigned long long)all->console.received);
        return;
    case VIRTIO_ID_ENTROPY:
        snprintf(to, DETAIL_SIZE, "%llu bytes", (unsigned long long)all->rng.bytes);
        return;
    }
}

static void show(struct table *table, const struct part *part)
{
    char place[PLACE_SIZE], detail[DETAIL_SIZE] = "";
    const struct virtio *virtio = part->device;
    if (part->all->is_mmio)
        snprintf(place, sizeof(place), "%#x", GUEST_VIRTIO_MMIO + part->number * VIRTIO_MMIO_SIZE);
    else
        snprintf(place, sizeof(place), "slot %u", part->number + 1);
    describe(part, detail);
    const struct table_cell cells[] = {
        TABLE_TEXT(place),
        TABLE_TEXT(type_of(part)),
        TABLE_TEXT(state_of(virtio)),
        TABLE_NUMBER(virtio->notified),
        TABLE_NUMBER(virtio->chains),
        TABLE_NUMBER(virtio->interrupts),
        TABLE_TEXT(detail),
    };
    table_row(table, cells);
}

void commands_devices(int count, char *words[])
{
    static const struct table_column columns[] = {{"place", -10},  {"type", -7},   {"state", -8},
                                                  {"notified", 8}, {"buffers", 8}, {"interrupts", 10},
                                                  {"detail", -1}};
    bool json = commands_json(&count, words);
    struct table table;
    if (count != 2) {
        screen_printf("usage: devices domain [--json]");
        return;
    }
    const struct guest *guest = commands_guest(words[1]);
    if (!guest)
        return;
    table_begin(&table, columns, COUNT(columns), json, screen_line);
    for (uint32_t i = 0; guest->virtio && i < guest->virtio->parts; i++)
        show(&table, &guest->virtio->part[i]);
    table_end(&table);
}

void commands_switches(int count, char *words[])
{
    static const struct table_column columns[] = {
        {"switch", -16}, {"ports", 5}, {"addresses", 9}, {"frames", 10}, {"flooded", 10}};
    struct table table;
    table_begin(&table, columns, COUNT(columns), commands_json(&count, words), screen_line);
    for (uint32_t i = 0; i < switches_count(); i++) {
        const char *name;
        const struct net_switch *net = switches_at(i, &name);
        uint32_t ports = 0;
        for (uint32_t j = 0; j < NET_SWITCH_PORTS; j++)
            ports += net->port[j] != NULL;
        const struct table_cell cells[] = {TABLE_TEXT(name), TABLE_NUMBER(ports),
                                           TABLE_NUMBER(net_switch_known(net)), TABLE_NUMBER(net->frames),
                                           TABLE_NUMBER(net->flooded)};
        table_row(&table, cells);
    }
    table_end(&table);
}
