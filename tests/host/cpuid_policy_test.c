/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hv/core/cpuid_policy.c and cpuid_mask.c. One processor that has every bit shows what is hidden and what
 * passes, bit by bit, with the numbers of SDM volume 2; others with real-looking values show what is
 * computed.
 */
#include "hv/core/cpuid_policy.h"

#include "arch/cpu/msr.h"
#include "guest_abi/hv_abi.h"
#include "tests/host/test.h"

enum { A = CPUID_EAX, B = CPUID_EBX, C = CPUID_ECX, D = CPUID_EDX };

/* ---- processors ---- */

struct answer {
    uint32_t leaf, subleaf, reg[4];
};

struct processor {
    const struct answer *answer;
    size_t count;
    uint32_t rest; /* in all registers of all other leaves */
    bool strict;   /* asking for a leaf beyond the highest one is an error */
};

static void processor_cpuid(void *ctx, uint32_t leaf, uint32_t subleaf, uint32_t reg[4])
{
    const struct processor *cpu = ctx;
    for (unsigned r = 0; r < 4; r++)
        reg[r] = cpu->rest;
    for (size_t i = 0; i < cpu->count; i++)
        if (cpu->answer[i].leaf == leaf && cpu->answer[i].subleaf == subleaf) {
            memcpy(reg, cpu->answer[i].reg, sizeof(cpu->answer[i].reg));
            return;
        }
    if (cpu->strict && leaf != 0 && leaf != 0x80000000) {
        uint32_t base = leaf & 0x80000000, top[4];
        processor_cpuid(ctx, base, 0, top);
        if (leaf > top[0])
            abort();
    }
}

static struct processor all_ones = {NULL, 0, UINT32_MAX, false};

/* A server processor: AVX-512, PKRU, AMX and supervisor state in XSAVE; three levels of cache. */
static const struct answer server_answer[] = {
    {0, 0, {0x1f, 0x756e6547, 0x6c65746e, 0x49656e69}},
    {1, 0, {0x000806f8, 0x12400800, 0x7ffefbff, 0xbfebfbff}},
    {4, 0, {0xfc004121, 0x02c0003f, 0x3f, 0}},
    {4, 1, {0xfc004122, 0x01c0003f, 0x3f, 0}},
    {4, 2, {0xfc01c143, 0x03c0003f, 0x7ff, 0}},
    {4, 3, {0xfc1fc163, 0x0380003f, 0x1dfff, 4}},
    {6, 0, {0x00dfcff7, 2, 9, 0}},
    {7, 0, {2, 0xf3bfbffb, 0x1b415f7e, 0xffdd4432}},
    {0xa, 0, {0x08300805, 0, 15, 0x604}},
    {0xb, 0, {1, 2, 0x100, 0x55}},
    {0xd, 0, {0x602e7, 0xa88, 0x2b00, 0}},
    {0xd, 1, {0x1f, 0xa10, 0x1900, 0}},
    {0xd, 2, {256, 576, 0, 0}},
    {0xd, 5, {64, 1088, 0, 0}},
    {0xd, 6, {512, 1152, 2, 0}},
    {0xd, 7, {1024, 1664, 0, 0}},
    {0xd, 8, {128, 0, 1, 0}},
    {0xd, 9, {8, 2688, 4, 0}},
    {0xd, 17, {64, 2752, 2, 0}},
    {0xd, 18, {8192, 2816, 6, 0}},
    {0x80000000, 0, {0x80000008, 0, 0, 0}},
    {0x80000001, 0, {0, 0, 0x121, 0x2c100800}},
    {0x80000002, 0, {1, 2, 3, 4}},
    {0x80000006, 0, {0, 0, 0x08007040, 0}},
    {0x80000007, 0, {0, 0, 0, 0x100}},
    {0x80000008, 0, {0x3934, 0x200, 0, 0}},
};
static struct processor server = {server_answer, COUNT(server_answer), 0, true};

/* As little as a processor with VMX can have: no leaf 7, no XSAVE. */
static const struct answer old_answer[] = {
    {0, 0, {2, 0x756e6547, 0x6c65746e, 0x49656e69}},
    {1, 0, {0x000206c2, 0x00100800, 0x029ee3ff, 0xbfebfbff}},
    {0x80000000, 0, {0x80000004, 0, 0, 0}},
    {0x80000001, 0, {0, 0, 1, 0x28100800}},
};
static struct processor old = {old_answer, COUNT(old_answer), 0, true};

