/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instruction forms that access memory, in 64-bit code: see forms.inc.
 */
#include "tests/guest/mmio/forms.inc"

	forms_begin 64
	form64 "movb load"; mov (%rsi), %al; endform
	form64 "movb store"; mov %al, (%rsi); endform
	form64 "movb imm"; movb $0x55, 8(%rsi); endform
	form64 "addb load"; add (%rsi), %al; endform
	form64 "addb store"; add %al, (%rsi); endform
	form64 "addb imm"; addb $0x75, 16(%rsi); endform
	form64 "orb load"; or (%rsi), %al; endform
	form64 "orb store"; or %al, (%rsi); endform
	form64 "orb imm"; orb $0x75, 16(%rsi); endform
	form64 "adcb load"; adc (%rsi), %al; endform
	form64 "adcb store"; adc %al, (%rsi); endform
	form64 "adcb imm"; adcb $0x75, 16(%rsi); endform
	form64 "sbbb load"; sbb (%rsi), %al; endform
	form64 "sbbb store"; sbb %al, (%rsi); endform
	form64 "sbbb imm"; sbbb $0x75, 16(%rsi); endform
	form64 "andb load"; and (%rsi), %al; endform
	form64 "andb store"; and %al, (%rsi); endform
	form64 "andb imm"; andb $0x75, 16(%rsi); endform
	form64 "subb load"; sub (%rsi), %al; endform
	form64 "subb store"; sub %al, (%rsi); endform
	form64 "subb imm"; subb $0x75, 16(%rsi); endform
	form64 "xorb load"; xor (%rsi), %al; endform
	form64 "xorb store"; xor %al, (%rsi); endform
	form64 "xorb imm"; xorb $0x75, 16(%rsi); endform
	form64 "cmpb load"; cmp (%rsi), %al; endform
	form64 "cmpb store"; cmp %al, (%rsi); endform
	form64 "cmpb imm"; cmpb $0x75, 16(%rsi); endform
	form64 "testb reg"; test %al, (%rsi); endform
	form64 "testb imm"; testb $0x41, (%rsi); endform
	form64 "xchgb"; xchg %al, (%rsi); endform
	form64 "lock xaddb"; lock xadd %al, (%rsi); endform
	form64 "cmpxchgb"; cmpxchg %cl, (%rsi); endform
	form64 "cmpxchgb equal"; mov $-1, %al; lock cmpxchg %cl, (%rsi); endform
	form64 "incb"; incb (%rsi); endform
	form64 "decb"; decb (%rsi); endform
	form64 "notb"; notb (%rsi); endform
	form64 "negb"; negb (%rsi); endform
	form64 "stosb"; push %rsi; pop %rdi; stosb; endform
	form64 "lodsb"; lodsb; endform
	form64 "scasb"; push %rsi; pop %rdi; scasb; endform
	form64 "movsb from"; movsb; endform
	form64 "movsb to"; xchg %rsi, %rdi; movsb; endform
	form64 "cmpsb"; cmpsb; endform
	form64 "rep stosb"; push %rsi; pop %rdi; mov $5, %ecx; rep stosb; endform
	form64 "rep lodsb"; mov $5, %ecx; rep lodsb; endform
	form64 "repe scasb"; push %rsi; pop %rdi; mov $5, %ecx; or $-1, %rax; repe scasb; endform
	form64 "repne scasb"; push %rsi; pop %rdi; mov $5, %ecx; repne scasb; endform
	form64 "rep movsb from"; mov $5, %ecx; rep movsb; endform
	form64 "rep movsb to"; xchg %rsi, %rdi; mov $5, %ecx; rep movsb; endform
	form64 "rep movsb down"; add $64, %rsi; add $64, %rdi; mov $5, %ecx; std; rep movsb; cld; endform
	form64 "rep movsb none"; xor %ecx, %ecx; rep movsb; endform
	form64 "repe cmpsb"; mov $5, %ecx; repe cmpsb; endform
	form64 "movw load"; mov (%rsi), %ax; endform
	form64 "movw store"; mov %ax, (%rsi); endform
	form64 "movw imm"; movw $0x55, 8(%rsi); endform
	form64 "addw load"; add (%rsi), %ax; endform
	form64 "addw store"; add %ax, (%rsi); endform
	form64 "addw imm"; addw $0x75, 16(%rsi); endform
	form64 "orw load"; or (%rsi), %ax; endform
	form64 "orw store"; or %ax, (%rsi); endform
	form64 "orw imm"; orw $0x75, 16(%rsi); endform
	form64 "adcw load"; adc (%rsi), %ax; endform
	form64 "adcw store"; adc %ax, (%rsi); endform
	form64 "adcw imm"; adcw $0x75, 16(%rsi); endform
	form64 "sbbw load"; sbb (%rsi), %ax; endform
	form64 "sbbw store"; sbb %ax, (%rsi); endform
	form64 "sbbw imm"; sbbw $0x75, 16(%rsi); endform
	form64 "andw load"; and (%rsi), %ax; endform
	form64 "andw store"; and %ax, (%rsi); endform
	form64 "andw imm"; andw $0x75, 16(%rsi); endform
	form64 "subw load"; sub (%rsi), %ax; endform
	form64 "subw store"; sub %ax, (%rsi); endform
	form64 "subw imm"; subw $0x75, 16(%rsi); endform
	form64 "xorw load"; xor (%rsi), %ax; endform
	form64 "xorw store"; xor %ax, (%rsi); endform
	form64 "xorw imm"; xorw $0x75, 16(%rsi); endform
	form64 "cmpw load"; cmp (%rsi), %ax; endform
	form64 "cmpw store"; cmp %ax, (%rsi); endform
	form64 "cmpw imm"; cmpw $0x75, 16(%rsi); endform
	form64 "testw reg"; test %ax, (%rsi); endform
	form64 "testw imm"; testw $0x41, (%rsi); endform
	form64 "xchgw"; xchg %ax, (%rsi); endform
	form64 "lock xaddw"; lock xadd %ax, (%rsi); endform
	form64 "cmpxchgw"; cmpxchg %cx, (%rsi); endform
	form64 "cmpxchgw equal"; mov $-1, %ax; lock cmpxchg %cx, (%rsi); endform
	form64 "incw"; incw (%rsi); endform
	form64 "decw"; decw (%rsi); endform
	form64 "notw"; notw (%rsi); endform
	form64 "negw"; negw (%rsi); endform
	form64 "stosw"; push %rsi; pop %rdi; stosw; endform
	form64 "lodsw"; lodsw; endform
	form64 "scasw"; push %rsi; pop %rdi; scasw; endform
	form64 "movsw from"; movsw; endform
	form64 "movsw to"; xchg %rsi, %rdi; movsw; endform
	form64 "cmpsw"; cmpsw; endform
	form64 "rep stosw"; push %rsi; pop %rdi; mov $5, %ecx; rep stosw; endform
	form64 "rep lodsw"; mov $5, %ecx; rep lodsw; endform
	form64 "repe scasw"; push %rsi; pop %rdi; mov $5, %ecx; or $-1, %rax; repe scasw; endform
	form64 "repne scasw"; push %rsi; pop %rdi; mov $5, %ecx; repne scasw; endform
	form64 "rep movsw from"; mov $5, %ecx; rep movsw; endform
	form64 "rep movsw to"; xchg %rsi, %rdi; mov $5, %ecx; rep movsw; endform
	form64 "rep movsw down"; add $64, %rsi; add $64, %rdi; mov $5, %ecx; std; rep movsw; cld; endform
	form64 "rep movsw none"; xor %ecx, %ecx; rep movsw; endform
	form64 "repe cmpsw"; mov $5, %ecx; repe cmpsw; endform
	form64 "movl load"; mov (%rsi), %eax; endform
	form64 "movl store"; mov %eax, (%rsi); endform
	form64 "movl imm"; movl $0x55, 8(%rsi); endform
	form64 "addl load"; add (%rsi), %eax; endform
	form64 "addl store"; add %eax, (%rsi); endform
	form64 "addl imm"; addl $0x75, 16(%rsi); endform
	form64 "orl load"; or (%rsi), %eax; endform
	form64 "orl store"; or %eax, (%rsi); endform
	form64 "orl imm"; orl $0x75, 16(%rsi); endform
	form64 "adcl load"; adc (%rsi), %eax; endform
	form64 "adcl store"; adc %eax, (%rsi); endform
	form64 "adcl imm"; adcl $0x75, 16(%rsi); endform
	form64 "sbbl load"; sbb (%rsi), %eax; endform
	form64 "sbbl store"; sbb %eax, (%rsi); endform
	form64 "sbbl imm"; sbbl $0x75, 16(%rsi); endform
	form64 "andl load"; and (%rsi), %eax; endform
	form64 "andl store"; and %eax, (%rsi); endform
	form64 "andl imm"; andl $0x75, 16(%rsi); endform
	form64 "subl load"; sub (%rsi), %eax; endform
	form64 "subl store"; sub %eax, (%rsi); endform
	form64 "subl imm"; subl $0x75, 16(%rsi); endform
	form64 "xorl load"; xor (%rsi), %eax; endform
	form64 "xorl store"; xor %eax, (%rsi); endform
	form64 "xorl imm"; xorl $0x75, 16(%rsi); endform
	form64 "cmpl load"; cmp (%rsi), %eax; endform
	form64 "cmpl store"; cmp %eax, (%rsi); endform
	form64 "cmpl imm"; cmpl $0x75, 16(%rsi); endform
	form64 "testl reg"; test %eax, (%rsi); endform
	form64 "testl imm"; testl $0x41, (%rsi); endform
	form64 "xchgl"; xchg %eax, (%rsi); endform
	form64 "lock xaddl"; lock xadd %eax, (%rsi); endform
	form64 "cmpxchgl"; cmpxchg %ecx, (%rsi); endform
	form64 "cmpxchgl equal"; mov $-1, %eax; lock cmpxchg %ecx, (%rsi); endform
	form64 "incl"; incl (%rsi); endform
	form64 "decl"; decl (%rsi); endform
	form64 "notl"; notl (%rsi); endform
	form64 "negl"; negl (%rsi); endform
	form64 "stosl"; push %rsi; pop %rdi; stosl; endform
	form64 "lodsl"; lodsl; endform
	form64 "scasl"; push %rsi; pop %rdi; scasl; endform
	form64 "movsl from"; movsl; endform
	form64 "movsl to"; xchg %rsi, %rdi; movsl; endform
	form64 "cmpsl"; cmpsl; endform
	form64 "rep stosl"; push %rsi; pop %rdi; mov $5, %ecx; rep stosl; endform
	form64 "rep lodsl"; mov $5, %ecx; rep lodsl; endform
	form64 "repe scasl"; push %rsi; pop %rdi; mov $5, %ecx; or $-1, %rax; repe scasl; endform
	form64 "repne scasl"; push %rsi; pop %rdi; mov $5, %ecx; repne scasl; endform
	form64 "rep movsl from"; mov $5, %ecx; rep movsl; endform
	form64 "rep movsl to"; xchg %rsi, %rdi; mov $5, %ecx; rep movsl; endform
	form64 "rep movsl down"; add $64, %rsi; add $64, %rdi; mov $5, %ecx; std; rep movsl; cld; endform
	form64 "rep movsl none"; xor %ecx, %ecx; rep movsl; endform
	form64 "repe cmpsl"; mov $5, %ecx; repe cmpsl; endform
	form64 "movq load"; mov (%rsi), %rax; endform
	form64 "movq store"; mov %rax, (%rsi); endform
	form64 "movq imm"; movq $0x55, 8(%rsi); endform
	form64 "addq load"; add (%rsi), %rax; endform
	form64 "addq store"; add %rax, (%rsi); endform
	form64 "addq imm"; addq $0x75, 16(%rsi); endform
	form64 "orq load"; or (%rsi), %rax; endform
	form64 "orq store"; or %rax, (%rsi); endform
	form64 "orq imm"; orq $0x75, 16(%rsi); endform
	form64 "adcq load"; adc (%rsi), %rax; endform
	form64 "adcq store"; adc %rax, (%rsi); endform
	form64 "adcq imm"; adcq $0x75, 16(%rsi); endform
	form64 "sbbq load"; sbb (%rsi), %rax; endform
	form64 "sbbq store"; sbb %rax, (%rsi); endform
	form64 "sbbq imm"; sbbq $0x75, 16(%rsi); endform
	form64 "andq load"; and (%rsi), %rax; endform
	form64 "andq store"; and %rax, (%rsi); endform
	form64 "andq imm"; andq $0x75, 16(%rsi); endform
	form64 "subq load"; sub (%rsi), %rax; endform
	form64 "subq store"; sub %rax, (%rsi); endform
	form64 "subq imm"; subq $0x75, 16(%rsi); endform
	form64 "xorq load"; xor (%rsi), %rax; endform
	form64 "xorq store"; xor %rax, (%rsi); endform
	form64 "xorq imm"; xorq $0x75, 16(%rsi); endform
	form64 "cmpq load"; cmp (%rsi), %rax; endform
	form64 "cmpq store"; cmp %rax, (%rsi); endform
	form64 "cmpq imm"; cmpq $0x75, 16(%rsi); endform
	form64 "testq reg"; test %rax, (%rsi); endform
	form64 "testq imm"; testq $0x41, (%rsi); endform
	form64 "xchgq"; xchg %rax, (%rsi); endform
	form64 "lock xaddq"; lock xadd %rax, (%rsi); endform
	form64 "cmpxchgq"; cmpxchg %rcx, (%rsi); endform
	form64 "cmpxchgq equal"; mov $-1, %rax; lock cmpxchg %rcx, (%rsi); endform
	form64 "incq"; incq (%rsi); endform
	form64 "decq"; decq (%rsi); endform
	form64 "notq"; notq (%rsi); endform
	form64 "negq"; negq (%rsi); endform
	form64 "stosq"; push %rsi; pop %rdi; stosq; endform
	form64 "lodsq"; lodsq; endform
	form64 "scasq"; push %rsi; pop %rdi; scasq; endform
	form64 "movsq from"; movsq; endform
	form64 "movsq to"; xchg %rsi, %rdi; movsq; endform
	form64 "cmpsq"; cmpsq; endform
	form64 "rep stosq"; push %rsi; pop %rdi; mov $5, %ecx; rep stosq; endform
	form64 "rep lodsq"; mov $5, %ecx; rep lodsq; endform
	form64 "repe scasq"; push %rsi; pop %rdi; mov $5, %ecx; or $-1, %rax; repe scasq; endform
	form64 "repne scasq"; push %rsi; pop %rdi; mov $5, %ecx; repne scasq; endform
	form64 "rep movsq from"; mov $5, %ecx; rep movsq; endform
	form64 "rep movsq to"; xchg %rsi, %rdi; mov $5, %ecx; rep movsq; endform
	form64 "rep movsq down"; add $64, %rsi; add $64, %rdi; mov $5, %ecx; std; rep movsq; cld; endform
	form64 "rep movsq none"; xor %ecx, %ecx; rep movsq; endform
	form64 "repe cmpsq"; mov $5, %ecx; repe cmpsq; endform
	form64 "btw imm"; btw $13, (%rsi); endform
	form64 "btw reg"; mov $70, %eax; bt %ax, (%rsi); endform
	form64 "btw negative"; mov $-9, %rax; add $64, %rsi; bt %ax, (%rsi); endform
	form64 "btsw imm"; btsw $13, (%rsi); endform
	form64 "btsw reg"; mov $70, %eax; bts %ax, (%rsi); endform
	form64 "btsw negative"; mov $-9, %rax; add $64, %rsi; bts %ax, (%rsi); endform
	form64 "btrw imm"; btrw $13, (%rsi); endform
	form64 "btrw reg"; mov $70, %eax; btr %ax, (%rsi); endform
	form64 "btrw negative"; mov $-9, %rax; add $64, %rsi; btr %ax, (%rsi); endform
	form64 "btcw imm"; btcw $13, (%rsi); endform
	form64 "btcw reg"; mov $70, %eax; btc %ax, (%rsi); endform
	form64 "btcw negative"; mov $-9, %rax; add $64, %rsi; btc %ax, (%rsi); endform
	form64 "movzbw"; movzbw (%rsi), %ax; endform
	form64 "movsbw extend"; movsbw (%rsi), %ax; endform
	form64 "btl imm"; btl $13, (%rsi); endform
	form64 "btl reg"; mov $70, %eax; bt %eax, (%rsi); endform
	form64 "btl negative"; mov $-9, %rax; add $64, %rsi; bt %eax, (%rsi); endform
	form64 "btsl imm"; btsl $13, (%rsi); endform
	form64 "btsl reg"; mov $70, %eax; bts %eax, (%rsi); endform
	form64 "btsl negative"; mov $-9, %rax; add $64, %rsi; bts %eax, (%rsi); endform
	form64 "btrl imm"; btrl $13, (%rsi); endform
	form64 "btrl reg"; mov $70, %eax; btr %eax, (%rsi); endform
	form64 "btrl negative"; mov $-9, %rax; add $64, %rsi; btr %eax, (%rsi); endform
	form64 "btcl imm"; btcl $13, (%rsi); endform
	form64 "btcl reg"; mov $70, %eax; btc %eax, (%rsi); endform
	form64 "btcl negative"; mov $-9, %rax; add $64, %rsi; btc %eax, (%rsi); endform
	form64 "movzbl"; movzbl (%rsi), %eax; endform
	form64 "movsbl extend"; movsbl (%rsi), %eax; endform
	form64 "btq imm"; btq $13, (%rsi); endform
	form64 "btq reg"; mov $70, %eax; bt %rax, (%rsi); endform
	form64 "btq negative"; mov $-9, %rax; add $64, %rsi; bt %rax, (%rsi); endform
	form64 "btsq imm"; btsq $13, (%rsi); endform
	form64 "btsq reg"; mov $70, %eax; bts %rax, (%rsi); endform
	form64 "btsq negative"; mov $-9, %rax; add $64, %rsi; bts %rax, (%rsi); endform
	form64 "btrq imm"; btrq $13, (%rsi); endform
	form64 "btrq reg"; mov $70, %eax; btr %rax, (%rsi); endform
	form64 "btrq negative"; mov $-9, %rax; add $64, %rsi; btr %rax, (%rsi); endform
	form64 "btcq imm"; btcq $13, (%rsi); endform
	form64 "btcq reg"; mov $70, %eax; btc %rax, (%rsi); endform
	form64 "btcq negative"; mov $-9, %rax; add $64, %rsi; btc %rax, (%rsi); endform
	form64 "movzbq"; movzbq (%rsi), %rax; endform
	form64 "movsbq extend"; movsbq (%rsi), %rax; endform
	form64 "movzwl"; movzwl (%rsi), %eax; endform
	form64 "movswl"; movswl (%rsi), %eax; endform
	form64 "movntil"; movnti %eax, (%rsi); endform
	form64 "mov ah"; mov (%rsi), %ah; endform
	form64 "mov bh store"; mov %bh, (%rsi); endform
	form64 "add dh"; add (%rsi), %dh; endform
	form64 "xchg ch"; xchg %ch, (%rsi); endform
	form64 "disp32"; mov 0x100(%rsi), %eax; endform
	form64 "lock or"; lock orl $0, (%rsi); endform
	form64 "lock bts"; lock btsl $3, (%rsi); endform
	form64 "sibl"; mov $4, %ecx; mov 16(%rsi,%rcx,8), %eax; endform
	form64 "movzwq"; movzwq (%rsi), %rax; endform
	form64 "movslq"; movslq (%rsi), %rax; endform
	form64 "movntiq"; movnti %rax, (%rsi); endform
	form64 "r12"; push %rsi; pop %r12; mov (%r12), %rax; endform
	form64 "r13"; push %rsi; pop %r13; mov (%r13), %r9; endform
	form64 "r8b"; mov (%rsi), %r8b; endform
	form64 "sil"; push %rsi; pop %rdi; mov (%rdi), %sil; push %rdi; pop %rsi; endform
	form64 "addr32"; addr32 mov (%esi), %eax; endform
	form64 "two prefixes"; .byte 0x66, 0x48, 0x8b, 0x06; endform
	form64 "fs"; fs mov (%rsi), %eax; endform
	forms_end
	.section .note.GNU-stack, "", @progbits
