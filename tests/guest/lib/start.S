/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Start of a test guest: PVH (32-bit protected mode without paging, EBX = start info) to 64-bit mode.
 * The first 4 GiB are mapped one to one in pages of 2 MiB, writable and for user mode too; the page
 * at 0 is mapped as well. Segments: see gdt below. Then guest_start(start info).
 *
 * The Multiboot header serves for starts without a hypervisor: GRUB enters in the same state, with its own information in EBX.
 */
#define CR0_PE_MP_NE_PG	0x80000023
#define CR4_PAE_OSFX	0x620
#define PTE_PWU		7
#define PTE_PWU_PS	0x87

	.section .text.start, "ax"
	.code32
	.globl start
start:
	jmp	1f
	.balign	4
	.long	0x1badb002, 0x3, -(0x1badb002 + 0x3)
1:	cli
	cld
	mov	$stack_top, %esp
	mov	%ebx, %esi
	movl	$page_pdpt + PTE_PWU, page_pml4
	movl	$page_pd + PTE_PWU, %eax
	xor	%ecx, %ecx
1:	mov	%eax, page_pdpt(,%ecx,8)
	add	$4096, %eax
	inc	%ecx
	cmp	$4, %ecx
	jb	1b
	mov	$PTE_PWU_PS, %eax
	xor	%ecx, %ecx
2:	mov	%eax, page_pd(,%ecx,8)
	add	$0x200000, %eax
	inc	%ecx
	cmp	$2048, %ecx
	jb	2b
	mov	$CR4_PAE_OSFX, %eax
	mov	%eax, %cr4
	mov	$page_pml4, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx
	rdmsr
	or	$0x901, %eax		/* SCE, LME, NXE */
	wrmsr
	mov	$CR0_PE_MP_NE_PG, %eax
	mov	%eax, %cr0
	lgdt	gdt_pointer
	ljmp	$0x08, $3f
	.code64
3:	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	mov	$stack_top, %esp
	mov	%esi, %edi
	xor	%ebp, %ebp
	call	guest_start
4:	hlt
	jmp	4b

	.data
	.balign	16
	.globl gdt
gdt:	.quad	0
	.quad	0x00af9b000000ffff	/* 0x08 code, 64-bit */
	.quad	0x00cf93000000ffff	/* 0x10 data */
	.quad	0x00cf9b000000ffff	/* 0x18 code, 32-bit, flat */
	.quad	0x00affb000000ffff	/* 0x20 user code, 64-bit */
	.quad	0x00cff3000000ffff	/* 0x28 user data */
	.quad	0x00cffb000000ffff	/* 0x30 user code, 32-bit */
	.quad	0x00009b000000ffff	/* 0x38 code, 16-bit, base 0 */
	.quad	0x000093000000ffff	/* 0x40 data, 16-bit, base 0 */
	.globl gdt_tss
gdt_tss:
	.quad	0, 0			/* 0x48 64-bit TSS, filled by trap_init */
	.globl gdt_free
gdt_free:
	.quad	0, 0, 0, 0		/* 0x58 for the tests */
gdt_end:
	.globl gdt_pointer
gdt_pointer:
	.word	gdt_end - gdt - 1
	.quad	gdt

	.bss
	.balign	4096
	.globl page_pml4, page_pdpt, page_pd
page_pml4: .skip 4096
page_pdpt: .skip 4096
page_pd:   .skip 4 * 4096
	.skip	16384
	.globl stack_top
stack_top:

	.section .note.pvh, "a", @note
	.long	4, 4, 18
	.asciz	"Xen"
	.long	start
	.section .note.GNU-stack, "", @progbits
