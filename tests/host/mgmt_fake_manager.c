/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mgmt_fake_manager: the calls of mgmt_fake.h that only the manager itself makes, not its library; and
 * the machine's clock.
 */
#include <string.h>

#include "mgmt/builder/acpi.h"
#include "mgmt/lib/call.h"
#include "mgmt/lib/irq.h"
#include "mgmt/shell/host_clock.h"
#include "tests/host/mgmt_fake.h"

struct hv_module_info fake_module[FAKE_MODULES];

/* Instead of what is compiled from mgmt/builder/dsdt.asl: a header alone. */
const uint8_t acpi_dsdt[36] = "DSDT";
const uint32_t acpi_dsdt_size = sizeof(acpi_dsdt);

static bool is_domain(uint32_t domain)
{
    return domain > 0 && domain < FAKE_DOMAINS && fake.domain[domain];
}

static int64_t vcpu_call(uint32_t domain, uint32_t vcpu)
{
    return is_domain(domain) && vcpu < fake.vcpus[domain] ? 0 : -HV_ESRCH;
}

bool host_clock_read(int64_t *seconds)
{
    *seconds = 1700000000;
    return true;
}

int64_t call_capability(enum hv_capability which)
{
    return which == HV_CAP_CPUS      ? (int64_t)fake.cpus
           : which == HV_CAP_TSC_KHZ ? 1000000
           : which == HV_CAP_PIRQS   ? FAKE_PIRQS
                                     : 0;
}

int64_t call_system_info(struct hv_system_info *out)
{
    *out = (struct hv_system_info){.cpus = fake.cpus, .tsc_khz = 1000000};
    return 0;
}

int64_t call_module_info(uint32_t index, struct hv_module_info *out)
{
    if (index >= FAKE_MODULES || fake_module[index].name[0] == '\0')
        return -HV_ENOENT;
    *out = fake_module[index];
    return 0;
}

int64_t call_cpu_info(uint32_t cpu, struct hv_cpu_info *out)
{
    *out = (struct hv_cpu_info){.apic_id = cpu, .exits = UINT64_MAX};
    return cpu < fake.cpus ? 0 : -HV_ENOENT;
}

int64_t call_log_read(uint64_t *position, uint64_t *lost, char *to, size_t length)
{
    size_t all = strlen(fake.log), count = all - *position < length ? all - *position : length;
    *lost = *position ? 0 : fake.log_lost;
    memcpy(to, fake.log + *position, count);
    *position += count;
    return (int64_t)count;
}

int64_t call_console_read(char *to, size_t length)
{
    size_t count = length < fake.input_length ? length : fake.input_length;
    memcpy(to, fake.input, count);
    memmove(fake.input, fake.input + count, fake.input_length - count);
    fake.input_length -= (uint32_t)count;
    return (int64_t)count;
}

int64_t call_shutdown(enum hv_shutdown how)
{
    fake.shutdown = (int)how;
    return 0;
}

int64_t call_domain_list(uint32_t first, uint32_t *out, uint32_t count)
{
    uint32_t found = 0;
    for (uint32_t domain = first; domain < FAKE_DOMAINS && found < count; domain++)
        if (is_domain(domain))
            out[found++] = domain;
    return found;
}

int64_t call_domain_pause(uint32_t domain)
{
    if (!is_domain(domain))
        return -HV_ESRCH;
    fake.state[domain] = HV_DOMAIN_PAUSED;
    return 0;
}

int64_t call_domain_resume(uint32_t domain)
{
    if (!is_domain(domain) || fake.state[domain] != HV_DOMAIN_PAUSED)
        return is_domain(domain) ? -HV_EINVAL : -HV_ESRCH;
    fake.state[domain] = HV_DOMAIN_ACTIVE;
    return 0;
}

int64_t call_vcpu_get(uint32_t domain, uint32_t vcpu, enum hv_state_kind kind, void *out, size_t size)
{
    (void)kind;
    memset(out, 0, size);
    return vcpu_call(domain, vcpu);
}

int64_t call_vcpu_set(uint32_t domain, uint32_t vcpu, enum hv_state_kind kind, const void *in, size_t size)
{
    (void)kind;
    (void)in;
    (void)size;
    return vcpu_call(domain, vcpu);
}

int64_t call_vcpu_affinity(uint32_t domain, uint32_t vcpu, uint64_t cpus)
{
    if (vcpu_call(domain, vcpu) < 0)
        return -HV_ESRCH;
    if ((cpus & ((1ULL << fake.cpus) - 1)) == 0)
        return -HV_EINVAL;
    fake.affinity[domain] = cpus;
    return 0;
}

int64_t call_vcpu_priority(uint32_t domain, uint32_t vcpu, uint32_t priority, uint64_t slice_us)
{
    (void)slice_us;
    return priority > 255 ? -HV_EINVAL : vcpu_call(domain, vcpu);
}

/* ---- what commands about interrupts ask for: a domain without routes, and no controllers */

#define WEAK __attribute__((weak)) /* a test that is about them has better ones */

WEAK int64_t call_vcpu_inject(uint32_t domain, uint32_t vcpu, enum hv_inject kind, uint32_t vector,
                              uint32_t error_code)
{
    (void)error_code;
    return kind == HV_INJECT_NMI && vector ? -HV_EINVAL : vcpu_call(domain, vcpu);
}

WEAK int64_t irq_message(uint32_t domain, uint64_t address, uint32_t data)
{
    (void)data;
    return !is_domain(domain) ? -HV_ESRCH : address >> 20 == 0xfee ? 1 : -HV_EINVAL;
}

WEAK int64_t irq_chip_get(uint32_t domain, enum hv_irqchip_state kind, void *record, size_t size)
{
    (void)domain;
    (void)kind;
    (void)record;
    (void)size;
    return -HV_ENODEV;
}

WEAK int64_t irq_route_get(uint32_t domain, uint32_t *gsi, struct hv_route *out, uint32_t room)
{
    (void)gsi;
    (void)out;
    (void)room;
    return is_domain(domain) ? 0 : -HV_ESRCH;
}

WEAK int64_t irq_route_set(uint32_t domain, uint32_t gsi, const struct hv_route *route, uint32_t count)
{
    (void)route;
    (void)count;
    return !is_domain(domain) ? -HV_ESRCH : gsi < HV_GSI_MAX ? 0 : -HV_EINVAL;
}

WEAK int64_t irq_route_stats(uint32_t domain, uint32_t gsi, struct hv_route_stats *out)
{
    *out = (struct hv_route_stats){.gsi = gsi};
    return is_domain(domain) ? 0 : -HV_ESRCH;
}

struct hv_pirq_info fake_pirq[FAKE_PIRQS];

WEAK int64_t irq_pirq_info(uint64_t gsi, struct hv_pirq_info *out)
{
    *out = fake_pirq[gsi];
    return out->size ? 0 : -HV_ENOENT;
}

WEAK int64_t irq_pirq_bind(uint64_t number, const struct hv_pirq *b)
{
    if (number != 0 || b->flags != HV_PIRQ_CONSOLE || b->notifier == 0)
        return -HV_EINVAL;
    if (fake.console_is_silent)
        return -HV_ENODEV;
    fake.console_notifier = b->notifier;
    return 4;
}
