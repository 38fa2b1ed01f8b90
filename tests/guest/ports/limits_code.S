/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * INS and OUTS in 32-bit and 16-bit code against segments with a limit, read-only, expand-down, and unusable. Each routine loads the segment under test (SEL_FREE, given in
 * CX by ports_selector) and ends in INT 0x40; limits.c has the table.
 */
	.macro	ins32 name, at, insn
	.globl	\name
\name:	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %ss
	mov	ports_selector, %eax
	mov	%eax, %es
	mov	$0x1234, %edx
	mov	$\at, %edi
	\insn
	int	$0x40
	.endm

	.macro	outs32 name, seg, at
	.globl	\name
\name:	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %ss
	mov	ports_selector, %eax
	mov	%eax, \seg
	mov	$0x1234, %edx
	mov	$\at, %esi
	.endm

	.text
	.code32
	ins32	limit_insl_in, 0xffc, insl
	ins32	limit_insl_over, 0xffd, insl
	ins32	limit_insb_last, 0xfff, insb
	ins32	limit_insb_over, 0x1000, insb
	ins32	limit_insw_wrap, 0xffffffff, insw
	outs32	limit_outs_gs_in, %gs, 0xffc
	gs outsl
	int	$0x40
	outs32	limit_outs_gs_over, %gs, 0xffe
	gs outsl
	int	$0x40
	outs32	limit_outs_ss_over, %fs, 0xffe	/* SS itself, below */
	mov	ports_selector, %eax
	mov	%eax, %ss
	ss outsl
	int	$0x40
	.globl	limit_outs_null
limit_outs_null:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %gs
	mov	$0x1234, %edx
	xor	%esi, %esi
	gs outsb
	int	$0x40
	.globl	limit_ins_cs
limit_ins_cs:				/* the data comes from the code segment: readable */
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %ss
	mov	$0x1234, %edx
	mov	$limit_ins_cs, %esi
	cs outsb
	int	$0x40
	.code64
	.section .note.GNU-stack, "", @progbits
