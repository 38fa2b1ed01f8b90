/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_virtio: see guest_virtio.h. Each device is a `part` with its transport, its routes and its doorbells.
 * What the guest changes about vectors and addresses is followed in guest_virtio_changed(): a route when a
 * vector is opened, doorbells when a BAR has moved.
 */
#include "mgmt/shell/guest_virtio.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/lib/irq.h"
#include "mgmt/shell/guest_virtio_parts.h"
#include "mgmt/shell/host_random.h"
#include "mgmt/shell/modules.h"
#include "mgmt/shell/switches.h"

static void *view(void *ctx, uint64_t gpa, uint64_t *bytes)
{
    return domain_view(ctx, gpa, bytes);
}

/* ---- lines, vectors, doorbells */

/* Lines of a PC without a device of their own in a domain. */
static uint32_t mmio_line(uint32_t number)
{
    static const uint8_t lines[PARTS_MAX] = {5, 10, 11, 3, 6, 7, 14, 15};
    return lines[number];
}

static uint32_t line_gsi(const struct part *part)
{
    return part->all->is_mmio ? mmio_line(part->number) : 16 + (part->number + 1) % 8;
}

static void set_line(void *ctx, bool level)
{
    const struct part *part = ctx;
    (void)irq_line(part->all->id, line_gsi(part), level);
}

static void raise_vector(void *ctx, uint16_t vector, uint64_t address, uint32_t data)
{
    struct part *part = ctx;
    (void)address;
    (void)data;
    irq_source_fire(&part->vector[vector]);
}

static void place_bells(struct part *part)
{
    for (uint16_t i = 0; i < part->device->type->queues; i++) {
        struct irq_bell_place at = {.space = HV_CLAIM_MMIO, .address = virtio_pci_doorbell(&part->pci, i)};
        if (part->all->is_mmio)
            at = (struct irq_bell_place){HV_CLAIM_MMIO,
                                         GUEST_VIRTIO_MMIO + part->number * (uint64_t)VIRTIO_MMIO_SIZE +
                                             VIRTIO_MMIO_QUEUE_NOTIFY,
                                         true, i};
        /* Without a doorbell the write comes as an access. */
        (void)irq_bell_put(&part->bell[i], at.address != 0 ? &at : NULL);
    }
}

void guest_virtio_changed(void *ctx)
{
    struct part *part = ctx;
    for (uint16_t i = 0; i < part->pci.msix.vectors; i++)
        if (msix_open(&part->pci.msix, i))
            (void)irq_source_set(&part->vector[i], part->pci.msix.entry[i].address,
                                 part->pci.msix.entry[i].data);
    place_bells(part);
}

static void on_bell(void *ctx, uint32_t number)
{
    struct part *part = ctx;
    for (uint16_t i = 0; i < part->device->type->queues; i++)
        if (part->bell[i].number == number)
            virtio_notify(part->device, i);
}

static void on_later(void *ctx)
{
    struct part *part = ctx;
    virtio_poll(part->device);
}

/* Not before the notifications that are there by then: a queue that never ends takes turns with the others. */
static void defer(void *ctx)
{
    struct part *part = ctx;
    events_timer_set(&part->later, events_now(), on_later, part);
}

/* ---- devices on their bus: every access may change what is to be saved */

static uint64_t window_read(void *ctx, uint64_t offset, uint8_t width)
{
    struct guest_virtio *all = ctx;
    const struct access_range window = pci_bus_range(&all->bus);
    all->changed = true;
    return window.read(window.ctx, offset, width);
}

static void window_write(void *ctx, uint64_t offset, uint8_t width, uint64_t data)
{
    struct guest_virtio *all = ctx;
    const struct access_range window = pci_bus_range(&all->bus);
    all->changed = true;
    window.write(window.ctx, offset, width, data);
}

static uint32_t config_read(void *ctx, uint32_t address, uint8_t width)
{
    struct guest_virtio *all = ctx;
    all->changed = true;
    return pci_bus_config_read(&all->bus, address, width);
}

static void config_write(void *ctx, uint32_t address, uint8_t width, uint32_t value)
{
    struct guest_virtio *all = ctx;
    all->changed = true;
    pci_bus_config_write(&all->bus, address, width, value);
}

static uint64_t page_read(void *ctx, uint64_t offset, uint8_t width)
{
    struct part *part = ctx;
    part->all->changed = true;
    return part->page.read(part->page.ctx, offset, width);
}

static void page_write(void *ctx, uint64_t offset, uint8_t width, uint64_t data)
{
    struct part *part = ctx;
    part->all->changed = true;
    part->page.write(part->page.ctx, offset, width, data);
}

