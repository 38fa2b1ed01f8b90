/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instruction forms that access memory, in 16-bit code: see forms.inc.
 */
#include "tests/guest/mmio/forms.inc"

	forms_begin 16
	form16 "mov8"; movb (%si), %al; endform
	form16 "mov16"; movw (%si), %ax; endform
	form16 "mov32"; movl (%si), %eax; endform
	form16 "store8"; movb %al, 2(%si); endform
	form16 "store16"; movw %ax, (%bx,%si); endform
	form16 "store32"; movl %eax, %ds:0x123(%bp,%si); endform
	form16 "ds bp"; movw %ds:(%bp), %ax; endform
	form16 "or"; orw $0x75, (%si); endform
	form16 "add32"; addl (%bx,%di), %eax; endform
	form16 "xchg"; xchgw %cx, (%di); endform
	form16 "movzx"; movzbw (%si), %ax; endform
	form16 "movsx32"; movsbl (%si), %eax; endform
	form16 "cmpxchg"; cmpxchgw %cx, (%si); endform
	form16 "bt"; btw $3, (%si); endform
	form16 "bts reg"; mov $70, %eax; btsw %ax, (%si); endform
	form16 "moffs load"; movw 0x40, %ax; endform
	form16 "moffs store"; movb %al, 0x41; endform
	form16 "moffs32"; movl 0x44, %eax; endform
	form16 "lodsb"; lodsb; endform
	form16 "rep lodsl"; mov $3, %cx; rep lodsl; endform
	form16 "rep stosw"; mov $3, %cx; rep stosw; endform
	form16 "rep movsb"; mov $3, %cx; rep movsb; endform
	form16 "scasb"; scasb; endform
	form16 "a32"; addr32 movl (%esi,%ecx,2), %eax; endform
	form16 "inc"; incw (%si); endform
	form16 "not"; notl (%si); endform
	form16 "test"; testb $0x80, (%si); endform
	forms_end
	.section .note.GNU-stack, "", @progbits
