/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_saved: see guest_saved.h. Devices are kept as they are in memory; their callbacks and clocks
 * are those of this instance. A record is believed when its magic number and size are right and what
 * devices use as an index is within its bounds: a manager that died may have written anything.
 */
#include "mgmt/shell/guest_saved.h"

#include <string.h>

#include "mgmt/devices/device_clock.h"

#define MAGIC 0x31444556415358ULL /* "XSAVED1" */

struct saved {
    uint64_t magic;
    uint64_t size;
    uint32_t state, result, code; /* of struct guest */
    uint64_t ends_at;
    char death[80];
    struct uart16550 uart;
    struct post_port post_port;
    struct guest_pc pc;
    struct guest_virtio_saved virtio;
};
_Static_assert(sizeof(struct saved) <= DOMAIN_KEPT_SIZE, "it must fit");
_Static_assert(sizeof(((struct saved *)0)->death) == sizeof(((struct guest *)0)->death), "the same text");

void guest_save(const struct guest *guest)
{
    struct saved *to = guest->domain ? domain_kept(guest->domain) : NULL;
    if (!to)
        return;
    to->magic = MAGIC;
    to->size = sizeof(*to);
    to->state = (uint32_t)guest->state;
    to->result = (uint32_t)guest->result;
    to->code = guest->code;
    to->ends_at = guest->ends_at;
    memcpy(to->death, guest->death, sizeof(to->death));
    to->uart = guest->uart;
    to->post_port = guest->post_port;
    to->pc = guest->pc;
    guest_virtio_save(guest->virtio, &to->virtio);
}

static bool plausible(const struct saved *s, uint64_t now)
{
    return s->magic == MAGIC && s->size == sizeof(*s) && s->state <= GUEST_ENDED &&
           s->result <= GUEST_PANICKED && memchr(s->death, '\0', sizeof(s->death)) &&
           s->uart.count <= UART16550_FIFO && s->uart.head < UART16550_FIFO && s->pc.rtc.index < RTC_BYTES &&
           s->pc.rtc.second <= now && s->pc.acpi_pm.start <= now;
}

static void restore_pc(struct guest_pc *pc, const struct guest_pc *from)
{
    const struct guest_pc fresh = *pc;
    pc->rtc = from->rtc;
    pc->rtc.clock = fresh.rtc.clock;
    pc->rtc.irq = fresh.rtc.irq;
    pc->rtc.irq_ctx = fresh.rtc.irq_ctx;
    pc->acpi_pm = from->acpi_pm;
    pc->acpi_pm.clock = fresh.acpi_pm.clock;
    pc->acpi_pm.power_off = fresh.acpi_pm.power_off;
    pc->acpi_pm.ctx = fresh.acpi_pm.ctx;
    pc->acpi_pm.irq = fresh.acpi_pm.irq;
    pc->acpi_pm.irq_ctx = fresh.acpi_pm.irq_ctx;
    pc->reset_control.cf9 = from->reset_control.cf9;
    pc->reset_control.port_a = from->reset_control.port_a;
    pc->i8042 = from->i8042;
    pc->i8042.system = fresh.i8042.system;
    pc->pci_host.address = from->pci_host.address;
}

static void restore_uart(struct uart16550 *uart, const struct uart16550 *from)
{
    const struct uart16550 fresh = *uart;
    *uart = *from;
    uart->put = fresh.put;
    uart->irq = fresh.irq;
    uart->ctx = fresh.ctx;
}

bool guest_restore(struct guest *guest)
{
    static struct saved saved; /* aligned, and the page does not change under us */
    const struct saved *from = domain_kept(guest->domain);
    if (!from)
        return false;
    memcpy(&saved, from, sizeof(saved));
    if (!plausible(&saved, device_clock_now(&guest->pc.rtc.clock)))
        return false;
    guest->state = (enum guest_state)saved.state;
    guest->result = (enum guest_result)saved.result;
    guest->code = saved.code;
    guest->ends_at = saved.ends_at;
    memcpy(guest->death, saved.death, sizeof(guest->death));
    guest->post_port = saved.post_port;
    restore_uart(&guest->uart, &saved.uart);
    restore_pc(&guest->pc, &saved.pc);
    return guest_virtio_restore(guest->virtio, &saved.virtio);
}
