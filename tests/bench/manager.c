/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The manager of the bench: makes domains that do one kind of operation many times, serves them with
 * as few instructions as a manager can, and says on the console how often each was done. Counting is
 * the emulator's (tests/bochs/README.md); each operation begins with the setting of its label.
 *
 * Rows that one CPU is enough for run on CPU 0, where this program's only vCPU is; the rows of two
 * CPUs put the guest on CPU 1. Words in the command line: "all" rows, only those of interrupts ("apic",
 * manager_apic.c), or none ("boot").
 * Output: "bench: value NAME NUMBER", "bench: done LABEL", at the end "bench: end"; "bench: FAIL ..." at
 * the first thing that goes wrong.
 */
#include "tests/bench/manager.h"

#include <stdio.h>
#include <string.h>

#include "guest_abi/hv_call.h"
#include "mgmt/lib/call.h"
#include "mgmt/lib/frames.h"
#include "mgmt/lib/hv_error.h"
#include "mgmt/start/start.h"

#define LIFECYCLE_ROUNDS 20U
#define WAKE_ROUNDS      50U
#define SLICE_US         100U
#define SWITCH_US        20000U
#define PAGE             4096U

#define FLAT_CODE 0xc09bU
#define FLAT_DATA 0xc093U
#define TSS_BUSY  0x008bU
#define UNUSABLE  0x10000U
#define CR0_PE    1U

extern const unsigned char bench_guest[], bench_guest_end[]; /* guest_image.S */

static struct frames frames;
static struct hv_system_info machine;
static char call_page[PAGE] __attribute__((aligned(PAGE)));
static union {
    struct hv_notify notify;
    char page[PAGE];
} notify __attribute__((aligned(PAGE)));

__attribute__((noreturn)) static void fail(const char *what, int64_t result)
{
    printf("bench: FAIL %s: %s (%lld)\n", what, hv_error_text(result), (long long)result);
    fflush(stdout);
    (void)call_shutdown(HV_SHUTDOWN_FAILED);
    for (;;)
        __asm__ volatile("hlt");
}

void must(const char *what, int64_t result)
{
    if (result < 0)
        fail(what, result);
}

/* ---- domains */

void set_state(uint32_t id, uint32_t vcpu, const struct hv_regs *regs)
{
    const struct hv_segment code = {.limit = ~0U, .selector = 8, .access = FLAT_CODE};
    const struct hv_segment data = {.limit = ~0U, .selector = 16, .access = FLAT_DATA};
    struct hv_sregs s;
    must("vcpu_get", call_vcpu_get(id, vcpu, HV_STATE_SREGS, &s, sizeof(s)));
    s.cs = code;
    s.ds = s.es = s.ss = s.fs = s.gs = data;
    s.ldtr = (struct hv_segment){.access = UNUSABLE};
    s.tr = (struct hv_segment){.limit = 0x67, .access = TSS_BUSY};
    s.cr0 |= CR0_PE;
    must("vcpu_set", call_vcpu_set(id, vcpu, HV_STATE_SREGS, &s, sizeof(s)));
    must("vcpu_set", call_vcpu_set(id, vcpu, HV_STATE_REGS, regs, sizeof(*regs)));
}

struct domain *make_domain(const unsigned char *image, const unsigned char *end, uint32_t vcpus,
                           uint32_t flags)
{
    int64_t result;
    struct domain *d = domain_create("bench", vcpus, flags, 0, NULL, &result);
    must("domain_create", result);
    must("memory", domain_add_memory(d, 0, GUEST_PAGES));
    if (!domain_write(d, GUEST_LOAD, image, (uint64_t)(end - image)))
        fail("domain_write", 0);
    must("donate", domain_donate(d));
    must("claim", call_domain_claim(d->id, HV_CLAIM_PIO, PORT_CLAIMED, PORT_COUNT));
    for (uint32_t i = 0; i < vcpus; i++)
        must("add_vcpu", domain_add_vcpu(d));
    return d;
}

struct domain *make(uint32_t job, uint32_t vcpus, uint32_t cpu)
{
    const struct hv_regs r = {.rip = GUEST_LOAD, .rbx = job, .rcx = BENCH_OPERATIONS, .rflags = RFLAGS_FIXED};
    struct domain *d = make_domain(bench_guest, bench_guest_end, vcpus,
                                   job == LABEL_DEVICE_LEVEL ? HV_DOMAIN_TSC_DEADLINE : 0);
    must("claim", call_domain_claim(d->id, HV_CLAIM_MMIO, GUEST_MMIO, PAGE));
    for (uint32_t i = 0; i < vcpus; i++) {
        set_state(d->id, i, &r);
        must("affinity", call_vcpu_affinity(d->id, i, 1ULL << cpu));
    }
    return d;
}

void finish(struct domain *d, uint32_t job)
{
    must("destroy", domain_destroy(d));
    printf("bench: done %u\n", job);
}

/* ---- serving */

bool taken(uint32_t number)
{
    uint64_t bit = 1ULL << number % 64, word = 1ULL << number / 64;
    (void)__atomic_fetch_and(&notify.notify.selector, ~word,
                             __ATOMIC_SEQ_CST); /* the other words are for others */
    uint64_t before = __atomic_fetch_and(&notify.notify.pending[number / 64], ~bit, __ATOMIC_SEQ_CST);
    if (before & ~bit)
        (void)__atomic_fetch_or(&notify.notify.selector, word, __ATOMIC_SEQ_CST);
    return before & bit;
}

static void expect_alive(const struct domain *d)
{
    struct hv_domain_info info;
    must("domain_info", call_domain_info(d->id, &info));
    if (info.state == HV_DOMAIN_DEAD)
        fail("the guest died", 0);
}

