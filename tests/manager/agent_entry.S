/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entry, exceptions and the single instructions of the agent; see agent.h and agent.c. GS is based
 * on the vCPU's mailbox: the offsets here are those of struct mailbox, checked in agent.c.
 */
#define BOX_VECTOR     88
#define BOX_ERROR      96
#define BOX_RIP        104
#define BOX_RSP        112
#define BOX_STOP       128
#define BOX_NMIS       136
#define BOX_INTERRUPTS 144
#define BOX_LAST       152
#define BOX_BOXES      168
#define LAPIC_EOI      0x3fe000b0

	.section .head, "ax"
	.code64
	.global agent_entry
agent_entry:			/* at AGENT_CODE: RDI = mailbox, RSP = stack */
	jmp	agent_main
	.balign 16
	.global agent_user	/* at AGENT_CODE + 16: a call from CPL 3, then the port for ever */
agent_user:
	vmcall
	mov	$0xf0, %edx
1:	out	%al, %dx
	jmp	1b
	.balign 32
	.global agent_compat	/* at AGENT_CODE + 32: a call from a 32-bit code segment */
agent_compat:
	vmcall
1:	jmp	1b

	.text
	.global agent_guarded
agent_guarded:			/* RDI = mailbox */
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	pushfq
	mov	%rsp, %gs:BOX_RSP
	call	agent_command
agent_unwind:
	popfq
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

/*
 * RDI = mailbox, ESI: with interrupts on. EAX: 1 after a HLT, 0: `stop` was set. An NMI between the look at `stop` and the
 * HLT would be in vain, so its handler goes back to the look.
 */
	.global agent_sleep
agent_sleep:
	cmpq	$0, BOX_STOP(%rdi)
	jne	2f
	test	%esi, %esi
	je	1f
	sti
1:	hlt
agent_slept:
	cli
	mov	$1, %eax
	ret
2:	xor	%eax, %eax
	ret

	.altmacro
	.macro STUB vector
	.balign 16
	.if (\vector == 8) || ((\vector >= 10) && (\vector <= 14)) || (\vector == 17) || (\vector == 21)
	.else
	push	$0
	.endif
	push	$\vector
	jmp	common
	.endm

	.balign 16
	.global agent_stubs
agent_stubs:
	.set	n, 0
	.rept	256
	STUB	%n
	.set	n, n + 1
	.endr

common:				/* vector, error, RIP, CS, RFLAGS, RSP, SS */
	cmpl	$2, (%rsp)
	je	1f
	cmpl	$32, (%rsp)
	jae	2f
	pop	%rax
	or	$0x100, %rax
	mov	%rax, %gs:BOX_VECTOR
	pop	%gs:BOX_ERROR
	pop	%gs:BOX_RIP
	mov	%gs:BOX_RSP, %rsp
	cld
	jmp	agent_unwind
1:	incq	%gs:BOX_NMIS
	push	%rax
	push	%rcx
	mov	32(%rsp), %rax		/* RIP */
	lea	agent_sleep(%rip), %rcx
	sub	%rcx, %rax
	cmp	$agent_slept - agent_sleep, %rax
	jae	4f
	mov	%rcx, 32(%rsp)
	andl	$~0x200, 48(%rsp)	/* IF */
4:	pop	%rcx
	pop	%rax
	add	$16, %rsp
	iretq
2:	push	%rax
	mov	8(%rsp), %rax
	mov	%rax, %gs:BOX_LAST
	incq	%gs:BOX_INTERRUPTS
	cmpq	$0, %gs:BOX_BOXES
	je	3f
	push	%rbx
	push	%rcx
	mov	%gs:BOX_BOXES, %rbx
	xor	%ecx, %ecx
	xchg	%rcx, (%rbx,%rax,8)	/* all that were put before it was sent */
	add	%rcx, 2048(%rbx,%rax,8)
	movl	$0, LAPIC_EOI
	pop	%rcx
	pop	%rbx
3:	pop	%rax
	add	$16, %rsp
	iretq

	.section .note.GNU-stack, "", @progbits
