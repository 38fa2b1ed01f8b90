/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ends: a guest (type = flat32) that ends in the way that the first letter of its command line says:
 * e: exit code 7; t: triple fault; h: halts for ever; l: loops for ever; u: never ending line, then
 * exit code 33; f: floods its console with lines, then exit code 33; m: touches memory that is not
 * there, then exit code 33 if that reads as ones; s: sends back what comes by the serial port, each
 * letter followed by a dot, until a q, then exit code 33.
 */
	.text
	.code32
	.global start
start:
	cld
	mov	$stack_top, %esp
	mov	24(%ebx), %esi
	mov	(%esi), %al
	cmp	$'e', %al
	je	exit7
	cmp	$'t', %al
	je	triple
	cmp	$'h', %al
	je	halt
	cmp	$'l', %al
	je	loop
	cmp	$'u', %al
	je	unending
	cmp	$'f', %al
	je	flood
	cmp	$'m', %al
	je	memory
	cmp	$'s', %al
	je	serial
	mov	$0, %eax
	out	%al, $0xf4

exit7:	mov	$3, %al			/* (3 << 1) | 1 */
	out	%al, $0xf4

triple:	lidt	no_idt
	int3

halt:	hlt
	jmp	halt

loop:	jmp	loop

unending:
	mov	$300, %ecx
1:	mov	$'u', %al
	out	%al, $0xe9
	loop	1b
	jmp	good

flood:	mov	$2000, %ecx
1:	mov	$text, %esi
2:	lodsb
	test	%al, %al
	jz	3f
	out	%al, $0xe9
	jmp	2b
3:	loop	1b
	jmp	good

serial:	mov	$0x3fd, %dx
	in	%dx, %al
	test	$1, %al			/* data ready */
	jz	serial
	mov	$0x3f8, %dx
	in	%dx, %al
	out	%al, %dx
	cmp	$'q', %al
	je	good
	mov	$'.', %al
	out	%al, %dx
	jmp	serial

memory:	mov	$0xfee00000 - 0x1000, %edi
	movl	$0x12345678, (%edi)
	cmpl	$-1, (%edi)
	jne	exit7
good:	mov	$0x10, %al
	out	%al, $0xf4

	.balign	8
no_idt:	.word	0
	.long	0
text:	.asciz	"the same line, over and over again\n"
	.bss
	.skip	256
stack_top:
	.section .note.GNU-stack, "", @progbits
