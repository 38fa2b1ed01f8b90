/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a SIPI takes a processor: real mode, CS = vector << 8, IP = 0. The code is copied to the page of the
 * vector and depends on its place by CS only. On to 64-bit mode with the tables of the first processor and a
 * stack chosen by the initial APIC ID, then smp_ap(id, CS, CR0 | EFER << 32).
 */
#define CR0_PE_MP_NE_PG	0x80000023
#define CR4_PAE_OSFX	0x620
#define AP_STACK	16384

	.section .rodata
	.globl smp_trampoline, smp_trampoline_end
	.code16
smp_trampoline:
	cli
	cld
	mov	%cs, %bx
	mov	%cr0, %ebp
	lgdtl	%cs:(trampoline_gdt - smp_trampoline)
	mov	%ebp, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmpl	$0x18, $protected
	.balign	4
trampoline_gdt:
	.word	0x48 + 16 - 1
	.long	gdt
smp_trampoline_end:

	.text
	.code32
protected:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	movzwl	%bx, %edi
	mov	$0xc0000080, %ecx
	rdmsr
	mov	%eax, %esi
	mov	$CR4_PAE_OSFX, %eax
	mov	%eax, %cr4
	mov	$page_pml4, %eax
	mov	%eax, %cr3
	mov	$0x901, %eax
	xor	%edx, %edx
	wrmsr
	mov	$CR0_PE_MP_NE_PG, %eax
	mov	%eax, %cr0
	ljmp	$0x08, $1f
	.code64
1:	mov	%edi, %r8d
	mov	$1, %eax
	cpuid
	shr	$24, %ebx
	mov	%ebx, %eax
	inc	%eax
	imul	$AP_STACK, %eax
	lea	smp_stacks(%rax), %rsp
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%ebx, %edi
	shl	$32, %rsi
	mov	%ebp, %edx
	or	%rsi, %rdx
	mov	%r8d, %esi
	xor	%ebp, %ebp
	call	smp_ap
	.section .note.GNU-stack, "", @progbits
