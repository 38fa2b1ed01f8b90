/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * modes_trip: from 64-bit mode through every other one and back. SDM volume 3, "Switching Out of IA-32e Mode Operation", "Mode Switching", "Initializing
 * IA-32e Mode". In each mode a probe takes exits of several kinds and writes {EBX of CPUID 0x40000000, IN, a read of the hole} to
 * modes_result[stage]. Illegal steps are tried with modes_fault counting the #GP.
 *
 * The real-mode part is copied to REAL by modes.c; labels there are relative to modes_real.
 */
#define REAL		0x8000
#define REAL_STACK	0x7000
#define HOLE		0x40000000
#define SEL_CODE16	0x58
#define SEL_DATA16	0x60
#define CR0_PG		0x80000000

	.macro	probe32 stage
	mov	$\stage, %ebp
	call	do_probe32
	.endm

	/* What stands between these two must be #GP. The lines may hold several instructions. */
	.macro	faulty_begin
	movl	$797f, resume32
	.endm
	.macro	faulty_end
	jmp	798f
797:	incl	modes_fault
798:	movl	$0, resume32
	.endm

	.text
	.globl	modes_trip
modes_trip:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, kept_rsp
	sidt	kept_idt
	mov	%cr4, %rax
	mov	%rax, kept_cr4
	mov	%cr3, %rax
	mov	%rax, kept_cr3
	/* 1: compatibility mode */
	push	$0x18
	push	$1f
	lretq
	.code32
1:	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$trip_stack, %esp
	lidt	idt32_pointer
	probe32	1
	/* 2: protected mode without paging; LME still set, then clear */
	mov	%cr0, %eax
	and	$~CR0_PG, %eax
	mov	%eax, %cr0
	jmp	1f
1:	probe32	2
	mov	$0xc0000080, %ecx
	rdmsr
	mov	%eax, modes_efer_paging_off	/* LMA must be clear */
	mov	%cr4, %eax
	and	$~0x20, %eax
	mov	%eax, %cr4
	faulty_begin	/* LME without PAE */
	mov %cr0, %eax; or $CR0_PG, %eax; mov %eax, %cr0
	faulty_end
	mov	$0xc0000080, %ecx
	rdmsr
	and	$~0x100, %eax
	wrmsr
	mov	%cr4, %eax
	mov	%eax, %ebx
	faulty_begin	/* PCIDE outside of IA-32e mode */
	or $0x20000, %eax; mov %eax, %cr4
	faulty_end
	mov	%cr4, %eax
	cmp	%eax, %ebx
	jne	broken
	/* 3: 32-bit paging with 4 MiB pages */
	mov	%cr4, %eax
	or	$0x10, %eax
	mov	%eax, %cr4
	mov	$modes_pd32, %eax
	mov	%eax, %cr3
	mov	%cr0, %eax
	or	$CR0_PG, %eax
	mov	%eax, %cr0
	jmp	1f
1:	probe32	3
	faulty_begin	/* PG without PE */
	mov %cr0, %eax; and $~1, %eax; mov %eax, %cr0
	faulty_end
	mov	%cr0, %eax
	and	$~CR0_PG, %eax
	mov	%eax, %cr0
	/* 4: PAE paging; first with a reserved bit in a PDPTE */
	mov	%cr4, %eax
	or	$0x20, %eax
	mov	%eax, %cr4
	mov	$modes_pdpt, %eax
	mov	%eax, %cr3
	orl	$2, modes_pdpt
	faulty_begin
	mov %cr0, %eax; or $CR0_PG, %eax; mov %eax, %cr0
	faulty_end
	andl	$~2, modes_pdpt
	mov	%cr0, %eax
	test	$CR0_PG, %eax
	jnz	broken
	or	$CR0_PG, %eax
	mov	%eax, %cr0
	jmp	1f
1:	probe32	4
	orl	$0x20, modes_pdpt+8		/* reserved, in another entry */
	faulty_begin
	mov $modes_pdpt, %eax; mov %eax, %cr3
	faulty_end
	faulty_begin	/* PGE loads the PDPTEs */
	mov %cr4, %eax; xor $0x80, %eax; mov %eax, %cr4
	faulty_end
	andl	$~0x20, modes_pdpt+8
	mov	%cr4, %eax
	xor	$0x80, %eax
	mov	%eax, %cr4
	xor	$0x80, %eax
	mov	%eax, %cr4
	faulty_begin	/* VMXE */
	mov %cr4, %eax; or $0x2000, %eax; mov %eax, %cr4
	faulty_end
	faulty_begin	/* LME while paging */
	mov $0xc0000080, %ecx; rdmsr; or $0x100, %eax; wrmsr
	faulty_end
	/* PAE off under paging: 32-bit paging at once, with the tables' addresses the same in both */
	mov	%cr0, %eax
	and	$~CR0_PG, %eax
	mov	%eax, %cr0
	mov	%cr4, %eax
	and	$~0x20, %eax
	mov	%eax, %cr4
	/* 5: 16-bit protected mode, 6: real mode */
	ljmp	$SEL_CODE16, $0
	.globl	modes_back32
