/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hv/vapic: modes and enables (A5, A7), INIT and SIPI (A9), local vectors. Named after the rows of the
 * feature list (L) and the test list (A).
 */
#include "tests/host/vapic.h"

#include "tests/host/test.h"

static struct vapic v;

/* --- IA32_APIC_BASE --- */
TEST(l33_a5_base_transitions)
{
    /* off, xAPIC, x2APIC, and EXTD without EN */
    static const uint64_t flags[] = {0, 0x800, 0xc00, 0x400};
    static const bool legal[3][4] = {
        {true, true, false, false}, {true, true, true, false}, {true, false, true, false}};
    for (unsigned from = 0; from < 3; from++)
        for (unsigned to = 0; to < 4; to++) {
            vapic_make(&v, 9, false, NULL);
            if (from != 1)
                ASSERT_TRUE(vapic_base(&v, 0xfee00000 | flags[from]));
            uint64_t before = vlapic_base(&v.a);
            test_row("from %u to %u", from, to);
            EXPECT_EQ(before, 0xfee00000 | flags[from]);
            EXPECT_EQ(vapic_base(&v, 0xfee00000 | flags[to]), legal[from][to]);
            EXPECT_EQ(vlapic_base(&v.a), legal[from][to] ? 0xfee00000 | flags[to] : before);
            bool changed = legal[from][to] && from != to;
            EXPECT_EQ((v.f.what & VLAPIC_FACT_MODE) != 0, changed);
            EXPECT_EQ((v.f.what & VLAPIC_FACT_LOGICAL) != 0, changed);
        }
}

TEST(l33_a5_base_reserved_and_relocation)
{
    static const uint64_t starts[] = {0xfee00800, 0xfee00c00, 0xfee00000};
    for (unsigned s = 0; s < 3; s++)
        for (unsigned bit = 0; bit < 64; bit++) {
            vapic_make(&v, 0, false, NULL);
            ASSERT_TRUE(vapic_base(&v, starts[s]));
            uint64_t value = starts[s] ^ (uint64_t)1 << bit;
            if (bit == 8 || bit == 10 || bit == 11)
                continue;
            test_row("value 0x%llx", (unsigned long long)value);
            EXPECT_FALSE(vapic_base(&v, value)); /* reserved, or another address */
            EXPECT_EQ(vlapic_base(&v.a), starts[s]);
            EXPECT_EQ(v.f.what, 0);
        }
    struct vlapic_features none = {.x2apic = false};
    vapic_make(&v, 0, true, &none);
    EXPECT_FALSE(vapic_base(&v, 0xfee00d00));
    EXPECT_TRUE(vapic_base(&v, 0xfee00800)); /* BSP flag: read-only */
    EXPECT_EQ(vlapic_base(&v.a), 0xfee00900);
    EXPECT_TRUE(vlapic_decodes(&v.a, 0xfee00fff));
    EXPECT_FALSE(vlapic_decodes(&v.a, 0xfee01000));
    EXPECT_FALSE(vlapic_decodes(&v.a, 0xfedff000));
}

TEST(a5_off_keeps_requests)
{
    for (unsigned x2 = 0; x2 < 2; x2++) {
        vapic_make(&v, 3, false, NULL);
        vapic_enable(&v, x2);
        vapic_fixed(&v, 0x70);
        vlapic_ack(&v.a);
        vapic_fixed(&v, 0x90);
        EXPECT_TRUE(vapic_base(&v, 0xfee00000));
        EXPECT_EQ(vlapic_next(&v.a), 0);
        EXPECT_EQ(vapic_fixed(&v, 0xa0), VLAPIC_DROPPED_DISABLED);
        EXPECT_FALSE(vlapic_decodes(&v.a, 0xfee00000)); /* A7: the page is memory's then, and there is none */
        EXPECT_EQ(vapic_read(&v, 0x20), 0xffffffff);
        vapic_write(&v, 0x80, 0xff);
        EXPECT_EQ(v.page[0x80 / 4], 0);
        EXPECT_TRUE(vapic_base(&v, 0xfee00800));
        EXPECT_EQ(vapic_read(&v, 0x20), 3U << 24);
        EXPECT_EQ(vapic_read(&v, 0xd0), 0);
        EXPECT_EQ(vlapic_ack(&v.a), 0x90);
        EXPECT_EQ(vlapic_end(&v.a).vector, 0x90);
        EXPECT_EQ(vlapic_end(&v.a).vector, 0x70);
    }
}

