/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * INIT to the bootstrap processor: it starts again at its reset vector and never waits for a SIPI, as SDM volume 3,
 * "MP Initialization Protocol Algorithm for MP Systems", has it. Here that is a page of the test's own. Once by the guest's IPI
 * to itself, once by a message of the manager while it sleeps with interrupts off.
 */
#include <string.h>

#include "guest_abi/apic.h"
#include "mgmt/lib/irq.h"
#include "tests/manager/irq_storm.h"

#define RESET_PAGE     0xfffff000U
#define RESET_RIP      0xfff0U
#define RESET_CS_BASE  0xffff0000U
#define RESET_CS       0xf000U
#define RESET_CR0      0x60000010U
#define MESSAGE_INIT   0x500U /* data of a message to APIC 0 */
#define MESSAGE_BASE   0xfee00000U
#define STARTED        0x5aU
#define INIT_TO_ITSELF (APIC_DM_INIT << APIC_ICR_MODE_SHIFT | APIC_ICR_ASSERT)

/* mov $STARTED, %al; out %al, $AGENT_DONE; 1: cli; hlt; jmp 1b */
static const uint8_t firmware[] = {0xb0, STARTED, 0xe6, AGENT_DONE, 0xfa, 0xf4, 0xeb, 0xfc};

static void started(struct guest *g)
{
    struct hv_regs r;
    struct hv_sregs s;
    CHECK_EQ(guest_wait(g, 0), HV_EXIT_PIO);
    CHECK_EQ(guest_service(g, 0)->pio.port, AGENT_DONE);
    CHECK_EQ(guest_service(g, 0)->pio.data & 0xff, STARTED);
    CHECK_EQ(call_vcpu_get(g->id, 0, HV_STATE_SREGS, &s, sizeof(s)), 0);
    CHECK_EQ(call_vcpu_get(g->id, 0, HV_STATE_REGS, &r, sizeof(r)), 0);
    CHECK(s.cs.base == RESET_CS_BASE && s.cs.selector == RESET_CS && s.cr0 == RESET_CR0 && s.efer == 0);
    CHECK(r.rip >= RESET_RIP && r.rip < RESET_RIP + sizeof(firmware));
    CHECK_EQ(guest_complete(g, 0), 0);
    guest_until(g, 0, HV_VCPU_BLOCKED);
}

void irq_init_of_first(struct guest *g)
{
    gpa_t page = lab_pages(1, PAGE);
    struct hv_lapic a;
    memcpy((uint8_t *)lab_at(page) + (RESET_RIP & (PAGE - 1)), firmware, sizeof(firmware));
    CHECK_EQ(call_mem_share(g->id, page, RESET_PAGE, 1, HV_MEM_EXEC), 1);
    (void)guest_do(g, 0, AGENT_WRITE, AGENT_LAPIC + APIC_ICR2, 4, 0, 0);
    (void)guest_do(g, 0, AGENT_WRITE, AGENT_LAPIC + APIC_TPR, 4, 0x30, 0);
    guest_go(g, 0, AGENT_WRITE, AGENT_LAPIC + APIC_ICR, 4, INIT_TO_ITSELF, 0);
    started(g);
    CHECK_EQ(call_vcpu_get(g->id, 0, HV_STATE_LAPIC, &a, sizeof(a)), 0);
    CHECK_EQ(a.regs[APIC_TPR / 4], 0); /* its APIC is reset with it */
    CHECK_EQ(irq_message(g->id, MESSAGE_BASE, 0x41), -(uint64_t)HV_ENXIO);
    CHECK_EQ(irq_message(g->id, MESSAGE_BASE, MESSAGE_INIT), 1);
    started(g);
}
