/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * irq_bell: see irq_bell.h. A number that is given back is not taken again before all others were, so that a
 * late notification finds nobody.
 */
#include "mgmt/lib/irq_bell.h"

#include <string.h>

#include "guest_abi/hv_vcpu.h"
#include "mgmt/lib/irq.h"

enum { NUMBERS = HV_NOTIFY_COUNT - HV_NOTIFY_OWN, LIST = 64, MATCH_WIDTH = 4 };

static bool taken[NUMBERS];
static uint32_t last;

void irq_bell_init(void)
{
    uint64_t list[LIST], after = 0;
    int64_t count;
    while ((count = irq_notifier_list(after, list, LIST)) > 0) {
        for (int64_t i = 0; i < count; i++)
            (void)irq_notifier_close(list[i]);
        after = list[count - 1];
    }
}

static bool take_number(uint32_t *number)
{
    for (uint32_t i = 0; i < NUMBERS; i++) {
        last = (last + 1) % NUMBERS;
        if (taken[last])
            continue;
        taken[last] = true;
        *number = HV_NOTIFY_OWN + last;
        return true;
    }
    return false;
}

static void give_number(uint32_t number)
{
    events_set(number, NULL, NULL);
    taken[number - HV_NOTIFY_OWN] = false;
}

int64_t irq_bell_make(struct irq_bell *bell, uint32_t domain, events_fn *fn, void *ctx)
{
    *bell = (struct irq_bell){.domain = domain};
    if (!take_number(&bell->number))
        return -HV_ENOSPC;
    int64_t result = irq_notifier_notify(0, bell->number);
    if (result < 0) {
        give_number(bell->number);
        return result;
    }
    bell->notifier = (uint64_t)result;
    events_set(bell->number, fn, ctx);
    return 0;
}

static bool same_place(const struct irq_bell_place *a, const struct irq_bell_place *b)
{
    return a->space == b->space && a->address == b->address && a->match == b->match &&
           (!a->match || a->data == b->data);
}

int64_t irq_bell_put(struct irq_bell *bell, const struct irq_bell_place *at)
{
    const struct irq_bell_place *old = &bell->at;
    if (bell->notifier == 0)
        return -HV_ENOENT;
    if (at && bell->placed && same_place(old, at))
        return 0;
    if (bell->placed)
        (void)irq_doorbell_remove(bell->domain, old->space, old->address, old->match ? MATCH_WIDTH : 0,
                                  old->match ? &old->data : NULL, bell->notifier);
    bell->placed = false;
    if (!at)
        return 0;
    bell->at = *at;
    int64_t result = irq_doorbell_add(bell->domain, at->space, at->address, at->match ? MATCH_WIDTH : 0,
                                      at->match ? &bell->at.data : NULL, bell->notifier);
    bell->placed = result >= 0;
    return result;
}

void irq_bell_drop(struct irq_bell *bell)
{
    if (bell->notifier != 0) {
        (void)irq_bell_put(bell, NULL);
        (void)irq_notifier_close(bell->notifier);
        give_number(bell->number);
    }
    memset(bell, 0, sizeof(*bell));
}
