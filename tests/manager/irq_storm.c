/* SPDX-License-Identifier: BSD-2-Clause */
/* Doorbells: with notifiers that go and come while a guest rings; by all kinds of writes. */
#include "tests/manager/irq_storm.h"

#include "mgmt/lib/irq.h"

#define NUMBER (HV_NOTIFY_OWN + 20)

/*
 * The guest rings without a pause, and the doorbell and its notifier go and come meanwhile: each ring counts
 * once or meets nothing.
 */
void irq_ring_and_close(struct guest *g)
{
    uint64_t rings = lab_argument("rings", 20000), counted = 0, met = 0;
    for (uint64_t left = rings; left;) {
        uint64_t n = left < 4096 ? left : 4096;
        left -= n;
        guest_go(g, 0, AGENT_OUTS, 0x520, 1, AGENT_SCRATCH, n);
        do {
            uint64_t h = (uint64_t)irq_notifier_notify(0, NUMBER);
            CHECK_EQ(irq_doorbell_add(g->id, HV_CLAIM_PIO, 0x520, 1, NULL, h), 0);
            if (lab_cpus() == 1)
                lab_sleep(1); /* the guest runs */
            bool bell_first = lab_random(2);
            if (bell_first)
                CHECK_EQ(irq_doorbell_remove(g->id, HV_CLAIM_PIO, 0x520, 1, NULL, h), 0);
            struct hv_notifier_info info;
            CHECK_EQ(irq_notifier_info(h, &info), 0);
            counted += info.signals;
            met += info.signals != 0;
            CHECK_EQ(irq_notifier_close(h), 0);
            if (!bell_first)
                CHECK_EQ(irq_doorbell_remove(g->id, HV_CLAIM_PIO, 0x520, 1, NULL, h), 0);
        } while (!lab_notified(HV_NOTIFY_VCPU(g->id, 0)));
        CHECK(guest_is_done(g, 0));
    }
    CHECK(met > 0 && counted <= rings);
    (void)lab_notified(NUMBER);
}

/*
 * A doorbell that takes any write. Stores, over and over, and what only looks like one from outside, ring the
 * same; registers and flags are the instruction's.
 */
void irq_any_writes(struct guest *g, uint64_t n)
{
    const uint64_t bell = AGENT_MMIO + 64, none = 0xffffffff, sign = 0x80;
    CHECK_EQ(irq_doorbell_add(g->id, HV_CLAIM_MMIO, bell, 0, NULL, n), 0);
    for (uint32_t i = 0; i < 3; i++) {
        for (uint32_t width = 1; width <= 8; width *= 2)
            (void)guest_do(g, 0, AGENT_WRITE, bell, width, i, 0);
        CHECK_EQ(guest_do(g, 0, AGENT_RMW, bell, RMW_XCHG, 5, 0), none);
        CHECK_EQ(guest_do(g, 0, AGENT_RMW, bell, RMW_CMPXCHG, 5, 0), none);
        CHECK_EQ(guest_do(g, 0, AGENT_RMW, bell, RMW_OR, 5, 0), 5);
        CHECK(guest_box(g, 0)->flags & sign);
        CHECK_EQ(guest_do(g, 0, AGENT_STOS, bell, 8, 5, 2), bell + 16);
        (void)guest_do(g, 0, AGENT_WRITE, bell + 8, 4, i, 0);
        CHECK_EQ(irq_notifier_read(n), 8);
    }
    CHECK_EQ(irq_doorbell_remove(g->id, HV_CLAIM_MMIO, bell, 0, NULL, n), 0);
    (void)guest_do(g, 0, AGENT_WRITE, bell, 4, 1, 0);
    CHECK_EQ(irq_notifier_read(n), 0);
}