static struct cpuid_params params(struct processor *cpu, uint32_t vcpus)
{
    return (struct cpuid_params){.host = processor_cpuid,
                                 .ctx = cpu,
                                 .tsc_khz = 2100000,
                                 .vcpus = vcpus,
                                 .rdtscp = true,
                                 .invpcid = true,
                                 .xsaves = true};
}

/* On the heap and dirty, so that AddressSanitizer sees its end, and nothing depends on what was there. */
static struct cpuid_policy *build(const struct cpuid_params *in)
{
    static struct cpuid_policy *p;
    free(p);
    p = malloc(sizeof(*p));
    memset(p, 0xa5, sizeof(*p));
    cpuid_policy_build(p, in);
    return p;
}

static struct cpuid_policy *build_for(struct processor *cpu, uint32_t vcpus)
{
    struct cpuid_params in = params(cpu, vcpus);
    return build(&in);
}

static uint32_t word(const struct cpuid_policy *p, uint32_t leaf, uint32_t subleaf, unsigned reg)
{
    return cpuid_policy_find(p, leaf, subleaf)->reg[reg];
}

static void expect(const struct cpuid_policy *p, uint32_t leaf, uint32_t subleaf, uint32_t a, uint32_t b,
                   uint32_t c, uint32_t d)
{
    uint32_t want[4] = {a, b, c, d};
    test_row("leaf %#x.%u", leaf, subleaf);
    for (unsigned r = 0; r < 4; r++)
        EXPECT_EQ(word(p, leaf, subleaf, r), want[r]);
}

/* ---- what passes ---- */

/* Bit numbers that pass, for each word of feature bits; all others of the word are hidden. */
static const struct {
    uint32_t leaf, subleaf;
    unsigned reg;
    const char *bits;
} features[] = {
    {1, 0, C, "0 1 9 12 13 17 19 20 22 23 25 26 28 29 30 31"},
    {1, 0, D, "0 1 2 3 4 5 6 8 11 13 15 16 17 19 23 24 25 26 27 28"},
    {6, 0, A, "2"},
    {6, 0, B, ""},
    {6, 0, C, ""},
    {6, 0, D, ""},
    {7, 0, B, "0 1 3 4 5 6 7 8 9 10 11 13 16 17 18 19 20 21 23 24 26 27 28 29 30 31"},
    {7, 0, C, "0 1 2 3 6 8 9 10 11 12 14 22 25 27 28"},
    {7, 0, D, "2 3 4 8 10 11 14 16 23"},
    {7, 1, A, "0 1 2 3 4 5 7 10 11 12 23"},
    {7, 1, B, ""},
    {7, 1, C, ""},
    {7, 1, D, "4 5 10 14"},
    {7, 2, A, ""},
    {7, 2, B, ""},
    {7, 2, C, ""},
    {7, 2, D, "5"},
    {0xd, 1, A, "0 1 2 3"},
    {0x80000001, 0, A, ""},
    {0x80000001, 0, B, ""},
    {0x80000001, 0, C, "0 5 8"},
    {0x80000001, 0, D, "11 20 26 27 29"},
    {0x80000007, 0, A, ""},
    {0x80000007, 0, B, ""},
    {0x80000007, 0, C, ""},
    {0x80000007, 0, D, "8"},
};

static uint32_t bits_of(const char *text)
{
    uint32_t bits = 0;
    for (char *end; *text; text = end)
        bits |= 1U << strtoul(text, &end, 10);
    return bits;
}

TEST(feature_bits_of_a_processor_that_has_all)
{
    struct cpuid_policy *p = build_for(&all_ones, 4);
    for (size_t i = 0; i < COUNT(features); i++) {
        test_row("leaf %#x.%u register %u", features[i].leaf, features[i].subleaf, features[i].reg);
        EXPECT_EQ(word(p, features[i].leaf, features[i].subleaf, features[i].reg), bits_of(features[i].bits));
    }
    EXPECT_TRUE(p->entries <= CPUID_ENTRIES);
}

