/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock and the guest of the tests of physical interrupts: see pirq.h. */
#include "tests/manager/pirq.h"

#include "guest_abi/irqchip.h"

struct guest *pirq_guest;
uint64_t pirq_notifier;

uint8_t pirq_rtc(uint8_t reg)
{
    uint8_t value;
    __asm__ volatile("outb %b1, $0x70; inb $0x71, %b0" : "=a"(value) : "0"(reg));
    return value;
}

static void rtc_set(uint8_t reg, uint8_t value)
{
    __asm__ volatile("outb %b0, $0x70" ::"a"(reg));
    __asm__ volatile("outb %b0, $0x71" ::"a"(value));
}

void pirq_start(uint8_t rate)
{
    rtc_set(RTC_A, rate);
    rtc_set(RTC_B, RTC_24H | RTC_PIE);
    (void)pirq_rtc(RTC_C);
}

/* No further tick; the line stays as it is. */
void pirq_hold(void)
{
    rtc_set(RTC_A, RTC_QUIET);
}

void pirq_stop(void)
{
    rtc_set(RTC_B, RTC_24H);
    (void)pirq_rtc(RTC_C);
}

struct hv_pirq_info pirq_info(void)
{
    struct hv_pirq_info i;
    CHECK_EQ(irq_pirq_info(CLOCK, &i), 0);
    return i;
}

int64_t pirq_bind(uint32_t flags, uint32_t limit)
{
    const struct hv_pirq b = {.flags = HV_PIRQ_ISA | flags,
                              .notifier = pirq_notifier,
                              .cpu = HV_PIRQ_ANY_CPU,
                              .limit = limit,
                              .storm_number = NUMBER(20)};
    return irq_pirq_bind(CLOCK, &b);
}

void pirq_is_unbound(void)
{
    struct hv_pirq_info i = pirq_info();
    CHECK_EQ(i.flags, HV_PIRQ_EDGE | HV_PIRQ_HIGH);
    CHECK(i.entry & MASKED);
    CHECK_EQ(i.owner | i.vector | i.cpu | i.fired | i.notifier, 0);
}

void pirq_redirect(uint32_t pin, uint32_t low)
{
    (void)guest_do(pirq_guest, 0, AGENT_WRITE, AGENT_IOAPIC, 4, IOAPIC_REDTBL + 2 * pin, 0);
    (void)guest_do(pirq_guest, 0, AGENT_WRITE, AGENT_IOAPIC + IOAPIC_IOWIN, 4, low, 0);
}

void pirq_stop_guest(void)
{
    guest_box(pirq_guest, 0)->stop = 1;
    CHECK_EQ(hv_vcpu_inject(pirq_guest->id, 0, HV_INJECT_NMI, 0, 0), 0);
    guest_done(pirq_guest, 0);
}

void pirq_to_guest(uint32_t gsi, bool resample)
{
    int64_t n = resample ? irq_notifier_resample(pirq_guest->id, gsi, 0, NUMBER(21))
                         : irq_notifier_gsi(pirq_guest->id, gsi);
    CHECK(n > 0);
    pirq_notifier = (uint64_t)n;
}

void pirq_to_us(void)
{
    pirq_notifier = (uint64_t)irq_notifier_notify(0, NUMBER(22));
    CHECK((int64_t)pirq_notifier > 0);
}
