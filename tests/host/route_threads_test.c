/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Firing beside changing, under the thread sanitizer: when a change has returned, the old route, notifier or
 * doorbell fires no more, and pages of a replaced table are not looked at. Threads are CPUs.
 *
 * The sources are included, so that they are compiled for this sanitizer and not for the one of the other
 * tests.
 */
#include "tests/host/route_fake.h"

#include "hv/route/doorbell.c"
#include "hv/route/hazard.c"
#include "hv/route/notifier.c"
#include "hv/route/pirq.c"
#include "hv/route/route.c"
#include "hv/route/route_word.c"

#include <pthread.h>

#include "tests/host/pirq_fake.c"
#include "tests/host/random.h"
#include "tests/host/test.h"

enum { FIRERS = 3, CHANGES = 5000, GSIS = 3 };

struct domain *domain_table[CONFIG_MAX_DOMAINS];
static struct domain *d;
static struct pcpu cpus[FIRERS + 1];
struct pcpu *pcpu_table[CONFIG_MAX_CPUS];
uint32_t pcpu_count = FIRERS + 1;
uint64_t pcpu_tsc_khz = 1000000;
static bool dead[4096]; /* atomic: this vector or number must not come any more */
static unsigned long fired, wrong;
static bool done;

void domain_wait_grace(void)
{
}

uint32_t domain_next(uint32_t first)
{
    return first < 2 ? first : CONFIG_MAX_DOMAINS;
}

void *domain_page_alloc(struct domain *of)
{
    (void)of;
    return calloc(1, 4096);
}

void domain_page_free(struct domain *of, void *page)
{
    (void)of;
    free(page);
}

/* Takes its time, so that a change that does not wait is overtaken. */
static int sink(uint32_t what)
{
    for (volatile int i = 0; i < 20; i++)
        ;
    if (atomic_load_acquire(&dead[what]))
        atomic_add_relaxed(&wrong, 1);
    atomic_add_relaxed(&fired, 1);
    return 1;
}

int notify_send(struct domain *manager, uint32_t vcpu, uint32_t number)
{
    (void)manager;
    (void)vcpu;
    return sink(number);
}

int irqchip_set(struct domain *of, uint32_t chip, uint32_t pin, unsigned source, bool level)
{
    (void)of;
    (void)chip;
    (void)pin;
    (void)source;
    (void)level;
    return 1;
}

int irq_level_drive(struct vcpu *v, uint32_t number, bool edge, unsigned source, bool level)
{
    (void)v;
    (void)edge;
    (void)source;
    (void)level;
    return sink(number);
}

void irqchip_free(struct irqchip *c)
{
    (void)c;
}

bool lapic_mode_x2apic;

__asm__(".globl deliver_tell\ndeliver_tell: ret"); /* never called */

int deliver_message(struct domain *of, const struct vlapic *sender, const struct vlapic_message *m)
{
    (void)of;
    (void)sender;
    return sink(m->vector);
}

static void this_cpu(uint32_t index)
{
    cpus[index].arch.self = &cpus[index].arch;
    syscall(SYS_arch_prctl, ARCH_SET_GS, &cpus[index]);
}

static uint64_t handle; /* atomic: the notifier that is open */

static void *fire_on(void *arg)
{
    uint32_t index = (uint32_t)(uintptr_t)arg;
    struct random r = {.state = index};
    this_cpu(index);
    while (!atomic_load_acquire(&done)) {
        if (index == 1) /* the CPU of a device; what comes late has any vector */
            (void)pirq_interrupt(
                (uint8_t)(random_below(&r, 8) ? ioapic_entry(0) : 48 + random_below(&r, 192)));
        switch (random_below(&r, 4)) {
        case 0:
            (void)doorbell_hit(d, HV_CLAIM_PIO, 0x10, 2, 0);
            break;
        case 1:
            (void)notifier_signal(domain_table[0], atomic_load_acquire(&handle));
            break;
        default:
            (void)route_fire(d, random_below(&r, GSIS), IRQCHIP_SOURCE_MANAGER, true);
        }
    }
    return NULL;
}

static void run(void (*change)(struct random *r))
{
    pthread_t thread[FIRERS];
    struct random r = {.state = 99};
    done = false;
    wrong = fired = 0;
    memset(dead, 0, sizeof(dead));
    for (uint32_t i = 0; i <= FIRERS; i++)
        pcpu_table[i] = &cpus[i];
    this_cpu(0);
    for (uintptr_t i = 0; i < FIRERS; i++)
        ASSERT_EQ(pthread_create(&thread[i], NULL, fire_on, (void *)(i + 1)), 0);
    for (unsigned i = 0; i < CHANGES || atomic_load_relaxed(&fired) < CHANGES; i++)
        change(&r);
    atomic_store_release(&done, true);
    for (uint32_t i = 0; i < FIRERS; i++)
        pthread_join(thread[i], NULL);
    EXPECT_EQ(wrong, 0);
}

static void make(void)
{
    for (uint16_t id = 0; id < 2; id++) {
        domain_table[id] = calloc(1, sizeof(struct domain));
        domain_table[id]->id = id;
        domain_table[id]->max_vcpus = 1;
        domain_table[id]->irqchip = HV_DOMAIN_IRQCHIP_FULL;
        domain_table[id]->apics = calloc(1, sizeof(struct vapic_domain));
    }
    d = domain_table[1];
    ASSERT_TRUE(route_init(d) != NULL);
}