static int64_t connect_pci(struct guest_virtio *all, struct part *part)
{
    part->pci.set_irq = set_line;
    part->pci.irq_ctx = part;
    part->pci.msix.raise = raise_vector;
    part->pci.msix.ctx = part;
    virtio_pci_init(&part->pci, part->device, (uint8_t)(10 + (part->number + 1) % 2));
    if (!pci_bus_add(&all->bus, part->number + 1, &part->pci.function))
        return -HV_ENOSPC;
    for (uint32_t i = 0; i < part->pci.msix.vectors; i++) {
        int64_t result =
            irq_source_make(&part->vector[i], all->id, GUEST_VIRTIO_GSI + part->number * GSIS_PER_SLOT + i);
        if (result < 0)
            return result;
    }
    part->pci.msix.changed = guest_virtio_changed;
    return 0;
}

static int64_t connect_mmio(struct guest_virtio *all, struct part *part)
{
    part->mmio.set_irq = set_line;
    part->mmio.irq_ctx = part;
    virtio_mmio_init(&part->mmio, part->device);
    part->page =
        virtio_mmio_range(&part->mmio, GUEST_VIRTIO_MMIO + part->number * (uint64_t)VIRTIO_MMIO_SIZE);
    struct access_range range = part->page;
    range.read = page_read;
    range.write = page_write;
    range.ctx = part;
    return domain_add_range(all->domain, &range);
}

static int64_t connect(struct guest_virtio *all, struct virtio *device)
{
    struct part *part = &all->part[all->parts];
    part->all = all;
    part->number = all->parts++;
    part->device = device;
    device->defer = defer;
    device->defer_ctx = part;
    int64_t result = all->is_mmio ? connect_mmio(all, part) : connect_pci(all, part);
    for (uint32_t i = 0; i < device->type->queues && result >= 0; i++)
        result = irq_bell_make(&part->bell[i], all->id, on_bell, part);
    if (result >= 0)
        place_bells(part);
    return result;
}

/* ---- what the devices are */

static void *page_alloc(void *ctx)
{
    (void)ctx;
    return domain_page_take();
}

static void page_free(void *ctx, void *page)
{
    (void)ctx;
    domain_page_give(page);
}

static int64_t add_disk(struct guest_virtio *all, const struct config_disk *config)
{
    struct block_image *image = &all->image[all->disks];
    struct virtio_block *disk = &all->disk[all->disks];
    const struct module *module = config->module[0] != '\0' ? modules_find(config->module) : NULL;
    if (config->module[0] != '\0' && !module)
        return -HV_ENOENT;
    *image = (struct block_image){
        .image = module ? module->data : NULL,
        .image_size = module ? module->size : 0,
        .size = config->size,
        .page_alloc = config->cow ? page_alloc : NULL,
        .page_free = page_free,
    };
    disk->backend = block_image_backend(image);
    snprintf(disk->id, sizeof(disk->id), "%s", module ? config->module : "empty");
    virtio_block_init(disk, &all->memory);
    all->disks++;
    return connect(all, &disk->virtio);
}

/* A local one, by the domain's name. */
static void make_mac(uint8_t *mac, const char *name, uint32_t number)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (; *name != '\0'; name++)
        hash = (hash ^ (uint8_t)*name) * 16777619U;
    const uint8_t bytes[NET_MAC_SIZE] = {
        0x02, 0x53, (uint8_t)(hash >> 16), (uint8_t)(hash >> 8), (uint8_t)hash, (uint8_t)number};
    memcpy(mac, bytes, sizeof(bytes));
}

static int64_t add_net(struct guest_virtio *all, const struct config_domain *config, uint32_t number)
{
    uint8_t mac[NET_MAC_SIZE];
    struct net_switch *net = switches_get(config->net[number]);
    make_mac(mac, config->name, number);
    if (!net || !virtio_net_init(&all->net[number], mac, net, &all->memory))
        return -HV_ENOSPC;
    all->nets++;
    return connect(all, &all->net[number].virtio);
}

static void put_bytes(void *ctx, const uint8_t *bytes, uint64_t length)
{
    const struct guest_virtio *all = ctx;
    for (uint64_t i = 0; i < length; i++)
        all->hooks.output(all->hooks.ctx, bytes[i]);
}

static void ready(void *ctx)
{
    const struct guest_virtio *all = ctx;
    all->hooks.input(all->hooks.ctx);
}

