/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * storm: another CPU sends NMIs to this one while Signalbox starts. It begins some time after the
 * leap, because before there is an IDT nobody survives an NMI, and ends when Signalbox takes that
 * CPU for itself by INIT. SDM volume 3, "Interrupt Command Register (ICR)".
 */
#include "tests/boot/loader/loader.h"

#define STORM_PAGE  0x8000u
#define LAPIC       0xfee00000u
#define LAPIC_ID    0x20
#define ICR_LOW     0x300
#define ICR_HIGH    0x310
#define ICR_PENDING (1u << 12)
#define ICR_NMI     0x4400u
#define ICR_INIT    0xc4500u /* to all but this CPU */
#define ICR_STARTUP 0xc4600u
#define WAIT_TICKS  400000u

extern const uint8_t storm_code[], storm_code_end[];
extern void storm_main(void);

static uint64_t delay, interval;
static uint32_t target;
static volatile bool wanted, alive, go;

static volatile uint32_t *lapic(uint32_t offset)
{
    return PTR(LAPIC + offset);
}

static void wait(uint64_t ticks)
{
    for (uint64_t start = rdtsc(); rdtsc() - start < ticks;)
        ;
}

/* On the other CPU. */
void storm_main(void)
{
    alive = true;
    while (!go)
        ;
    wait(delay);
    for (;;) {
        while (*lapic(ICR_LOW) & ICR_PENDING)
            ;
        *lapic(ICR_HIGH) = target;
        *lapic(ICR_LOW) = ICR_NMI;
        wait(interval);
    }
}

void storm_prepare(const char *parameters)
{
    delay = take_hex(&parameters);
    expect_char(&parameters, ',');
    interval = take_hex(&parameters);
    target = *lapic(LAPIC_ID);
    memcpy(PTR(STORM_PAGE), storm_code, (size_t)(storm_code_end - storm_code));
    *lapic(ICR_LOW) = ICR_INIT;
    wait(WAIT_TICKS);
    *lapic(ICR_LOW) = ICR_STARTUP | STORM_PAGE / PAGE;
    wait(WAIT_TICKS);
    if (!alive)
        fail("no other CPU for the storm");
    wanted = true;
}

void storm_go(void)
{
    go = wanted;
}
