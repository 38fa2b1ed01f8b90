/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * irq_pic: the 8259 pair from inside, with its interrupts taken through LINT0: initialization, priorities, ends of all kinds,
 * polling, spurious interrupts, edges and levels. IRQ 0 is the PIT's, IRQ 4 the serial port's, which is up while it is asked for.
 * 8259A data sheet. Rows P-01 to P-04.
 */
#include "guest_abi/irqchip.h"
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/smp.h"

const char guest_name[] = "irq_pic";

enum {
    BASE = 0x30,
    IRQ0 = BASE,
    IRQ4 = BASE + 4,
    IRQ7 = BASE + 7,
    UART_IER = 0x3f9,
    UART_MCR = 0x3fc,
    ICW4_AUTO = 2,
    ICW4_NESTED = 0x10
};

static void uart(bool up)
{
    outb(UART_MCR, 8); /* OUT2 opens the way */
    outb(UART_IER, up ? 2 : 0);
}

/* One edge of IRQ 0. */
static void pulse(void)
{
    uint8_t status;
    outb(PIT_CONTROL, 0x30);
    outb(PIT_CHANNEL0, 20);
    outb(PIT_CHANNEL0, 0);
    do {
        outb(PIT_CONTROL, 0xe2);
        status = inb(PIT_CHANNEL0);
    } while (!(status & 0x80));
    smp_delay(2000);
}

static void start(uint8_t icw4, uint8_t mask)
{
    uart(false);
    outb(PIC_MASTER_COMMAND, 0x11);
    outb(PIC_MASTER_DATA, BASE);
    outb(PIC_MASTER_DATA, 4);
    outb(PIC_MASTER_DATA, 1 | icw4);
    outb(PIC_SLAVE_COMMAND, 0x11);
    outb(PIC_SLAVE_DATA, BASE + 8);
    outb(PIC_SLAVE_DATA, 2);
    outb(PIC_SLAVE_DATA, 1);
    outb(PIC_SLAVE_DATA, 0xff);
    outb(PIC_MASTER_DATA, mask);
    smp_forget();
}

static uint8_t reg(uint8_t ocw3)
{
    outb(PIC_MASTER_COMMAND, ocw3);
    return inb(PIC_MASTER_COMMAND);
}

static uint8_t irr(void)
{
    return reg(0x0a);
}

static uint8_t isr(void)
{
    return reg(0x0b);
}

static void end(uint8_t ocw2)
{
    outb(PIC_MASTER_COMMAND, ocw2);
}

static uint32_t taken(uint8_t vector)
{
    sti();
    smp_delay(20000);
    cli();
    return cpus[0].count[vector];
}

static void say(const char *what)
{
    trace("%s: %x %x %x, irr %x isr %x", what, cpus[0].count[IRQ0], cpus[0].count[IRQ4], cpus[0].count[IRQ7],
          irr(), isr());
}

static void edges_and_priority(void)
{
    start(0, 0xff);
    report(inb(PIC_MASTER_DATA) == 0xff && inb(PIC_SLAVE_DATA) == 0xff, "masks");
    pulse(); /* latched while masked */
    report(irr() == 1 && isr() == 0, "irr %#x isr %#x of a masked edge", irr(), isr());
    report(taken(IRQ0) == 0, "a masked one was taken");
    outb(PIC_MASTER_DATA, 0xee);
    report(taken(IRQ0) == 1 && isr() == 1, "the latched edge: %u, isr %#x", cpus[0].count[IRQ0], isr());
    pulse();
    uart(true); /* below it */
    report(taken(IRQ0) == 1 && taken(IRQ4) == 0, "taken while in service");
    report(irr() == 0x11, "irr %#x", irr());
    end(0x20);
    report(taken(IRQ0) == 2 && cpus[0].count[IRQ4] == 0, "the higher one goes first");
    end(0x60); /* specific */
    report(taken(IRQ4) == 1 && isr() == 0x10, "then the other: isr %#x", isr());
    pulse(); /* a higher one nests */
    report(taken(IRQ0) == 3 && isr() == 0x11, "no nesting: isr %#x", isr());
    end(0x20);
    report(isr() == 0x10, "a nonspecific end is the highest's: isr %#x", isr());
    end(0x20);
    report(taken(IRQ4) == 1, "an edge came twice, since its line is up");
    uart(false);
    uart(true);
    report(taken(IRQ4) == 2, "no second edge");
    say("edges");
}

