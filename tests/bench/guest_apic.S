/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest of the bench's interrupts: flat, 32-bit, at GUEST_LOAD, all processors in x2APIC mode, or, for the
 * jobs from LABEL_TPR_XAPIC on, in xAPIC mode. The first starts at APIC_GUEST_ENTRY: EBX = label of the job, ECX = operations, ESI = processors, EDX:EAX = ICR, EBP =
 * targets of one IPI, EDI = how long to wait before each. It starts the others by INIT and SIPI, and they take
 * IPIs for ever. Without targets it takes MSIs, after it has told the manager by PORT_DONE that it is ready.
 *
 * An operation of the sender begins with its label and ends with label 0. That of a target begins when the
 * interrupt before has been ended, and ends in the handler, before its EOI: EOIs are counted in a row of their
 * own. The sender waits until every target has taken the interrupt, so none is merged with the next.
 */
#include "tests/bench/labels.h"

#define LABEL_ADDRESS(n) PREFETCH_BASE + PREFETCH_STRIDE * (n)
#define LABEL(n)         prefetcht0 LABEL_ADDRESS(n)
#define A(symbol)        GUEST_LOAD + symbol - start

/* The guest's memory behind the code. */
#define JOB     0x2000
#define COUNT   0x2040 /* interrupts taken */
#define READY   0x2080 /* processors that listen */
#define ICR     0x20c0
#define TARGETS 0x20c8
#define DELAY   0x20cc
#define LAST    0x20d0 /* this is the last operation */
#define VCPUS   0x20d4
#define STACKS  0x3000
#define STACK   512
#define PML4    0x4000
#define PDPT    0x5000
#define PD      0x6000

#define MSR_APIC_BASE    0x1b
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_TPR          0x808
#define MSR_EOI          0x80b
#define MSR_ICR          0x830
#define MSR_LVT_TIMER    0x832
#define MSR_SELF_IPI     0x83f
#define MSR_EFER         0xc0000080

#define XAPIC        0xfee00000
#define XAPIC_ID     XAPIC + 0x20
#define XAPIC_TPR    XAPIC + 0x80
#define XAPIC_EOI    XAPIC + 0xb0
#define XAPIC_SVR    XAPIC + 0xf0
#define XAPIC_ICR    XAPIC + 0x300
#define XAPIC_ICR_HI XAPIC + 0x310

#define IOREGSEL     0xfec00000
#define IOWIN        0xfec00010
#define LEVEL_RTE    (0x8000 | IPI_VECTOR)

#define SELF           0x40000
#define INIT_TO_OTHERS 0xc4500
#define SIPI_TO_OTHERS (0xc4600 | GUEST_LOAD >> 12)
#define DEADLINE_MODE  0x40000
#define UNTIL_ASLEEP   20000 /* instructions: the manager waits for the EOI */
#define SOON           20000 /* ticks: after the guest runs again */

    .macro WRITE_MSR msr, low
    mov     $\msr, %ecx
    mov     $\low, %eax
    xor     %edx, %edx
    wrmsr
    .endm

    .macro JOB_IS label, where
    cmpl    $\label, JOB
    je      \where
    .endm

    .macro IF_XAPIC where
    cmpl    $LABEL_TPR_XAPIC, JOB
    jae     \where
    .endm

/* The mode, interrupts, a stack of the processor's own. Keeps EBX, ESI, EDI, EBP. */
    .macro APIC_ON
    mov     $16, %eax
    mov     %eax, %ds
    mov     %eax, %es
    mov     %eax, %ss
    movl    $0x1ff, XAPIC_SVR
    mov     XAPIC_ID, %eax
    shr     $24, %eax
    imul    $STACK, %eax, %eax
    lea     STACKS + STACK(%eax), %esp
    lidt    A(idt_pointer)
    IF_XAPIC 9f
    mov     $MSR_APIC_BASE, %ecx
    rdmsr
    or      $0xc00, %eax
    wrmsr
9:
    .endm

    .text
    .code16
start:
    cli
    lgdtl   %cs:gdt_pointer - start
    mov     %cr0, %eax
    or      $1, %al
    mov     %eax, %cr0
    ljmpl   $8, $A(secondary)

    .org    APIC_GUEST_ENTRY - GUEST_LOAD
    .code32
    mov     %ebx, JOB
    mov     %eax, ICR
    mov     %edx, ICR + 4
    mov     %ebp, TARGETS
    mov     %edi, DELAY
    mov     %esi, VCPUS
    lgdt    A(gdt_pointer)
    mov     %ecx, %edi
    APIC_ON
    mov     $LABEL_ADDRESS(LABEL_NONE), %ebx
    mov     %ebx, %ebp
    dec     %esi
    jz      3f
    IF_XAPIC 1f
    WRITE_MSR MSR_ICR, INIT_TO_OTHERS
    WRITE_MSR MSR_ICR, SIPI_TO_OTHERS
    jmp     2f
