/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest for a first look: prints a line each second by the debug console (port 0xe9), for ever. Flat 32-bit image, entered at its first byte. It spins
 * between the lines, so that `top`, priorities and time slices have something to show; its seconds come from CPUID leaf 0x16 (base frequency in MHz).
 */
    .code32
    .text
    .globl start
start:
    mov     $stack_top, %esp
    cld
    mov     $0x16, %eax
    xor     %ecx, %ecx
    cpuid
    movzwl  %ax, %eax
    mov     $1000000, %ecx
    mul     %ecx
    mov     %eax, %esi                  /* EDI:ESI = TSC ticks per second */
    mov     %edx, %edi
    rdtsc
    mov     %eax, %ebx                  /* ECX:EBX = next deadline */
    mov     %edx, %ecx
1:  add     %esi, %ebx
    adc     %edi, %ecx
2:  pause
    rdtsc
    sub     %ebx, %eax
    sbb     %ecx, %edx
    js      2b
    incl    count
    push    %esi
    push    %edi
    mov     $text, %esi
    call    print
    mov     count, %eax
    call    print_number
    mov     $newline, %esi
    call    print
    pop     %edi
    pop     %esi
    jmp     1b

print:
    lodsb
    test    %al, %al
    jz      3f
    out     %al, $0xe9
    jmp     print
3:  ret

/* EAX in decimal; keeps EBX, ECX, EDI. */
print_number:
    push    %ecx
    push    %edi
    mov     $10, %ecx
    xor     %edi, %edi
4:  xor     %edx, %edx
    div     %ecx
    push    %edx
    inc     %edi
    test    %eax, %eax
    jnz     4b
5:  pop     %eax
    add     $'0', %al
    out     %al, $0xe9
    dec     %edi
    jnz     5b
    pop     %edi
    pop     %ecx
    ret

text:
    .asciz  "tick "
newline:
    .asciz  "\n"
    .balign 4
count:
    .long   0
    .balign 16
    .skip   512
stack_top:

    .section .note.GNU-stack, "", @progbits