static void levels(void)
{
    start(0, 0xef);
    outb(PIC_ELCR_MASTER, 0xff);
    report(inb(PIC_ELCR_MASTER) == PIC_ELCR_MASTER_RW, "ELCR %#x", inb(PIC_ELCR_MASTER));
    uart(true);
    for (uint32_t i = 1; i <= 3; i++) {
        report(taken(IRQ4) == i, "%u of a level", cpus[0].count[IRQ4]);
        end(0x20);
    }
    report(taken(IRQ4) == 4, "%u of a level", cpus[0].count[IRQ4]);
    uart(false);
    end(0x20);
    report(taken(IRQ4) == 4, "%u of a level that is down", cpus[0].count[IRQ4]);
    report(irr() == 0 && isr() == 0, "irr %#x isr %#x", irr(), isr());
    outb(PIC_ELCR_MASTER, 0);
    say("levels");
}

static void automatic(void)
{
    start(ICW4_AUTO, 0xee);
    pulse();
    report(taken(IRQ0) == 1 && isr() == 0, "in service after an automatic end: %#x", isr());
    pulse();
    report(taken(IRQ0) == 2, "%u", cpus[0].count[IRQ0]);
    uart(true);
    report(taken(IRQ4) == 1 && isr() == 0, "IRQ 4: %u", cpus[0].count[IRQ4]);
    say("automatic");
}

static void modes(void)
{
    start(0, 0xee);
    outb(PIC_MASTER_COMMAND, 0xc0 | 3); /* 3 is the lowest, 4 the highest */
    uart(true);
    pulse();
    report(taken(IRQ4) == 1 && cpus[0].count[IRQ0] == 0, "priorities do not rotate");
    end(0xa0); /* ends 4, which is then the lowest */
    report(taken(IRQ0) == 1, "%u", cpus[0].count[IRQ0]);
    end(0x20);
    start(0, 0xee); /* the order of before is gone */
    pulse();
    report(taken(IRQ0) == 1, "IRQ 0");
    outb(PIC_MASTER_DATA, 0xef);
    outb(PIC_MASTER_COMMAND, 0x68); /* special mask mode: what is in service and masked holds back nobody */
    uart(true);
    report(taken(IRQ4) == 1, "special mask mode: %u", cpus[0].count[IRQ4]);
    outb(PIC_MASTER_COMMAND, 0x48);
    end(0x64);
    end(0x60);
    report(isr() == 0, "isr %#x", isr());
    start(0, 0xee);
    uart(true);
    report_exact(reg(0x0c) == 0x84 && isr() == 0x10, "poll"); /* takes it without an interrupt */
    end(0x20);
    report_exact(reg(0x0c) == 0, "a poll of nothing");
    report_exact(taken(IRQ4) == 0, "a polled one came");
    say("modes");
}

/* The request is gone when it is acknowledged. */
static void spurious(void)
{
    start(0, 0xef);
    outb(PIC_ELCR_MASTER, 0x10);
    cli();
    uart(true);
    outb(PIC_MASTER_COMMAND,
         0x0c); /* a poll is an acknowledgement, and with nothing there no interrupt at all */
    (void)inb(PIC_MASTER_COMMAND);
    end(0x20);
    uart(false);
    report_exact(taken(IRQ4) == 0 && taken(IRQ7) == 0 && isr() == 0, "IRQ 4: %u, IRQ 7: %u",
                 cpus[0].count[IRQ4], cpus[0].count[IRQ7]);
    outb(PIC_ELCR_MASTER, 0);
    say("spurious");
}

void guest_main(const char *cmdline)
{
    (void)smp_init(cmdline);
    for (unsigned vector = BASE; vector < BASE + 16; vector++)
        irq_handlers[vector] = smp_quiet; /* not the local APIC's */
    apic_write(APIC_LVT_LINT0, APIC_DM_EXTINT << APIC_LVT_MODE_SHIFT);
    edges_and_priority();
    levels();
    automatic();
    modes();
    spurious();
    uart(false);
}
