/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first bytes of the image: PVH entry in 32-bit protected mode, paging off, EBX = start info.
 *
 * There is no stack yet and the image is read-only, so the first RAM range at or above 1 MiB lends
 * 32 KiB. The image's own address is that of module 0. stub_main() copies the image and builds page
 * tables; then stub_switch, running in the copy, turns paging and long mode on.
 * Xen public header arch-x86/hvm/start_info.h; SDM volume 3, "Initializing IA-32e Mode".
 */

#define MEMMAP_PADDR   40 /* struct hvm_start_info */
#define MEMMAP_ENTRIES 48
#define MODLIST_PADDR  16
#define STACK_SIZE     0x8000

	.section .text.first, "ax"
	.code32
	.global stub_start
stub_start:
	cld
	mov	MEMMAP_PADDR(%ebx), %esi
	mov	MEMMAP_ENTRIES(%ebx), %ecx
1:	jecxz	stub_stop
	cmpl	$1, 16(%esi)		/* type: RAM */
	jne	2f
	cmpl	$0, 4(%esi)		/* address below 4 GiB */
	jne	2f
	mov	(%esi), %edi
	cmp	$0x100000, %edi
	jb	2f
	cmpl	$0, 12(%esi)		/* a size of 4 GiB and more is enough */
	jne	3f
	cmpl	$(STACK_SIZE + 0x1000), 8(%esi)
	jae	3f
2:	add	$24, %esi
	dec	%ecx
	jmp	1b

3:	lea	STACK_SIZE + 0xfff(%edi), %esp
	and	$~0xfff, %esp
	mov	%esp, %edx
	mov	MODLIST_PADDR(%ebx), %eax
	mov	(%eax), %eax		/* module 0: this image */
	sub	$4, %esp		/* so that the stack is 16-byte aligned at the call */
	push	%edx			/* top of the borrowed stack */
	push	%eax
	push	%ebx
	call	stub_main

	.global stub_stop
stub_stop:
	cli
	hlt
	jmp	stub_stop

/*
 * void stub_switch(uint32_t cr3, uint32_t entry, const struct far *to_64, const struct table *gdt)
 * Runs at an address that both worlds map alike. The stack is gone as soon as paging is on.
 */
	.global stub_switch
stub_switch:
	mov	4(%esp), %eax
	mov	8(%esp), %ebx
	mov	12(%esp), %esi
	mov	16(%esp), %edi
	lgdt	(%edi)
	mov	%eax, %cr3
	mov	%cr4, %eax
	or	$(1 << 5), %eax		/* PAE */
	mov	%eax, %cr4
	mov	$0xc0000080, %ecx	/* IA32_EFER */
	rdmsr
	or	$(1 << 8 | 1 << 11), %eax /* LME, NXE */
	wrmsr
	mov	%cr0, %eax
	or	$(1 << 31 | 1 << 16), %eax /* PG, WP */
	mov	%eax, %cr0
	ljmp	*(%esi)

	.code64
	.global stub_long
stub_long:
	mov	$16, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%ebx, %eax
	jmp	*%rax
	.section .note.GNU-stack, "", @progbits
