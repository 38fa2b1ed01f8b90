/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mgmt_fake_irq: see mgmt_fake_irq.h.
 */
#include "tests/host/mgmt_fake_irq.h"

#include <string.h>

#include "mgmt/lib/irq.h"

struct fake_irq fake_irq;

void fake_irq_reset(void)
{
    memset(&fake_irq, 0, sizeof(fake_irq));
}

static struct fake_notifier *at(uint64_t handle)
{
    return handle > 0 && handle <= FAKE_NOTIFIERS && fake_irq.notifier[handle - 1].open
               ? &fake_irq.notifier[handle - 1]
               : NULL;
}

uint32_t fake_irq_open(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < FAKE_NOTIFIERS; i++)
        count += fake_irq.notifier[i].open;
    return count;
}

/* Those of closed notifiers and of domains that are gone are none. */
static bool is_placed(const struct fake_doorbell *bell)
{
    return bell->placed && at(bell->notifier) && fake.domain[bell->domain];
}

uint32_t fake_irq_doorbells(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < FAKE_DOORBELLS; i++)
        count += is_placed(&fake_irq.doorbell[i]);
    return count;
}

bool fake_irq_write(uint32_t domain, uint64_t address, uint32_t width, uint64_t data)
{
    for (uint32_t i = 0; i < FAKE_DOORBELLS; i++) {
        const struct fake_doorbell *bell = &fake_irq.doorbell[i];
        if (!is_placed(bell) || bell->domain != domain || bell->address != address ||
            (bell->width && bell->width != width) || (bell->match && bell->data != data))
            continue;
        at(bell->notifier)->signals++;
        fake_notify(at(bell->notifier)->bind.number);
        return true;
    }
    return false;
}

static int64_t create(const struct hv_notifier *bind)
{
    if (fake_fails())
        return fake.fail_with;
    for (uint32_t i = 0; i < FAKE_NOTIFIERS; i++)
        if (!fake_irq.notifier[i].open) {
            fake_irq.notifier[i] = (struct fake_notifier){.open = true, .bind = *bind};
            return (int64_t)i + 1;
        }
    return -HV_ENOSPC;
}

int64_t irq_notifier_gsi(uint32_t domain, uint32_t gsi)
{
    const struct hv_notifier bind = {.kind = HV_NOTIFIER_GSI, .domain = domain, .gsi = gsi};
    return fake.domain[domain] && gsi < FAKE_GSIS ? create(&bind) : -HV_EINVAL;
}

int64_t irq_notifier_notify(uint32_t vcpu, uint32_t number)
{
    const struct hv_notifier bind = {.kind = HV_NOTIFIER_NOTIFY, .vcpu = vcpu, .number = number};
    return vcpu == 0 && number >= HV_NOTIFY_OWN && number < HV_NOTIFY_COUNT ? create(&bind) : -HV_EINVAL;
}

int64_t irq_notifier_close(uint64_t notifier)
{
    struct fake_notifier *n = at(notifier);
    if (!n)
        return -HV_ENOENT;
    n->open = false;
    return 0;
}

int64_t irq_notifier_signal(uint64_t notifier)
{
    struct fake_notifier *n = at(notifier);
    if (!n)
        return -HV_ENOENT;
    n->signals++;
    return 1;
}

int64_t irq_notifier_list(uint64_t after, uint64_t *out, uint32_t count)
{
    uint32_t found = 0;
    for (uint64_t handle = after + 1; handle <= FAKE_NOTIFIERS && found < count; handle++)
        if (at(handle))
            out[found++] = handle;
    return found;
}

int64_t irq_route_message(uint32_t domain, uint32_t gsi, uint64_t address, uint32_t data)
{
    if (!fake.domain[domain] || gsi >= FAKE_GSIS || address >> 20 != 0xfee)
        return -HV_EINVAL;
    fake_irq.message[gsi] = address;
    fake_irq.data[gsi] = data;
    fake_irq.routes++;
    return 0;
}

int64_t irq_line(uint32_t domain, uint32_t gsi, unsigned level)
{
    if (!fake.domain[domain] || gsi >= FAKE_GSIS || level > 1)
        return -HV_EINVAL;
    fake_irq.line[gsi] = level;
    fake_irq.lines++;
    return 1;
}

int64_t irq_doorbell_add(uint32_t domain, enum hv_claim_space space, uint64_t address, uint32_t width,
                         const uint64_t *data, uint64_t notifier)
{
    if (!fake.domain[domain] || space != HV_CLAIM_MMIO || !at(notifier) || (data && width == 0))
        return -HV_EINVAL;
    for (uint32_t i = 0; i < FAKE_DOORBELLS; i++) {
        const struct fake_doorbell *old = &fake_irq.doorbell[i];
        if (is_placed(old) && old->domain == domain && old->address == address &&
            (!old->match || !data || old->data == *data))
            return -HV_EEXIST;
    }
    for (uint32_t i = 0; i < FAKE_DOORBELLS; i++)
        if (!is_placed(&fake_irq.doorbell[i])) {
            fake_irq.doorbell[i] = (struct fake_doorbell){true,    data != NULL,     domain,  width,
                                                          address, data ? *data : 0, notifier};
            return 0;
        }
    return -HV_ENOSPC;
}

int64_t irq_doorbell_remove(uint32_t domain, enum hv_claim_space space, uint64_t address, uint32_t width,
                            const uint64_t *data, uint64_t notifier)
{
    for (uint32_t i = 0; i < FAKE_DOORBELLS; i++) {
        struct fake_doorbell *old = &fake_irq.doorbell[i];
        if (!is_placed(old) || old->domain != domain || space != HV_CLAIM_MMIO || old->address != address ||
            old->width != width || old->notifier != notifier || old->match != (data != NULL) ||
            (data && old->data != *data))
            continue;
        old->placed = false;
        return 0;
    }
    return -HV_ENOENT;
}