static void destroy(void)
{
    for (uint16_t id = 0; id < 2; id++) {
        route_release(domain_table[id]);
        free(domain_table[id]->apics);
        free(domain_table[id]);
    }
}

static uint64_t message(uint32_t vector)
{
    uint64_t w = 0;
    (void)route_encode_msi(0xfee00000, vector, &w);
    return w;
}

static uint32_t vector_of[GSIS];

static uint32_t next_vector(uint32_t old)
{
    return old ? old + GSIS > 255 ? old - 200 / GSIS * GSIS : old + GSIS : 16;
}

static void change_one(struct random *r)
{
    uint32_t gsi = (uint32_t)random_below(r, GSIS), old = vector_of[gsi];
    vector_of[gsi] = old ? next_vector(old) : 16 + gsi;
    atomic_store_release(&dead[vector_of[gsi]], false);
    (void)route_set(d, gsi, message(vector_of[gsi]));
    atomic_store_release(&dead[old], true);
}

TEST(a_change_returns_when_the_old_route_is_quiet)
{
    make();
    run(change_one);
    destroy();
}

/* All GSIs at once; the pages of the old table are freed and would be found. */
static void change_all(struct random *r)
{
    (void)r;
    uint32_t gsi[GSIS], old[GSIS];
    uint64_t word[GSIS];
    for (uint32_t i = 0; i < GSIS; i++) {
        old[i] = vector_of[i];
        vector_of[i] = old[i] ? next_vector(old[i]) : 16 + i;
        atomic_store_release(&dead[vector_of[i]], false);
        gsi[i] = i;
        word[i] = message(vector_of[i]);
    }
    EXPECT_EQ(route_begin(d), 0);
    EXPECT_EQ(route_add(d, gsi, word, GSIS), 0);
    EXPECT_EQ(route_commit(d), 0);
    for (uint32_t i = 0; i < GSIS; i++)
        atomic_store_release(&dead[old[i]], true);
}

TEST(a_replacement_returns_when_the_old_table_is_quiet)
{
    make();
    memset(vector_of, 0, sizeof(vector_of));
    run(change_all);
    destroy();
}

static uint32_t number = HV_NOTIFY_OWN;

static uint64_t notifier(uint32_t *its_number)
{
    number = HV_NOTIFY_OWN + (number + 1) % 1024;
    const struct hv_notifier b = {.kind = HV_NOTIFIER_NOTIFY, .number = number};
    atomic_store_release(&dead[number], false);
    *its_number = number;
    return (uint64_t)notifier_create(domain_table[0], &b);
}

/* Closed while it fires by its handle; its place is used again. */
static void change_notifier(struct random *r)
{
    static uint32_t its_number;
    uint64_t old = handle;
    uint32_t old_number = its_number;
    (void)r;
    atomic_store_release(&handle, notifier(&its_number));
    if (!old)
        return;
    notifier_close(notifier_find(old));
    atomic_store_release(&dead[old_number], true);
}

/* Rung while it is removed, or its notifier closed; its place is used again. */
static void change_doorbell(struct random *r)
{
    static uint32_t its_number;
    struct hv_doorbell bell = {.address = 0x10, .width = 2, .notifier = notifier(&its_number)};
    EXPECT_EQ(doorbell_add(d, &bell, notifier_find(bell.notifier)), 0);
    for (unsigned i = 0; i < random_below(r, 4000); i++)
        cpu_pause();
    if (random_one_in(r, 2))
        EXPECT_EQ(doorbell_remove(d, &bell), 0);
    else
        notifier_close(notifier_find(bell.notifier));
    atomic_store_release(&dead[its_number], true);
    if (notifier_find(bell.notifier))
        notifier_close(notifier_find(bell.notifier));
    else
        EXPECT_EQ(doorbell_remove(d, &bell), 0);
}

TEST(a_closed_notifier_is_quiet)
{
    make();
    handle = 0;
    run(change_notifier);
    destroy();
}

TEST(a_removed_doorbell_is_quiet)
{
    make();
    handle = 0;
    run(change_doorbell);
    destroy();
}

/*
 * A line of the machine that comes and goes, as an edge and as a level, by unbinding and by closing its
 * notifier.
 */
static void change_line(struct random *r)
{
    static uint32_t lines;
    const struct hv_pirq anywhere = {
        .flags = random_below(r, 2) ? HV_PIRQ_LEVEL : 0, .cpu = HV_PIRQ_ANY_CPU, .limit = 50};
    const struct hv_notifier b = {.kind = HV_NOTIFIER_NOTIFY, .number = HV_NOTIFY_OWN + lines % 1000};
    lines++;
    atomic_store_release(&dead[b.number], false);
    struct notifier *n = notifier_find((uint64_t)notifier_create(domain_table[0], &b));
    ASSERT_EQ(pirq_bind(0, &anywhere, n), 0);
    for (unsigned i = (unsigned)random_below(r, 3); i-- > 0;)
        (void)pirq_ack(0);
    if (random_below(r, 2))
        ASSERT_EQ(pirq_unbind(0), 0);
    if (!n->pirq)
        atomic_store_release(&dead[b.number], true);
    notifier_close(n);
    atomic_store_release(&dead[b.number], true);
}

TEST(a_line_that_is_unbound_fires_no_more)
{
    make();
    fake_pins_reset();
    run(change_line);
    EXPECT_TRUE(fake_pins[0].blocked & IOAPIC_CLOSED);
    destroy();
}
