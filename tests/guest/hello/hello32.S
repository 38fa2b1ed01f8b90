/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hello32: a guest in protected mode, for type = flat32, multiboot and pvh. It says by which protocol
 * it was started and its command line, and ends with code 33; or, when neither protocol's magic
 * number is there, with code 3.
 */
	.section .text, "ax"
	.code32
	.global start
start:
	jmp	begin

	.balign	4
	.long	0x1badb002, 0x3, -(0x1badb002 + 0x3)	/* Multiboot: page-aligned modules, memory */

begin:
	cld
	mov	$stack_top, %esp
	mov	$by_multiboot, %esi
	mov	16(%ebx), %edi			/* Multiboot: command line */
	cmp	$0x2badb002, %eax
	je	1f
	mov	$by_pvh, %esi
	mov	24(%ebx), %edi			/* PVH: command line */
	cmpl	$0x336ec578, (%ebx)
	jne	fail
1:	call	print
	mov	%edi, %esi
	call	print
	mov	$newline, %esi
	call	print
	mov	$0x10, %al
	out	%al, $0xf4
fail:	mov	$1, %al
	out	%al, $0xf4
2:	hlt
	jmp	2b

print:	lodsb
	test	%al, %al
	jz	3f
	out	%al, $0xe9
	jmp	print
3:	ret

by_multiboot:	.asciz	"hello from protected mode, by multiboot: "
by_pvh:		.asciz	"hello from protected mode, by pvh: "
newline:	.asciz	"\n"

	.section .bss, "aw", @nobits
	.balign	16
	.skip	1024
stack_top:

	.section .note.pvh, "a", @note
	.long	4, 4, 18
	.asciz	"Xen"
	.long	start
	.section .note.GNU-stack, "", @progbits