TEST(l25_a5_software_disable)
{
    uint8_t error;
    vapic_make(&v, 0, true, NULL);
    vapic_enable(&v, false);
    for (uint32_t lvt = 0x320; lvt <= 0x370; lvt += 16)
        vapic_write(&v, lvt, 0x40);
    vapic_write(&v, 0x2f0, 0x40);
    vapic_fixed(&v, 0x80);
    vapic_write(&v, 0xf0, 0x0ff);
    EXPECT_TRUE(v.f.what & VLAPIC_FACT_ENABLE);
    for (uint32_t lvt = 0x320; lvt <= 0x370; lvt += 16) {
        EXPECT_EQ(vapic_read(&v, lvt), 0x10040);
        vapic_write(&v, lvt, 0x41); /* stays masked */
        EXPECT_EQ(vapic_read(&v, lvt), 0x10041);
    }
    EXPECT_EQ(vapic_read(&v, 0x2f0), 0x10040);
    EXPECT_EQ(vapic_fixed(&v, 0x90), VLAPIC_DROPPED_DISABLED);
    EXPECT_EQ(vapic_send(&v, 1, 0x90, false, &error), VLAPIC_DROPPED_DISABLED);
    EXPECT_EQ(vapic_send(&v, 4, 0, false, &error), VLAPIC_NEW);
    EXPECT_EQ(vapic_send(&v, 5, 0, false, &error), VLAPIC_NEW);
    EXPECT_EQ(vlapic_next(&v.a), 0x80); /* held, and the CPU may take it */
    vapic_write(&v, 0xf0, 0x0ff);
    EXPECT_FALSE(v.f.what & VLAPIC_FACT_ENABLE);
    vapic_write(&v, 0xf0, 0x1ff);
    EXPECT_TRUE(v.f.what & VLAPIC_FACT_ENABLE);
    EXPECT_EQ(vapic_read(&v, 0x320), 0x10041);
    EXPECT_EQ(vapic_fixed(&v, 0x90), VLAPIC_NEW);
}

/* --- INIT, SIPI, NMI, SMI --- */
TEST(l18_l19_a9_init_and_sipi)
{
    uint8_t error, vector = 0;
    for (unsigned sipi = 0; sipi < 256; sipi++) {
        vapic_make(&v, 1, false, NULL);
        test_row("SIPI 0x%x", sipi);
        EXPECT_EQ(vapic_send(&v, 6, (uint8_t)sipi, false, &error), VLAPIC_DROPPED_STATE); /* it runs */
        EXPECT_EQ(vapic_send(&v, 5, 0, false, &error), VLAPIC_NEW);
        EXPECT_EQ(vapic_send(&v, 6, (uint8_t)sipi, false, &error),
                  VLAPIC_NEW); /* before INIT was looked at */
        EXPECT_EQ(vapic_send(&v, 6, (uint8_t)(sipi + 1), false, &error), VLAPIC_MERGED);
        EXPECT_EQ(vlapic_event_start(&v.a, &vector), VLAPIC_START_INIT);
        EXPECT_TRUE(vlapic_event_waiting(&v.a));
        EXPECT_EQ(vlapic_event_start(&v.a, &vector), VLAPIC_START_SIPI);
        EXPECT_EQ(vector, sipi);
        EXPECT_FALSE(vlapic_event_waiting(&v.a));
        EXPECT_EQ(vapic_send(&v, 6, (uint8_t)sipi, false, &error), VLAPIC_DROPPED_STATE);
        EXPECT_EQ(vlapic_event_start(&v.a, &vector), VLAPIC_START_NONE);
    }
}

