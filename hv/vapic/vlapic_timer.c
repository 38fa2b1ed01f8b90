/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The APIC timer as one absolute deadline in guest TSC ticks. One timer tick is `tick` TSC ticks times the
 * divider, so nothing is ever divided by a measured frequency, and the largest period is below 2^55.
 *
 * One-shot: the deadline passes, the timer stops. Periodic: it moves to the first multiple of the period that
 * lies ahead, so a vCPU that did not run for an hour gets one interrupt, and the phase stays. A period below
 * `min_period` is served every `min_period`. TSC-deadline: the deadline is the MSR.
 *
 * The timer runs while its LVT is masked; what passes then is lost. Change of the divider while it counts
 * keeps the count. Change between TSC-deadline and the other modes stops it and clears the initial count.
 * Mode 11b is reserved: it stops too.
 *
 * SDM volume 3, "APIC Timer", "TSC-Deadline Mode".
 */
#include "hv/vapic/vlapic.h"

static uint64_t unit(const struct vlapic *a)
{
    return (uint64_t)a->features.tick << a->timer.shift;
}

static uint64_t add_saturated(uint64_t a, uint64_t b)
{
    return a + b < a ? UINT64_MAX : a + b;
}

static bool counts(const struct vlapic *a)
{
    return !(a->timer.lvt & APIC_TIMER_DEADLINE); /* one-shot or periodic */
}

/* The deadline has passed. */
static void advance(struct vlapic *a, uint64_t now)
{
    struct vlapic_timer *t = &a->timer;
    uint64_t period = (uint64_t)vlapic_reg_get(a, APIC_TMICT) * unit(a), skip;
    if (vlapic_timer_mode(t) != APIC_TIMER_PERIODIC || period == 0) {
        t->armed = false;
        return;
    }
    skip = now - t->deadline;
    if (period < a->features.min_period)
        skip = add_saturated(skip, a->features.min_period - 1);
    t->deadline = add_saturated(t->deadline, skip - skip % period);
    t->deadline = add_saturated(t->deadline, period);
}

void vlapic_timer_stop(struct vlapic *a)
{
    a->timer.armed = false;
    vlapic_reg_set(a, APIC_TMICT, 0);
}

void vlapic_timer_lvt(struct vlapic *a, uint32_t lvt, uint64_t now)
{
    struct vlapic_timer *t = &a->timer;
    uint32_t mode = lvt & APIC_TIMER_MODE;
    if (t->armed && vlapic_timer_masked(t) && now >= t->deadline)
        advance(a, now);
    if (((vlapic_timer_mode(t) ^ mode) & APIC_TIMER_DEADLINE) || mode == APIC_TIMER_MODE)
        vlapic_timer_stop(a);
    t->lvt = lvt & (APIC_TIMER_MODE | APIC_LVT_MASKED);
}

void vlapic_timer_initial(struct vlapic *a, uint32_t count, uint64_t now)
{
    if (!counts(a)) {
        vlapic_reg_set(a, APIC_TMICT, 0);
        return;
    }
    vlapic_reg_set(a, APIC_TMICT, count);
    a->timer.armed = count != 0;
    a->timer.deadline = add_saturated(now, count * unit(a));
}

void vlapic_timer_divide(struct vlapic *a, uint32_t tdcr, uint64_t now)
{
    uint32_t left = vlapic_timer_count(a, now);
    uint32_t code = (tdcr & 3) | (tdcr & 8) >> 1;
    a->timer.shift = (uint8_t)((code + 1) & 7);
    if (a->timer.armed && left != 0)
        a->timer.deadline = add_saturated(now, left * unit(a));
}

/*
 * Rounded up: it reads 0 only when the deadline has passed. A period that was not served yet counts as begun.
 */
uint32_t vlapic_timer_count(const struct vlapic *a, uint64_t now)
{
    const struct vlapic_timer *t = &a->timer;
    uint64_t left, period = (uint64_t)vlapic_reg_get(a, APIC_TMICT) * unit(a);
    if (!t->armed || !counts(a))
        return 0;
    if (now < t->deadline)
        left = t->deadline - now;
    else if (vlapic_timer_mode(t) == APIC_TIMER_PERIODIC && period != 0)
        left = period - (now - t->deadline) % period;
    else
        return 0;
    if (vlapic_timer_mode(t) == APIC_TIMER_PERIODIC && period != 0)
        left = (left - 1) % period + 1; /* min_period has put the deadline off */
    left = (left + unit(a) - 1) / unit(a);
    return left > UINT32_MAX ? UINT32_MAX : (uint32_t)left;
}

uint64_t vlapic_timer_deadline(const struct vlapic *a, uint64_t now)
{
    const struct vlapic_timer *t = &a->timer;
    return vlapic_timer_mode(t) == APIC_TIMER_DEADLINE && t->armed && t->deadline > now ? t->deadline : 0;
}

void vlapic_timer_deadline_set(struct vlapic *a, uint64_t tsc)
{
    if (vlapic_timer_mode(&a->timer) != APIC_TIMER_DEADLINE)
        return;
    a->timer.armed = tsc != 0;
    a->timer.deadline = tsc;
}

bool vlapic_timer_next(const struct vlapic *a, uint64_t *deadline)
{
    *deadline = a->timer.deadline;
    return a->timer.armed && !vlapic_timer_masked(&a->timer);
}

bool vlapic_timer_expire(struct vlapic *a, uint64_t now)
{
    uint64_t deadline;
    if (!vlapic_timer_next(a, &deadline) || now < deadline)
        return false;
    advance(a, now);
    vlapic_count(a, VLAPIC_STAT_TIMER);
    return true;
}
