/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a VM exit says: each function decodes one part of the exit information of the current VMCS into plain
 * fields, so that hv/exit never sees a qualification bit. A handler reads only the parts that it needs. SDM
 * volume 3, "VM-Exit Information Fields" and appendix C "VMX Basic Exit Reasons".
 */
#ifndef ARCH_VMX_VM_EXIT_H
#define ARCH_VMX_VM_EXIT_H

#include "arch/cpu/bits.h"
#include "arch/cpu/msr.h"
#include "arch/vmx/vmcs.h"

enum exit_reason {
    EXIT_EXCEPTION_NMI = 0,
    EXIT_EXTERNAL_INTERRUPT = 1,
    EXIT_TRIPLE_FAULT = 2,
    EXIT_INIT = 3,
    EXIT_SIPI = 4,
    EXIT_INTERRUPT_WINDOW = 7,
    EXIT_NMI_WINDOW = 8,
    EXIT_TASK_SWITCH = 9,
    EXIT_CPUID = 10,
    EXIT_GETSEC = 11,
    EXIT_HLT = 12,
    EXIT_INVD = 13,
    EXIT_RDPMC = 15,
    EXIT_VMCALL = 18,
    EXIT_VMCLEAR = 19,
    EXIT_VMLAUNCH = 20,
    EXIT_VMPTRLD = 21,
    EXIT_VMPTRST = 22,
    EXIT_VMREAD = 23,
    EXIT_VMRESUME = 24,
    EXIT_VMWRITE = 25,
    EXIT_VMXOFF = 26,
    EXIT_VMXON = 27,
    EXIT_CR_ACCESS = 28,
    EXIT_MOV_DR = 29,
    EXIT_IO = 30,
    EXIT_RDMSR = 31,
    EXIT_WRMSR = 32,
    EXIT_ENTRY_GUEST_STATE = 33,
    EXIT_ENTRY_MSR_LOAD = 34,
    EXIT_MWAIT = 36,
    EXIT_MONITOR_TRAP = 37,
    EXIT_MONITOR = 39,
    EXIT_PAUSE = 40,
    EXIT_ENTRY_MACHINE_CHECK = 41,
    EXIT_TPR_THRESHOLD = 43,
    EXIT_APIC_ACCESS = 44,
    EXIT_EOI = 45,
    EXIT_GDTR_IDTR = 46,
    EXIT_LDTR_TR = 47,
    EXIT_EPT_VIOLATION = 48,
    EXIT_EPT_MISCONFIG = 49,
    EXIT_INVEPT = 50,
    EXIT_RDTSCP = 51,
    EXIT_PREEMPTION_TIMER = 52,
    EXIT_INVVPID = 53,
    EXIT_WBINVD = 54,
    EXIT_XSETBV = 55,
    EXIT_APIC_WRITE = 56,
    EXIT_RDRAND = 57,
    EXIT_INVPCID = 58,
    EXIT_VMFUNC = 59,
    EXIT_ENCLS = 60,
    EXIT_RDSEED = 61,
    EXIT_XSAVES = 63,
    EXIT_XRSTORS = 64,
    EXIT_UMWAIT = 67,
    EXIT_TPAUSE = 68,
    EXIT_REASON_COUNT = 72,
};

/* Bit 31 of the reason: the entry failed after its checks of controls and host state. */
#define EXIT_ENTRY_FAILURE BIT(31)

static inline uint32_t vm_exit_reason(void)
{
    return vmcs_read32(VMCS_EXIT_REASON);
}

/*
 * The rare parts of vm_exit_advance_from. They keep all registers and are called so that the compiler knows it:
 * the handlers save none for them.
 */
#define VM_EXIT_RARE       __attribute__((cold, no_caller_saved_registers))
#define VM_EXIT_CALL(name) __asm__ volatile("call " #name ::: "memory", "cc")
VM_EXIT_RARE void vm_exit_wrap(void);
VM_EXIT_RARE void vm_exit_stepped(void);

/*
 * The instruction that exited is done: RIP goes behind it, and the shadow of an STI or MOV SS before it ends
 * (SDM volume 3, "Blocking by STI", "Blocking by MOV SS"). RFLAGS.RF has served, and RFLAGS.TF asks for a
 * trap.
 */
