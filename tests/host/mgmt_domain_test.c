/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of domain objects against a pretended hypervisor: a whole life, service pages, and the
 * failure of every single call, after which everything must have come back.
 */
#include "mgmt/lib/domain.h"

#include "mgmt/lib/call.h"
#include "mgmt/lib/domain_parts.h"
#include "mgmt/lib/events.h"
#include "tests/host/mgmt_fake.h"
#include "tests/host/test.h"

static struct frames frames;
static uint64_t written, offset_seen;
static struct domain *hold; /* set: the next write holds this domain */
static uint32_t deaths;

static uint64_t on_read(void *ctx, uint64_t offset, uint8_t width)
{
    (void)ctx;
    offset_seen = offset;
    return 0x10 * width + offset;
}

static void on_write(void *ctx, uint64_t offset, uint8_t width, uint64_t data)
{
    (void)ctx;
    (void)width;
    offset_seen = offset;
    written = data;
    if (hold)
        hold->held = true;
}

static void on_death(struct domain *domain, const struct hv_domain_info *info)
{
    EXPECT_EQ(domain->id, info->domain);
    deaths++;
}

static void fresh(void)
{
    fake_reset();
    frames_free_list(&frames);
    EXPECT_TRUE(frames_add(&frames, 0x10000, sizeof(fake_memory)));
    domain_init(&frames, fake_view);
    EXPECT_EQ(events_init((struct hv_notify *)fake_memory[1], 0x1000), 0);
    memset(fake.notify, 0, sizeof(*fake.notify));
    hold = NULL;
    deaths = 0;
}

/* Nothing is held by anyone. */
static void check_all_back(void)
{
    EXPECT_EQ(frames.free_pages, FAKE_PAGES - 16ULL);
    EXPECT_EQ(frames.taken, 0U);
    EXPECT_EQ(frames.count, 1U);
    for (uint32_t i = 0; i < FAKE_DOMAINS; i++)
        EXPECT_FALSE(fake.domain[i]);
    for (uint32_t i = 0; i < FAKE_PAGES; i++)
        EXPECT_FALSE(fake.pinned[i] || fake.page_owner[i] != 0 || fake.page_shared[i] != 0);
}

static const struct access_range port = {HV_CLAIM_PIO, 0x80, 2, 4, on_read, on_write, NULL};

/* A domain with low and high memory, a device and nine vCPUs. The first negative result ends it. */
static struct domain *make(int64_t *error)
{
    static const struct domain_hooks hooks = {.dead = on_death};
    struct domain *domain = domain_create("test", 9, 0, 0, &hooks, error);
    if (!domain)
        return NULL;
    *error = domain_add_memory(domain, 0, 160);
    if (*error >= 0)
        *error = domain_add_memory(domain, 0x100000, 1024);
    if (*error >= 0)
        *error = domain_add_range(domain, &port);
    if (*error >= 0)
        *error = domain_donate(domain);
    for (int i = 0; i < 9 && *error >= 0; i++)
        *error = domain_add_vcpu(domain);
    if (*error >= 0)
        *error = domain_start(domain);
    return domain;
}

TEST(domain_whole_life)
{
    int64_t error;
    fresh();
    struct domain *domain = make(&error);
    ASSERT_TRUE(domain != NULL);
    EXPECT_EQ(error, 0);
    EXPECT_TRUE(domain_of(domain->id) == domain);
    EXPECT_EQ(frames.free_pages, FAKE_PAGES - 16ULL - 1184 - 9);
    /* Large pages are possible: same offset within 2 MiB at both sides. */
    for (uint32_t i = 0; i < FAKE_PAGES; i++)
        if (fake.page_owner[i] && fake.page_target[i] >= 0x100000)
            EXPECT_EQ(i * 4096ULL % 0x200000, fake.page_target[i] % 0x200000);
    fake.destroy_again = 3;
    EXPECT_EQ(domain_destroy(domain), 0);
    check_all_back();
    EXPECT_TRUE(domain_of(1) == NULL);
}