1:  movl    $INIT_TO_OTHERS, XAPIC_ICR
    movl    $SIPI_TO_OTHERS, XAPIC_ICR
2:  cmp     %esi, READY
    jne     2b
3:  mov     %edi, %esi /* operations */
    xor     %edi, %edi /* interrupts that must have been taken */
    JOB_IS  LABEL_TPR, tpr
    JOB_IS  LABEL_TPR_CR8, tpr_cr8
    JOB_IS  LABEL_EOI_EDGE, eoi_edge
    JOB_IS  LABEL_SELF_IPI, self_ipi
    JOB_IS  LABEL_DEADLINE_ARM, deadline_arm
    JOB_IS  LABEL_DEADLINE_FIRE, deadline_fire
    JOB_IS  LABEL_DEADLINE_HLT_FIRE, deadline_hlt_fire
    JOB_IS  LABEL_TPR_XAPIC, tpr_xapic
    JOB_IS  LABEL_EOI_EDGE_XAPIC, eoi_edge_xapic
    JOB_IS  LABEL_SELF_IPI_XAPIC, self_ipi_xapic

    cmpl    $0, TARGETS
    je      msi

    imul    $PREFETCH_STRIDE, JOB, %ebp
    add     $PREFETCH_BASE, %ebp
1:  mov     DELAY, %ecx
2:  dec     %ecx
    jns     2b
    cmp     $1, %esi
    sete    LAST
    mov     ICR, %eax
    mov     ICR + 4, %edx
    mov     $MSR_ICR, %ecx
    IF_XAPIC 3f
    prefetcht0 (%ebp)
    wrmsr
    jmp     4f
3:  shl     $24, %edx
    prefetcht0 (%ebp)
    mov     %edx, XAPIC_ICR_HI
    mov     %eax, XAPIC_ICR
4:  LABEL(LABEL_NONE)
    add     TARGETS, %edi
5:  cmp     %edi, COUNT
    jne     5b
    dec     %esi
    jnz     1b

done:
    LABEL(LABEL_NONE)
    mov     $PORT_DONE, %dx
    out     %al, %dx
wrong:
    ud2

msi:
    imul    $PREFETCH_STRIDE, JOB, %eax
    add     $PREFETCH_BASE, %eax
    JOB_IS  LABEL_EOI_LEVEL, 1f
    JOB_IS  LABEL_RESAMPLE, 0f
    mov     %eax, %ebx
    jmp     2f
0:  movl    $0x10 + 2 * LEVEL_PIN, IOREGSEL
    movl    $LEVEL_RTE, IOWIN
1:  mov     %eax, %ebp
2:  mov     $PORT_DONE, %dx
    out     %al, %dx
    prefetcht0 (%ebx)
3:  mov     COUNT, %eax
    inc     %eax
    cmp     %eax, %esi
    sete    LAST
    jb      done
    JOB_IS  LABEL_MSI_INJECT_HALTED, 4f
    sti
    jmp     3b
4:  sti
    hlt
    cli
    jmp     3b

tpr:
1:  mov     %esi, %eax
    and     $0x7f, %eax
    xor     %edx, %edx
    mov     $MSR_TPR, %ecx
    LABEL(LABEL_TPR)
    wrmsr
    LABEL(LABEL_NONE)
    rdmsr
    xor     %esi, %eax
    test    $0x7f, %eax
    jnz     wrong
    dec     %esi
    jnz     1b
    jmp     done

eoi_edge:
    mov     $LABEL_ADDRESS(LABEL_EOI_EDGE), %ebp
    sti
1:  WRITE_MSR MSR_SELF_IPI, IPI_VECTOR
    inc     %edi
2:  cmp     %edi, COUNT
    jne     2b
    dec     %esi
    jnz     1b
    jmp     done

self_ipi:
    sti
1:  mov     $MSR_SELF_IPI, %ecx
    mov     $IPI_VECTOR, %eax
    xor     %edx, %edx
    inc     %edi
    LABEL(LABEL_SELF_IPI)
    wrmsr
2:  cmp     %edi, COUNT
    jne     2b
    dec     %esi
    jnz     1b
    jmp     done

tpr_xapic:
1:  mov     %esi, %eax
    and     $0x7f, %eax
    LABEL(LABEL_TPR_XAPIC)
    mov     %eax, XAPIC_TPR
    LABEL(LABEL_NONE)
    cmp     %eax, XAPIC_TPR
    jne     wrong
    dec     %esi
    jnz     1b
    jmp     done

eoi_edge_xapic:
    mov     $LABEL_ADDRESS(LABEL_EOI_EDGE_XAPIC), %ebp
    sti
1:  movl    $SELF | IPI_VECTOR, XAPIC_ICR
    inc     %edi
2:  cmp     %edi, COUNT
    jne     2b
    dec     %esi
    jnz     1b
    jmp     done

self_ipi_xapic:
    sti
