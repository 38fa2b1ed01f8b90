/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instruction forms that access memory, in 32-bit code: see forms.inc.
 */
#include "tests/guest/mmio/forms.inc"

	forms_begin 32
	form32 "movb load"; mov (%esi), %al; endform
	form32 "movb store"; mov %al, (%esi); endform
	form32 "movb imm"; movb $0x55, 8(%esi); endform
	form32 "addb load"; add (%esi), %al; endform
	form32 "addb store"; add %al, (%esi); endform
	form32 "addb imm"; addb $0x75, 16(%esi); endform
	form32 "orb load"; or (%esi), %al; endform
	form32 "orb store"; or %al, (%esi); endform
	form32 "orb imm"; orb $0x75, 16(%esi); endform
	form32 "adcb load"; adc (%esi), %al; endform
	form32 "adcb store"; adc %al, (%esi); endform
	form32 "adcb imm"; adcb $0x75, 16(%esi); endform
	form32 "sbbb load"; sbb (%esi), %al; endform
	form32 "sbbb store"; sbb %al, (%esi); endform
	form32 "sbbb imm"; sbbb $0x75, 16(%esi); endform
	form32 "andb load"; and (%esi), %al; endform
	form32 "andb store"; and %al, (%esi); endform
	form32 "andb imm"; andb $0x75, 16(%esi); endform
	form32 "subb load"; sub (%esi), %al; endform
	form32 "subb store"; sub %al, (%esi); endform
	form32 "subb imm"; subb $0x75, 16(%esi); endform
	form32 "xorb load"; xor (%esi), %al; endform
	form32 "xorb store"; xor %al, (%esi); endform
	form32 "xorb imm"; xorb $0x75, 16(%esi); endform
	form32 "cmpb load"; cmp (%esi), %al; endform
	form32 "cmpb store"; cmp %al, (%esi); endform
	form32 "cmpb imm"; cmpb $0x75, 16(%esi); endform
	form32 "testb reg"; test %al, (%esi); endform
	form32 "testb imm"; testb $0x41, (%esi); endform
	form32 "xchgb"; xchg %al, (%esi); endform
	form32 "lock xaddb"; lock xadd %al, (%esi); endform
	form32 "cmpxchgb"; cmpxchg %cl, (%esi); endform
	form32 "incb"; incb (%esi); endform
	form32 "decb"; decb (%esi); endform
	form32 "notb"; notb (%esi); endform
	form32 "negb"; negb (%esi); endform
	form32 "stosb"; push %esi; pop %edi; stosb; endform
	form32 "lodsb"; lodsb; endform
	form32 "scasb"; push %esi; pop %edi; scasb; endform
	form32 "movsb from"; movsb; endform
	form32 "movsb to"; xchg %esi, %edi; movsb; endform
	form32 "cmpsb"; cmpsb; endform
	form32 "rep stosb"; push %esi; pop %edi; mov $5, %ecx; rep stosb; endform
	form32 "rep lodsb"; mov $5, %ecx; rep lodsb; endform
	form32 "repne scasb"; push %esi; pop %edi; mov $5, %ecx; repne scasb; endform
	form32 "rep movsb from"; mov $5, %ecx; rep movsb; endform
	form32 "rep movsb to"; xchg %esi, %edi; mov $5, %ecx; rep movsb; endform
	form32 "rep movsb down"; add $64, %esi; add $64, %edi; mov $5, %ecx; std; rep movsb; cld; endform
	form32 "rep movsb none"; xor %ecx, %ecx; rep movsb; endform
	form32 "repe cmpsb"; mov $5, %ecx; repe cmpsb; endform
	form32 "movw load"; mov (%esi), %ax; endform
	form32 "movw store"; mov %ax, (%esi); endform
	form32 "movw imm"; movw $0x55, 8(%esi); endform
	form32 "addw load"; add (%esi), %ax; endform
	form32 "addw store"; add %ax, (%esi); endform
	form32 "addw imm"; addw $0x75, 16(%esi); endform
	form32 "orw load"; or (%esi), %ax; endform
	form32 "orw store"; or %ax, (%esi); endform
	form32 "orw imm"; orw $0x75, 16(%esi); endform
	form32 "adcw load"; adc (%esi), %ax; endform
	form32 "adcw store"; adc %ax, (%esi); endform
	form32 "adcw imm"; adcw $0x75, 16(%esi); endform
	form32 "sbbw load"; sbb (%esi), %ax; endform
	form32 "sbbw store"; sbb %ax, (%esi); endform
	form32 "sbbw imm"; sbbw $0x75, 16(%esi); endform
	form32 "andw load"; and (%esi), %ax; endform
	form32 "andw store"; and %ax, (%esi); endform
	form32 "andw imm"; andw $0x75, 16(%esi); endform
	form32 "subw load"; sub (%esi), %ax; endform
	form32 "subw store"; sub %ax, (%esi); endform
	form32 "subw imm"; subw $0x75, 16(%esi); endform
	form32 "xorw load"; xor (%esi), %ax; endform
	form32 "xorw store"; xor %ax, (%esi); endform
	form32 "xorw imm"; xorw $0x75, 16(%esi); endform
	form32 "cmpw load"; cmp (%esi), %ax; endform
	form32 "cmpw store"; cmp %ax, (%esi); endform
	form32 "cmpw imm"; cmpw $0x75, 16(%esi); endform
	form32 "testw reg"; test %ax, (%esi); endform
	form32 "testw imm"; testw $0x41, (%esi); endform
	form32 "xchgw"; xchg %ax, (%esi); endform
	form32 "lock xaddw"; lock xadd %ax, (%esi); endform
	form32 "cmpxchgw"; cmpxchg %cx, (%esi); endform
	form32 "incw"; incw (%esi); endform
	form32 "decw"; decw (%esi); endform
	form32 "notw"; notw (%esi); endform
	form32 "negw"; negw (%esi); endform
	form32 "stosw"; push %esi; pop %edi; stosw; endform
	form32 "lodsw"; lodsw; endform
	form32 "scasw"; push %esi; pop %edi; scasw; endform
	form32 "movsw from"; movsw; endform
	form32 "movsw to"; xchg %esi, %edi; movsw; endform
	form32 "cmpsw"; cmpsw; endform
	form32 "rep stosw"; push %esi; pop %edi; mov $5, %ecx; rep stosw; endform
	form32 "rep lodsw"; mov $5, %ecx; rep lodsw; endform
	form32 "repne scasw"; push %esi; pop %edi; mov $5, %ecx; repne scasw; endform
	form32 "rep movsw from"; mov $5, %ecx; rep movsw; endform
	form32 "rep movsw to"; xchg %esi, %edi; mov $5, %ecx; rep movsw; endform
	form32 "rep movsw down"; add $64, %esi; add $64, %edi; mov $5, %ecx; std; rep movsw; cld; endform
	form32 "rep movsw none"; xor %ecx, %ecx; rep movsw; endform
	form32 "repe cmpsw"; mov $5, %ecx; repe cmpsw; endform
	form32 "movl load"; mov (%esi), %eax; endform
	form32 "movl store"; mov %eax, (%esi); endform
	form32 "movl imm"; movl $0x55, 8(%esi); endform
	form32 "addl load"; add (%esi), %eax; endform
	form32 "addl store"; add %eax, (%esi); endform
	form32 "addl imm"; addl $0x75, 16(%esi); endform
	form32 "orl load"; or (%esi), %eax; endform
	form32 "orl store"; or %eax, (%esi); endform
	form32 "orl imm"; orl $0x75, 16(%esi); endform
	form32 "adcl load"; adc (%esi), %eax; endform
	form32 "adcl store"; adc %eax, (%esi); endform
	form32 "adcl imm"; adcl $0x75, 16(%esi); endform
	form32 "sbbl load"; sbb (%esi), %eax; endform
	form32 "sbbl store"; sbb %eax, (%esi); endform
	form32 "sbbl imm"; sbbl $0x75, 16(%esi); endform
	form32 "andl load"; and (%esi), %eax; endform
	form32 "andl store"; and %eax, (%esi); endform
	form32 "andl imm"; andl $0x75, 16(%esi); endform
	form32 "subl load"; sub (%esi), %eax; endform
	form32 "subl store"; sub %eax, (%esi); endform
	form32 "subl imm"; subl $0x75, 16(%esi); endform
	form32 "xorl load"; xor (%esi), %eax; endform
	form32 "xorl store"; xor %eax, (%esi); endform
	form32 "xorl imm"; xorl $0x75, 16(%esi); endform
	form32 "cmpl load"; cmp (%esi), %eax; endform
	form32 "cmpl store"; cmp %eax, (%esi); endform
	form32 "cmpl imm"; cmpl $0x75, 16(%esi); endform
	form32 "testl reg"; test %eax, (%esi); endform
	form32 "testl imm"; testl $0x41, (%esi); endform
	form32 "xchgl"; xchg %eax, (%esi); endform
	form32 "lock xaddl"; lock xadd %eax, (%esi); endform
	form32 "cmpxchgl"; cmpxchg %ecx, (%esi); endform
	form32 "incl"; incl (%esi); endform
	form32 "decl"; decl (%esi); endform
	form32 "notl"; notl (%esi); endform
	form32 "negl"; negl (%esi); endform
	form32 "stosl"; push %esi; pop %edi; stosl; endform
	form32 "lodsl"; lodsl; endform
	form32 "scasl"; push %esi; pop %edi; scasl; endform
	form32 "movsl from"; movsl; endform
	form32 "movsl to"; xchg %esi, %edi; movsl; endform
	form32 "cmpsl"; cmpsl; endform
	form32 "rep stosl"; push %esi; pop %edi; mov $5, %ecx; rep stosl; endform
	form32 "rep lodsl"; mov $5, %ecx; rep lodsl; endform
	form32 "repne scasl"; push %esi; pop %edi; mov $5, %ecx; repne scasl; endform
	form32 "rep movsl from"; mov $5, %ecx; rep movsl; endform
	form32 "rep movsl to"; xchg %esi, %edi; mov $5, %ecx; rep movsl; endform
	form32 "rep movsl down"; add $64, %esi; add $64, %edi; mov $5, %ecx; std; rep movsl; cld; endform
	form32 "rep movsl none"; xor %ecx, %ecx; rep movsl; endform
	form32 "repe cmpsl"; mov $5, %ecx; repe cmpsl; endform
	form32 "btw imm"; btw $13, (%esi); endform
	form32 "btw reg"; mov $70, %eax; bt %ax, (%esi); endform
	form32 "btsw imm"; btsw $13, (%esi); endform
	form32 "btsw reg"; mov $70, %eax; bts %ax, (%esi); endform
	form32 "btrw imm"; btrw $13, (%esi); endform
	form32 "btrw reg"; mov $70, %eax; btr %ax, (%esi); endform
	form32 "btcw imm"; btcw $13, (%esi); endform
	form32 "btcw reg"; mov $70, %eax; btc %ax, (%esi); endform
	form32 "movzbw"; movzbw (%esi), %ax; endform
	form32 "movsbw extend"; movsbw (%esi), %ax; endform
	form32 "btl imm"; btl $13, (%esi); endform
	form32 "btl reg"; mov $70, %eax; bt %eax, (%esi); endform
	form32 "btsl imm"; btsl $13, (%esi); endform
	form32 "btsl reg"; mov $70, %eax; bts %eax, (%esi); endform
	form32 "btrl imm"; btrl $13, (%esi); endform
	form32 "btrl reg"; mov $70, %eax; btr %eax, (%esi); endform
	form32 "btcl imm"; btcl $13, (%esi); endform
	form32 "btcl reg"; mov $70, %eax; btc %eax, (%esi); endform
	form32 "movzbl"; movzbl (%esi), %eax; endform
	form32 "movsbl extend"; movsbl (%esi), %eax; endform
	form32 "movzwl"; movzwl (%esi), %eax; endform
	form32 "movswl"; movswl (%esi), %eax; endform
	form32 "movntil"; movnti %eax, (%esi); endform
	form32 "mov ah"; mov (%esi), %ah; endform
	form32 "mov bh store"; mov %bh, (%esi); endform
	form32 "add dh"; add (%esi), %dh; endform
	form32 "xchg ch"; xchg %ch, (%esi); endform
	form32 "disp32"; mov 0x100(%esi), %eax; endform
	form32 "lock or"; lock orl $0, (%esi); endform
	form32 "lock bts"; lock btsl $3, (%esi); endform
	form32 "sibl"; mov $4, %ecx; mov 16(%esi,%ecx,8), %eax; endform
	forms_end
	.section .note.GNU-stack, "", @progbits