TEST(domain_every_call_fails_once)
{
    uint32_t n = 0;
    for (bool more = true; more;) {
        int64_t error;
        fresh();
        fake.fail_at = ++n;
        fake.fail_with = -HV_ENOMEM;
        struct domain *domain = make(&error);
        test_row("call %u", n);
        more = fake.failed;
        EXPECT_EQ(error, more ? -HV_ENOMEM : 0);
        if (domain)
            EXPECT_EQ(domain_destroy(domain), 0);
        check_all_back();
    }
    EXPECT_TRUE(n > 20);
}

TEST(domain_memory_in_fragments)
{
    gpa_t block[200];
    int64_t error;
    fresh();
    /* Every second block of 16 pages stays taken. */
    for (size_t i = 0; i < COUNT(block); i++)
        block[i] = frames_take(&frames, 16, FRAMES_PAGE, 0);
    for (size_t i = 0; i < COUNT(block); i += 2)
        EXPECT_TRUE(frames_give(&frames, block[i], 16));
    uint64_t before = frames.free_pages;
    struct domain *domain = domain_create("d", 1, 0, 0, NULL, &error);
    ASSERT_TRUE(domain != NULL);
    EXPECT_EQ(domain_add_memory(domain, 0, before), 0);
    EXPECT_EQ(frames.free_pages, 0U);
    EXPECT_EQ(domain_add_memory(domain, 0x10000000, 1), -HV_ENOMEM);
    EXPECT_EQ(domain_destroy(domain), 0);
    EXPECT_EQ(frames.free_pages, before);
    domain = domain_create("d", 1, 0, 0, NULL, &error);
    EXPECT_EQ(domain_add_memory(domain, 0, before + 1), -HV_ENOMEM);
    EXPECT_EQ(frames.free_pages, before); /* all or nothing */
    EXPECT_EQ(domain->chunks, 0U);
    EXPECT_EQ(domain_destroy(domain), 0);
}

TEST(domain_memory_is_clear_and_written)
{
    static uint8_t data[3 * 4096];
    int64_t error;
    fresh();
    memset(fake_memory[16], 0xee, sizeof(fake_memory) - 16 * 4096);
    memset(data, 0x5a, sizeof(data));
    struct domain *domain = domain_create("d", 1, 0, 0, NULL, &error);
    ASSERT_TRUE(domain != NULL);
    EXPECT_EQ(domain_add_memory(domain, 0, 2), 0);
    EXPECT_EQ(domain_add_memory(domain, 0x2000, 2), 0);
    EXPECT_TRUE(domain_write(domain, 0x800, data, sizeof(data)));
    EXPECT_FALSE(domain_write(domain, 0x1001, data, sizeof(data))); /* one byte too far */
    EXPECT_FALSE(domain_write(domain, UINT64_MAX, data, 2));
    for (uint64_t gpa = 0; gpa < 0x4000; gpa++) {
        uint64_t one = 1;
        const uint8_t *at = domain_view(domain, gpa, &one);
        ASSERT_TRUE(at != NULL);
        EXPECT_EQ(*at, gpa >= 0x800 && gpa < 0x3800 ? 0x5aU : 0U);
    }
    uint64_t many = 0x5000;
    EXPECT_TRUE(domain_view(domain, 0x1800, &many) != NULL);
    EXPECT_EQ(many, 0x800U);
    EXPECT_EQ(domain_add_memory(domain, 0x4001, 1), -HV_EINVAL);
    EXPECT_EQ(domain_add_memory(domain, 0x4000, 0), -HV_EINVAL);
    EXPECT_EQ(domain_donate(domain), 0);
    EXPECT_FALSE(domain_write(domain, 0, data, 1));
    EXPECT_EQ(domain_add_memory(domain, 0x4000, 1), -HV_EBUSY);
    EXPECT_EQ(domain_destroy(domain), 0);
}

/* The hypervisor writes a service and notifies. */
static void request(struct domain *domain, uint32_t vcpu, uint32_t kind, uint16_t address, uint8_t width,
                    bool write, uint64_t data)
{
    struct hv_service *service = domain->service[vcpu];
    service->serial++;
    if (kind == HV_EXIT_PIO) {
        service->pio.port = address;
        service->pio.width = width;
        service->pio.write = write;
        service->pio.data = data;
    } else if (kind == HV_EXIT_MMIO) {
        service->mmio.gpa = address;
        service->mmio.width = width;
        service->mmio.write = write;
        service->mmio.data = data;
    }
    service->kind = kind;
    fake_notify(HV_NOTIFY_VCPU(domain->id, vcpu));
}

