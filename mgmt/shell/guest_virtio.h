/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_virtio: the virtio devices that a domain's configuration asks for, on a PCI bus or as pages of
 * registers, connected: queue notifications are doorbells, MSI-X vectors are routes with notifiers, the pin
 * and the MMIO interrupt are lines. Network devices of domains with the same word behind `net` are on one
 * switch.
 *
 * Device n is in PCI slot n + 1, or at GUEST_VIRTIO_MMIO + n pages: first the disks, then the network
 * devices, the entropy device, the console. Vectors of slot s have the GSIs from GUEST_VIRTIO_GSI + 4 * (s -
 * 1) on; the lines are those that the domain's ACPI tables name (builder/dsdt.asl), with MMIO lines of a PC
 * that nobody else has.
 */
#pragma once

#include "mgmt/config/config.h"
#include "mgmt/devices/pci_host.h"
#include "mgmt/lib/domain.h"
#include "mgmt/virtio/virtio_saved.h"

#define GUEST_VIRTIO_PCI      0xc0000000U /* up to the I/O APIC */
#define GUEST_VIRTIO_PCI_SIZE 0x3ec00000U
#define GUEST_VIRTIO_MMIO     0xfed00000U
#define GUEST_VIRTIO_GSI      64U

enum { GUEST_VIRTIO_PARTS = CONFIG_DISKS_MAX + CONFIG_NETS_MAX + 2 };

/* What outlives this program: guest_saved.h. */
struct guest_virtio_saved {
    uint32_t parts;
    uint32_t reserved;
    struct virtio_saved part[GUEST_VIRTIO_PARTS];
};

struct guest_virtio;

struct guest_virtio_hooks {
    void (*output)(void *ctx, uint8_t byte); /* of the console */
    void (*input)(void *ctx);                /* the console may take bytes now */
    void *ctx;
};

/* Does the configuration ask for any? Such a domain's memory must be shared. */
bool guest_virtio_wanted(const struct config_domain *config);

/* False: `error` says what is missing on this machine; at most `size` bytes. */
bool guest_virtio_check(const struct config_domain *config, char *error, size_t size);

/*
 * What a Linux kernel must be told to find devices behind pages of registers when no ACPI tables do; "" for
 * the others. Until the next call.
 */
const char *guest_virtio_cmdline(const struct config_domain *config);

/*
 * *out is NULL when none are asked for. Zero or a negative HV_E*: then *out is only good for
 * guest_virtio_drop(). `host` gets a bus.
 */
int64_t guest_virtio_add(struct guest_virtio **out, struct domain *domain, const struct config_domain *config,
                         struct pci_host *host, const struct guest_virtio_hooks *hooks);

/* When the domain is gone, or before it has run. NULL: nothing to do. */
void guest_virtio_drop(struct guest_virtio *virtio);

/* A byte for the console. False: there is no such console, its driver does not listen, or it has no room. */
bool guest_virtio_type(struct guest_virtio *virtio, uint8_t byte);
/* Does a driver listen? Then typed bytes are for it, else for the serial port. */
bool guest_virtio_listens(const struct guest_virtio *virtio);

/* NULL: nothing to do. Cheap when the guest has not touched registers since. */
void guest_virtio_save(struct guest_virtio *virtio, struct guest_virtio_saved *to);
/*
 * Into devices that were just added: they go on. What was written to copy-on-write disks died with the former
 * instance: if they were in use, they answer with errors from now on, and a line says so. False: the record
 * makes no sense; devices are in their reset state.
 */
bool guest_virtio_restore(struct guest_virtio *virtio, const struct guest_virtio_saved *from);
