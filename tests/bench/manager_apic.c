/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of interrupts: domains with local APICs whose guest (guest_apic.S) does one kind of operation. vCPU i
 * runs on CPU `cpu` + i, alone but for the manager on CPU 0, which sleeps; or all on `cpu`. Where the manager
 * sends MSIs, the guest takes them on CPU 1, and so it takes those of a device: the machine's clock, whose ports
 * are the manager's, which makes its next edge when the one before has been read.
 */
#include <stdio.h>

#include "guest_abi/hv_call.h"
#include "guest_abi/hv_mgmt.h"
#include "mgmt/lib/call.h"
#include "mgmt/lib/irq.h"
#include "tests/bench/manager.h"

#define TIMER_COUNT 200U
#define SHARE_COUNT 100U
#define SLICE_US    100U
#define UNTIL_HLT   20000U /* instructions: a target has taken what came before, and sleeps */
#define LOGICAL     0x800U
#define LEVEL       0xc000U
#define BENCH_GSI   100U
#define TO_OTHERS   0xc0000U
#define CLOCK       8U /* ISA interrupt */

enum { RTC_A = 10, RTC_B, RTC_C, RTC_1024_HZ = 0x26, RTC_24H = 2, RTC_PERIODIC = 0x40 };

extern const unsigned char bench_guest_apic[], bench_guest_apic_end[]; /* guest_image.S */

struct apic_row {
    uint32_t label, cpus, vcpus, cpu, operations;
    uint32_t icr /* or data of the MSI */, destination, targets /* 0: MSIs */, delay;
    bool one_cpu;
};

static const struct apic_row rows[] = {
    {LABEL_TPR, 2, 1, 1, BENCH_OPERATIONS, 0, 0, 0, 0, false},
    {LABEL_TPR_CR8, 2, 1, 1, BENCH_OPERATIONS, 0, 0, 0, 0, false},
    {LABEL_EOI_EDGE, 2, 1, 1, BENCH_OPERATIONS, 0, 0, 0, 0, false},
    {LABEL_SELF_IPI, 2, 1, 1, BENCH_OPERATIONS, 0, 0, 0, 0, false},
    {LABEL_IPI_RUNNING, 2, 2, 0, BENCH_OPERATIONS, IPI_VECTOR, 1, 1, 0, false},
    {LABEL_IPI_RUNNING_LOGICAL, 2, 2, 0, BENCH_OPERATIONS, LOGICAL | IPI_VECTOR, 2, 1, 0, false},
    {LABEL_IPI_SAME_CPU, 2, 2, 1, SHARE_COUNT, IPI_VECTOR, 1, 1, 0, true},
    {LABEL_IPI_HALTED, 2, 2, 0, TIMER_COUNT, IPI_VECTOR, 1, 1, UNTIL_HLT, false},
    {LABEL_DEADLINE_ARM, 2, 1, 1, BENCH_OPERATIONS, 0, 0, 0, 0, false},
    {LABEL_DEADLINE_FIRE, 2, 1, 1, TIMER_COUNT, 0, 0, 0, 0, false},
    {LABEL_DEADLINE_HLT_FIRE, 2, 1, 1, TIMER_COUNT, 0, 0, 0, 0, false},
    {LABEL_MSI_INJECT, 2, 1, 1, BENCH_OPERATIONS, IPI_VECTOR, 0, 0, 0, false},
    {LABEL_MSI_INJECT_HALTED, 2, 1, 1, TIMER_COUNT, IPI_VECTOR, 0, 0, 0, false},
    {LABEL_IRQ_LINE, 2, 1, 1, BENCH_OPERATIONS, IPI_VECTOR, 0, 0, 0, false},
    {LABEL_NOTIFIER_SIGNAL, 2, 1, 1, BENCH_OPERATIONS, IPI_VECTOR, 0, 0, 0, false},
    {LABEL_RESAMPLE, 2, 1, 1, TIMER_COUNT, IPI_VECTOR, 0, 0, 0, false},
    {LABEL_DEVICE_EDGE, 2, 1, 1, TIMER_COUNT, IPI_VECTOR, 0, 0, 0, false},
    {LABEL_EOI_LEVEL, 2, 1, 1, BENCH_OPERATIONS, IPI_VECTOR | LEVEL, 0, 0, 0, false},
    {LABEL_TPR_XAPIC, 2, 1, 1, BENCH_OPERATIONS, 0, 0, 0, 0, false},
    {LABEL_EOI_EDGE_XAPIC, 2, 1, 1, BENCH_OPERATIONS, 0, 0, 0, 0, false},
    {LABEL_SELF_IPI_XAPIC, 2, 1, 1, BENCH_OPERATIONS, 0, 0, 0, 0, false},
    {LABEL_IPI_RUNNING_XAPIC, 2, 2, 0, BENCH_OPERATIONS, IPI_VECTOR, 1, 1, 0, false},
    {LABEL_IPI_RUNNING_OF_8, 8, 8, 0, BENCH_OPERATIONS, IPI_VECTOR, 7, 1, 0, false},
    {LABEL_IPI_BROADCAST_2, 8, 2, 0, BENCH_OPERATIONS, TO_OTHERS | IPI_VECTOR, 0, 1, 0, false},
    {LABEL_IPI_BROADCAST_4, 8, 4, 0, BENCH_OPERATIONS, TO_OTHERS | IPI_VECTOR, 0, 3, 0, false},
    {LABEL_IPI_BROADCAST_8, 8, 8, 0, BENCH_OPERATIONS, TO_OTHERS | IPI_VECTOR, 0, 7, 0, false},
};