static int64_t add_others(struct guest_virtio *all, const struct config_domain *config)
{
    int64_t result = 0;
    if (config->rng) {
        all->rng.fill = host_random_fill;
        virtio_rng_init(&all->rng, &all->memory);
        result = connect(all, &all->rng.virtio);
    }
    if (config->vcon && result >= 0) {
        all->console.put = put_bytes;
        all->console.ready = ready;
        all->console.ctx = all;
        virtio_console_init(&all->console, &all->memory);
        all->has_console = true;
        result = connect(all, &all->console.virtio);
    }
    return result;
}

static int64_t add_all(struct guest_virtio *all, const struct config_domain *config, struct pci_host *host)
{
    int64_t result = 0;
    if (!all->is_mmio) {
        pci_bus_init(&all->bus, GUEST_VIRTIO_PCI, GUEST_VIRTIO_PCI_SIZE);
        struct access_range range = pci_bus_range(&all->bus);
        range.read = window_read;
        range.write = window_write;
        range.ctx = all;
        result = domain_add_range(all->domain, &range);
    }
    for (uint32_t i = 0; i < config->disks && result >= 0; i++)
        result = add_disk(all, &config->disk[i]);
    for (uint32_t i = 0; i < config->nets && result >= 0; i++)
        result = add_net(all, config, i);
    if (result >= 0)
        result = add_others(all, config);
    if (result < 0 || all->is_mmio)
        return result;
    host->config_read = config_read;
    host->config_write = config_write;
    host->bus = all;
    return result;
}

bool guest_virtio_wanted(const struct config_domain *config)
{
    return config->disks > 0 || config->nets > 0 || config->rng || config->vcon;
}

bool guest_virtio_check(const struct config_domain *config, char *error, size_t size)
{
    for (uint32_t i = 0; i < config->disks; i++) {
        const char *name = config->disk[i].module;
        if (name[0] == '\0' || modules_find(name))
            continue;
        snprintf(error, size,
                 "disk = %s: there is no boot module %s; add it to the boot loader's configuration", name,
                 name);
        return false;
    }
    if (!config->rng || host_random_exists())
        return true;
    snprintf(error, size, "rng: this CPU has no RDRAND; write rng = no");
    return false;
}

const char *guest_virtio_cmdline(const struct config_domain *config)
{
    static char text[PARTS_MAX * 48];
    uint32_t parts = config->disks + config->nets + config->rng + config->vcon;
    size_t used = 0;
    text[0] = '\0';
    if (config->virtio != CONFIG_VIRTIO_MMIO || config->acpi != CONFIG_ACPI_NO)
        return text;
    for (uint32_t i = 0; i < parts && used < sizeof(text); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, " virtio_mmio.device=4K@%#x:%u",
                                 GUEST_VIRTIO_MMIO + i * VIRTIO_MMIO_SIZE, mmio_line(i));
    return text;
}

int64_t guest_virtio_add(struct guest_virtio **out, struct domain *domain, const struct config_domain *config,
                         struct pci_host *host, const struct guest_virtio_hooks *hooks)
{
    *out = NULL;
    if (!guest_virtio_wanted(config))
        return 0;
    struct guest_virtio *all = calloc(1, sizeof(*all));
    if (!all)
        return -HV_ENOMEM;
    all->domain = domain;
    all->id = domain->id;
    all->is_mmio = config->virtio == CONFIG_VIRTIO_MMIO;
    all->memory = (struct guest_memory){view, domain};
    all->hooks = *hooks;
    *out = all;
    return add_all(all, config, host);
}

void guest_virtio_drop(struct guest_virtio *virtio)
{
    if (!virtio)
        return;
    for (uint32_t i = 0; i < virtio->parts; i++) {
        struct part *part = &virtio->part[i];
        events_timer_cancel(&part->later);
        for (uint32_t j = 0; j < VECTORS; j++)
            irq_source_drop(&part->vector[j]);
        for (uint32_t j = 0; j < VIRTIO_QUEUES_MAX; j++)
            irq_bell_drop(&part->bell[j]);
    }
    for (uint32_t i = 0; i < virtio->nets; i++)
        virtio_net_detach(&virtio->net[i]);
    for (uint32_t i = 0; i < virtio->disks; i++)
        block_image_free(&virtio->image[i]);
    free(virtio);
}

bool guest_virtio_listens(const struct guest_virtio *virtio)
{
    return virtio && virtio->has_console && virtio_running(&virtio->console.virtio);
}

bool guest_virtio_type(struct guest_virtio *virtio, uint8_t byte)
{
    return guest_virtio_listens(virtio) && virtio_console_receive(&virtio->console, &byte, 1) == 1;
}