1:  inc     %edi
    LABEL(LABEL_SELF_IPI_XAPIC)
    movl    $SELF | IPI_VECTOR, XAPIC_ICR
2:  cmp     %edi, COUNT
    jne     2b
    dec     %esi
    jnz     1b
    jmp     done

deadline_arm:
    WRITE_MSR MSR_LVT_TIMER, DEADLINE_MODE | IPI_VECTOR
    mov     $MSR_TSC_DEADLINE, %ecx
    mov     $0x10000000, %edx
1:  mov     %esi, %eax
    LABEL(LABEL_DEADLINE_ARM)
    wrmsr
    LABEL(LABEL_NONE)
    rdmsr
    cmp     %esi, %eax
    jne     wrong
    dec     %esi
    jnz     1b
    jmp     done

    .macro ARM label
    mov     $MSR_TSC_DEADLINE, %ecx
    inc     %edi
    LABEL(\label)
    rdtsc
    add     $SOON, %eax
    adc     $0, %edx
    wrmsr
    .endm

deadline_fire:
    WRITE_MSR MSR_LVT_TIMER, DEADLINE_MODE | IPI_VECTOR
    sti
1:  ARM     LABEL_DEADLINE_FIRE
2:  cmp     %edi, COUNT
    jne     2b
    dec     %esi
    jnz     1b
    jmp     done

deadline_hlt_fire:
    WRITE_MSR MSR_LVT_TIMER, DEADLINE_MODE | IPI_VECTOR
1:  ARM     LABEL_DEADLINE_HLT_FIRE
    sti
    hlt
    cli
    cmp     %edi, COUNT
    jne     wrong
    dec     %esi
    jnz     1b
    jmp     done

/* Who comes here by SIPI. EBX: its label, set again after each interrupt. */
secondary:
    APIC_ON
    mov     $LABEL_ADDRESS(LABEL_NONE), %ebp
    mov     %ebp, %ebx
    JOB_IS  LABEL_IPI_SAME_CPU, 2f /* the label is the CPU's, and the sender's */
    cmpl    $1, TARGETS
    ja      1f
    imul    $STACK, VCPUS, %eax /* a single target is the last processor */
    add     $STACKS, %eax
    cmp     %eax, %esp
    jne     2f
1:  imul    $PREFETCH_STRIDE, JOB, %ebx
    add     $PREFETCH_BASE, %ebx
2:  prefetcht0 (%ebx)
    lock incl READY
    JOB_IS  LABEL_IPI_HALTED, 2f
    sti
1:  jmp     1b
2:  sti
    hlt
    cli
    jmp     2b

    .balign 8
/* EBP, EBX: addresses of the labels during and after the EOI. */
taken:
    LABEL(LABEL_NONE)
    push    %eax
    push    %ecx
    push    %edx
    cmpl    $LABEL_RESAMPLE, JOB
    jne     1f
    mov     $UNTIL_ASLEEP, %ecx
    loop    .
1:  mov     $MSR_EOI, %ecx
    xor     %eax, %eax
    xor     %edx, %edx
    IF_XAPIC 1f
    prefetcht0 (%ebp)
    wrmsr
    jmp     2f
1:  prefetcht0 (%ebp)
    mov     %eax, XAPIC_EOI
2:  LABEL(LABEL_NONE)
    cmpb    $0, LAST
    jne     3f
    prefetcht0 (%ebx)
3:  pop     %edx
    pop     %ecx
    pop     %eax
    lock incl COUNT
    iret

/* CR8 exists in 64-bit mode only. */
tpr_cr8:
    movl    $PDPT + 3, PML4
    movl    $PD + 3, PDPT
    movl    $0x83, PD
    mov     $0x20, %eax
    mov     %eax, %cr4
    mov     $PML4, %eax
    mov     %eax, %cr3
    WRITE_MSR MSR_EFER, 0x100
    mov     %cr0, %eax
    or      $0x80000000, %eax
    mov     %eax, %cr0
    ljmp    $24, $A(long_mode)
    .code64
long_mode:
1:  mov     %esi, %eax
    and     $15, %eax
    LABEL(LABEL_TPR_CR8)
    mov     %rax, %cr8
    LABEL(LABEL_NONE)
    mov     %cr8, %rcx
    cmp     %eax, %ecx
    jne     2f
    dec     %esi
    jnz     1b
    mov     $PORT_DONE, %dx
    out     %al, %dx
2:  ud2

    .balign 8
gdt:
    .quad   0
    .quad   0x00cf9b000000ffff
    .quad   0x00cf93000000ffff
    .quad   0x00af9b000000ffff
gdt_pointer:
    .word   31
    .long   A(gdt)
    .balign 8
idt:
    .fill   IPI_VECTOR, 8, 0
    .word   A(taken), 8, 0x8e00, 0
idt_pointer:
    .word   8 * IPI_VECTOR + 7
    .long   A(idt)
    .org    JOB - GUEST_LOAD
    .section .note.GNU-stack, "", @progbits
