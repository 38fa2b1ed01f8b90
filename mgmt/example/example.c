/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * example: the least manager that is one, for those who write their own: a domain with 64 KiB of
 * memory, one vCPU, one port and nine bytes of code, which prints an exclamation mark.
 * `make build/mgmt/example.bin` builds it from mgmt/start, mgmt/lib and this file; the image is the
 * first boot module.
 *
 * Order: the page for calls, the event loop, memory, the domain's life as in mgmt/lib/domain.h.
 */
#include "guest_abi/hv_vcpu.h"
#include "mgmt/lib/call.h"
#include "mgmt/lib/domain.h"
#include "mgmt/lib/events.h"
#include "mgmt/start/start.h"

static char call_page[4096] __attribute__((aligned(4096)));
static char notify_page[4096] __attribute__((aligned(4096)));
/* mov $'!', %al; out %al, $0xe9; mov $'\n', %al; out %al, $0xe9; hlt */
static const uint8_t code[] = {0xb0, '!', 0xe6, 0xe9, 0xb0, '\n', 0xe6, 0xe9, 0xf4};

static void on_write(void *ctx, uint64_t offset, uint8_t width, uint64_t data)
{
    char byte = (char)data;
    (void)ctx, (void)offset, (void)width;
    (void)call_console_write(&byte, 1);
}

int main(void)
{
    static struct frames frames;
    const struct access_range port = {HV_CLAIM_PIO, 0xe9, 1, 1, NULL, on_write, NULL};
    struct hv_regs regs = {.rip = 0x1000, .rflags = 2};
    struct hv_sregs sregs;
    int64_t error;
    call_init(call_page, start_gpa(call_page));
    if (events_init((struct hv_notify *)notify_page, start_gpa(notify_page)) < 0)
        return 1;
    for (uint32_t i = 0; i < start_info.memory_count; i++)
        (void)frames_add(&frames, start_info.memory[i].start, start_info.memory[i].end);
    domain_init(&frames, start_view);
    struct domain *domain = domain_create("mine", 1, HV_DOMAIN_IRQCHIP_NONE, 0, NULL, &error);
    if (!domain || domain_add_memory(domain, 0, 16) < 0 ||
        !domain_write(domain, 0x1000, code, sizeof(code)) || domain_add_range(domain, &port) < 0 ||
        domain_donate(domain) < 0 || domain_add_vcpu(domain) < 0)
        return 1;
    (void)call_vcpu_get(domain->id, 0, HV_STATE_SREGS, &sregs, sizeof(sregs));
    sregs.cs.selector = 0; /* a new vCPU is as after a reset; this one starts at 0:0x1000 */
    sregs.cs.base = 0;
    (void)call_vcpu_set(domain->id, 0, HV_STATE_SREGS, &sregs, sizeof(sregs));
    (void)call_vcpu_set(domain->id, 0, HV_STATE_REGS, &regs, sizeof(regs));
    if (domain_start(domain) < 0)
        return 1;
    for (;;)
        events_run_once();
}