TEST(leaves_that_must_not_exist)
{
    static const uint32_t zero[] = {3,          5,          8,          9,          0xa,        0xc,
                                    0xe,        0xf,        0x10,       0x11,       0x12,       0x13,
                                    0x14,       0x17,       0x18,       0x19,       0x1a,       0x1b,
                                    0x1c,       0x1d,       0x1e,       0x20,       0x21,       0x23,
                                    0x24,       0x3fffffff, 0x40000002, 0x40000100, 0x7fffffff, 0x80000005,
                                    0x80000009, 0x8000001e, 0x8fffffff, 0xc0000000, UINT32_MAX};
    struct cpuid_policy *p = build_for(&all_ones, 4);
    for (size_t i = 0; i < COUNT(zero); i++)
        for (uint32_t subleaf = 0; subleaf < 4; subleaf++) {
            expect(p, zero[i], subleaf, 0, 0, 0, 0);
            EXPECT_EQ(cpuid_policy_find(p, zero[i], subleaf)->dynamic, 0);
        }
    /* Subleaves behind the last one. */
    static const uint32_t ends[][2] = {{4, 7},    {4, UINT32_MAX},  {7, 3},    {7, UINT32_MAX},
                                       {0xd, 8},  {0xd, 10},        {0xd, 17}, {0xd, 18},
                                       {0xd, 63}, {0xd, UINT32_MAX}};
    for (size_t i = 0; i < COUNT(ends); i++)
        expect(p, ends[i][0], ends[i][1], 0, 0, 0, 0);
}

TEST(nothing_comes_from_nowhere)
{
    /* On a processor without any bit, only what is computed or forced is there. */
    static const struct answer none_answer[] = {{0, 0, {0x1f, 0, 0, 0}},
                                                {0x80000000, 0, {0x80000008, 0, 0, 0}}};
    static struct processor none = {none_answer, COUNT(none_answer), 0, true};
    struct cpuid_policy *p = build_for(&none, 1);
    expect(p, 1, 0, 0, 1 << 16, BIT(31), 0);
    expect(p, 7, 0, 0, 2, 0, 0);
    expect(p, 0x80000001, 0, 0, 0, 0, 0);
    expect(p, 0x80000007, 0, 0, 0, 0, 0);
    for (uint32_t subleaf = 0; subleaf < 12; subleaf++)
        expect(p, 0xd, subleaf, 0, 0, 0, 0);
    EXPECT_EQ(p->xcr0, 0);
    EXPECT_EQ(cpuid_policy_find(p, 0xd, 0)->dynamic, 0);
}

TEST(parameters_switch_bits)
{
    struct cpuid_params in = params(&all_ones, 1);
    in.rdtscp = in.invpcid = in.xsaves = false;
    in.apic = in.x2apic = in.tsc_deadline = true;
    struct cpuid_policy *p = build(&in);
    EXPECT_EQ(word(p, 7, 0, C) & BIT(22), 0);
    EXPECT_EQ(word(p, 7, 0, B) & BIT(10), 0);
    EXPECT_EQ(word(p, 0x80000001, 0, D) & BIT(27), 0);
    EXPECT_EQ(word(p, 0xd, 1, A), 7);
    EXPECT_EQ(word(p, 1, 0, D) & (BIT(9) | BIT(28)), BIT(9));
    EXPECT_EQ(word(p, 1, 0, C) & (BIT(21) | BIT(24)), BIT(21) | BIT(24));
}

/* ---- what is computed ---- */

TEST(highest_leaves)
{
    expect(build_for(&server, 1), 0, 0, 0x1f, 0x756e6547, 0x6c65746e, 0x49656e69);
    expect(build_for(&old, 1), 0, 0, 0x16, 0x756e6547, 0x6c65746e, 0x49656e69);
    expect(build_for(&old, 1), 0x1f, 0, 0, 0, 0, 0);
    expect(build_for(&old, 1), 0x80000000, 0, 0x80000008, 0, 0, 0);
    EXPECT_EQ(word(build_for(&all_ones, 1), 0, 0, A), 0x1f);
}

TEST(hypervisor_leaves)
{
    struct cpuid_policy *p = build_for(&server, 1);
    const struct cpuid_entry *e = cpuid_policy_find(p, 0x40000000, 0);
    EXPECT_EQ(e->reg[A], 0x40000001);
    EXPECT_MEMEQ(&e->reg[B], "SignalboxVMM", 12);
    expect(p, 0x40000001, 0, HV_ABI_VERSION, 0, 0, 0);
}

