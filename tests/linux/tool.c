/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tool: what /init needs and a shell cannot do: `tool tsc` prints the time stamp counter, `tool out PORT
 * TEXT` writes the bytes of TEXT to one port, one after the other. Static, without a library, so that it
 * starts in few instructions. Linux system calls as in the x86-64 ABI supplement, appendix A.2.1 "Calling
 * Conventions".
 */
#include <stddef.h>
#include <stdint.h>

enum { SYS_WRITE = 1, SYS_EXIT = 60, SYS_IOPL = 172, STDOUT = 1 };

static long call(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

static uint64_t tsc(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
    return low | (uint64_t)high << 32;
}

static int print(uint64_t value)
{
    char text[24];
    size_t at = sizeof(text);
    text[--at] = '\n';
    do {
        text[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    return call(SYS_WRITE, STDOUT, (long)&text[at], (long)(sizeof(text) - at)) < 0;
}

static int out(const char *number, const char *text)
{
    uint16_t port = 0;
    while (*number >= '0' && *number <= '9')
        port = (uint16_t)(port * 10 + (*number++ - '0'));
    if (*number != '\0' || call(SYS_IOPL, 3, 0, 0) < 0)
        return 1;
    for (; *text != '\0'; text++)
        __asm__ volatile("outb %0, %1" ::"a"(*text), "Nd"(port));
    return 0;
}

/* The stack as the kernel leaves it: count and pointers of the arguments. */
__attribute__((used)) static void run(const long *stack)
{
    char *const *args = (char *const *)(uintptr_t)(stack + 1);
    int status = 2;
    if (stack[0] == 2 && args[1][0] == 't')
        status = print(tsc());
    else if (stack[0] == 4 && args[1][0] == 'o')
        status = out(args[2], args[3]);
    call(SYS_EXIT, status, 0, 0);
}

__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call run\n");
