/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hv/vapic: records (L-38, A-14): what is saved comes back the same, and what is wrong is refused with
 * nothing changed.
 */
#include "tests/host/vapic.h"

#include "tests/host/random.h"
#include "tests/host/test.h"

static struct vapic v, w;
static struct hv_lapic record, again;

/* A life of random accesses; ends in any state that a guest can reach. */
static void live(struct vapic *p, struct random *r, unsigned steps)
{
    for (unsigned i = 0; i < steps; i++) {
        uint32_t offset = (uint32_t)random_below(r, 64) * 16, value = (uint32_t)random_next(r);
        struct vlapic_message m;
        uint8_t error;
        p->now += random_below(r, 10000);
        switch (random_below(r, 8)) {
        case 0:
            vapic_base(p, 0xfee00000 | random_below(r, 4) << 10 | (p->a.bsp ? 0x100 : 0));
            break;
        case 1:
            vapic_send(p, (uint8_t)random_below(r, 7), (uint8_t)value, value >> 31, &error);
            break;
        case 2:
            vlapic_ack(&p->a);
            break;
        case 3:
            if (vlapic_lvt_fire(&p->a, value & 1 ? APIC_LVT_LINT1 : APIC_LVT_LINT0, &m))
                vlapic_receive(&p->a, &m, &error);
            break;
        case 4:
            vapic_write(p, 0xf0, value | 0x100);
            vlapic_timer_deadline_set(&p->a, p->now + value);
            break;
        case 5:
            vlapic_timer_expire(&p->a, p->now);
            if (random_one_in(r, 20))
                vlapic_event_start(&p->a, &error);
            break;
        default:
            if (vlapic_mode(&p->a) == VLAPIC_X2APIC)
                vapic_wrmsr(p, 0x800 + offset / 16, value & (1U << value % 32 | 0x700ff));
            else
                vapic_write(p, offset, value);
        }
    }
}

TEST(l38_round_trip)
{
    struct random r = {.state = 4711};
    unsigned armed = 0, x2 = 0;
    for (unsigned i = 0; i < 3000; i++) {
        uint32_t id = (uint32_t)random_below(&r, i % 2 ? 300 : 4);
        vapic_make(&v, id, i % 3 == 0, NULL);
        vapic_make(&w, id, i % 3 == 0, NULL);
        live(&v, &r, 60);
        live(&w, &r, 20); /* what was there does not shine through */
        vlapic_state_get(&v.a, v.now, &record);
        test_row("life %u", i);
        w.now = v.now + 12345; /* the guest's time went on while it was at rest */
        ASSERT_TRUE(vlapic_state_set(&w.a, w.now, &record, sizeof(record)));
        vlapic_state_get(&w.a, w.now, &again);
        EXPECT_MEMEQ(&again, &record, sizeof(record));
        EXPECT_EQ(vlapic_next(&w.a), vlapic_next(&v.a));
        EXPECT_EQ(w.a.timer.armed, v.a.timer.armed);
        EXPECT_EQ(w.a.timer.lvt, v.a.timer.lvt);
        EXPECT_MEMEQ(w.a.not_edge, v.a.not_edge, sizeof(v.a.not_edge));
        EXPECT_EQ(w.a.timer.shift, v.a.timer.shift);
        armed += v.a.timer.armed;
        x2 += vlapic_mode(&v.a) == VLAPIC_X2APIC;
        if (test_state.failures > 0)
            return;
    }
    EXPECT_TRUE(armed > 100 && x2 > 100);
    EXPECT_TRUE(vapic_intact(&w));
}

TEST(l38_posted_requests_are_folded_first)
{
    uint64_t pir[4] = {0xffff | (uint64_t)1 << 0x30, 0, 0, (uint64_t)1 << 63};
    vapic_make(&v, 0, false, NULL);
    vapic_enable(&v, false);
    vapic_fixed(&v, 0x30);
    EXPECT_EQ(vapic_fold(&v, pir), 0xff);
    pir[3] = 0;
    EXPECT_EQ(vapic_fold(&v, pir), 0x30);
    pir[0] = 0xffff;
    EXPECT_EQ(vapic_fold(&v, pir), 0);
    vlapic_state_get(&v.a, 0, &record);
    EXPECT_EQ(record.regs[0x200 / 4], 0);
    EXPECT_EQ(record.regs[0x210 / 4], 1U << 16);
    EXPECT_EQ(record.regs[0x270 / 4], 1U << 31);
}

