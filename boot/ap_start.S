/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Application processors: from the start-up IPI in real mode to long mode in the high half.
 *
 * smp.c copies ap_start_begin..ap_start_end to a page below 1 MiB; CS = page >> 4, IP = 0. The code takes its own address from CS and
 * completes its pointers while paging is off; with paging on the page is read-only and executable, mapped one to one in the
 * hypervisor's own tables. Where to go comes from smp_ap_args in the image. One CPU is started at a time.
 * SDM volume 3, "Multiple-Processor (MP) Initialization".
 */
#include "arch/cpu/image.h"

    .section .rodata.ap_start, "a"
    .balign 16
    .globl ap_start_begin, ap_start_end
    .code16
ap_start_begin:
    jmp     1f
    .balign 8
    .org    ap_start_begin + AP_CR3_OFF
    .quad   0
1:  cli
    cld
    mov     %cs, %ax
    mov     %ax, %ds
    xor     %ebx, %ebx
    mov     %ax, %bx
    shl     $4, %ebx                    /* EBX = physical address of this page */

    lea     (ap_gdt - ap_start_begin)(%ebx), %eax
    mov     %eax, (ap_gdt_ptr - ap_start_begin + 2)
    lea     (ap_long - ap_start_begin)(%ebx), %eax
    mov     %eax, (ap_jump - ap_start_begin)

    lgdtl   (ap_gdt_ptr - ap_start_begin)
    mov     (AP_CR3_OFF), %eax
    mov     %eax, %cr3
    mov     $CR4_BOOT, %eax
    mov     %eax, %cr4
    mov     $MSR_IA32_EFER_NUM, %ecx
    rdmsr
    or      $EFER_BOOT, %eax
    wrmsr
    mov     $CR0_BOOT, %eax
    mov     %eax, %cr0
    ljmpl   *(ap_jump - ap_start_begin)

    .code64
ap_long:
    mov     $BOOT_DS, %eax
    mov     %eax, %ds
    mov     %eax, %es
    mov     %eax, %ss
    xor     %eax, %eax
    mov     %eax, %fs
    mov     %eax, %gs
    movabs  $smp_ap_args, %rbx
    mov     AP_ARGS_STACK(%rbx), %rsp
    mov     AP_ARGS_ENTRY(%rbx), %rax
    mov     AP_ARGS_ARG(%rbx), %rdi
    movq    $1, AP_ARGS_ALIVE(%rbx)
    xor     %ebp, %ebp
    push    %rbp
    jmp     *%rax

    .balign 8
ap_jump:
    .long   0
    .word   BOOT_CS64
    .balign 8
ap_gdt_ptr:
    .word   23
    .long   0
    .balign 8
ap_gdt:                                 /* marked accessed: the page is read-only once paging is on */
    .quad   0
    .quad   0x00af9b000000ffff
    .quad   0x00cf93000000ffff
ap_start_end:

    .section .note.GNU-stack, "", @progbits