/*
 * Until the guest is done. own_label: what this CPU's part of an operation is counted under; it begins with
 * the answer.
 */
void serve(struct domain *d, uint32_t own_label)
{
    struct hv_service *s = d->service[0];
    for (;;) {
        (void)hv_notify_wait(0);
        if (!taken(HV_NOTIFY_VCPU(d->id, 0))) {
            expect_alive(d);
            continue;
        }
        if (s->kind == HV_EXIT_PIO && s->pio.port == PORT_DONE)
            break;
        if (s->kind == HV_EXIT_PIO)
            s->pio.data = PORT_ANSWER;
        else
            s->mmio.data = PORT_ANSWER;
        if (own_label != LABEL_NONE)
            label(own_label);
        (void)hv_vcpu_complete(d->id, 0);
    }
    label(LABEL_NONE);
}

/* ---- rows */

static void served_row(uint32_t job, uint32_t cpu)
{
    struct domain *d = make(job, 1, cpu);
    must("start", domain_start(d));
    serve(d, cpu != 0 ? job : LABEL_NONE);
    finish(d, job);
}

static void hypercall_row(void)
{
    for (uint32_t i = 0; i < BENCH_OPERATIONS; i++) {
        label(LABEL_HYPERCALL_NULL);
        (void)hv_version();
    }
    label(LABEL_NONE);
    printf("bench: done %u\n", LABEL_HYPERCALL_NULL);
}

static void switch_row(void)
{
    struct domain *d = make(LABEL_VCPU_SWITCH, 2, machine.cpus > 1 ? 1 : 0);
    for (uint32_t i = 0; i < 2; i++)
        must("priority", call_vcpu_priority(d->id, i, 100, SLICE_US));
    must("start", domain_start(d));
    uint64_t now = __builtin_ia32_rdtsc();
    (void)hv_notify_wait(now + machine.tsc_khz * SWITCH_US / 1000);
    label(LABEL_NONE);
    finish(d, LABEL_VCPU_SWITCH);
}

static void await_blocked(const struct domain *d)
{
    struct hv_vcpu_info info;
    do {
        must("vcpu_info", call_vcpu_info(d->id, 0, &info));
    } while (info.state != HV_VCPU_BLOCKED);
}

static void wake_row(void)
{
    struct domain *d = make(LABEL_HLT_WAKE_OTHER_CPU, 1, 1);
    must("start", domain_start(d));
    for (uint32_t i = 0; i < WAKE_ROUNDS; i++) {
        await_blocked(d);
        label(LABEL_HLT_WAKE_OTHER_CPU);
        int64_t result = hv_vcpu_inject(d->id, 0, HV_INJECT_EXTERNAL, WAKE_VECTOR, 0);
        label(LABEL_NONE);
        must("inject", result);
    }
    await_blocked(d);
    finish(d, LABEL_HLT_WAKE_OTHER_CPU);
}

static void lifecycle_row(void)
{
    for (uint32_t i = 0; i < LIFECYCLE_ROUNDS; i++) {
        label(LABEL_DOMAIN_LIFECYCLE);
        struct domain *d = make(LABEL_CPUID, 1, 0);
        must("start", domain_start(d));
        must("destroy", domain_destroy(d));
    }
    label(LABEL_NONE);
    printf("bench: done %u\n", LABEL_DOMAIN_LIFECYCLE);
}

static uint32_t pool_pages(const struct domain *d)
{
    struct hv_domain_info info;
    must("domain_info", call_domain_info(d->id, &info));
    return (uint32_t)info.pool_pages;
}

static void sizes(void)
{
    int64_t result;
    struct domain *d = domain_create("sizes", 2, 0, 0, NULL, &result);
    must("domain_create", result);
    uint32_t empty = pool_pages(d);
    must("memory", domain_add_memory(d, 0, GUEST_PAGES));
    must("donate", domain_donate(d));
    uint32_t with_memory = pool_pages(d);
    must("add_vcpu", domain_add_vcpu(d));
    uint32_t with_vcpu = pool_pages(d);
    must("destroy", domain_destroy(d));
    printf("bench: value bytes_domain %u\n", empty * PAGE);
    printf("bench: value bytes_domain_32k %u\n", with_memory * PAGE);
    printf("bench: value bytes_vcpu %u\n", (with_vcpu - with_memory) * PAGE);
}

static void prepare(void)
{
    call_init(call_page, start_gpa(call_page));
    must("system_info", call_system_info(&machine));
    must("notify_page", call_notify_page(start_gpa(&notify), 0));
    for (uint32_t i = 0; i < start_info.memory_count; i++)
        if (!frames_add(&frames, start_info.memory[i].start, start_info.memory[i].end))
            fail("frames_add", 0);
    domain_init(&frames, start_view);
}

int main(void)
{
    prepare();
    if (strstr(start_info.cmdline, "all")) {
        hypercall_row();
        served_row(LABEL_CPUID, 0);
        served_row(LABEL_PIO_HV, 0);
        served_row(LABEL_PIO_MANAGER, 0);
        served_row(LABEL_MMIO_MANAGER, 0);
        served_row(LABEL_DEVICE_LEVEL, 0);
        switch_row();
        lifecycle_row();
        sizes();
        route_rows(machine.cpus);
        if (machine.cpus > 1) {
            served_row(LABEL_PIO_MANAGER_OTHER_CPU, 1);
            wake_row();
        }
    }
    if (!strstr(start_info.cmdline, "boot"))
        apic_rows(machine.cpus);
    printf("bench: end\n");
    fflush(stdout);
    (void)call_shutdown(HV_SHUTDOWN_POWEROFF);
    return 0;
}
