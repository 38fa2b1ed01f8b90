/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The smallest guest of the test machines: proves that tools/emu.py starts an image, hands over
 * command line and modules, and carries the serial port in both directions. It needs nothing of the
 * hypervisor.
 *
 * A 32-bit program with a Multiboot 1 and a Multiboot 2 header. Command line words: "echo" returns
 * every received line until the line "quit"; "fault" makes a triple fault; "loop" never ends;
 * otherwise it prints and ends. It polls, interrupts are off. Specifications: Multiboot 0.6.96
 * section 3; Multiboot2 1.6 section 3; 16550 UART.
 */
#include <stdint.h>

#define COM1             0x3f8
#define LSR_DATA_READY   0x01
#define LSR_THR_EMPTY    0x20
#define LSR_IDLE         0x40
#define MULTIBOOT1_MAGIC 0x2badb002u
#define MULTIBOOT2_MAGIC 0x36d76289u
#define MB2_TAG_CMDLINE  1
#define MB2_TAG_MODULE   3

void smoke_main(uint32_t magic, uint32_t info);

__asm__(".section .multiboot, \"a\"\n"
        ".balign 8\n"
        "mb2: .long 0xe85250d6, 0, mb2_end - mb2, -(0xe85250d6 + (mb2_end - mb2))\n"
        ".short 0, 0\n.long 8\n"
        "mb2_end:\n"
        ".balign 4\n.long 0x1badb002, 3, -(0x1badb002 + 3)\n"
        ".text\n.globl _start\n"
        "_start: movl $stack_top, %esp\n"
        "cld\npush %ebx\npush %eax\ncall smoke_main\n"
        "1: cli\nhlt\njmp 1b\n"
        ".bss\n.balign 16\n.skip 4096\nstack_top:\n.text\n");

static void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in8(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static void put(char c)
{
    while (!(in8(COM1 + 5) & LSR_THR_EMPTY))
        ;
    out8(COM1, (uint8_t)c);
}

static void print(const char *text)
{
    while (*text)
        put(*text++);
}

static char get(void)
{
    while (!(in8(COM1 + 5) & LSR_DATA_READY))
        ;
    return (char)in8(COM1);
}

static int has_word(const char *text, const char *word)
{
    for (; *text; text++) {
        unsigned int i = 0;

        while (word[i] && text[i] == word[i])
            i++;
        if (!word[i])
            return 1;
    }
    return 0;
}

static void show(const char *what, const char *text)
{
    print(what);
    print(text);
    print("\n");
}

/* Returns the command line; prints the argument of every module. */
static const char *read_info(uint32_t magic, uint32_t info)
{
    const char *cmdline = "";
    const uint32_t *word = (const uint32_t *)info;

    if (magic == MULTIBOOT1_MAGIC) {
        if (word[0] & 4)
            cmdline = (const char *)word[4];
        for (uint32_t i = 0; (word[0] & 8) && i < word[5]; i++)
            show("module ", (const char *)((const uint32_t *)word[6])[i * 4 + 2]);
    } else if (magic == MULTIBOOT2_MAGIC) {
        for (const uint32_t *tag = word + 2; tag[0]; tag += ((tag[1] + 7) & ~7u) / 4) {
            if (tag[0] == MB2_TAG_CMDLINE)
                cmdline = (const char *)&tag[2];
            if (tag[0] == MB2_TAG_MODULE)
                show("module ", (const char *)&tag[4]);
        }
    }
    return cmdline;
}

/* Gives back each line when it is complete; a line has at most 255 characters. */
static void echo(void)
{
    char line[256];
    unsigned int used;

    do {
        used = 0;
        do {
            line[used] = get();
        } while (line[used] != '\r' && line[used] != '\n' && used++ < sizeof(line) - 2);
        line[used] = 0;
        show("echo ", line);
    } while (!has_word(line, "quit"));
}

static void end_machine(void)
{
    while (!(in8(COM1 + 5) & LSR_IDLE))
        ;
    for (const char *c = "Shutdown"; *c; c++)
        out8(0x8900, (uint8_t)*c);
    __asm__ volatile("outl %0, %1" : : "a"(0x10), "Nd"((uint16_t)0xf4));
}

void smoke_main(uint32_t magic, uint32_t info)
{
    static const uint16_t no_idt[4];
    const char *cmdline;

    out8(COM1 + 3, 0x80);
    out8(COM1, 1);
    out8(COM1 + 1, 0);
    out8(COM1 + 3, 0x03);
    out8(COM1 + 2, 0x07);
    cmdline = read_info(magic, info);
    show(magic == MULTIBOOT2_MAGIC ? "smoke: multiboot2 " : "smoke: multiboot1 ", cmdline);
    if (has_word(cmdline, "echo"))
        echo();
    if (has_word(cmdline, "fault"))
        __asm__ volatile("lidt %0\nud2" : : "m"(no_idt));
    while (has_word(cmdline, "loop"))
        ;
    out8(0xe9, 'E');
    print("smoke: done\n");
    end_machine();
}
