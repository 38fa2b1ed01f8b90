/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tool: what /init needs and a shell cannot do, or not in few instructions. Static, without a library. Linux
 * system calls as in the x86-64 ABI supplement, appendix A.2.1 "Calling Conventions".
 *
 *   tool tsc                      the time stamp counter
 *   tool out PORT TEXT            the bytes of TEXT to one port, one after the other
 *   tool send A.B.C.D PORT BYTES  by TCP, in pieces of 64 KiB; prints bytes and ticks until the other side has all
 *   tool receive PORT             waits for that; prints bytes and ticks
 *   tool read FILE                a disk from its beginning to its end past the page cache; prints bytes and ticks
 */
#include <stddef.h>
#include <stdint.h>

enum {
    SYS_READ = 0,
    SYS_WRITE = 1,
    SYS_OPEN = 2,
    SYS_SOCKET = 41,
    SYS_CONNECT = 42,
    SYS_ACCEPT = 43,
    SYS_SHUTDOWN = 48,
    SYS_BIND = 49,
    SYS_LISTEN = 50,
    SYS_SETSOCKOPT = 54,
    SYS_EXIT = 60,
    SYS_IOPL = 172,
    STDOUT = 1,
    O_DIRECT = 040000,
    AF_INET = 2,
    SOCK_STREAM = 1,
    SOL_SOCKET = 1,
    SO_REUSEADDR = 2,
    SHUT_WR = 1,
    PIECE = 65536,
};

struct sockaddr_in {
    uint16_t family;
    uint8_t port[2], address[4], zero[8];
};

static _Alignas(4096) char buffer[PIECE];

static long call6(long number, long a, long b, long c, long d, long e)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return result;
}

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

static int print(uint64_t value, char end)
{
    char text[24];
    size_t at = sizeof(text);
    text[--at] = end;
    do {
        text[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    return call(SYS_WRITE, STDOUT, (long)&text[at], (long)(sizeof(text) - at)) < 0;
}

static uint64_t number(const char **text)
{
    uint64_t value = 0;
    while (**text >= '0' && **text <= '9')
        value = value * 10 + (uint64_t)(*(*text)++ - '0');
    if (**text != '\0')
        (*text)++;
    return value;
}

static int out(const char *port, const char *text)
{
    uint16_t to = (uint16_t)number(&port);
    if (*port != '\0' || call(SYS_IOPL, 3, 0, 0) < 0)
        return 1;
    for (; *text != '\0'; text++)
        __asm__ volatile("outb %0, %1" ::"a"(*text), "Nd"(to));
    return 0;
}

/* Reads until nothing comes any more; prints bytes, and ticks since `start` or, when that is 0, the first byte. */
static int drain(long file, uint64_t start)
{
    uint64_t bytes = 0;
    long got;
    while ((got = call(SYS_READ, file, (long)buffer, PIECE)) > 0) {
        if (start == 0)
            start = tsc();
        bytes += (uint64_t)got;
    }
    return got < 0 || print(bytes, ' ') || print(tsc() - start, '\n');
}

static int send(const char *address, const char *port, const char *count)
{
    struct sockaddr_in to = {.family = AF_INET};
    uint64_t left = number(&count), all = left, where = number(&port);
    for (int i = 0; i < 4; i++)
        to.address[i] = (uint8_t)number(&address);
    to.port[0] = (uint8_t)(where >> 8);
    to.port[1] = (uint8_t)where;
    long file = call(SYS_SOCKET, AF_INET, SOCK_STREAM, 0);
    if (file < 0 || call(SYS_CONNECT, file, (long)&to, sizeof(to)) < 0)
        return 1;
    uint64_t start = tsc();
    while (left > 0) {
        long sent = call(SYS_WRITE, file, (long)buffer, left < PIECE ? (long)left : PIECE);
        if (sent <= 0)
            return 1;
        left -= (uint64_t)sent;
    }
    /* The other side closes when it has all. */
    if (call(SYS_SHUTDOWN, file, SHUT_WR, 0) < 0 || call(SYS_READ, file, (long)buffer, 1) != 0)
        return 1;
    return print(all, ' ') || print(tsc() - start, '\n');
}

static int receive(const char *port)
{
    struct sockaddr_in at = {.family = AF_INET};
    uint64_t where = number(&port);
    int one = 1;
    at.port[0] = (uint8_t)(where >> 8);
    at.port[1] = (uint8_t)where;
    long file = call(SYS_SOCKET, AF_INET, SOCK_STREAM, 0);
    if (file < 0 || call6(SYS_SETSOCKOPT, file, SOL_SOCKET, SO_REUSEADDR, (long)&one, sizeof(one)) < 0 ||
        call(SYS_BIND, file, (long)&at, sizeof(at)) < 0 || call(SYS_LISTEN, file, 1, 0) < 0)
        return 1;
    long from = call(SYS_ACCEPT, file, 0, 0);
    return from < 0 || drain(from, 0);
}

static int read_all(const char *path)
{
    long file = call(SYS_OPEN, (long)path, O_DIRECT, 0);
    return file < 0 || drain(file, tsc());
}

/* The stack as the kernel leaves it: count and pointers of the arguments. */
__attribute__((used)) static void run(const long *stack)
{
    char *const *args = (char *const *)(uintptr_t)(stack + 1);
    long count = stack[0];
    int status = 2;
    if (count == 2 && args[1][0] == 't')
        status = print(tsc(), '\n');
    else if (count == 4 && args[1][0] == 'o')
        status = out(args[2], args[3]);
    else if (count == 5 && args[1][0] == 's')
        status = send(args[2], args[3], args[4]);
    else if (count == 3 && args[1][0] == 'r' && args[1][2] == 'c')
        status = receive(args[2]);
    else if (count == 3 && args[1][0] == 'r')
        status = read_all(args[2]);
    call(SYS_EXIT, status, 0, 0);
}

__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call run\n");