static inline void vm_exit_advance_from(uint64_t rip, uint64_t length)
{
    uint64_t next = rip + length;
    vmcs_write(VMCS_GUEST_RIP, next);
    if (__builtin_expect((uint32_t)next < (uint32_t)length, 0)) /* over a multiple of 4 GiB */
        VM_EXIT_CALL(vm_exit_wrap);
    uint64_t blocking = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);
    if (__builtin_expect(blocking & 3, 0))
        vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, blocking & ~3UL);
    if (__builtin_expect(vmcs_read(VMCS_GUEST_RFLAGS) & (RFLAGS_TF | RFLAGS_RF), 0))
        VM_EXIT_CALL(vm_exit_stepped);
}

static inline void vm_exit_advance_by(uint64_t length)
{
    vm_exit_advance_from(vmcs_read(VMCS_GUEST_RIP), length);
}

/* Of the instruction, in bytes. For EPT violations the SDM does not define it, but processors have it. */
static inline uint64_t vm_exit_length(void)
{
    return vmcs_read(VMCS_EXIT_INSTRUCTION_LENGTH);
}

static inline void vm_exit_advance(void)
{
    vm_exit_advance_by(vm_exit_length());
}

/* The guest can be interrupted behind the instruction, and by no trap of that. */
static inline bool vm_exit_only_if(void)
{
    return (vmcs_read(VMCS_GUEST_RFLAGS) & (RFLAGS_IF | RFLAGS_TF | RFLAGS_RF)) == RFLAGS_IF;
}

/* At the exit of a #DB that goes back to the guest. */
void vm_exit_keep_shadow_step(void);

/* A single-step trap is due before the next instruction. */
bool vm_exit_trap_pending(void);

/* An acknowledged external interrupt: 31 valid, 7:0 vector, and nothing else of interest. */
#define VM_EXIT_INTERRUPT BIT(31)
static inline uint32_t vm_exit_interrupt(void)
{
    return vmcs_read32(VMCS_EXIT_INTERRUPTION_INFO);
}

struct vm_exit_event {
    bool valid;
    uint8_t vector;
    uint8_t type; /* enum inject_type, inject.h */
    bool has_error;
    uint32_t error;
    bool nmi_unblocked; /* an IRET that faulted had already ended NMI blocking */
};
struct vm_exit_event vm_exit_interruption(void);

/* The qualification of a port access: 2:0 width - 1, 31:16 port. */
#define VM_EXIT_IO_IN     BIT(3)
#define VM_EXIT_IO_STRING BIT(4)
static inline uint64_t vm_exit_io_word(void)
{
    return vmcs_read(VMCS_EXIT_QUALIFICATION);
}

enum vm_exit_cr_kind { CR_MOV_TO, CR_MOV_FROM, CR_CLTS, CR_LMSW };
struct vm_exit_cr {
    uint8_t cr;
    uint8_t gpr; /* enum gpr */
    enum vm_exit_cr_kind kind;
    uint16_t lmsw_source;
};
struct vm_exit_cr vm_exit_cr(void);

struct vm_exit_memory {
    uint64_t gpa;
    uint64_t linear;
    bool linear_valid;
    bool page_walk; /* the access was to the guest's own page tables */
    bool read, write, fetch;
    bool hole;            /* no access at all is allowed there */
    bool during_delivery; /* an event was being delivered (IDT-vectoring) */
};
static inline struct vm_exit_memory vm_exit_memory(void)
{
    uint64_t q = vmcs_read(VMCS_EXIT_QUALIFICATION);
    struct vm_exit_memory m = {.gpa = vmcs_read(VMCS_GUEST_PHYSICAL_ADDRESS),
                               .read = q & BIT(0),
                               .write = q & BIT(1),
                               .fetch = q & BIT(2),
                               .hole = !(q & MASK(5, 3)),
                               .linear_valid = q & BIT(7),
                               .page_walk = (q & BIT(7)) && !(q & BIT(8)),
                               .during_delivery = vmcs_read(VMCS_IDT_VECTORING_INFO) & BIT(31)};
    if (m.linear_valid)
        m.linear = vmcs_read(VMCS_GUEST_LINEAR_ADDRESS);
    return m;
}

/* A store, not behind the back of an instruction, to where nothing is. A read-modify-write may look the same. */
static inline bool vm_exit_is_store_to_hole(void)
{
    const uint64_t access = MASK(2, 0), allowed = MASK(5, 3), final = BIT(7) | BIT(8);
    return (vmcs_read(VMCS_EXIT_QUALIFICATION) & (access | allowed | final)) == (BIT(1) | final) &&
           !(vmcs_read(VMCS_IDT_VECTORING_INFO) & BIT(31));
}

static inline uint64_t vm_exit_gpa(void)
{
    return vmcs_read(VMCS_GUEST_PHYSICAL_ADDRESS);
}

uint64_t vm_exit_qualification(void);

#endif
