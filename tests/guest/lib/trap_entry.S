/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entry of all 256 vectors, and the way to CPL 3 and back. The frame is struct trap_frame (trap.h).
 * trap_stubs: 256 entries of 16 bytes.
 */
	.text
	.balign	16
	.globl trap_stubs
trap_stubs:
	.set	vector, 0
	.rept	256
	.balign	16
	/* These push an error code: #DF #TS #NP #SS #GP #PF #AC #CP */
	.if (vector == 8) || ((vector >= 10) && (vector <= 14)) || (vector == 17) || (vector == 21)
	.else
	push	$0
	.endif
	push	$vector
	jmp	common
	.set	vector, vector + 1
	.endr

common:
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
	cld
	mov	%rsp, %rdi
	mov	%rsp, %rbp
	and	$-16, %rsp
	call	trap_handler
	mov	%rbp, %rsp
	pop	%rax
	pop	%rcx
	pop	%rdx
	pop	%rbx
	pop	%rbp
	pop	%rsi
	pop	%rdi
	pop	%r8
	pop	%r9
	pop	%r10
	pop	%r11
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	add	$16, %rsp
	iretq

/*
 * uint64_t trap_user_enter(code, stack, cs, ss, rflags): runs code at CPL 3 until it traps; the handler comes
 * back by trap_user_leave. RDI, RSI, RDX, RCX, R8.
 */
	.globl trap_user_enter, trap_user_leave
trap_user_enter:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, user_return
	push	%rcx
	push	%rsi
	push	%r8
	push	%rdx
	push	%rdi
	mov	%r9, %rax
	iretq
trap_user_leave:
	mov	$0x10, %eax		/* the privilege change left SS null */
	mov	%eax, %ss
	mov	user_return, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret


/*
 * void trap_call(code, cs): runs code at CPL 0 in that segment until it traps. All registers but the stack pointer are the code's to spoil.
 * RDI, RSI.
 */
	.globl trap_call
trap_call:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	pushf
	mov	%rsp, call_return
	movq	$1f, trap_resume
	push	%rsi
	push	%rdi
	xor	%r8d, %r8d		/* the same for every run */
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d
	lretq
1:	mov	call_return, %rsp
	popf
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	.bss
	.balign 8
user_return: .quad 0
call_return: .quad 0
	.section .note.GNU-stack, "", @progbits
