/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent's commands; see agent.h. 64-bit, freestanding, linked at AGENT_CODE, one copy for all
 * vCPUs of a domain: what is per vCPU is in the mailbox.
 */
#include "tests/manager/agent.h"

#include <stdbool.h>
#include <stddef.h>

_Static_assert(offsetof(struct mailbox, vector) == 88, "agent_entry.S");
_Static_assert(offsetof(struct mailbox, rsp) == 112, "agent_entry.S");
_Static_assert(offsetof(struct mailbox, stop) == 128, "agent_entry.S");
_Static_assert(offsetof(struct mailbox, nmis) == 136, "agent_entry.S");
_Static_assert(offsetof(struct mailbox, last_interrupt) == 152, "agent_entry.S");
_Static_assert(offsetof(struct mailbox, boxes) == 168 && AGENT_LAPIC == 0x3fe00000U, "agent_entry.S");

#define CODE_SELECTOR 8U
#define STUB_SIZE     16U

extern const char agent_stubs[];
void agent_guarded(struct mailbox *box);
bool agent_sleep(struct mailbox *box, bool interrupts);
void agent_command(struct mailbox *box);
__attribute__((noreturn)) void agent_main(struct mailbox *box);

struct gate {
    uint16_t low, selector;
    uint16_t type;
    uint16_t middle;
    uint32_t high, reserved;
};

struct __attribute__((packed)) table_pointer {
    uint16_t limit;
    uint64_t base;
};

static struct gate idt[256];
/* Null, 64-bit code, data, 32-bit code. */
static const uint64_t gdt[4] = {0, 0x00af9b000000ffffULL, 0x00cf93000000ffffULL, 0x00cf9b000000ffffULL};

static void load_tables(void)
{
    for (unsigned i = 0; i < 256; i++) {
        uint64_t at = (uint64_t)(uintptr_t)agent_stubs + i * STUB_SIZE;
        idt[i] = (struct gate){.low = (uint16_t)at,
                               .selector = CODE_SELECTOR,
                               .type = 0x8e00,
                               .middle = (uint16_t)(at >> 16),
                               .high = (uint32_t)(at >> 32)};
    }
    const struct table_pointer g = {sizeof(gdt) - 1, (uint64_t)(uintptr_t)gdt};
    const struct table_pointer i = {sizeof(idt) - 1, (uint64_t)(uintptr_t)idt};
    __asm__ volatile("lgdt %0; lidt %1" ::"m"(g), "m"(i));
}

static void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" ::"a"(value), "d"(port) : "memory");
}

static uint64_t call(const struct mailbox *box)
{
    uint64_t rax = box->arg[0];
    register uint64_t r10 __asm__("r10") = box->arg[4];
    register uint64_t r8 __asm__("r8") = box->arg[5];
    register uint64_t r9 __asm__("r9") = box->arg[6];
    __asm__ volatile("vmcall"
                     : "+a"(rax)
                     : "D"(box->arg[1]), "S"(box->arg[2]), "d"(box->arg[3]), "r"(r10), "r"(r8), "r"(r9)
                     : "memory", "cc");
    return rax;
}

static void halt(struct mailbox *box)
{
    while (agent_sleep(box, box->arg[0] != 0))
        box->counter++;
}

static void end_each(struct mailbox *box)
{
    for (uint64_t ended = box->interrupts; !box->stop; box->counter++) {
        __asm__ volatile("sti; nop; cli" ::: "memory");
        if (box->interrupts == ended)
            continue;
        *(volatile uint32_t *)(uintptr_t)(AGENT_LAPIC + 0xb0) = 0;
        ended++;
    }
}

static void send_many(struct mailbox *box)
{
    volatile uint32_t *icr = (volatile uint32_t *)(uintptr_t)(AGENT_LAPIC + 0x300);
    icr[4] = (uint32_t)box->arg[1] << 24;
    for (; !box->stop; box->counter++)
        *icr = (uint32_t)box->arg[0];
}

