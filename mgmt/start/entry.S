/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 64-bit side of the manager's start, and the way into its exception handler.
 *
 * entry_start: from the stub, in 64-bit mode on the page tables that it built, without a stack.
 * trap_entry_N: 32 stubs of equal size; each pushes a zero where the exception has no error code,
 * then the vector, and trap_report() prints the frame that lies on the stack (struct trap_frame).
 * SDM volume 3, "Exception and Interrupt Reference", table of protected-mode exceptions.
 */

	.section .stub, "a"
	.incbin "stub.bin"

	.text
	.code64
	.global entry_start
entry_start:
	lea	stack_top(%rip), %rsp
	mov	%cr0, %rax
	and	$~(1 << 2), %rax	/* EM */
	or	$(1 << 1 | 1 << 5), %rax /* MP, NE */
	mov	%rax, %cr0
	mov	%cr4, %rax
	or	$(1 << 9 | 1 << 10), %rax /* OSFXSAVE, OSXMMEXCPT */
	mov	%rax, %cr4
	fninit
	xor	%ebp, %ebp
	call	start_main
1:	hlt
	jmp	1b

	.macro TRAP vector
	.balign 16
	.if (\vector == 8) || ((\vector >= 10) && (\vector <= 14)) || (\vector == 17) || (\vector == 21)
	.else
	push	$0
	.endif
	push	$\vector
	jmp	trap_common
	.endm

	.balign 16
	.global trap_stubs
trap_stubs:
	.altmacro
	.set	n, 0
	.rept	32
	TRAP	%n
	.set	n, n + 1
	.endr

trap_common:
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%r11
	push	%r10
	push	%r9
	push	%r8
	push	%rdi
	push	%rsi
	push	%rbp
	push	%rbx
	push	%rdx
	push	%rcx
	push	%rax
	mov	%rsp, %rdi
	cld
	and	$~15, %rsp
	call	trap_report
1:	hlt
	jmp	1b
	.section .note.GNU-stack, "", @progbits