/* What the manager does in one operation. */
static int64_t send(const struct domain *d, const struct apic_row *row, uint64_t notifier)
{
    switch (row->label) {
    case LABEL_IRQ_LINE:
        return hv_call3(HV_CALL_IRQ_LINE, d->id, BENCH_GSI, 1);
    case LABEL_NOTIFIER_SIGNAL:
        return hv_call1(HV_CALL_NOTIFIER_SIGNAL, notifier);
    case LABEL_RESAMPLE:
        must("signal", hv_call1(HV_CALL_NOTIFIER_SIGNAL, notifier));
        return hv_notify_wait(0);
    default:
        return hv_call3(HV_CALL_SIGNAL_MSI, d->id, MSI_ADDRESS, row->icr);
    }
}

static void rtc_write(uint8_t reg, uint8_t value)
{
    __asm__ volatile("outb %b0, $0x70" ::"a"(reg));
    __asm__ volatile("outb %b0, $0x71" ::"a"(value));
}

static void rtc_read_flags(void)
{
    uint8_t reg = RTC_C;
    __asm__ volatile("outb %b0, $0x70; inb $0x71, %b0" : "+a"(reg));
}

/* One edge a period, and a little more than a period for each. */
static void device_edges(const struct apic_row *row, uint64_t notifier)
{
    const struct hv_pirq clock = {.flags = HV_PIRQ_ISA, .notifier = notifier, .cpu = row->cpu};
    uint64_t ticks = (uint64_t)hv_capability(HV_CAP_TSC_KHZ) * 12 / 10;
    rtc_write(RTC_A, RTC_1024_HZ);
    rtc_write(RTC_B, RTC_24H | RTC_PERIODIC);
    must("pirq_bind", irq_pirq_bind(CLOCK, &clock));
    for (uint32_t i = 0; i < row->operations; i++) {
        rtc_read_flags();
        for (uint64_t until = __builtin_ia32_rdtsc() + ticks; __builtin_ia32_rdtsc() < until;)
            ;
    }
    must("pirq_unbind", irq_pirq_unbind(CLOCK));
    rtc_write(RTC_B, RTC_24H);
    rtc_read_flags();
}

static void send_msis(struct domain *d, const struct apic_row *row)
{
    bool resample = row->label == LABEL_RESAMPLE;
    set_route(d->id, BENCH_GSI, IPI_VECTOR);
    uint64_t notifier = new_notifier(d->id, resample ? LEVEL_PIN : BENCH_GSI, resample);
    serve(d, LABEL_NONE);
    must("complete", hv_vcpu_complete(d->id, 0));
    if (row->label == LABEL_DEVICE_EDGE)
        device_edges(row, notifier);
    for (uint32_t i = 0; i < row->operations && row->label != LABEL_DEVICE_EDGE; i++) {
        for (uint64_t until = __builtin_ia32_rdtsc() + UNTIL_HLT; __builtin_ia32_rdtsc() < until;)
            ;
        label(row->label == LABEL_EOI_LEVEL ? LABEL_NONE : row->label);
        int64_t result = send(d, row, notifier);
        label(LABEL_NONE);
        must("signal", result);
        if (resample && !taken(HV_NOTIFY_OWN))
            must("told of the EOI", -HV_EINVAL);
    }
    must("close", hv_call1(HV_CALL_NOTIFIER_CLOSE, notifier));
}

static void run(const struct apic_row *row)
{
    struct domain *d =
        make_domain(bench_guest_apic, bench_guest_apic_end, row->vcpus, HV_DOMAIN_IRQCHIP_FULL);
    const struct hv_regs r = {.rip = APIC_GUEST_ENTRY,
                              .rax = row->icr,
                              .rbx = row->label,
                              .rcx = row->operations,
                              .rdx = row->destination,
                              .rsi = row->vcpus,
                              .rdi = row->delay,
                              .rbp = row->targets,
                              .rflags = RFLAGS_FIXED};
    set_state(d->id, 0, &r);
    for (uint32_t i = 0; i < row->vcpus; i++) {
        must("affinity", call_vcpu_affinity(d->id, i, 1ULL << (row->one_cpu ? row->cpu : row->cpu + i)));
        if (row->one_cpu)
            must("priority", call_vcpu_priority(d->id, i, 100, SLICE_US));
    }
    must("start", domain_start(d));
    if (row->icr && !row->targets)
        send_msis(d, row);
    serve(d, LABEL_NONE);
    printf("bench: operations %u %u\n", row->label, row->operations);
    finish(d, row->label);
}

void apic_rows(uint32_t cpus)
{
    for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].cpus == cpus)
            run(&rows[i]);
}
