/* SPDX-License-Identifier: BSD-2-Clause */
/* irq_source: see irq_source.h. */
#include "mgmt/lib/irq_source.h"

#include <string.h>

#include "mgmt/lib/irq.h"

int64_t irq_source_make(struct irq_source *source, uint32_t domain, uint32_t gsi)
{
    *source = (struct irq_source){.domain = domain, .gsi = gsi};
    int64_t result = irq_notifier_gsi(domain, gsi);
    if (result < 0)
        return result;
    source->notifier = (uint64_t)result;
    return 0;
}

int64_t irq_source_set(struct irq_source *source, uint64_t address, uint32_t data)
{
    if (source->notifier == 0)
        return -HV_ENOENT;
    if (source->routed && source->address == address && source->data == data)
        return 0;
    int64_t result = irq_route_message(source->domain, source->gsi, address, data);
    source->routed = result >= 0;
    source->address = address;
    source->data = data;
    return result;
}

void irq_source_fire(struct irq_source *source)
{
    if (!source->routed)
        return;
    source->fired++;
    (void)irq_notifier_signal(source->notifier);
}

void irq_source_drop(struct irq_source *source)
{
    if (source->notifier != 0)
        (void)irq_notifier_close(source->notifier);
    memset(source, 0, sizeof(*source));
}
