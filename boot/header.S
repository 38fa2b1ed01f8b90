/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way in: every loader enters here in 32-bit protected mode without paging, and leaves in long mode
 * in the high half, on the boot stack, calling boot_main(protocol, info_pa).
 *
 *   Multiboot 0.6.96   EAX 0x2BADB002, EBX = info      (GRUB, qemu -kernel)   boot_entry
 *   Multiboot2 2.0     EAX 0x36D76289, EBX = info      (GRUB BIOS and UEFI)   boot_entry
 *   PVH                EBX = hvm_start_info            (PVH loaders)          boot_entry_pvh
 *
 * The boot page tables map the first 4 GiB one to one and the first GiB again at IMAGE_VMA, all of it RWX; boot_main
 * replaces them by the W^X tables (arch/cpu/paging.c) and nobody uses them again. NMIs are shut out until there is an IDT.
 * A CPU without long mode or NX gets a line on COM1, since nothing else works there.
 */
#include "boot/boot_asm.h"

#define PA(sym) ((sym) - IMAGE_VMA)

#define MB1_MAGIC 0x1badb002
/* PAGE_ALIGN modules | MEMORY_INFO | address fields valid (the ELF is 64-bit, so loaders need them). */
#define MB1_FLAGS 0x00010003

#define MB2_MAGIC  0xe85250d6
#define MB2_LENGTH (mb2_end - mb2_header)

    .section .boot.header, "a"
    .balign 8
    .globl mb1_header
mb1_header:
    .long MB1_MAGIC
    .long MB1_FLAGS
    .long -(MB1_MAGIC + MB1_FLAGS)
    .long PA(mb1_header)
    .long PA(image_start)
    .long PA(load_end)
    .long PA(image_end)
    .long PA(boot_entry)

    .balign 8
mb2_header:
    .long MB2_MAGIC
    .long 0                             /* architecture: i386, protected mode */
    .long MB2_LENGTH
    .long -(MB2_MAGIC + MB2_LENGTH)
    /* Tag 3: where to enter; the ELF entry is physical, but loaders differ in how they read it. */
    .balign 8
    .word 3, 0
    .long 12
    .long PA(boot_entry)
    /* Tag 6: modules on page boundaries. */
    .balign 8
    .word 6, 0
    .long 8
    .balign 8
    .word 0, 0
    .long 8
mb2_end:

    /* PVH: ELF note XEN_ELFNOTE_PHYS32_ENTRY. */
    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 4, 18
    .asciz "Xen"
    .long PA(boot_entry_pvh)

    .section .boot.text, "ax"
    .code32
    .globl boot_entry
    .type boot_entry, @function
    .type boot_entry_pvh, @function
    .type boot_entry64, @function
boot_entry_pvh:
    mov     $BOOT_MAGIC_PVH, %eax
boot_entry:
    cli
    cld
    mov     $PA(boot_stack_top), %esp
    mov     %eax, %ebp
    mov     %ebx, %edi
    /* Bit 7 of port 0x70 holds NMIs back: until boot_main has an IDT one would be a triple fault. */
    mov     $0x8f, %al
    outb    %al, $0x70
    inb     $0x71, %al

    /* CPUID must exist: EFLAGS.ID (bit 21) can be flipped. */
    pushf
    pop     %eax
    mov     %eax, %ecx
    xor     $0x200000, %eax
    push    %eax
    popf
    pushf
    pop     %eax
    cmp     %ecx, %eax
    je      boot_no_long_mode

    mov     $0x80000000, %eax
    cpuid
    cmp     $0x80000001, %eax
    jb      boot_no_long_mode
    mov     $0x80000001, %eax
    cpuid
    bt      $29, %edx                   /* LM */
    jnc     boot_no_long_mode
    bt      $20, %edx                   /* NX */
    jnc     boot_no_long_mode

    /* Four page directories of 2 MiB pages: 0..4 GiB. Present, writable, large. */
    mov     $PA(boot_pd), %ebx
    mov     $0x83, %eax
    xor     %edx, %edx
    mov     $2048, %ecx
1:  mov     %eax, (%ebx)
    mov     %edx, 4(%ebx)
    add     $0x200000, %eax
    adc     $0, %edx
    add     $8, %ebx
    loop    1b

    mov     $PA(boot_pdpt_low), %ebx
    mov     $PA(boot_pd) + 3, %eax
    mov     $4, %ecx
2:  mov     %eax, (%ebx)
    add     $4096, %eax
    add     $8, %ebx
    loop    2b
    movl    $PA(boot_pd) + 3, PA(boot_pdpt_high) + 8 * 510
    movl    $PA(boot_pdpt_low) + 3, PA(boot_pml4)
    movl    $PA(boot_pdpt_high) + 3, PA(boot_pml4) + 8 * 511

    mov     $PA(boot_pml4), %eax
    mov     %eax, %cr3
    mov     $CR4_BOOT, %eax
    mov     %eax, %cr4
    mov     $MSR_IA32_EFER_NUM, %ecx
    rdmsr
    or      $EFER_BOOT, %eax
    wrmsr
    mov     $CR0_BOOT, %eax
    mov     %eax, %cr0
    lgdt    PA(boot_gdt_ptr)
    ljmp    $BOOT_CS64, $PA(boot_entry64)

boot_no_long_mode:
    mov     $PA(boot_no_long_mode_text), %esi
    mov     $0x3f8, %dx
3:  lodsb
    test    %al, %al
    jz      4f
    outb    %al, (%dx)
    jmp     3b
4:  cli
    hlt
    jmp     4b
boot_no_long_mode_text:
    .asciz "Signalbox: this CPU has no 64-bit mode or no NX; an Intel 64 processor with VT-x is needed. Halted.\r\n"

    .code64
boot_entry64:
    mov     $BOOT_DS, %eax
    mov     %eax, %ds
    mov     %eax, %es
    mov     %eax, %ss
    xor     %eax, %eax
    mov     %eax, %fs
    mov     %eax, %gs
    movabs  $boot_entry_high, %rax
    jmp     *%rax
boot_entry_high:
    movabs  $boot_stack_top, %rsp
    mov     %edi, %esi                  /* info_pa */
    mov     %ebp, %edi                  /* protocol */
    xor     %ebp, %ebp
    call    boot_main
    ud2

    .section .rodata.boot, "a"
    .balign 8
boot_gdt_ptr:
    .word   boot_gdt_end - boot_gdt - 1
    .long   PA(boot_gdt)
    .balign 8
boot_gdt:
    .quad   0
    .quad   0x00af9b000000ffff          /* BOOT_CS64 */
    .quad   0x00cf93000000ffff          /* BOOT_DS */
boot_gdt_end:

    .section .bss.page, "aw", @nobits
    .balign 4096
boot_pml4:
    .skip   4096
boot_pdpt_low:
    .skip   4096
boot_pdpt_high:
    .skip   4096
boot_pd:
    .skip   4096 * 4
boot_stack:
    .skip   16384
    .globl boot_stack_top
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
