/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest of the bench: flat, 32-bit, at GUEST_LOAD. EBX = label of the job, ECX = operations.
 * Each operation begins with the setting of its label, so that the emulator counts it alone. When all
 * are done, label 0 is set and PORT_DONE is written. Jobs without end: LABEL_VCPU_SWITCH spins,
 * LABEL_HLT_WAKE_OTHER_CPU halts and takes interrupt WAKE_VECTOR.
 */
#include "tests/bench/labels.h"

#define UNTIL_ASLEEP 20000

#define LABEL(n) prefetcht0 PREFETCH_BASE + PREFETCH_STRIDE * (n)

    .macro JOB label
    cmp     $\label, %ebx
    je      job_\label
    .endm

    .macro BEGIN label
job_\label:
1:  LABEL(\label)
    .endm

    .macro END
    dec     %ecx
    jnz     1b
    jmp     done
    .endm

    .code32
    .text
    .globl  start
start:
    mov     $GUEST_LOAD + stack_end - start, %esp
    JOB     LABEL_CPUID
    JOB     LABEL_PIO_HV
    JOB     LABEL_PIO_MANAGER
    JOB     LABEL_PIO_MANAGER_OTHER_CPU
    JOB     LABEL_MMIO_MANAGER
    JOB     LABEL_DOORBELL_PIO
    JOB     LABEL_DOORBELL_MMIO
    JOB     LABEL_DOORBELL_MANAGER
    JOB     LABEL_DEVICE_LEVEL
    JOB     LABEL_VCPU_SWITCH
    JOB     LABEL_HLT_WAKE_OTHER_CPU
done:
    LABEL(LABEL_NONE)
    mov     $PORT_DONE, %dx
    out     %al, %dx
    hlt
    jmp     done

    BEGIN   LABEL_CPUID
    mov     %ecx, %esi
    xor     %eax, %eax
    cpuid
    mov     %esi, %ecx
    mov     $LABEL_CPUID, %ebx
    END

    BEGIN   LABEL_PIO_HV
    mov     $PORT_UNCLAIMED, %dx
    in      %dx, %al
    END

    BEGIN   LABEL_PIO_MANAGER
    mov     $PORT_CLAIMED, %dx
    in      %dx, %al
    cmp     $PORT_ANSWER, %al
    jne     wrong
    END

    BEGIN   LABEL_PIO_MANAGER_OTHER_CPU
    mov     $PORT_CLAIMED, %dx
    in      %dx, %al
    cmp     $PORT_ANSWER, %al
    jne     wrong
    END

    BEGIN   LABEL_MMIO_MANAGER
    mov     GUEST_MMIO, %eax
    cmp     $PORT_ANSWER, %eax
    jne     wrong
    END

    BEGIN   LABEL_DEVICE_LEVEL
    mov     %ecx, %esi
    mov     $0x6e0, %ecx
    mov     $1, %eax
    xor     %edx, %edx
    wrmsr
    mov     %esi, %ecx
    END

    BEGIN   LABEL_DOORBELL_PIO
    mov     $PORT_BELL, %dx
    out     %al, %dx
    END

    BEGIN   LABEL_DOORBELL_MMIO
    mov     %eax, GUEST_BELL
    END

    BEGIN   LABEL_DOORBELL_MANAGER
    mov     $PORT_BELL, %dx
1:  mov     $UNTIL_ASLEEP, %eax
2:  dec     %eax
    jnz     2b
    LABEL(LABEL_DOORBELL_MANAGER)
    out     %al, %dx
    LABEL(LABEL_NONE)
    END

    BEGIN   LABEL_VCPU_SWITCH
1:  jmp     1b

    BEGIN   LABEL_HLT_WAKE_OTHER_CPU
    lidt    GUEST_LOAD + idt_pointer - start
    lgdt    GUEST_LOAD + gdt_pointer - start
1:  LABEL(LABEL_HLT_WAKE_OTHER_CPU)
    sti
    hlt
    cli
    jmp     1b

wrong:
    ud2

    .balign 8
wake:
    iret

    .balign 8
gdt:
    .quad   0
    .quad   0x00cf9b000000ffff
    .quad   0x00cf93000000ffff
gdt_pointer:
    .word   23
    .long   GUEST_LOAD + gdt - start
    .balign 8
idt:
    .fill   WAKE_VECTOR, 8, 0
    .word   GUEST_LOAD + wake - start, 8, 0x8e00, 0
idt_pointer:
    .word   8 * WAKE_VECTOR + 7
    .long   GUEST_LOAD + idt - start
    .balign 16
    .fill   512, 1, 0
stack_end:
    .section .note.GNU-stack, "", @progbits
