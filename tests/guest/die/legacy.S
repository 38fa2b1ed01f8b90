/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ends that need 32-bit mode without paging. die_task: a jump to a TSS, a task switch, which the hypervisor does not do. die_ac_loop: at CPL 3, with alignment
 * checks and a stack that is not aligned, #AC whose handler runs at CPL 3 too: pushing its frame raises #AC, for ever (XSA-156).
 */
	.macro	to_legacy
	push	$0x18
	push	$1f
	lretq
	.code32
1:	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$legacy_stack, %esp
	mov	%cr0, %eax
	and	$0x7fffffff, %eax
	mov	%eax, %cr0
	jmp	1f
1:	mov	$0xc0000080, %ecx
	rdmsr
	and	$~0x100, %eax
	wrmsr
	lidt	legacy_idt_pointer
	.endm

	.text
	.code64
	.globl	die_task, die_ac_loop
die_task:
	to_legacy
	movl	$0x0067, gdt_free
	movl	$legacy_tss, %eax
	movw	%ax, gdt_free+2
	shr	$16, %eax
	movb	%al, gdt_free+4
	movb	$0x89, gdt_free+5
	movl	$0x0067, gdt_free+8		/* the one in use: 32-bit, available */
	movl	$legacy_tss + 104, %eax
	movw	%ax, gdt_free+10
	shr	$16, %eax
	movb	%al, gdt_free+12
	movb	$0x89, gdt_free+13
	mov	$0x60, %ax
	ltr	%ax
	ljmp	$0x58, $0
	hlt

	.code64
die_ac_loop:
	to_legacy
	mov	$handler, %eax			/* gate 17: CPL 3 to CPL 3 */
	movw	%ax, legacy_idt+17*8
	movw	$0x30, legacy_idt+17*8+2
	movw	$0x8e00, legacy_idt+17*8+4
	shr	$16, %eax
	movw	%ax, legacy_idt+17*8+6
	mov	%cr0, %eax
	or	$0x40000, %eax			/* AM */
	mov	%eax, %cr0
	pushl	$0x2b
	pushl	$legacy_stack - 3
	pushl	$0x40002			/* AC */
	pushl	$0x33
	pushl	$1f
	iretl
1:	push	%eax
handler: jmp	handler
	.code64

	.data
	.balign	8
legacy_idt:
	.skip	32 * 8
legacy_idt_pointer:
	.word	32 * 8 - 1
	.long	legacy_idt
	.balign	16
legacy_tss:
	.skip	2 * 104
	.bss
	.balign	16
	.skip	512
legacy_stack:
	.section .note.GNU-stack, "", @progbits
