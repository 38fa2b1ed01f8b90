/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Start of every proof: from Multiboot 1 (32-bit, paging off) to 64-bit C, and back and forth across VM entry.
 *
 * The first 4 GiB are mapped one to one with 2 MiB pages, by processor and by the host state of the VMCS alike.
 * Every vector has a stub that leaves (vector, error code) below the registers and calls proof_trap. vmx_enter
 * loads the guest's general registers, enters, and returns after the next exit; host RSP and RIP are written here.
 * Specifications: Multiboot 0.6.96 section 3.1; SDM volume 3 sections 4.5 (4-level paging) and 27 (VM entries).
 */
#define VMCS_HOST_RSP 0x6c14
#define VMCS_HOST_RIP 0x6c16

        .text                           /* first object of the link: the header is within the first 8 KiB */
        .balign 4
        .long   0x1badb002, 3, -(0x1badb002 + 3)
        .code32
        .globl  _start
_start:
        movl    $stack_top, %esp
        cld
        movl    $boot_pd, %edi
        movl    $0x83, %eax
        xorl    %edx, %edx
1:      movl    %eax, (%edi)
        movl    %edx, 4(%edi)
        addl    $8, %edi
        addl    $0x200000, %eax
        jnc     1b
        movl    $(boot_pdpt + 3), boot_pml4
        movl    $(boot_pd + 0x0003), boot_pdpt
        movl    $(boot_pd + 0x1003), boot_pdpt + 8
        movl    $(boot_pd + 0x2003), boot_pdpt + 16
        movl    $(boot_pd + 0x3003), boot_pdpt + 24
        movl    %cr4, %eax
        orl     $0x20, %eax             /* PAE */
        movl    %eax, %cr4
        movl    $boot_pml4, %eax
        movl    %eax, %cr3
        movl    $0xc0000080, %ecx       /* IA32_EFER.LME */
        rdmsr
        orl     $0x100, %eax
        wrmsr
        movl    %cr0, %eax
        orl     $0x80000021, %eax       /* PG, NE, PE */
        movl    %eax, %cr0
        lgdt    gdt_pointer
        ljmp    $0x08, $long_mode

        .code64
long_mode:
        movl    $0x10, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    %eax, %fs
        movl    %eax, %gs
        movq    $tss, %rax              /* base of the task state segment into its descriptor */
        movw    %ax, gdt_tss + 2
        shrq    $16, %rax
        movb    %al, gdt_tss + 4
        movb    %ah, gdt_tss + 7
        movl    $0x18, %eax
        ltr     %ax
        call    proof_start
1:      cli
        hlt
        jmp     1b

        /* Stubs of 16 bytes each; vectors without an error code push a zero in its place. */
        .balign 16
        .globl  trap_stubs
trap_stubs:
        .set    vector, 0
        .rept   256
        .balign 16
        .if     !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17)
        pushq   $0
        .endif
        pushq   $vector
        jmp     trap_common
        .set    vector, vector + 1
        .endr

        .balign 16
trap_common:
        pushq   %rax
        pushq   %rcx
        pushq   %rdx
        pushq   %rbx
        pushq   %rbp
        pushq   %rsi
        pushq   %rdi
        pushq   %r8
        pushq   %r9
        pushq   %r10
        pushq   %r11
        movq    %rsp, %rdi
        cld
        movq    %rsp, %rbx
        andq    $-16, %rsp
        call    proof_trap
        movq    %rbx, %rsp
        popq    %r11
        popq    %r10
        popq    %r9
        popq    %r8
        popq    %rdi
        popq    %rsi
        popq    %rbp
        popq    %rbx
        popq    %rdx
        popq    %rcx
        popq    %rax
        addq    $16, %rsp
        iretq

        /* int vmx_enter(struct guest_regs *regs, int resume): 0 after an exit, 1 when the entry itself failed */
        .globl  vmx_enter
vmx_enter:
        pushq   %rbx
        pushq   %rbp
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        pushq   %rdi
        movl    $VMCS_HOST_RSP, %eax
        vmwrite %rsp, %rax
        leaq    vmx_exited(%rip), %rdx
        movl    $VMCS_HOST_RIP, %eax
        vmwrite %rdx, %rax
        movq    %rdi, %rax
        testl   %esi, %esi              /* the flag lives until the branch: MOV changes none */
        movq    8(%rax), %rcx
        movq    16(%rax), %rdx
        movq    24(%rax), %rbx
        movq    32(%rax), %rbp
        movq    40(%rax), %rsi
        movq    48(%rax), %rdi
        movq    56(%rax), %r8
        movq    64(%rax), %r9
        movq    72(%rax), %r10
        movq    80(%rax), %r11
        movq    88(%rax), %r12
        movq    96(%rax), %r13
        movq    104(%rax), %r14
        movq    112(%rax), %r15
        movq    0(%rax), %rax
        jnz     1f
        vmlaunch
        jmp     2f
1:      vmresume
2:      popq    %rdi
        movl    $1, %eax
        jmp     3f

vmx_exited:
        xchgq   %rdi, (%rsp)
        movq    %rax, 0(%rdi)
        movq    %rcx, 8(%rdi)
        movq    %rdx, 16(%rdi)
        movq    %rbx, 24(%rdi)
        movq    %rbp, 32(%rdi)
        movq    %rsi, 40(%rdi)
        popq    48(%rdi)
        movq    %r8, 56(%rdi)
        movq    %r9, 64(%rdi)
        movq    %r10, 72(%rdi)
        movq    %r11, 80(%rdi)
        movq    %r12, 88(%rdi)
        movq    %r13, 96(%rdi)
        movq    %r14, 104(%rdi)
        movq    %r15, 112(%rdi)
        xorl    %eax, %eax
3:      popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbp
        popq    %rbx
        ret

        .data
        .balign 16
        .globl  gdt
gdt:    .quad   0, 0x00af9a000000ffff, 0x00cf92000000ffff
gdt_tss:
        .quad   0x0000890000000067, 0
gdt_pointer:
        .short  . - gdt - 1
        .quad   gdt

        .bss
        .balign 4096
boot_pml4:
        .skip   4096
boot_pdpt:
        .skip   4096
boot_pd:
        .skip   4 * 4096
        .globl  tss
tss:    .skip   4096
        .skip   16384
stack_top:
        .section .note.GNU-stack, "", @progbits
