/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entry of the hostile loader (Multiboot 0.6.96 section 3), its leap to Signalbox (PVH: EBX = start
 * information, 32-bit protected mode, no paging), and the first instructions of the other CPUs,
 * which storm.c copies to STORM_PAGE: real mode to flat protected mode, then storm_main.
 */
#define MAGIC      0x1badb002
#define FLAGS      0x00000003 /* modules on page boundaries, memory information */
#define STORM_PAGE 0x8000

    .section .text.start, "ax"
    .balign 4
    .long MAGIC, FLAGS, -(MAGIC + FLAGS)

    .globl _start
_start:
    cli
    cld
    mov     $stack_top, %esp
    lgdt    gdt_pointer
    ljmp    $8, $1f
1:  mov     $16, %ecx
    mov     %ecx, %ds
    mov     %ecx, %es
    mov     %ecx, %ss
    push    %ebx
    push    %eax
    call    loader_main
    ud2

/* enter(entry, start_info) */
    .globl enter
enter:
    mov     4(%esp), %eax
    mov     8(%esp), %ebx
    xor     %ecx, %ecx
    xor     %edx, %edx
    xor     %esi, %esi
    xor     %edi, %edi
    xor     %ebp, %ebp
    jmp     *%eax

    .globl storm_code, storm_code_end
    .code16
storm_code:
    cli
    xor     %ax, %ax
    mov     %ax, %ds
    lgdtl   STORM_PAGE + storm_gdt_pointer - storm_code
    mov     $1, %eax
    mov     %eax, %cr0
    ljmpl   $8, $2f
storm_gdt_pointer:
    .word   23
    .long   gdt
storm_code_end:

    .code32
2:  mov     $16, %ecx
    mov     %ecx, %ds
    mov     %ecx, %es
    mov     %ecx, %ss
    mov     $1, %eax
    lock xadd %eax, storm_turn
    test    %eax, %eax
    jnz     3f                          /* one CPU sends; there is one stack */
    mov     $storm_stack_top, %esp
    call    storm_main
3:  cli
    hlt
    jmp     3b

    .section .rodata
    .balign 8
gdt:
    .quad   0
    .quad   0x00cf9b000000ffff
    .quad   0x00cf93000000ffff
gdt_pointer:
    .word   23
    .long   gdt

    .section .bss
    .balign 16
    .skip   16384
stack_top:
    .skip   4096
storm_stack_top:
storm_turn:
    .skip   4

    .section .note.GNU-stack, "", @progbits