TEST(address_widths)
{
    static const struct {
        uint32_t host, want;
    } rows[] = {{0x3934, 0x302e}, {0x302e, 0x302e}, {0x3027, 0x3027}, {0x302d, 0x302d}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer answer[] = {{0, 0, {1, 0, 0, 0}},
                                  {0x80000000, 0, {0x80000008, 0, 0, 0}},
                                  {0x80000008, 0, {rows[i].host, UINT32_MAX, UINT32_MAX, UINT32_MAX}}};
        struct processor cpu = {answer, COUNT(answer), 0, true};
        expect(build_for(&cpu, 1), 0x80000008, 0, rows[i].want, 0, 0, 0);
    }
}

TEST(frequencies)
{
    static const uint64_t khz[] = {1, 1000000, 2099998, 2100000, 3792873, 4294967, 4294968, 5800000, 9999998};
    for (size_t i = 0; i < COUNT(khz); i++) {
        struct cpuid_params in = params(&old, 1);
        in.tsc_khz = khz[i];
        const struct cpuid_entry *e = cpuid_policy_find(build(&in), 0x15, 0);
        test_row("%llu kHz", (unsigned long long)khz[i]);
        EXPECT_EQ((uint64_t)e->reg[C] * e->reg[B] / e->reg[A], khz[i] * 1000);
        /* The way a kernel does it: in whole kHz of crystal, 32 bits. */
        uint32_t kernel = e->reg[C] / 1000 * e->reg[B] / e->reg[A];
        EXPECT_TRUE(khz[i] - kernel <= (khz[i] > 4294967 ? 3 : 0));
        expect(build(&in), 0x16, 0, (uint32_t)((khz[i] + 500) / 1000), (uint32_t)((khz[i] + 500) / 1000), 100,
               0);
    }
}

TEST(topology)
{
    static const struct {
        uint32_t vcpus, shift;
    } rows[] = {{1, 0}, {2, 1}, {3, 2}, {4, 2}, {5, 3}, {8, 3}, {64, 6}, {65, 7}, {300, 9}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t n = rows[i].vcpus, ids = 1U << rows[i].shift, cores = ids < 64 ? ids - 1 : 63;
        struct cpuid_policy *p = build_for(&server, n);
        for (uint32_t leaf = 0xb; leaf <= 0x1f; leaf += 0x14) {
            expect(p, leaf, 0, 0, 1, 0x100, 0);
            expect(p, leaf, 1, rows[i].shift, n, 0x200, 0);
            expect(p, leaf, 2, 0, 0, 0, 0);
            struct cpuid_vcpu v = {.index = n - 1};
            for (uint32_t level = 0; level < 5; level++) {
                uint32_t reg[4];
                cpuid_policy_patch(p, cpuid_policy_find(p, leaf, level), level, &v, reg);
                EXPECT_EQ(reg[D], n - 1);
                EXPECT_EQ(reg[C], level | (level == 0 ? 0x100 : level == 1 ? 0x200 : 0));
            }
        }
        expect(p, 4, 0, cores << 26 | 0x121, 0x02c0003f, 0x3f, 0);
        expect(p, 4, 2, cores << 26 | 0x143, 0x03c0003f, 0x7ff, 0);
        expect(p, 4, 3, cores << 26 | (ids - 1) << 14 | 0x163, 0x0380003f, 0x1dfff, 4);
        expect(p, 4, 4, 0, 0, 0, 0);
        EXPECT_EQ(word(p, 1, 0, B), (n < 255 ? n : 255) << 16 | 0x0800);
        EXPECT_EQ(word(p, 1, 0, D) >> 28 & 1, n > 1);
    }
}

TEST(extended_state)
{
    struct cpuid_policy *p = build_for(&server, 1);
    EXPECT_EQ(p->xcr0, 0x2e7);
    expect(p, 0xd, 0, 0x2e7, 0, 2696, 0);
    expect(p, 0xd, 1, 0xf, 0, 0, 0);
    expect(p, 0xd, 2, 256, 576, 0, 0);
    expect(p, 0xd, 3, 0, 0, 0, 0);
    expect(p, 0xd, 6, 512, 1152, 2, 0);
    expect(p, 0xd, 8, 0, 0, 0, 0); /* PT */
    expect(p, 0xd, 9, 8, 2688, 0, 0);
    static const struct {
        uint64_t xcr0;
        uint32_t standard, compacted;
    } rows[] = {{1, 576, 576},
                {3, 576, 576},
                {7, 832, 832},
                {0xe7, 2688, 832 + 64 + 512 + 1024},
                {0x203, 2696, 584},
                {0x207, 2696, 840},
                {0x2e7, 2696, 832 + 64 + 512 + 1024 + 8}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t reg[4];
        struct cpuid_vcpu v = {.xcr0 = rows[i].xcr0};
        test_row("XCR0 %#llx", (unsigned long long)rows[i].xcr0);
        cpuid_policy_patch(p, cpuid_policy_find(p, 0xd, 0), 0, &v, reg);
        EXPECT_EQ(reg[B], rows[i].standard);
        cpuid_policy_patch(p, cpuid_policy_find(p, 0xd, 1), 1, &v, reg);
        EXPECT_EQ(reg[B], rows[i].compacted);
    }
}