static void port(struct mailbox *box)
{
    uint16_t at = (uint16_t)box->arg[0];
    uint64_t rax = 0x1122334455667788ULL;
    bool in = box->command == AGENT_IN;
    if (!in)
        rax = box->arg[2];
    switch (box->arg[1] | (in ? 0x10U : 0)) {
    case 0x11:
        __asm__ volatile("inb %%dx, %%al" : "+a"(rax) : "d"(at));
        break;
    case 0x12:
        __asm__ volatile("inw %%dx, %%ax" : "+a"(rax) : "d"(at));
        break;
    case 0x14:
        __asm__ volatile("inl %%dx, %%eax" : "+a"(rax) : "d"(at));
        break;
    case 1:
        __asm__ volatile("outb %%al, %%dx" ::"a"(rax), "d"(at));
        break;
    case 2:
        __asm__ volatile("outw %%ax, %%dx" ::"a"(rax), "d"(at));
        break;
    default:
        __asm__ volatile("outl %%eax, %%dx" ::"a"(rax), "d"(at));
        break;
    }
    box->result = rax;
}

static void string_port(struct mailbox *box)
{
    uint64_t address = box->arg[2], count = box->arg[3];
    bool in = box->command == AGENT_INS;
#define STRING(instruction, reg)                                                                             \
    __asm__ volatile("rep " instruction                                                                      \
                     : "+" reg(address), "+c"(count)                                                         \
                     : "d"((uint16_t)box->arg[0])                                                            \
                     : "memory")
    switch (box->arg[1] | (in ? 0x10U : 0)) {
    case 0x11:
        STRING("insb", "D");
        break;
    case 0x12:
        STRING("insw", "D");
        break;
    case 0x14:
        STRING("insl", "D");
        break;
    case 1:
        STRING("outsb", "S");
        break;
    case 2:
        STRING("outsw", "S");
        break;
    default:
        STRING("outsl", "S");
        break;
    }
    box->result = address;
}

static void memory(struct mailbox *box)
{
    uint64_t value = box->arg[2];
    void *at = (void *)(uintptr_t)box->arg[0];
    bool write = box->command == AGENT_WRITE;
    switch (box->arg[1] | (write ? 0x10U : 0)) {
    case 0x11:
        *(volatile uint8_t *)at = (uint8_t)value;
        break;
    case 0x12:
        *(volatile uint16_t *)at = (uint16_t)value;
        break;
    case 0x14:
        *(volatile uint32_t *)at = (uint32_t)value;
        break;
    case 0x18:
        *(volatile uint64_t *)at = value;
        break;
    case 1:
        value = *(volatile uint8_t *)at;
        break;
    case 2:
        value = *(volatile uint16_t *)at;
        break;
    case 4:
        value = *(volatile uint32_t *)at;
        break;
    default:
        value = *(volatile uint64_t *)at;
        break;
    }
    box->result = value;
}

/* 32-bit operands; RAX is 5 for CMPXCHG. */
static void read_modify_write(struct mailbox *box)
{
    uint64_t operand = box->arg[2], rax = 5, flags;
    volatile uint32_t *at = (volatile uint32_t *)(uintptr_t)box->arg[0];
#define RMW(instruction)                                                                                     \
    __asm__ volatile(instruction "; pushfq; pop %2" : "+r"(operand), "+a"(rax), "=r"(flags), "+m"(*at)::"cc")
    switch (box->arg[1]) {
    case RMW_OR:
        RMW("orl %k0, %3");
        break;
    case RMW_AND:
        RMW("andl %k0, %3");
        break;
    case RMW_XOR:
        RMW("lock xorl %k0, %3");
        break;
    case RMW_XCHG:
        RMW("xchgl %k0, %3");
        break;
    case RMW_CMPXCHG:
        RMW("lock cmpxchgl %k0, %3");
        break;
    case RMW_BTS:
        RMW("btsl $3, %3");
        break;
    case RMW_TEST:
        RMW("testl %k0, %3");
        break;
    default:
        RMW("cmpl %k0, %3");
        break;
    }
    box->result = box->arg[1] == RMW_CMPXCHG ? rax : operand;
    box->flags = flags;
}

static void string_memory(struct mailbox *box)
{
    uint64_t to = box->arg[0], from = box->arg[2], count = box->arg[3], rax = box->arg[2];
    bool movs = box->command == AGENT_MOVS;
    if (movs && box->arg[1] == 1)
        __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count)::"memory");
    else if (movs)
        __asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(count)::"memory");
    else if (box->arg[1] == 1)
        __asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(rax) : "memory");
    else
        __asm__ volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(rax) : "memory");
    box->result = to;
}

