/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel: a guest in the format of the Linux boot protocol, 2.15, with both entries. It checks the state that the protocol promises,
 * loads all segment registers from the GDT it was given, compares the first bytes of the initial RAM disk with "initrd!\n", prints the
 * entry and its command line on port 0xE9, and ends with code 33; a check that fails ends it with code 2 * n + 1, n from the table below.
 */
	.set	CHECK_CS, 1
	.set	CHECK_DS, 2
	.set	CHECK_REGISTERS, 3
	.set	CHECK_HEADER, 4
	.set	CHECK_E820, 5
	.set	CHECK_INITRD, 6
	.set	CHECK_FLAGS, 7
	.set	GOOD, 0x10
	.set	CODE_SIZE, code_end - code
	.set	INIT_SIZE, 0x8000

	.section .setup, "a"
	.global setup_start
setup_start:
	.org	0x1f1
	.byte	1			/* setup_sects */
	.word	0
	.long	CODE_SIZE / 16
	.word	0, 0, 0
	.word	0xaa55
	.byte	0xeb, header_end - 0x202
	.ascii	"HdrS"
	.word	0x20f
	.long	0
	.word	0, 0
	.byte	0, 1			/* type_of_loader, LOADED_HIGH */
	.word	0
	.long	0x100000, 0, 0, 0
	.word	0, 0
	.long	0, 0x7fffffff		/* cmd_line_ptr, initrd_addr_max */
	.long	0x200000		/* kernel_alignment */
	.byte	1, 21			/* relocatable */
	.word	1			/* 64-bit entry */
	.long	255, 0, 0, 0, 0, 0, 0, 0	/* cmdline_size to setup_data */
	.quad	0x200000		/* pref_address */
	.long	INIT_SIZE, 0, 0
	.set	header_end, . - setup_start
	.org	0x400

	.section .text
	.code32
code:	/* ESI: boot parameters */
	mov	%cs, %ax
	mov	$CHECK_CS, %bp
	cmp	$0x10, %ax
	jne	fail32
	mov	$CHECK_DS, %bp
	mov	%ds, %ax
	mov	%es, %cx
	mov	%ss, %dx
	shl	$16, %eax
	or	%cx, %ax
	cmp	$0x180018, %eax
	jne	fail32
	cmp	$0x18, %dx
	jne	fail32
	mov	$CHECK_REGISTERS, %bp
	or	%edi, %ebx
	jnz	fail32
	mov	$0x202000, %esp		/* behind the image, within init_size */
	pushf
	pop	%eax
	mov	$CHECK_FLAGS, %bp
	test	$0x200, %eax
	jnz	fail32
	ljmp	$0x10, $1f		/* the GDT is real */
1:	mov	$0x18, %eax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	$CHECK_HEADER, %bp
	cmpl	$0x53726448, 0x202(%esi)
	jne	fail32
	mov	$CHECK_E820, %bp
	cmpb	$2, 0x1e8(%esi)
	jne	fail32
	mov	$CHECK_INITRD, %bp
	cmpl	$8, 0x21c(%esi)
	jb	fail32
	mov	0x218(%esi), %edi
	cmpl	$0x74696e69, (%edi)
	jne	fail32
	cmpl	$0x0a216472, 4(%edi)
	jne	fail32
	mov	0x228(%esi), %edi
	mov	$text32, %esi
	call	print32
	mov	%edi, %esi
	call	print32
	mov	$newline, %esi
	call	print32
	mov	$GOOD, %bp
fail32:	mov	%ebp, %eax
	out	%al, $0xf4
2:	hlt
	jmp	2b

print32:
	lodsb
	test	%al, %al
	jz	3f
	out	%al, $0xe9
	jmp	print32
3:	ret

	.org	0x200
	.code64
	mov	%cs, %ax
	mov	$CHECK_CS, %bp
	cmp	$0x10, %ax
	jne	fail64
	mov	$CHECK_DS, %bp
	mov	%ds, %ax
	cmp	$0x18, %ax
	jne	fail64
	mov	%ss, %ax
	cmp	$0x18, %ax
	jne	fail64
	mov	$0x202000, %rsp
	pushf
	pop	%rax
	mov	$CHECK_FLAGS, %bp
	test	$0x200, %eax
	jnz	fail64
	pushq	$0x10
	pushq	$1f
	lretq
1:	mov	$0x18, %eax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	$CHECK_HEADER, %bp
	cmpl	$0x53726448, 0x202(%rsi)
	jne	fail64
	mov	$CHECK_E820, %bp
	cmpb	$2, 0x1e8(%rsi)
	jne	fail64
	mov	$CHECK_INITRD, %bp
	cmpl	$8, 0x21c(%rsi)
	jb	fail64
	mov	0x218(%rsi), %edi
	movabs	$0x0a21647274696e69, %rax
	cmp	%rax, (%rdi)
	jne	fail64
	mov	0x228(%rsi), %edi
	lea	text64(%rip), %rsi
	call	print64
	mov	%rdi, %rsi
	call	print64
	lea	newline(%rip), %rsi
	call	print64
	mov	$GOOD, %bp
fail64:	mov	%ebp, %eax
	out	%al, $0xf4
2:	hlt
	jmp	2b

print64:
	lodsb
	test	%al, %al
	jz	3f
	out	%al, $0xe9
	jmp	print64
3:	ret

text32:	.asciz	"32-bit entry: "
text64:	.asciz	"64-bit entry: "
newline:
	.asciz	"\n"
	.balign	16
code_end:
	.section .note.GNU-stack, "", @progbits
