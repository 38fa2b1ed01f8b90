/* SPDX-License-Identifier: BSD-2-Clause */
/* See route_fake.h. */
#include "tests/host/route_fake.h"

struct fake_event fake_events[256];
unsigned fake_count;
int fake_result = 1;
long fake_pages, fake_fail_at, fake_pages_at_grace;
void (*fake_hook)(void);

struct domain *domain_table[CONFIG_MAX_DOMAINS];
static struct pcpu cpus[FAKE_CPUS];
struct pcpu *pcpu_table[CONFIG_MAX_CPUS];
uint32_t pcpu_count = FAKE_CPUS;
uint64_t pcpu_tsc_khz = 1000000;

void fake_cpu(uint32_t index)
{
    cpus[index].arch.self = &cpus[index].arch;
    cpus[index].arch.index = index;
    pcpu_table[index] = &cpus[index];
    syscall(SYS_arch_prctl, ARCH_SET_GS, &cpus[index]);
}

struct domain *fake_domain(uint16_t id, uint16_t manager)
{
    struct domain *d = calloc(1, sizeof(*d));
    d->id = id;
    d->manager = manager;
    d->max_vcpus = 4;
    d->irqchip = HV_DOMAIN_IRQCHIP_FULL;
    d->apics = calloc(1, sizeof(struct vapic_domain));
    domain_table[id] = d;
    return d;
}

void fake_start(void)
{
    for (uint32_t i = FAKE_CPUS; i-- > 0;)
        fake_cpu(i);
    fake_count = 0;
    fake_result = 1;
    fake_fail_at = 0;
    fake_hook = NULL;
    fake_domain(0, 0)->irqchip = HV_DOMAIN_IRQCHIP_NONE;
}

void fake_end(void)
{
    for (uint32_t i = 0; i < FAKE_DOMAINS; i++) {
        if (!domain_table[i])
            continue;
        route_release(domain_table[i]);
        free(domain_table[i]->apics);
        free(domain_table[i]);
        domain_table[i] = NULL;
    }
}

bool fake_last(int what, uint32_t a, uint32_t b, uint32_t c)
{
    const struct fake_event *e = &fake_events[(fake_count - 1) % 256];
    return fake_count && (int)e->what == what && e->a == a && e->b == b && e->c == c;
}

static int note(struct fake_event e)
{
    fake_events[fake_count++ % 256] = e;
    if (fake_hook)
        fake_hook();
    return fake_result;
}

/* ---- the hypervisor's */

uint32_t domain_next(uint32_t first)
{
    while (first < CONFIG_MAX_DOMAINS && !domain_get(first))
        first++;
    return first;
}

void *domain_page_alloc(struct domain *d)
{
    if (fake_fail_at && --fake_fail_at == 0)
        return NULL;
    fake_pages++;
    d->pool_pages++;
    void *page = aligned_alloc(4096, 4096);
    return memset(page, 0, 4096);
}

void domain_page_free(struct domain *d, void *page)
{
    fake_pages -= page != NULL;
    d->pool_pages -= page != NULL;
    free(page);
}

int notify_send(struct domain *manager, uint32_t vcpu, uint32_t number)
{
    return note((struct fake_event){FAKE_NOTIFY, manager ? manager->id : 999, vcpu, number});
}

int irq_level_drive(struct vcpu *v, uint32_t number, bool edge, unsigned source, bool level)
{
    (void)v;
    return note((struct fake_event){FAKE_OUTPUT, number, edge, source << 1 | level});
}

int irqchip_set(struct domain *d, uint32_t chip, uint32_t pin, unsigned source, bool level)
{
    (void)d;
    return note((struct fake_event){FAKE_LINE, chip, pin, source << 1 | level});
}

void irqchip_free(struct irqchip *c)
{
    (void)c;
}

void domain_wait_grace(void)
{
    fake_pages_at_grace = fake_pages;
}

/* The domains' tables of local APICs are empty, so that every message takes the long way. */
bool lapic_mode_x2apic;

__asm__(".globl deliver_tell\ndeliver_tell: ret"); /* never called */

int deliver_message(struct domain *d, const struct vlapic *sender, const struct vlapic_message *m)
{
    (void)d;
    (void)sender;
    return note((struct fake_event){FAKE_MESSAGE, m->dest, m->vector, m->mode});
}
