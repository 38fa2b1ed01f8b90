/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the proofs share: output, verdict, traps, local APIC, and a VMX machine of one guest.
 *
 * A proof defines proof_name and proof_main. The guest of a proof is a C function that runs in the
 * same address space (identity EPT, the host's own page tables, descriptor tables and segments) on
 * its own stack. Order: proof_main, vmx_start, vmx_guest, then vmx_run until a verdict. proof_pass
 * and proof_fail do not return.
 */
#ifndef PROOF_H
#define PROOF_H

#include <stdint.h>

struct trap_frame {
    uint64_t r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

struct guest_regs {
    uint64_t rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15;
};

/* VM-execution controls beyond the ones that vmx_guest always sets. */
struct guest_setup {
    void (*entry)(void);
    uint64_t rsp;
    uint64_t rflags;
    uint32_t pin;
    uint32_t primary;
    uint32_t secondary;
};

enum {
    EXIT_EXTERNAL_INTERRUPT = 1,
    EXIT_VMCALL = 18,
    EXIT_EPT_VIOLATION = 48,
    PIN_EXTERNAL_INTERRUPT = 1u << 0,
    PRIMARY_TPR_SHADOW = 1u << 21,
    SECONDARY_VIRTUALIZE_X2APIC = 1u << 4,
    SECONDARY_REGISTER_VIRTUALIZATION = 1u << 8,
    SECONDARY_VIRTUAL_INTERRUPT_DELIVERY = 1u << 9,
    VMCS_GUEST_INTERRUPT_STATUS = 0x0810,
    VMCS_ENTRY_INTERRUPTION_INFO = 0x4016,
    VMCS_IDT_VECTORING_INFO = 0x4408,
    RFLAGS_IF = 0x200,
    VECTOR_TIMER = 0x40,
    MSR_APIC_BASE = 0x1b,
    MSR_X2APIC_SELF_IPI = 0x83f,
    GUEST_STACK_PAGE = 0x700000 /* the only 2 MiB region with 4 KiB EPT entries is around it */
};

/* The proof itself. */
extern const char proof_name[];
void proof_main(void);

/* Verdict and output (COM1 and port 0xE9). */
void proof_print(const char *text);
void proof_print_hex(uint64_t value);
_Noreturn void proof_pass(void);
_Noreturn void proof_fail(const char *why, uint64_t value);

/* Called for a vector in place of the default, which fails the proof for exceptions. */
extern void (*proof_handler[256])(struct trap_frame *frame);

/* Local APIC in xAPIC mode; the timer is one-shot and counts ticks. */
uint32_t apic_read(uint32_t reg);
void apic_write(uint32_t reg, uint32_t value);
void apic_start(void);
void apic_timer(uint32_t ticks);
extern volatile uint32_t apic_timer_count;

/* VMX. */
void vmx_start(void);
void vmx_guest(const struct guest_setup *setup);
uint32_t vmx_run(void);
uint64_t vmx_read(uint64_t field);
void vmx_write(uint64_t field, uint64_t value);
uint64_t *vmx_ept_entry(uint64_t address);
void vmx_ept_flush(void);
uint32_t *vmx_virtual_apic(uint32_t reg);
extern struct guest_regs vmx_regs;
void guest_vmcall(uint64_t code);
int vmx_enter(struct guest_regs *regs, int resume);

void proof_start(void);
void proof_trap(struct trap_frame *frame);

static inline void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint32_t in32(uint16_t port)
{
    uint32_t value;

    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint64_t read_msr(uint32_t msr)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void write_msr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

#endif
