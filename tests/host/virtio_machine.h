/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio_machine: domains with virtio devices on the pretended machine of mgmt_machine.h, and a guest that finds
 * its devices by ports and pages and sets them up.
 */
#pragma once

#include "mgmt/lib/irq_bell.h"
#include "mgmt/shell/guest_virtio.h"
#include "tests/host/mgmt_fake_irq.h"
#include "tests/host/mgmt_machine.h"

/* The guest's own layout, and offsets of registers in the BARs and pages. */
enum { DESC = 0x2000, AVAIL = 0x3000, USED = 0x4000, DATA = 0x5000, HEADER = 0x6000, SIZE = 8 };
enum { DISKS = 2, NET = 2, CONSOLE = 3 }; /* places of devices */

static inline struct config_domain *add(const char *name, enum config_virtio virtio)
{
    struct config_domain *config = machine_add(name);
    config->irqchip = CONFIG_IRQCHIP_FULL;
    config->acpi = CONFIG_ACPI_NO;
    config->virtio = virtio;
    config->disks = DISKS;
    snprintf(config->disk[0].module, sizeof(config->disk[0].module), "k.bin");
    config->disk[1] = (struct config_disk){.size = 1 << 20, .cow = true};
    config->nets = 1;
    snprintf(config->net[0], sizeof(config->net[0]), "lan");
    config->vcon = true;
    return config;
}

static inline void begin(enum config_virtio virtio)
{
    machine_make();
    fake_irq_reset();
    (void)add("a", virtio);
    (void)add("b", virtio);
    machine_begin();
    irq_bell_init();
    EXPECT_STREQ(machine_command("start a"), "domain 1 (a): started\n");
}

static inline void end(void)
{
    for (uint32_t i = 0; i < guest_count(); i++)
        if (guest_get(i)->domain)
            EXPECT_TRUE(strstr(machine_command(i ? "destroy b" : "destroy a"), "destroyed") != NULL);
    EXPECT_EQ(fake_irq_open(), 0U);
    EXPECT_EQ(machine_frames.free_pages, MACHINE_FREE);
    machine_forget();
}

static inline uint32_t config_read(uint32_t domain, uint32_t place, uint8_t offset, uint8_t width)
{
    machine_out(domain, 0xcf8, 4, 0x80000000U | (place + 1) << 11 | (offset & 0xfcU));
    return (uint32_t)machine_in(domain, (uint16_t)(0xcfc + (offset & 3)), width);
}

static inline void config_write(uint32_t domain, uint32_t place, uint8_t offset, uint8_t width,
                                uint32_t value)
{
    machine_out(domain, 0xcf8, 4, 0x80000000U | (place + 1) << 11 | (offset & 0xfcU));
    machine_out(domain, (uint16_t)(0xcfc + (offset & 3)), width, value);
}

/* A write of the guest: to a doorbell, or an access for the manager. */
static inline void mmio_write(uint32_t domain, uint64_t gpa, uint8_t width, uint64_t data)
{
    struct hv_service *service = machine_service(domain);
    if (!fake_irq_write(domain, gpa, width, data)) {
        service->mmio.gpa = gpa;
        service->mmio.width = width;
        service->mmio.write = true;
        service->mmio.data = data;
        service->kind = HV_EXIT_MMIO;
        fake_notify(HV_NOTIFY_VCPU(domain, 0));
    }
    events_run_once();
}

static inline uint64_t mmio_read(uint32_t domain, uint64_t gpa, uint8_t width)
{
    struct hv_service *service = machine_service(domain);
    service->mmio.gpa = gpa;
    service->mmio.width = width;
    service->mmio.write = false;
    service->kind = HV_EXIT_MMIO;
    fake_notify(HV_NOTIFY_VCPU(domain, 0));
    events_run_once();
    return service->mmio.data;
}

