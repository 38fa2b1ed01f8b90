/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 256 stubs, made by a macro. Vectors below 32: save the registers as struct trap_frame, call hv_exception, restore. The
 * others save what C does not, and call hv_irq. The hypervisor always runs with its own GS, so there is no SWAPGS.
 */
#include "arch/cpu/regs.h"

    .text
    .balign 16
    .globl trap_stubs
trap_stubs:
    .set    vector, 0
    .rept   256
    .balign 16
    .if vector >= 32
    push    %rdi
    mov     $vector, %edi
    jmp     irq_common
    .else
    /* SDM volume 3, "Error Code": vectors 8, 10-14, 17, 21, 29, 30 push one. */
    .if (vector == 8) || ((vector >= 10) && (vector <= 14)) || (vector == 17) || (vector == 21) || (vector == 29) || (vector == 30)
    .else
    push    $0
    .endif
    push    $vector
    jmp     trap_common
    .endif
    .set    vector, vector + 1
    .endr

    .type   trap_common, @function
trap_common:
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
    push    $0                          /* the interrupted RSP is in the hardware frame */
    push    %rbx
    push    %rdx
    push    %rcx
    push    %rax
    cld
    mov     %rsp, %rdi
    call    hv_exception
    pop     %rax
    pop     %rcx
    pop     %rdx
    pop     %rbx
    add     $8, %rsp
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
    add     $16, %rsp
    iretq
    .size   trap_common, . - trap_common

    .type   irq_common, @function
irq_common:
    push    %rsi
    push    %rax
    push    %rcx
    push    %rdx
    push    %r8
    push    %r9
    push    %r10
    push    %r11
    cld
    call    hv_irq
    pop     %r11
    pop     %r10
    pop     %r9
    pop     %r8
    pop     %rdx
    pop     %rcx
    pop     %rax
    pop     %rsi
    pop     %rdi
    iretq
    .size   irq_common, . - irq_common

    .section .note.GNU-stack, "", @progbits
