/* SPDX-License-Identifier: BSD-2-Clause */
/* Several processors in a test guest: see smp.h. */
#include "tests/guest/lib/smp.h"

#include <stddef.h>

#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/report.h"

#define MSR_GS_BASE 0xc0000101U

enum { AP_STACK = 16384, FIRST_SIPI = 0x08, INIT_TICKS = 20000, SIPI_TICKS = 2000000 };

_Static_assert(offsetof(struct cpu, self) == 0, "smp_self");

struct cpu cpus[CPUS_MAX];
static unsigned in_use = 1;
irq_handler *volatile irq_handlers[256];

extern const uint8_t smp_trampoline[], smp_trampoline_end[];
extern uint8_t smp_stacks[CPUS_MAX][AP_STACK];
uint8_t smp_stacks[CPUS_MAX][AP_STACK] __attribute__((aligned(16)));

__attribute__((noreturn)) void smp_ap(uint32_t id, uint32_t cs, uint64_t registers);
void *memcpy(void *to, const void *from, size_t n);

void smp_quiet(struct cpu *self, struct trap_frame *frame)
{
    (void)self;
    (void)frame;
}

/* Interrupts of all processors; exceptions go on to the tests. */
static bool on_interrupt(struct trap_frame *f)
{
    struct cpu *self;
    irq_handler *handler = irq_handlers[f->vector & 255];
    if (!handler && (f->vector < 32 || f->vector == TRAP_END))
        return false;
    if (guest_native && f->vector == VECTOR_SPURIOUS)
        return true; /* the emulator's APIC interrupts for a vector of the class in service */
    self = smp_self();
    self->count[f->vector & 255]++;
    self->total++;
    self->rip = f->rip;
    if (self->orders < ORDER_MAX)
        self->order[self->orders++] = (uint8_t)f->vector;
    if (handler)
        handler(self, f);
    else
        apic_eoi();
    return true;
}

static void processor_init(struct cpu *c, uint32_t id)
{
    c->self = c;
    c->id = id;
    c->x2apic = false;
    wrmsr(MSR_GS_BASE, (uint64_t)(uintptr_t)c);
    c->x2apic = (rdmsr(MSR_APIC_BASE) & IA32_APIC_BASE_EXTD) != 0;
    apic_enable();
}

unsigned smp_init(const char *cmdline)
{
    uint64_t n = guest_number(cmdline, "vcpus=", 1);
    trap_hook_fn = on_interrupt;
    irq_handlers[VECTOR_SPURIOUS] = smp_quiet;
    irq_handlers[V_NMI] = smp_quiet;
    /* These would push an error code as exceptions. */
    trap_set_gate(V_AC, (uint64_t)(uintptr_t)trap_stubs + 16UL * VECTOR_SPURIOUS, 0, 0);
    processor_init(&cpus[0], 0);
    if (n >= 1 && n <= CPUS_MAX)
        in_use = (unsigned)n;
    return in_use;
}

void smp_ap(uint32_t id, uint32_t cs, uint64_t registers)
{
    struct cpu *c = &cpus[id % CPUS_MAX];
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) idtr = {256 * sizeof(struct idt_gate) - 1, (uint64_t)(uintptr_t)idt};
    __asm__ volatile("lidt %0" ::"m"(idtr));
    processor_init(c, id);
    c->job = NULL;
    c->sipi = cs >> 8;
    c->start_cr0 = (uint32_t)registers;
    c->start_efer = registers >> 32;
    __atomic_fetch_add(&c->starts, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        while (!c->job)
            pause();
        c->job(c->arg);
        cli();
        c->job = NULL;
    }
}

void smp_copy_trampoline(uint8_t vector)
{
    memcpy((void *)((uintptr_t)vector << 12), smp_trampoline, (size_t)(smp_trampoline_end - smp_trampoline));
}

void smp_init_ipi(unsigned id)
{
    apic_icr(id, (uint32_t)APIC_DM_INIT << APIC_ICR_MODE_SHIFT | APIC_ICR_ASSERT);
    smp_delay(INIT_TICKS);
}

void smp_sipi(unsigned id, uint8_t vector)
{
    apic_icr(id, (uint32_t)APIC_DM_STARTUP << APIC_ICR_MODE_SHIFT | vector);
}

bool smp_start_one(unsigned id, uint8_t vector)
{
    uint32_t before = cpus[id].starts;
    smp_copy_trampoline(vector);
    smp_init_ipi(id);
    smp_sipi(id, vector);
    if (SMP_WAIT(cpus[id].starts != before, SIPI_TICKS))
        return true;
    smp_sipi(id, vector);
    return WAIT_FOR(cpus[id].starts != before);
}

void smp_start(unsigned n)
{
    for (unsigned id = 1; id < n; id++)
        report(smp_start_one(id, FIRST_SIPI), "processor %u does not start", id);
}

void smp_run(unsigned id, void (*job)(uint64_t arg), uint64_t arg)
{
    cpus[id].arg = arg;
    cpus[id].job = job;
}

bool smp_wait(unsigned id)
{
    return WAIT_FOR(!cpus[id].job);
}

bool smp_run_all(unsigned n, void (*job)(uint64_t arg), uint64_t arg)
{
    bool all = true;
    for (unsigned id = 1; id < n; id++)
        smp_run(id, job, arg);
    job(arg);
    for (unsigned id = 1; id < n; id++)
        all &= smp_wait(id);
    return all;
}

void smp_forget(void)
{
    for (unsigned i = 0; i < in_use; i++) {
        for (unsigned v = 0; v < 256; v++)
            cpus[i].count[v] = 0;
        cpus[i].total = cpus[i].orders = 0;
    }
}

void smp_barrier(struct barrier *b, unsigned n)
{
    uint32_t round = b->round;
    if (__atomic_add_fetch(&b->here, 1, __ATOMIC_SEQ_CST) == n) {
        b->here = 0;
        __atomic_store_n(&b->round, round + 1, __ATOMIC_RELEASE);
    } else {
        while (__atomic_load_n(&b->round, __ATOMIC_ACQUIRE) == round)
            pause();
    }
}
