/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output, verdict, traps and local APIC of the proofs. Called first: proof_start, from start.S.
 *
 * The 8259s are masked, so the only interrupts are those that a proof asks for. A verdict line is
 * printed once; then the emulator is ended through its shutdown port, after the last character has
 * left the UART. Specifications: SDM volume 3 section 6.10 (IDT), section 11.4 (local APIC); 16550
 * UART.
 */
#include "proof.h"

#define COM1            0x3f8
#define LSR_THR_EMPTY   0x20
#define LSR_IDLE        0x40
#define APIC_BASE       0xfee00000u
#define APIC_EOI        0x0b0
#define APIC_SVR        0x0f0
#define APIC_LVT_TIMER  0x320
#define APIC_TIMER_INIT 0x380
#define APIC_TIMER_DIV  0x3e0

struct idt_gate {
    uint16_t offset0, selector, type, offset1;
    uint32_t offset2, reserved;
};

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

extern const char trap_stubs[256][16];
void (*proof_handler[256])(struct trap_frame *frame);
volatile uint32_t apic_timer_count;
static struct idt_gate idt[256] __attribute__((aligned(4096)));

static void put(char c)
{
    while (!(in8(COM1 + 5) & LSR_THR_EMPTY))
        ;
    out8(COM1, (uint8_t)c);
    out8(0xe9, (uint8_t)c);
}

void proof_print(const char *text)
{
    while (*text)
        put(*text++);
}

void proof_print_hex(uint64_t value)
{
    proof_print("0x");
    for (int shift = 60; shift >= 0; shift -= 4)
        if (value >> shift || !shift)
            put("0123456789abcdef"[value >> shift & 15]);
}

static _Noreturn void end_machine(void)
{
    while (!(in8(COM1 + 5) & LSR_IDLE))
        ;
    for (const char *c = "Shutdown"; *c; c++)
        out8(0x8900, (uint8_t)*c);
    for (;;)
        __asm__ volatile("cli\nhlt");
}

_Noreturn void proof_pass(void)
{
    proof_print("proof: PASS ");
    proof_print(proof_name);
    proof_print("\n");
    end_machine();
}

_Noreturn void proof_fail(const char *why, uint64_t value)
{
    proof_print("proof: FAIL ");
    proof_print(proof_name);
    proof_print(": ");
    proof_print(why);
    proof_print(" ");
    proof_print_hex(value);
    proof_print("\n");
    end_machine();
}

void proof_trap(struct trap_frame *frame)
{
    if (proof_handler[frame->vector]) {
        proof_handler[frame->vector](frame);
    } else if (frame->vector < 32) {
        proof_print("proof: rip ");
        proof_print_hex(frame->rip);
        proof_print("\n");
        proof_fail("unexpected exception", frame->vector);
    } else {
        proof_fail("unexpected interrupt", frame->vector);
    }
}

uint32_t apic_read(uint32_t reg)
{
    return *(volatile uint32_t *)(uintptr_t)(APIC_BASE + reg);
}

void apic_write(uint32_t reg, uint32_t value)
{
    *(volatile uint32_t *)(uintptr_t)(APIC_BASE + reg) = value;
}

static void timer_interrupt(struct trap_frame *frame)
{
    (void)frame;
    apic_timer_count++;
    apic_write(APIC_EOI, 0);
}

void apic_start(void)
{
    proof_handler[VECTOR_TIMER] = timer_interrupt;
    apic_write(APIC_SVR, 0x1ff);
    apic_write(APIC_TIMER_DIV, 0x0b);
    apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
}

void apic_timer(uint32_t ticks)
{
    apic_write(APIC_TIMER_INIT, ticks);
}

static void idt_start(void)
{
    struct table_pointer pointer = {sizeof(idt) - 1, (uintptr_t)idt};

    for (unsigned int i = 0; i < 256; i++) {
        uintptr_t stub = (uintptr_t)trap_stubs[i];

        idt[i] = (struct idt_gate){(uint16_t)stub,         0x08, 0x8e00, (uint16_t)(stub >> 16),
                                   (uint32_t)(stub >> 32), 0};
    }
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

static void serial_start(void)
{
    out8(COM1 + 3, 0x80);
    out8(COM1, 1);
    out8(COM1 + 1, 0);
    out8(COM1 + 3, 0x03);
    out8(COM1 + 2, 0x07);
}

void proof_start(void)
{
    out8(0x21, 0xff);
    out8(0xa1, 0xff);
    serial_start();
    idt_start();
    proof_main();
    proof_fail("no verdict", 0);
}
