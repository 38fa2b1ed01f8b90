/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instructions of insns.c, each by itself: insn_NAME loads RAX with the address of a page, RBX and RDX with 0, RCX with
 * 1; at_NAME is the instruction itself; INT 0x40 follows for those that work.
 */
	.macro	row name:req, text:vararg
	.globl	insn_\name, at_\name
insn_\name:
	mov	$insns_operand, %eax
	xor	%ebx, %ebx
	xor	%edx, %edx
	mov	$1, %ecx
at_\name:
	\text
	int	$0x40
	.endm

	.text
	row	vmclear, vmclear (%rax)
	row	vmlaunch, vmlaunch
	row	vmresume, vmresume
	row	vmptrld, vmptrld (%rax)
	row	vmptrst, vmptrst (%rax)
	row	vmread, vmread %rbx, %rdx
	row	vmread_mem, vmread %rbx, (%rax)
	row	vmwrite, vmwrite %rbx, %rdx
	row	vmxoff, vmxoff
	row	vmxon, vmxon (%rax)
	row	invept, invept (%rax), %rcx
	row	invvpid, invvpid (%rax), %rcx
	row	vmfunc, vmfunc
	row	getsec, getsec
	row	encls, encls
	row	enclu, enclu
	row	enclv, .byte 0x0f, 0x01, 0xc0
	row	monitor, monitor %rax, %ecx, %edx
	row	mwait, mwait %eax, %ecx
	row	pconfig, .byte 0x0f, 0x01, 0xc5
	row	rsm, rsm
	row	rdpmc, rdpmc
	row	wbinvd, wbinvd
	row	invd, invd
	row	hlt, hlt
	row	cpuid, cpuid
	row	pause, pause
	row	invlpg, invlpg (%rax)
	row	xgetbv, xgetbv
	row	xsetbv, xsetbv
	row	ud0, .byte 0x0f, 0xff, 0xc0
	row	ud2, ud2

	.globl	insn_rdmsr, at_rdmsr
insn_rdmsr:
	mov $0x10, %ecx
	xor	%eax, %eax
	xor	%edx, %edx
at_rdmsr:
	rdmsr
	int	$0x40


	.globl	insn_wrmsr_bad, at_wrmsr_bad
insn_wrmsr_bad:
	mov $0xfff0, %ecx
	xor	%eax, %eax
	xor	%edx, %edx
at_wrmsr_bad:
	wrmsr
	int	$0x40

	row	mov_cr8, mov %rbx, %cr8
	row	mov_cr1, .byte 0x0f, 0x22, 0xc8
	row	mov_cr15, .byte 0x44, 0x0f, 0x22, 0xf8
	row	mov_dr8, .byte 0x44, 0x0f, 0x23, 0xc3
	row	clts, clts

	.globl	insn_lmsw, at_lmsw
insn_lmsw:
	smsw %bx
	xor	%eax, %eax
	xor	%edx, %edx
at_lmsw:
	lmsw %bx
	int	$0x40

	row	vmmcall, vmmcall
	row	vmrun, vmrun
	row	skinit, skinit
	row	mwaitx, .byte 0x0f, 0x01, 0xfb
	row	umonitor, .byte 0xf3, 0x0f, 0xae, 0xf0
	row	umwait, .byte 0xf2, 0x0f, 0xae, 0xf1
	row	tpause, .byte 0x66, 0x0f, 0xae, 0xf1
	row	loadiwkey, .byte 0xf3, 0x0f, 0x38, 0xdc, 0xc1
	row	seamcall, .byte 0x66, 0x0f, 0x01, 0xcf

	.section .note.GNU-stack, "", @progbits