TEST(l18_init_erases_sipi)
{
    uint8_t error, vector = 0;
    vapic_make(&v, 1, false, NULL);
    vapic_send(&v, 5, 0, false, &error);
    EXPECT_EQ(vapic_send(&v, 5, 0, false, &error), VLAPIC_MERGED);
    EXPECT_EQ(vlapic_event_start(&v.a, &vector), VLAPIC_START_INIT);
    EXPECT_EQ(vapic_send(&v, 6, 0x12, false, &error), VLAPIC_NEW);
    vapic_send(&v, 5, 0, false, &error);
    EXPECT_EQ(vlapic_event_start(&v.a, &vector), VLAPIC_START_INIT);
    EXPECT_EQ(vlapic_event_start(&v.a, &vector), VLAPIC_START_NONE);
    EXPECT_EQ(vapic_send(&v, 6, 0x34, false, &error), VLAPIC_NEW);
    EXPECT_EQ(vlapic_event_start(&v.a, &vector), VLAPIC_START_SIPI);
    EXPECT_EQ(vector, 0x34);
}

TEST(l18_init_erases_nmi_and_smi)
{
    uint8_t error, vector = 0;
    vapic_make(&v, 1, false, NULL);
    vapic_send(&v, 4, 0, false, &error);
    vapic_send(&v, 2, 0, false, &error);
    vapic_send(&v, 5, 0, false, &error);
    EXPECT_FALSE(vlapic_event_take(&v.a, HV_LAPIC_NMI));
    EXPECT_FALSE(vlapic_event_take(&v.a, HV_LAPIC_SMI));
    EXPECT_EQ(vlapic_event_start(&v.a, &vector), VLAPIC_START_INIT);
    EXPECT_EQ(vapic_send(&v, 4, 0, false, &error), VLAPIC_NEW); /* after it: kept */
    EXPECT_TRUE(vlapic_event_take(&v.a, HV_LAPIC_NMI));
}

TEST(l18_bsp_does_not_wait)
{
    uint8_t error, vector = 0;
    vapic_make(&v, 0, true, NULL);
    vapic_enable(&v, false);
    vapic_send(&v, 5, 0, false, &error);
    EXPECT_EQ(vapic_send(&v, 6, 1, false, &error), VLAPIC_DROPPED_STATE);
    EXPECT_EQ(vlapic_event_start(&v.a, &vector), VLAPIC_START_INIT);
    EXPECT_FALSE(vlapic_event_waiting(&v.a));
    EXPECT_FALSE(vlapic_accepting(&v.a)); /* the APIC was reset */
}

TEST(l16_l17_nmi_and_smi)
{
    uint8_t error;
    for (uint8_t vector = 0; vector < 250; vector++) {
        vapic_make(&v, 0, false, NULL);
        EXPECT_EQ(vapic_send(&v, 4, vector, true, &error), VLAPIC_NEW); /* vector and trigger do not matter */
        EXPECT_EQ(vapic_send(&v, 4, vector, true, &error), VLAPIC_MERGED);
        EXPECT_EQ(vapic_send(&v, 2, 0, false, &error), VLAPIC_NEW);
        EXPECT_TRUE(vlapic_event_take(&v.a, HV_LAPIC_NMI));
        EXPECT_FALSE(vlapic_event_take(&v.a, HV_LAPIC_NMI));
        EXPECT_TRUE(vlapic_event_take(&v.a, HV_LAPIC_SMI));
        EXPECT_EQ(error, 0);
    }
    EXPECT_EQ(vapic_esr(&v), 0);
}