TEST(domain_serves)
{
    int64_t error;
    fresh();
    struct domain *domain = make(&error);
    ASSERT_TRUE(domain != NULL);
    request(domain, 0, HV_EXIT_PIO, 0x80, 1, true, 0x42);
    events_run_once();
    EXPECT_EQ(written, 0x42U);
    EXPECT_EQ(fake.completed, 1U);
    EXPECT_EQ(domain->service[0]->kind, HV_EXIT_NONE);
    request(domain, 8, HV_EXIT_PIO, 0x81, 1, false, 0); /* shares its number with vCPU 0 */
    events_run_once();
    EXPECT_EQ(domain->service[8]->pio.data, 0x11U);
    EXPECT_EQ(fake.completed, 2U); /* vCPU 0 was not answered again */
    request(domain, 3, HV_EXIT_MMIO, 0x80, 8, false, 7);
    events_run_once();
    EXPECT_EQ(domain->service[3]->mmio.data, UINT64_MAX);
    request(domain, 3, HV_EXIT_DECODE, 0, 0, false, 0);
    events_run_once();
    EXPECT_EQ(domain->service[3]->decode.action, 1U);
    EXPECT_EQ(fake.completed, 4U);
    for (uint32_t vcpu = 0; vcpu < 9; vcpu++)
        request(domain, vcpu, HV_EXIT_PIO, 0x80, 4, true, vcpu);
    events_run_once();
    EXPECT_EQ(fake.completed, 13U);
    EXPECT_EQ(domain_destroy(domain), 0);
    check_all_back();
}

TEST(domain_can_be_held)
{
    int64_t error;
    fresh();
    struct domain *domain = make(&error);
    ASSERT_TRUE(domain != NULL);
    hold = domain;
    request(domain, 2, HV_EXIT_PIO, 0x80, 1, true, 1);
    request(domain, 5, HV_EXIT_PIO, 0x80, 1, true, 1);
    events_run_once();
    EXPECT_EQ(fake.completed, 0U);
    EXPECT_EQ(domain->held_vcpus, 0x24U);
    EXPECT_EQ(domain_release(domain), 0);
    EXPECT_EQ(fake.completed, 2U);
    EXPECT_EQ(domain->held_vcpus, 0U);
    EXPECT_EQ(domain_destroy(domain), 0);
}

TEST(domain_death_is_told)
{
    int64_t error;
    fresh();
    struct domain *domain = make(&error);
    ASSERT_TRUE(domain != NULL);
    fake_notify(HV_NOTIFY_DOMAIN(domain->id));
    events_run_once();
    EXPECT_EQ(deaths, 0U); /* it lives */
    fake.state[domain->id] = HV_DOMAIN_DEAD;
    fake_notify(HV_NOTIFY_DOMAIN(domain->id));
    events_run_once();
    EXPECT_EQ(deaths, 1U);
    EXPECT_EQ(fake.completed, 0U);
    EXPECT_EQ(domain_destroy(domain), 0);
    fake_notify(HV_NOTIFY_DOMAIN(1));
    fake_notify(HV_NOTIFY_VCPU(1, 0));
    events_run_once(); /* late ones hit nobody */
    EXPECT_EQ(deaths, 1U);
}

/* As a restart does: all that the library and its user had in memory is gone. */
static void restart(void)
{
    struct domain *old = domain_of(1);
    domain_leave(old);
    free(old->chunk);
    free(old);
    frames_free_list(&frames);
    for (uint32_t i = 16; i < FAKE_PAGES; i++)
        if (fake.page_owner[i] == 0 && fake.page_shared[i] == 0 && !fake.pinned[i])
            EXPECT_TRUE(frames_add(&frames, i * 4096ULL, (i + 1) * 4096ULL));
}

