/* SPDX-License-Identifier: BSD-2-Clause */
/* Doorbells and notifiers that go and come while a guest rings. */
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
