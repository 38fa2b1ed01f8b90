/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turning tracing on and off: see trace.h. Rings are made first and taken away last; in between each CPU is
 * called, which sets its pointer and the way of exits of the VMCSs that are active there. Those that come to it
 * later follow the pointer (vmcs_set_cpu). A CPU answers calls at places where it writes no record, so after the
 * calls nobody writes any more.
 */
#include "hv/core/trace.h"

#include "arch/cpu/insn.h"
#include "arch/cpu/smp.h"
#include "arch/vmx/vmcs_init.h"
#include "hv/core/domain.h"
#include "hv/core/pcpu.h"

/* All under the management lock. */
static struct trace_ring *ring[CONFIG_MAX_CPUS];
static struct domain *payer;
static bool running;

void trace_write(const struct vcpu *v, enum hv_trace_kind kind, uint16_t code, uint64_t a, uint64_t b)
{
    struct trace_ring *r = percpu_self()->trace;
    if (!r || !(r->kinds & BIT(kind)))
        return;
    trace_ring_write(r, &(struct hv_trace_record){.tsc = rdtsc(),
                                                  .kind = (uint16_t)kind,
                                                  .domain = v->domain->id,
                                                  .vcpu = (uint16_t)v->index,
                                                  .code = code,
                                                  .a = a,
                                                  .b = b});
}

static void follow(void *arg)
{
    struct pcpu *p = pcpu_self();
    (void)arg;
    p->arch.trace = running ? ring[p->arch.index] : NULL;
    for (uint32_t i = domain_next(0); i < CONFIG_MAX_DOMAINS; i = domain_next(i + 1)) {
        const struct domain *d = domain_get(i);
        for (uint32_t j = 0; j < d->max_vcpus; j++) {
            struct vcpu *v = d->vcpu[j];
            if (v)
                v->traced_runnable = v->ticks[ACCOUNT_RUNNABLE];
            if (!v || v->vmcs_on != p->arch.index)
                continue;
            vmx_context_load(&v->vmx);
            vmcs_set_exit();
        }
    }
    if (p->loaded)
        vmx_context_load(&p->loaded->vmx);
}

static void everywhere(bool on)
{
    running = on;
    for (uint32_t i = 0; i < pcpu_count; i++)
        smp_call(&pcpu_table[i]->arch, follow, NULL);
}

void trace_stop(void)
{
    if (running)
        everywhere(false);
}

void trace_free(void)
{
    for (uint32_t i = 0; i < pcpu_count; i++) {
        for (uint32_t j = 0; ring[i] && j < ring[i]->pages; j++)
            domain_page_free(payer, ring[i]->page[j]);
        if (ring[i])
            domain_page_free(payer, ring[i]);
        ring[i] = NULL;
    }
}

static bool make(uint32_t cpu, uint32_t pages, uint32_t kinds)
{
    struct trace_ring *r = ring[cpu] = domain_page_alloc(payer);
    if (!r)
        return false;
    r->size = pages * HV_TRACE_PAGE_RECORDS;
    r->kinds = kinds;
    for (r->pages = 0; r->pages < pages; r->pages++) {
        r->page[r->pages] = domain_page_alloc(payer);
        if (!r->page[r->pages])
            return false;
    }
    return true;
}

int trace_start(struct domain *pays, uint32_t pages, uint64_t cpus, uint32_t kinds)
{
    for (uint32_t i = 0; i < pcpu_count; i++)
        if (ring[i])
            return -HV_EBUSY;
    payer = pays;
    for (uint32_t i = 0; i < pcpu_count; i++) {
        if ((cpus & BIT(i)) && !make(i, pages, kinds)) {
            trace_free();
            return -HV_ENOMEM;
        }
    }
    everywhere(true);
    return 0;
}

const struct trace_ring *trace_ring_of(uint64_t cpu)
{
    return cpu < pcpu_count ? ring[cpu & (CONFIG_MAX_CPUS - 1)] : NULL;
}
