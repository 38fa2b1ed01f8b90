/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM entry and VM exit. SDM volume 3, "VM Entries" and "VM Exits".
 *
 * vmx_exit is every VMCS's HOST_RIP. It pushes the general registers into the context's gprs (see vmx_context.h), takes the CPU's stack, and
 * calls hv_vmexit, which answers with the context to enter next, usually the same. Nothing else is saved here: no FPU, no MSRs.
 */
#include "arch/vmx/vmx_context.h"

    .text
    .balign 64
    .globl  vmx_exit
    .type   vmx_exit, @function
vmx_exit:
    push    %r15
    push    %r14
    push    %r13
    push    %r12
    push    %r11
    push    %r10
    push    %r9
    push    %r8
    push    %rdi
    push    %rsi
    push    %rbp
    push    %rsp                        /* the slot of RSP: scratch */
    push    %rbx
    push    %rdx
    push    %rcx
    push    %rax
    mov     %rsp, %rdi
    mov     %gs:PERCPU_STACK_TOP_OFF, %rsp
    call    hv_vmexit
.Lenter:
    mov     %rax, %rsp
    cmpq    $0, VMX_CONTEXT_LAUNCHED(%rsp)
    pop     %rax                        /* POP leaves the flags alone */
    pop     %rcx
    pop     %rdx
    pop     %rbx
    lea     8(%rsp), %rsp
    pop     %rbp
    pop     %rsi
    pop     %rdi
    pop     %r8
    pop     %r9
    pop     %r10
    pop     %r11
    pop     %r12
    pop     %r13
    pop     %r14
    pop     %r15
    je      1f
    vmresume
    jmp     2f
1:  vmlaunch
2:  /* Refused: we are still in root mode, the context's registers are still in memory. */
    mov     %gs:PERCPU_STACK_TOP_OFF, %rsp
    xor     %ebp, %ebp
    call    hv_vmentry_failed
    jmp     .Lenter
    .size   vmx_exit, . - vmx_exit

    .balign 16
    .globl  vmx_enter
    .type   vmx_enter, @function
vmx_enter:
    mov     %rdi, %rax
    jmp     .Lenter
    .size   vmx_enter, . - vmx_enter

    .section .note.GNU-stack, "", @progbits