static void whole_pages(struct mailbox *box)
{
    uint64_t *word = (uint64_t *)(uintptr_t)box->arg[0], sum = 0;
    for (uint64_t i = 0; i < box->arg[1] * 512; i++) {
        if (box->command == AGENT_FILL)
            word[i] = box->arg[2] + i;
        sum += word[i];
    }
    box->result = sum;
}

static void probes(struct mailbox *box)
{
    uint64_t *pair = (uint64_t *)(uintptr_t)box->arg[0];
    for (uint64_t i = 0; i < box->arg[1]; i++)
        pair[2 * i + 1] = *(volatile uint64_t *)(uintptr_t)pair[2 * i];
}

static void triple_fault(void)
{
    const struct table_pointer none = {0, 0};
    __asm__ volatile("lidt %0; int3" ::"m"(none));
}

static uint64_t tsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static void cpuids(uint64_t count)
{
    while (count--) {
        uint32_t eax = 0, ecx = 0;
        __asm__ volatile("cpuid" : "+a"(eax), "+c"(ecx)::"ebx", "edx");
    }
}

static uint64_t rdmsr(uint64_t number)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"((uint32_t)number));
    return (uint64_t)high << 32 | low;
}

static void wrmsr(uint64_t number, uint64_t value)
{
    __asm__ volatile("wrmsr" ::"c"((uint32_t)number), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

static uint32_t cpuid_ecx(uint64_t leaf)
{
    uint32_t eax = (uint32_t)leaf, ecx = 0;
    __asm__ volatile("cpuid" : "+a"(eax), "+c"(ecx)::"ebx", "edx");
    return ecx;
}

static void race(const struct mailbox *box)
{
    for (uint64_t i = 0; i < box->arg[0]; i++) {
        wrmsr(0x6e0, tsc() + box->arg[1]);
        for (uint64_t turn = 0; turn < i * box->arg[2] / box->arg[0]; turn++)
            __asm__ volatile("" ::: "memory");
        wrmsr(0x6e0, 1);
    }
}

void agent_command(struct mailbox *box)
{
    switch ((enum agent_command)box->command) {
    case AGENT_CALL:
        box->result = call(box);
        break;
    case AGENT_HLT:
        halt(box);
        break;
    case AGENT_SPIN:
        while (!box->stop)
            box->counter++;
        break;
    case AGENT_CPUIDS:
        cpuids(box->arg[0]);
        break;
    case AGENT_IN:
    case AGENT_OUT:
        port(box);
        break;
    case AGENT_INS:
    case AGENT_OUTS:
        string_port(box);
        break;
    case AGENT_READ:
    case AGENT_WRITE:
        memory(box);
        break;
    case AGENT_RMW:
        read_modify_write(box);
        break;
    case AGENT_STOS:
    case AGENT_MOVS:
        string_memory(box);
        break;
    case AGENT_SSE:
        __asm__ volatile("movups (%0), %%xmm0" ::"r"(box->arg[0]));
        break;
    case AGENT_FILL:
    case AGENT_SUM:
        whole_pages(box);
        break;
    case AGENT_TRIPLE:
        triple_fault();
        break;
    case AGENT_TSC:
        box->result = tsc();
        break;
    case AGENT_PROBES:
        probes(box);
        break;
    case AGENT_RDMSR:
        box->result = rdmsr(box->arg[0]);
        break;
    case AGENT_WRMSR:
        wrmsr(box->arg[0], box->arg[1]);
        box->counter++;
        break;
    case AGENT_CPUID:
        box->result = cpuid_ecx(box->arg[0]);
        break;
    case AGENT_RACE:
        race(box);
        break;
    case AGENT_EOIS:
        end_each(box);
        break;
    case AGENT_IPIS:
        send_many(box);
        break;
    case AGENT_NOP:
    case AGENT_COMMANDS:
        break;
    }
}

void agent_main(struct mailbox *box)
{
    load_tables();
    for (;;) {
        out8(AGENT_DONE, 0);
        box->vector = 0;
        agent_guarded(box);
    }
}