TEST(domain_is_adopted)
{
    int64_t error;
    uint64_t lost = 1;
    static const struct domain_hooks hooks = {.dead = on_death};
    fresh();
    struct domain *domain = make(&error);
    ASSERT_TRUE(domain != NULL);
    request(domain, 4, HV_EXIT_PIO, 0x80, 1, true, 0x77); /* not answered any more */
    uint64_t free_pages = frames.free_pages;
    restart();
    EXPECT_EQ(frames.free_pages, free_pages);
    domain = domain_adopt(1, &hooks, &lost, &error);
    ASSERT_TRUE(domain != NULL);
    EXPECT_EQ(lost, 0U);
    EXPECT_STREQ(domain->name, "test");
    EXPECT_EQ(domain->vcpus, 9U);
    EXPECT_EQ(domain->chunks, 2U);
    EXPECT_EQ(domain->chunk[1].pages, 1024U);
    EXPECT_EQ(domain_add_range(domain, &port), 0);
    written = 0;
    fake.completed = 0;
    domain_serve_waiting(domain);
    EXPECT_EQ(written, 0x77U);
    EXPECT_EQ(fake.completed, 9U); /* the others had been answered, not completed */
    request(domain, 0, HV_EXIT_PIO, 0x80, 1, true, 0x12);
    events_run_once();
    EXPECT_EQ(written, 0x12U);
    EXPECT_EQ(domain_destroy(domain), 0);
    check_all_back();
    EXPECT_TRUE(domain_adopt(9, &hooks, &lost, &error) == NULL);
    EXPECT_EQ(error, -HV_ESRCH);
}

TEST(domain_shared_memory_stays_in_sight)
{
    int64_t error;
    uint64_t lost = 1, bytes = 8;
    fresh();
    struct domain *domain = domain_create("test", 1, 0, 0, NULL, &error);
    ASSERT_TRUE(domain != NULL);
    domain->shared = true;
    EXPECT_EQ(domain_add_memory(domain, 0x100000, 16), 0);
    EXPECT_EQ(domain_donate(domain), 0);
    EXPECT_EQ(domain_add_memory(domain, 0x200000, 1), -HV_EBUSY);
    EXPECT_EQ(domain_add_vcpu(domain), 0);
    EXPECT_TRUE(domain_write(domain, 0x10fff0, "still here", 10));
    restart();
    domain = domain_adopt(1, NULL, &lost, &error);
    ASSERT_TRUE(domain != NULL);
    EXPECT_EQ(lost, 0U);
    EXPECT_TRUE(domain->shared);
    const void *view = domain_view(domain, 0x10fff0, &bytes);
    ASSERT_TRUE(view != NULL && bytes == 8);
    EXPECT_MEMEQ(view, "still he", 8);
    EXPECT_TRUE(domain_view(domain, 0x110000, &bytes) == NULL);
    EXPECT_EQ(domain_destroy(domain), 0);
    check_all_back();
}

TEST(domain_dead_is_adopted)
{
    int64_t error;
    uint64_t lost;
    static const struct domain_hooks hooks = {.dead = on_death};
    fresh();
    ASSERT_TRUE(make(&error) != NULL);
    fake.state[1] = HV_DOMAIN_DEAD;
    restart();
    struct domain *domain = domain_adopt(1, &hooks, &lost, &error);
    ASSERT_TRUE(domain != NULL);
    domain_serve_waiting(domain);
    EXPECT_EQ(deaths, 1U);
    EXPECT_EQ(domain_destroy(domain), 0);
    check_all_back();
}

TEST(domain_a_thousand_lives)
{
    fresh();
    for (int i = 0; i < 1000; i++) {
        int64_t error;
        struct domain *domain = make(&error);
        ASSERT_TRUE(domain != NULL);
        EXPECT_EQ(domain_destroy(domain), 0);
    }
    check_all_back();
}

TEST(domain_names_are_cut)
{
    int64_t error;
    fresh();
    struct domain *domain =
        domain_create("a name that is longer than thirty-one characters", 1, 0, 0, NULL, &error);
    ASSERT_TRUE(domain != NULL);
    EXPECT_STREQ(domain->name, "a name that is longer than thir");
    EXPECT_EQ(domain_destroy(domain), 0);
    frames_free_list(&frames);
}
