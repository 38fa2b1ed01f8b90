/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bring-up of the CPUs. Each one takes its page tables, its descriptor tables, its local APIC and
 * its VMX state by the same steps (init_self); they differ only in how they get here. CPUs are
 * started one by one and then wait for calls in HLT.
 */
#include "hv/core/cpus.h"

#include "arch/cpu/atomic.h"
#include "arch/cpu/fpu.h"
#include "arch/cpu/insn.h"
#include "arch/cpu/lapic.h"
#include "arch/cpu/paging.h"
#include "arch/cpu/smp.h"
#include "arch/cpu/vectors.h"
#include "hv/core/config.h"
#include "hv/core/gmem.h"
#include "hv/core/log.h"
#include "hv/core/readiness.h"
#include "hv/core/sched.h"

static void (*release_entry)(void); /* where waiting CPUs go; NULL: not yet */

static void init_self(struct pcpu *p)
{
    desc_load(&p->desc, p);
    lapic_init_cpu();
    readiness_check_self(p);
    p->has_tsc_aux = cpuid(0x80000001, 0).edx & BIT(27);
    p->equipped = fpu_init_cpu() && sched_init_cpu(p) && gmem_init_cpu();
}

struct pcpu *cpus_init_boot_cpu(void)
{
    struct pcpu *p = pcpu_new(0, 0);
    if (!p)
        return NULL;
    init_self(p);
    p->arch.apic_id = lapic_id();
    p->arch.online = true;
    pcpu_add(p);
    return p;
}

/* Entered from ap_start.S on our tables and this CPU's own stack, but without its protection bits
 * and descriptor tables. */
static void ap_main(struct percpu *self)
{
    paging_load();
    init_self((struct pcpu *)self);
    /* Release: whoever sees `online` sees this CPU's block complete. */
    atomic_store_release(&self->online, true);
    while (!atomic_load_acquire(&release_entry))
        sti_hlt_cli();
    release_entry();
}

bool cpus_release(void (*run)(void))
{
    for (uint32_t i = 0; i < pcpu_count; i++) {
        pcpu_table[i]->start_tsc = rdtsc();
        if (pcpu_table[i]->equipped)
            continue;
        log_error("CPU %u: no memory for its tables (raise hvmem=), or its extended state differs "
                  "from CPU 0's",
                  i);
        return false;
    }
    atomic_store_release(&release_entry, run);
    for (uint32_t i = 1; i < pcpu_count; i++)
        lapic_send(pcpu_table[i]->arch.apic_id, LAPIC_FIXED, VECTOR_KICK);
    return true;
}

static bool start_one(const struct acpi_cpu *cpu)
{
    struct pcpu *p = pcpu_new(pcpu_count, cpu->apic_id);
    if (!p) {
        log_error("CPU with APIC ID %#x: no memory for it (raise hvmem=); left parked", cpu->apic_id);
        return false;
    }
    if (smp_start_cpu(&p->arch, ap_main) == SMP_NO_ANSWER) {
        log_error("CPU with APIC ID %#x does not answer; going on without it", cpu->apic_id);
        return false;
    }
    pcpu_add(p);
    return true;
}

/* Can this CPU be started? Says why not. */
static bool eligible(const struct acpi_cpu *cpu)
{
    if (cpu->apic_id == pcpu_table[0]->arch.apic_id || !cpu->enabled)
        return false;
    if (lapic_x2apic() || cpu->apic_id < 0xff)
        return true;
    log_warning("CPU with APIC ID %#x needs x2APIC mode, which CPU 0 lacks; left parked", cpu->apic_id);
    return false;
}

void cpus_start_others(const struct acpi_madt *madt, uint32_t max_cpus, uint64_t low_pa, uint64_t tsc_khz)
{
    uint32_t limit = max_cpus < CONFIG_MAX_CPUS ? max_cpus : CONFIG_MAX_CPUS;
    uint32_t parked = madt->cpu_unlisted;
    bool page = low_pa && smp_begin(low_pa, tsc_khz / 1000 + 1);
    for (uint32_t i = 0; i < madt->cpu_count; i++) {
        if (!eligible(&madt->cpu[i]))
            continue;
        if (pcpu_count >= limit || !page)
            parked++;
        else if (!start_one(&madt->cpu[i]))
            continue;
    }
    if (page)
        smp_end();
    else if (parked)
        log_error("no usable page below 1 MiB to start other CPUs from");
    if (parked)
        log_warning("%u more CPUs are left parked: the limit is %u (maxcpus=, built in: %u)", parked, limit,
                    CONFIG_MAX_CPUS);
    log_info("CPUs running: %u", pcpu_count);
}