TEST(l20_reserved_modes)
{
    uint8_t error;
    vapic_make(&v, 0, false, NULL);
    vapic_enable(&v, false);
    EXPECT_EQ(vapic_send(&v, 3, 0x40, false, &error), VLAPIC_DROPPED_STATE);
    EXPECT_EQ(vapic_send(&v, 8, 0x40, false, &error), VLAPIC_DROPPED_STATE);
    EXPECT_EQ(vapic_send(&v, 7, 0, false, &error), VLAPIC_NEW);
    EXPECT_EQ(vlapic_highest(&v.a, APIC_IRR), 0);
    EXPECT_EQ(v.a.stats[VLAPIC_STAT_REFUSED], 2);
}

/* --- local vectors --- */
TEST(l26_l28_delivery_by_lvt)
{
    static const uint32_t lvts[] = {0x2f0, 0x320, 0x330, 0x340, 0x350, 0x360, 0x370};
    for (unsigned i = 0; i < COUNT(lvts); i++)
        for (uint32_t mode = 0; mode < 8; mode++) {
            bool plain = lvts[i] == 0x320 || lvts[i] == 0x370, pin = lvts[i] == 0x350 || lvts[i] == 0x360;
            bool want = plain || mode == 0 || mode == 2 || mode == 4 || (pin && (mode == 5 || mode == 7));
            struct vlapic_message m = {0};
            vapic_make(&v, 0, false, NULL);
            vapic_enable(&v, false);
            test_row("LVT 0x%x mode %u", lvts[i], mode);
            EXPECT_FALSE(vlapic_lvt_fire(&v.a, (enum apic_reg)lvts[i], &m)); /* masked after reset */
            vapic_write(&v, lvts[i], mode << 8 | 0x44);
            EXPECT_EQ(vlapic_lvt_fire(&v.a, (enum apic_reg)lvts[i], &m), want);
            if (want) {
                EXPECT_EQ(m.mode, plain ? 0 : mode);
                EXPECT_EQ(m.vector, 0x44);
                EXPECT_FALSE(m.level);
            }
            /* L-27 */
            EXPECT_EQ(vapic_read(&v, lvts[i]) >> 16, lvts[i] == 0x340 && want ? 1 : 0);
        }
}

/* Trigger mode and polarity are kept, and change nothing. */
TEST(l26_lint_is_an_edge)
{
    struct vlapic_message m;
    for (enum apic_reg lvt = APIC_LVT_LINT0; lvt <= APIC_LVT_LINT1; lvt += 16) {
        vapic_make(&v, 0, false, NULL);
        vapic_enable(&v, false);
        vapic_write(&v, lvt, 0xf055);
        EXPECT_EQ(vapic_read(&v, lvt), 0xa055);
        EXPECT_TRUE(vlapic_lvt_fire(&v.a, lvt, &m));
        EXPECT_FALSE(m.level);
        EXPECT_TRUE(vlapic_lvt_fire(&v.a, lvt, &m));
    }
}

TEST(l35_virtual_wire)
{
    struct vlapic_message m;
    vapic_make(&v, 0, true, NULL);
    EXPECT_TRUE(vlapic_accepts_extint(&v.a));
    vapic_write(&v, 0x350, 0x10700);
    EXPECT_TRUE(v.f.what & VLAPIC_FACT_WIRE);
    EXPECT_FALSE(vlapic_accepts_extint(&v.a));
    vapic_enable(&v, false);
    vapic_write(&v, 0x350, 0x00040);
    EXPECT_FALSE(vlapic_accepts_extint(&v.a));
    vapic_write(&v, 0x350, 0x00700);
    EXPECT_TRUE(vlapic_accepts_extint(&v.a));
    vapic_write(&v, 0x350, 0x10700);
    EXPECT_TRUE(vapic_base(&v, 0xfee00100));
    EXPECT_TRUE(v.f.what & VLAPIC_FACT_WIRE);
    EXPECT_TRUE(vlapic_accepts_extint(&v.a));
    EXPECT_FALSE(vlapic_lvt_fire(&v.a, APIC_LVT_LINT0, &m));
    EXPECT_TRUE(vlapic_lvt_fire(&v.a, APIC_LVT_LINT1, &m)); /* the NMI pin */
    EXPECT_EQ(m.mode, 4);
}
