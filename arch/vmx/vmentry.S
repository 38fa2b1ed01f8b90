/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM entry and VM exit. SDM volume 3, "VM Entries" and "VM Exits".
 *
 * vmx_exit is every VMCS's HOST_RIP. It stores the registers that C may change into the context's gprs (vmx_context.h) and takes the CPU's stack. The two
 * most frequent instructions that exit have handlers that see to everything there and then; the other registers stay where they are meanwhile, because C
 * preserves them. Everything else, and what these handlers decline, goes the full way: all registers stored, hv_vmexit, which answers with the context to
 * enter next. Nothing else is saved here: no FPU, no MSRs.
 *
 * Entry tries VMRESUME first. A VMCS that was cleared is refused by it before anything else is looked at, and is launched then.
 */
#include "arch/cpu/regs.h"
#include "arch/vmx/vmx_context.h"

#define EXIT_REASON             0x4402
#define INSTRUCTION_ERROR       0x4400
#define ERROR_RESUME_NOT_LAUNCH 5 /* SDM volume 3, "VM Instruction Error Numbers" */
#define REASON_INTERRUPT        1
#define REASON_CPUID            10
#define REASON_IO               30
#define REASON_WRMSR            32
#define REASON_APIC_WRITE       56
#define REASON_VMCALL           18

/* Offsets in gprs, the hardware's numbering times 8; `base` points `at` behind the start. */
    .macro STORE_SCRATCH base, at
    mov     %rax, 0-\at(\base)
    mov     %rcx, 8-\at(\base)
    mov     %rdx, 16-\at(\base)
    mov     %rsi, 48-\at(\base)
    mov     %rdi, 56-\at(\base)
    mov     %r8, 64-\at(\base)
    mov     %r9, 72-\at(\base)
    mov     %r10, 80-\at(\base)
    mov     %r11, 88-\at(\base)
    .endm

    .macro LOAD_SCRATCH base
    mov     8(\base), %rcx
    mov     16(\base), %rdx
    mov     48(\base), %rsi
    mov     56(\base), %rdi
    mov     64(\base), %r8
    mov     72(\base), %r9
    mov     80(\base), %r10
    mov     88(\base), %r11
    .endm

    .macro STORE_PRESERVED base
    mov     %rbx, 24(\base)
    mov     %rbp, 40(\base)
    mov     %r12, 96(\base)
    mov     %r13, 104(\base)
    mov     %r14, 112(\base)
    mov     %r15, 120(\base)
    .endm

    .macro LOAD_PRESERVED base
    mov     24(\base), %rbx
    mov     40(\base), %rbp
    mov     96(\base), %r12
    mov     104(\base), %r13
    mov     112(\base), %r14
    mov     120(\base), %r15
    .endm

    .text
    .balign 64
    .globl  vmx_exit
    .type   vmx_exit, @function
vmx_exit:
    STORE_SCRATCH %rsp, GPRS_SIZE
    lea     -GPRS_SIZE(%rsp), %rdi
    mov     %gs:PERCPU_STACK_TOP_OFF, %rsp
    push    %rdi
    mov     $EXIT_REASON, %esi
    vmread  %rsi, %rsi
#if !CONFIG_DEBUG /* a debug build checks the VMCS before each entry, in hv_vmexit */
    cmp     $REASON_VMCALL, %esi
    je      .Lvmcall
    cmp     $REASON_CPUID, %esi
    je      .Lcpuid
    cmp     $REASON_WRMSR, %esi
    je      .Lwrmsr
    cmp     $REASON_INTERRUPT, %esi
    je      .Linterrupt
    cmp     $REASON_IO, %esi
    je      .Lio
    cmp     $REASON_APIC_WRITE, %esi
    je      .Lapic_write
#endif
.Lfull: /* RDI = context, RSI = reason */
    push    %rdi                        /* twice: the stack is aligned for C */
    STORE_PRESERVED %rdi
    call    hv_vmexit
.Lenter:
    mov     %rax, %rsp
    LOAD_PRESERVED %rsp
.Lresume:
    mov     0(%rsp), %rax
.Lresume_rax: /* RAX is the guest's already */
    LOAD_SCRATCH %rsp
    vmresume
    jmp     .Lrefused

.Lvmcall:
    push    %rdi
    call    hv_fast_vmcall
    test    %edx, %edx
    je      .Ldeclined
    pop     %rsp
    cmpl    $0, VMX_CONTEXT_PENDING(%rsp)
    je      .Lresume_rax
    mov     %rax, 0(%rsp)
    jmp     .Lserve

.Lcpuid: /* Not aligned here: it keeps nothing on the stack that would have to be. */
    call    hv_fast_cpuid
    pop     %rsp
    mov     24(%rsp), %rbx
    cmpl    $0, VMX_CONTEXT_PENDING(%rsp)
    je      .Lresume
    jmp     .Lserve

.Lwrmsr:
    push    %rdi
    call    hv_fast_wrmsr
    jmp     .Ldone_or_not

.Lio:
    push    %rdi
    call    hv_fast_io
    jmp     .Ldone_or_not

.Lapic_write:
    push    %rdi
    call    hv_fast_apic_write
    jmp     .Ldone_or_not

.Linterrupt:
    push    %rdi
    call    hv_fast_interrupt
.Ldone_or_not:
    test    %eax, %eax
    je      .Ldeclined
    pop     %rsp
    cmpl    $0, VMX_CONTEXT_PENDING(%rsp)
    je      .Lresume

.Lserve:
    STORE_PRESERVED %rsp
    mov     %rsp, %rdi
    mov     %gs:PERCPU_STACK_TOP_OFF, %rsp
    call    hv_serve
    jmp     .Lenter

.Ldeclined:
    pop     %rdi
    mov     $EXIT_REASON, %esi
    vmread  %rsi, %rsi
    jmp     .Lfull

.Lrefused: /* We are still in root mode, and all registers are the guest's, RSP apart: the context. */
    STORE_PRESERVED %rsp
    mov     %rax, 0(%rsp)
    mov     $INSTRUCTION_ERROR, %eax
    vmread  %rax, %rax
    cmp     $ERROR_RESUME_NOT_LAUNCH, %eax
    jne     1f
    mov     0(%rsp), %rax
    LOAD_SCRATCH %rsp
    vmlaunch
1:  mov     %gs:PERCPU_STACK_TOP_OFF, %rsp
    xor     %ebp, %ebp
    call    hv_vmentry_failed
    jmp     .Lenter
    .size   vmx_exit, . - vmx_exit

    .balign 16
    .globl  vmx_exit_traced
    .type   vmx_exit_traced, @function
vmx_exit_traced: /* HOST_RIP while the CPU is traced: always the full way */
    STORE_SCRATCH %rsp, GPRS_SIZE
    lea     -GPRS_SIZE(%rsp), %rdi
    mov     %gs:PERCPU_STACK_TOP_OFF, %rsp
    push    %rdi
    push    %rdi
    STORE_PRESERVED %rdi
    call    hv_vmexit_traced
    jmp     .Lenter
    .size   vmx_exit_traced, . - vmx_exit_traced

    .balign 16
    .globl  vmx_enter
    .type   vmx_enter, @function
vmx_enter:
    mov     %rdi, %rax
    jmp     .Lenter
    .size   vmx_enter, . - vmx_enter

    .section .note.GNU-stack, "", @progbits
