/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks of the physical CPUs, made during start by the boot CPU, never freed.
 */
#include "hv/core/pcpu.h"

#include "arch/cpu/paging.h"
#include "hv/core/config.h"
#include "hv/core/page.h"

_Static_assert(sizeof(struct pcpu) <= PAGE_SIZE, "one page per CPU");
_Static_assert(offsetof(struct pcpu, arch) == 0, "GS leads to both structs");

struct pcpu *pcpu_table[CONFIG_MAX_CPUS];
uint32_t pcpu_count;
uint64_t pcpu_tsc_khz;

struct pcpu *pcpu_new(uint32_t index, uint32_t apic_id)
{
    struct pcpu *p = page_alloc();
    if (!p)
        return NULL;
    p->arch.self = &p->arch;
    p->arch.index = index;
    p->arch.apic_id = apic_id;
    p->arch.desc = &p->desc;
    p->arch.stack_top = paging_stack_new(PAGING_STACK_SIZE);
    uint64_t ist_top[DESC_IST_END] = {0};
    for (unsigned slot = DESC_IST_NMI; slot < DESC_IST_END; slot++)
        ist_top[slot] = paging_stack_new(PAGE_SIZE * 2);
    /* Stacks are made in order: when the last one exists, all do. */
    if (!p->arch.stack_top || !ist_top[DESC_IST_END - 1]) {
        page_free(p);
        return NULL;
    }
    desc_fill(&p->desc, ist_top);
    return p;
}

void pcpu_add(struct pcpu *p)
{
    pcpu_table[p->arch.index] = p;
    pcpu_count = p->arch.index + 1;
}