static inline uint64_t bar(uint32_t domain, uint32_t place, uint8_t number)
{
    return config_read(domain, place, (uint8_t)(0x10 + 4 * number), 4) & ~0xfU;
}

static inline void *memory(uint32_t domain, uint64_t gpa)
{
    uint64_t bytes = 64;
    return domain_view(domain_of(domain), gpa, &bytes);
}

static inline void write16(uint32_t domain, uint64_t gpa, uint16_t value)
{
    memcpy(memory(domain, gpa), &value, sizeof(value));
}

static inline uint16_t read16(uint32_t domain, uint64_t gpa)
{
    uint16_t value;
    memcpy(&value, memory(domain, gpa), sizeof(value));
    return value;
}

static inline void set_desc(uint32_t domain, uint32_t queue, uint32_t index, uint64_t gpa, uint32_t length,
                            uint16_t flags)
{
    uint8_t *desc = memory(domain, DESC + queue * 0x100U + index * 16U);
    uint16_t next = (uint16_t)(index + 1);
    memcpy(desc, &gpa, 8);
    memcpy(desc + 8, &length, 4);
    memcpy(desc + 12, &flags, 2);
    memcpy(desc + 14, &next, 2);
}

/* Descriptor 0 becomes available. */
static inline void offer(uint32_t domain, uint32_t queue)
{
    uint64_t ring = AVAIL + queue * 0x100U;
    uint16_t index = read16(domain, ring + 2);
    write16(domain, ring + 4 + 2U * (index % SIZE), 0);
    write16(domain, ring + 2, (uint16_t)(index + 1));
}

static inline void start_pci(uint32_t domain, uint32_t place, uint32_t queues, bool msix)
{
    uint64_t common = bar(domain, place, 0), table = bar(domain, place, 1);
    mmio_write(domain, common + 20, 1, 0);
    mmio_write(domain, common + 20, 1, 3);
    mmio_write(domain, common + 8, 4, 1);
    mmio_write(domain, common + 12, 4, 1); /* VERSION_1 */
    mmio_write(domain, common + 20, 1, 11);
    for (uint32_t i = 0; i <= queues && msix; i++) {
        mmio_write(domain, table + 16 * i, 4, 0xfee01000);
        mmio_write(domain, table + 16 * i + 8, 4, 0x50 + i);
        mmio_write(domain, table + 16 * i + 12, 4, 0);
    }
    if (msix)
        config_write(domain, place, 0x9a, 2, 0x8000);
    for (uint32_t i = 0; i < queues; i++) {
        mmio_write(domain, common + 22, 2, i);
        mmio_write(domain, common + 24, 2, SIZE);
        mmio_write(domain, common + 26, 2, msix ? i + 1 : 0xffff);
        mmio_write(domain, common + 32, 4, DESC + i * 0x100);
        mmio_write(domain, common + 40, 4, AVAIL + i * 0x100);
        mmio_write(domain, common + 48, 4, USED + i * 0x100);
        mmio_write(domain, common + 28, 2, 1);
    }
    mmio_write(domain, common + 20, 1, 15);
    EXPECT_EQ(mmio_read(domain, common + 20, 1), 15U);
}

static inline void offer_block_read(uint32_t domain)
{
    uint32_t zeros[4] = {0};
    memcpy(memory(domain, HEADER), zeros, sizeof(zeros));
    *(uint8_t *)memory(domain, HEADER + 16) = 0xff;
    set_desc(domain, 0, 0, HEADER, 16, 1);
    set_desc(domain, 0, 1, DATA, 512, 3);
    set_desc(domain, 0, 2, HEADER + 16, 1, 2);
    offer(domain, 0);
}

/* A chain that leads nowhere, for the first disk. */
static inline void ring_broken(uint32_t domain)
{
    set_desc(domain, 0, 0, 1ULL << 40, 16, 0);
    offer(domain, 0);
    mmio_write(domain, bar(domain, 0, 0) + 0x3000, 2, 0);
}