TEST(l38_timers)
{
    vapic_make(&v, 0, false, NULL);
    vapic_make(&w, 0, false, NULL);
    vapic_enable(&v, false);
    vapic_write(&v, 0x320, 0x20040);
    vapic_write(&v, 0x3e0, 11);
    vapic_write(&v, 0x380, 1000);
    vlapic_state_get(&v.a, v.now + 1501, &record);
    EXPECT_EQ(record.timer_left, 2499);
    EXPECT_EQ(record.regs[0x390 / 4], 625);
    uint64_t deadline;
    EXPECT_TRUE(vlapic_state_set(&w.a, 50, &record, sizeof(record)));
    EXPECT_TRUE(vlapic_timer_next(&w.a, &deadline));
    EXPECT_EQ(deadline, 50 + 2499);
    record.timer_left = 0; /* from someone who knows the 1 KiB only */
    EXPECT_TRUE(vlapic_state_set(&w.a, 50, &record, sizeof(record)));
    EXPECT_TRUE(vlapic_timer_next(&w.a, &deadline));
    EXPECT_EQ(deadline, 50 + 2500);
    /* Due but not served: fires where it is restored. */
    vlapic_state_get(&v.a, v.now + 5000, &record);
    EXPECT_TRUE(vlapic_state_set(&w.a, 50, &record, sizeof(record)));
    EXPECT_TRUE(vlapic_timer_expire(&w.a, 51));
    vapic_write(&v, 0x320, 0x40040);
    vlapic_timer_deadline_set(&v.a, 987654321);
    vlapic_state_get(&v.a, v.now, &record);
    EXPECT_EQ(record.tsc_deadline, 987654321);
    EXPECT_TRUE(vlapic_state_set(&w.a, 50, &record, sizeof(record)));
    EXPECT_EQ(vlapic_timer_deadline(&w.a, 50), 987654321);
}

/* LDR of x2APIC mode follows from the ID, whatever a record says. */
TEST(l38_x2apic_ldr)
{
    vapic_make(&v, 0x21, false, NULL);
    vapic_make(&w, 0x21, false, NULL);
    vapic_enable(&v, true);
    vlapic_state_get(&v.a, v.now, &record);
    record.regs[0xd0 / 4] = 0x12345678;
    EXPECT_TRUE(vlapic_state_set(&w.a, 50, &record, sizeof(record)));
    EXPECT_EQ(w.page[0xd0 / 4], 0x20002);
    EXPECT_EQ(w.page[0x20 / 4], 0x21);
}

static void refused(const char *what, size_t size)
{
    static struct vapic before;
    memcpy(&before, &w, sizeof(w));
    test_row("%s", what);
    EXPECT_FALSE(vlapic_state_set(&w.a, 77, &again, size));
    EXPECT_MEMEQ(&w, &before, sizeof(w));
    again = record;
}

TEST(l38_bad_records)
{
    static const struct {
        uint32_t offset, value;
    } regs[] = {{0x20, 0},     {0x30, 0x50014}, {0x00, 1},        {0x84, 1},        {0x80, 0x100},
                {0xd0, 1},     {0xe0, 0},       {0xf0, 0x21ff},   {0x100, 1},       {0x180, 0x8000},
                {0x200, 0x10}, {0x204, 1},      {0x280, 0x100},   {0x290, 1},       {0x300, 0x100000},
                {0x304, 1},    {0x310, 1},      {0x320, 0x80000}, {0x350, 0x20000}, {0x3e0, 4},
                {0x3f0, 1},    {0x3fc, 1}};
    vapic_make(&v, 3, true, NULL);
    vapic_enable(&v, false);
    vapic_make(&w, 3, true, NULL);
    vapic_write(&w, 0x80, 0x33);
    vlapic_state_get(&v.a, v.now, &record);
    again = record;
    for (size_t size = 0; size < sizeof(record); size += 7)
        refused("truncated", size);
    refused("too long", sizeof(record) + 8);
    again.size--;
    refused("size", sizeof(record));
    again.version = 0;
    refused("version 0", sizeof(record));
    again.version = 2;
    refused("version 2", sizeof(record));
    for (unsigned i = 0; i < COUNT(record.reserved); i++) {
        again.reserved[i] = 1;
        refused("reserved", sizeof(record));
    }
    static const uint64_t bases[] = {0, 0xfee00500, 0xfee00800, 0xfee01900, 0xfee00901, 0x1fee00900};
    for (size_t i = 0; i < COUNT(bases); i++) {
        again.apic_base = bases[i];
        refused("base", sizeof(record));
    }
    again.apic_base = 0xfee00d00; /* the ID would have to be in its 32-bit form */
    refused("mode", sizeof(record));
    static const uint32_t events[] = {0x2000, 0x55, HV_LAPIC_SIPI, HV_LAPIC_SIPI | HV_LAPIC_INIT,
                                      HV_LAPIC_WAIT};
    for (size_t i = 0; i < COUNT(events); i++) {
        again.events = events[i];
        refused("events", sizeof(record));
    }
    again.esr_pending = 0x100;
    refused("errors", sizeof(record));
    again.tsc_deadline = 5;
    refused("deadline in another mode", sizeof(record));
    again.regs[0x320 / 4] = 0x40040;
    again.timer_left = 5;
    refused("count in deadline mode", sizeof(record));
    for (size_t i = 0; i < COUNT(regs); i++) {
        again.regs[regs[i].offset / 4] = regs[i].value;
        char row[32];
        snprintf(row, sizeof(row), "register 0x%x", regs[i].offset);
        refused(row, sizeof(record));
    }
    EXPECT_TRUE(vlapic_state_set(&w.a, 77, &again, sizeof(again)));
}
