/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM entry and VM exit. SDM volume 3, "VM Entries" and "VM Exits".
 *
 * vmx_exit is every VMCS's HOST_RIP. It stores the registers that C may change into the context's gprs (vmx_context.h) and takes the CPU's stack. The most
 * frequent exits have handlers that see to everything there and then; the other registers stay where they are meanwhile, because C preserves them.
 * Everything else, and what these handlers decline, goes the full way: all registers stored, hv_vmexit, which answers with the context to enter next, and
 * which is the CPU's context until the next such answer. Nothing else is saved here: no FPU, no MSRs.
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
#define REASON_HLT              12
#define REASON_IO               30
#define REASON_WRMSR            32
#define REASON_APIC_WRITE       56
#define REASON_VMCALL           18
#define REASON_EPT_VIOLATION    48

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
    mov     $EXIT_REASON, %esi
    vmread  %rsi, %rsi
#if !CONFIG_DEBUG /* a debug build checks the VMCS before each entry, in hv_vmexit */
    movzbl  %sil, %eax
    jmp     *.Lways(, %rax, 8)
#endif
.Lfull: /* RDI = context, RSI = reason */
    STORE_PRESERVED %rdi
    call    hv_vmexit
.Lenter:
    mov     %rax, %gs:PERCPU_CONTEXT_OFF
    mov     %rax, %rsp
    LOAD_PRESERVED %rsp
.Lresume:
    mov     0(%rsp), %rax
.Lresume_rax: /* RAX is the guest's already */
    LOAD_SCRATCH %rsp
    vmresume
    jmp     .Lrefused

/* The stack is empty before and after a handler; its context is the CPU's. EAX: see vmx_context.h. */
    .macro FAST handler, reason
    call    \handler
    mov     %gs:PERCPU_CONTEXT_OFF, %rsp
    test    %eax, %eax
    je      .Lresume
    mov     $\reason, %esi
    jmp     .Lserve_or_full
    .endm

.Lwrmsr:
    FAST    hv_fast_wrmsr, REASON_WRMSR
.Linterrupt:
    FAST    hv_fast_interrupt, REASON_INTERRUPT
.Lhlt:
    FAST    hv_fast_hlt, REASON_HLT
.Lio:
    FAST    hv_fast_io, REASON_IO
.Lapic_write:
    FAST    hv_fast_apic_write, REASON_APIC_WRITE
.Lept_violation:
    FAST    hv_fast_ept_violation, REASON_EPT_VIOLATION

.Lcpuid:
    call    hv_fast_cpuid
    mov     %gs:PERCPU_CONTEXT_OFF, %rsp
    mov     24(%rsp), %rbx
    cmpl    $0, VMX_CONTEXT_PENDING(%rsp)
    je      .Lresume
    jmp     .Lserve

.Lvmcall:
    call    hv_fast_vmcall
    mov     %gs:PERCPU_CONTEXT_OFF, %rsp
    mov     $REASON_VMCALL, %esi
    test    %edx, %edx
    je      .Lnot_done
    cmpl    $0, VMX_CONTEXT_PENDING(%rsp)
    je      .Lresume_rax
    mov     %rax, 0(%rsp)
    jmp     .Lserve

.Lserve_or_full:
    js      .Lnot_done
.Lserve:
    STORE_PRESERVED %rsp
    mov     %rsp, %rdi
    mov     %gs:PERCPU_STACK_TOP_OFF, %rsp
    call    hv_serve
    jmp     .Lenter

.Lnot_done:
    mov     %rsp, %rdi
    mov     %gs:PERCPU_STACK_TOP_OFF, %rsp
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

/* By the low byte of the reason, so that no entry that failed comes here: its reasons have no fast handler. */
    .section .rodata
    .balign 64
.Lways:
    .set    reason, 0
    .rept   256
    .if     reason == REASON_INTERRUPT
    .quad   .Linterrupt
    .elseif reason == REASON_CPUID
    .quad   .Lcpuid
    .elseif reason == REASON_HLT
    .quad   .Lhlt
    .elseif reason == REASON_VMCALL
    .quad   .Lvmcall
    .elseif reason == REASON_IO
    .quad   .Lio
    .elseif reason == REASON_WRMSR
    .quad   .Lwrmsr
    .elseif reason == REASON_APIC_WRITE
    .quad   .Lapic_write
    .elseif reason == REASON_EPT_VIOLATION
    .quad   .Lept_violation
    .else
    .quad   .Lfull
    .endif
    .set    reason, reason + 1
    .endr

    .section .note.GNU-stack, "", @progbits