TEST(compacted_alignment)
{
    /* AVX-512 upper state (5) ends at 576 + 40; the next one wants 64-byte alignment. */
    static const struct answer answer[] = {
        {0, 0, {0xd, 0, 0, 0}},    {1, 0, {0, 0, BIT(26), 0}}, {0xd, 0, {0xe7, 0, 0, 0}},
        {0xd, 1, {2, 0, 0, 0}},    {0xd, 2, {40, 600, 0, 0}},  {0xd, 5, {8, 700, 0, 0}},
        {0xd, 6, {16, 800, 2, 0}}, {0xd, 7, {24, 900, 0, 0}},  {0x80000000, 0, {0x80000008, 0, 0, 0}}};
    struct processor cpu = {answer, COUNT(answer), 0, true};
    struct cpuid_policy *p = build_for(&cpu, 1);
    struct cpuid_vcpu v = {.xcr0 = 0xe7};
    uint32_t reg[4];
    cpuid_policy_patch(p, cpuid_policy_find(p, 0xd, 1), 1, &v, reg);
    EXPECT_EQ(reg[B], 640 + 16 + 24);
    cpuid_policy_patch(p, cpuid_policy_find(p, 0xd, 0), 0, &v, reg);
    EXPECT_EQ(reg[B], 924);
}

TEST(avx512_state_whole_or_not)
{
    static const struct {
        uint32_t host;
        uint64_t want;
    } rows[] = {{0xe7, 0xe7}, {0xe3, 3},      {0x67, 7},          {0xa7, 7},
                {0x1f, 7},    {0x203, 0x203}, {UINT32_MAX, 0x2e7}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer answer[] = {{0, 0, {0xd, 0, 0, 0}},
                                  {1, 0, {0, 0, BIT(26), 0}},
                                  {0xd, 0, {rows[i].host, 0, 0, 0}},
                                  {0x80000000, 0, {0x80000008, 0, 0, 0}}};
        struct processor cpu = {answer, COUNT(answer), 0, true};
        test_row("%#x", rows[i].host);
        EXPECT_EQ(build_for(&cpu, 1)->xcr0, rows[i].want);
    }
}

TEST(dynamic_bits)
{
    struct cpuid_policy *p = build_for(&all_ones, 300);
    static const struct {
        uint32_t leaf, subleaf;
        unsigned reg;
        uint32_t bits;
        struct cpuid_vcpu v;
    } rows[] = {
        {1, 0, C, BIT(27), {.cr4 = CR4_OSXSAVE}}, {1, 0, B, 0x2bU << 24, {.index = 0x2b}},
        {1, 0, B, 0x2bU << 24, {.index = 0x12b}}, {7, 0, C, BIT(4), {.cr4 = CR4_PKE}},
        {0xb, 1, D, 299, {.index = 299}},
    };
    static const struct cpuid_vcpu quiet;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t with[4], without[4];
        const struct cpuid_entry *e = cpuid_policy_find(p, rows[i].leaf, rows[i].subleaf);
        test_row("row %zu", i);
        EXPECT_NE(e->dynamic, 0);
        cpuid_policy_patch(p, e, rows[i].subleaf, &rows[i].v, with);
        cpuid_policy_patch(p, e, rows[i].subleaf, &quiet, without);
        for (unsigned r = 0; r < 4; r++)
            EXPECT_EQ(with[r] ^ without[r], r == rows[i].reg ? rows[i].bits : 0);
    }
    /* An answer without dynamic parts is not touched. */
    struct cpuid_vcpu v = {.index = 7, .cr4 = UINT64_MAX, .xcr0 = 7};
    uint32_t reg[4];
    const struct cpuid_entry *e = cpuid_policy_find(p, 0x80000001, 0);
    cpuid_policy_patch(p, e, 0, &v, reg);
    EXPECT_MEMEQ(reg, e->reg, sizeof(reg));
}
