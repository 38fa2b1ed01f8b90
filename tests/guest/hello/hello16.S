/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hello16: the smallest guest, for type = flat16. Real mode: a line on the debug console, a line on
 * the first serial port, and the end with code 33.
 */
	.code16
	.global start
start:
	cli
	cld
	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %ss
	mov	$0x7c00, %sp
	mov	$text, %si
1:	lodsb
	test	%al, %al
	jz	2f
	out	%al, $0xe9
	jmp	1b

2:	mov	$serial, %si
3:	mov	$0x3fd, %dx
4:	in	%dx, %al
	test	$0x20, %al		/* transmitter empty */
	jz	4b
	lodsb
	test	%al, %al
	jz	5f
	mov	$0x3f8, %dx
	out	%al, %dx
	jmp	3b

5:	mov	$0x10, %al		/* (0x10 << 1) | 1 = 33 */
	out	%al, $0xf4
6:	hlt
	jmp	6b

text:	.asciz	"hello from real mode, by port 0xe9\n"
serial:	.asciz	"hello from real mode, by the serial port\r\n"
	.section .note.GNU-stack, "", @progbits