modes_back32:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$trip_stack, %esp
	lidt	idt32_pointer
	probe32	7
	/* Back to 64-bit mode; SMSW and LMSW on the way: LMSW sets what CR0 has not, and cannot clear PE. */
	smsw	%eax
	mov	%eax, modes_smsw
	mov	$0xe, %eax
	lmsw	%ax
	mov	%cr0, %eax
	mov	%eax, modes_lmsw
	clts
	mov	$0x2, %eax
	lmsw	%ax
	mov	kept_cr4, %eax
	mov	%eax, %cr4
	mov	kept_cr3, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx
	rdmsr
	or	$0x100, %eax
	wrmsr
	mov	%cr0, %eax
	or	$CR0_PG, %eax
	mov	%eax, %cr0
	ljmp	$0x08, $1f
	.code64
1:	mov	kept_rsp, %rsp
	lidt	kept_idt
	mov	$0xc0000080, %ecx
	rdmsr
	mov	%eax, modes_efer_back
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	.code32
broken:	movl	$0xdead, modes_broken
	ud2

do_probe32:
	shl	$4, %ebp
	mov	$0x40000000, %eax
	cpuid
	mov	%ebx, modes_result(%ebp)
	in	$0x42, %al
	movzbl	%al, %eax
	mov	%eax, modes_result+4(%ebp)
	mov	HOLE, %eax
	mov	%eax, modes_result+8(%ebp)
	mov	%cr0, %eax
	mov	%eax, modes_result+12(%ebp)
	ret

	/* #GP in 32-bit mode: go on at resume32. */
gp32:	add	$4, %esp
	push	%eax
	mov	resume32, %eax
	test	%eax, %eax
	jz	broken
	mov	%eax, 4(%esp)
	pop	%eax
	iret

	/* ---- copied to REAL; addresses are relative to modes_real ---- */
	.code16
	.globl	modes_real, modes_real_end
modes_real:
	mov	$SEL_DATA16, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	$REAL_STACK, %sp
	mov	$5 << 4, %di
	call	real_probe
	mov	%cr0, %eax
	and	$~1, %eax
	mov	%eax, %cr0
	ljmp	$REAL >> 4, $1f - modes_real
1:	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	lidt	%cs:real_idt - modes_real
	mov	$6 << 4, %di
	call	real_probe
	/* Faults in real mode come by the interrupt table and push no error code: RDMSR of nothing, VMCALL, INT 0x42. */
	mov	%sp, %bp
	mov	$0x1234, %ecx
	rdmsr
	vmcall
	int	$0x42
	sub	%sp, %bp
	mov	%bp, %cs:real_sp - modes_real
	mov	%cr0, %eax
	or	$1, %eax
	mov	%eax, %cr0
	data32 ljmp	$0x18, $modes_back32

	/* CPUID, IN, a string that exits, and CR0 to REAL_RESULT + DI. */
real_probe:
	mov	$0x40000000, %eax
	cpuid
	mov	%ebx, 0x6000(%di)
	xor	%eax, %eax
	in	$0x42, %al
	mov	%eax, 0x6004(%di)
	mov	$0x1234, %dx
	mov	$0x6100, %si
	movl	$0, (%si)
	push	%di
	mov	%si, %di
	mov	$4, %cx
	rep insb
	pop	%di
	mov	(%si), %eax
	mov	%eax, 0x6008(%di)
	mov	%cr0, %eax
	mov	%eax, 0x600c(%di)
	ret

real_gp:			/* step over RDMSR */
	incw	%cs:real_gps - modes_real
	jmp	2f
real_ud:			/* step over VMCALL */
	incw	%cs:real_uds - modes_real
	push	%bp
	mov	%sp, %bp
	addw	$3, 2(%bp)
	pop	%bp
	iret
2:	push	%bp
	mov	%sp, %bp
	addw	$2, 2(%bp)
	pop	%bp
	iret
real_int:
	incw	%cs:real_ints - modes_real
	iret
	.balign	4
real_idt: .word	0x3ff
	.long	0
	.globl	modes_real_gp, modes_real_ud, modes_real_int, modes_real_counts
	.set	modes_real_gp, real_gp - modes_real
	.set	modes_real_ud, real_ud - modes_real
	.set	modes_real_int, real_int - modes_real
	.balign	2
modes_real_counts:
real_gps: .word	0
real_uds: .word	0
real_ints: .word 0
real_sp: .word	0xffff
modes_real_end:

	.data
	.balign	8
idt32:	.skip	13 * 8
idt32_gp:
	.quad	0
idt32_end:
idt32_pointer:
	.word	idt32_end - idt32 - 1
	.long	idt32
	.globl	modes_idt32_gp, modes_gp32
	.set	modes_idt32_gp, idt32_gp
	.set	modes_gp32, gp32

	.bss
	.balign	8
	.globl	modes_result, modes_fault, modes_broken, modes_smsw, modes_lmsw, modes_efer_paging_off, modes_efer_back
modes_result:	.skip 16 * 16
modes_fault:	.skip 4
modes_broken:	.skip 4
modes_smsw:	.skip 4
modes_lmsw:	.skip 4
modes_efer_paging_off: .skip 4
modes_efer_back: .skip 4
resume32:	.skip 4
	.balign	8
kept_rsp:	.skip 8
kept_cr4:	.skip 8
kept_cr3:	.skip 8
kept_idt:	.skip 16
	.skip	1024
trip_stack:
	.section .note.GNU-stack, "", @progbits
