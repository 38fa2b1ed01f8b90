/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent: a small 64-bit guest that does what its mailbox says and tells so by a port write.
 *
 * Each vCPU has a mailbox page that the manager shares with the domain, so both see it. The agent
 * writes to port AGENT_DONE, which the manager claims: it is in service whenever it has nothing to
 * do. The manager puts a command into the mailbox and completes the service; the next service on
 * AGENT_DONE says that the command is done. An exception ends a command and is recorded; NMIs and
 * vectors from 32 on are counted.
 */
#pragma once

#include <stdint.h>

/* Layout of the guest, by guest-physical address, which is the linear address too. */
#define AGENT_PML4          0x1000U
#define AGENT_PDPT          0x2000U
#define AGENT_PD            0x3000U
#define AGENT_CODE          0x4000U
#define AGENT_STACKS        0xc000U /* one page for each vCPU */
#define AGENT_VCPUS         8U
#define AGENT_PAGES         (AGENT_STACKS / 0x1000U) /* without the stacks; page 0 is there too */
#define AGENT_MAILBOX       0x20000U                 /* shared, one page for each vCPU */
#define AGENT_SCRATCH       0x30000U                 /* shared, AGENT_SCRATCH_PAGES */
#define AGENT_SCRATCH_PAGES 2U
#define AGENT_MMIO          0x10000000U /* no memory here */
#define AGENT_MEMORY        0x20000000U /* for the tests; the page tables reach to 1 GiB */

#define AGENT_IOAPIC 0x3fc00000U /* linear only */
#define AGENT_LAPIC  0x3fe00000U

#define AGENT_DONE 0xf0U /* port */

enum agent_command {
    AGENT_NOP,
    AGENT_CALL,   /* arg[0] = RAX, arg[1..6]; result = RAX */
    AGENT_HLT,    /* arg[0]: with interrupts on; counts wake-ups until box.stop */
    AGENT_SPIN,   /* counts until box.stop */
    AGENT_CPUIDS, /* CPUID arg[0] times */
    AGENT_IN,     /* arg[0] port, arg[1] width */
    AGENT_OUT,    /* arg[2] value */
    AGENT_INS,    /* arg[0] port, arg[1] width, arg[2] to, arg[3] count; result = RDI */
    AGENT_OUTS,   /* arg[0] port, arg[1] width, arg[2] from, arg[3] count; result = RSI */
    AGENT_READ,   /* arg[0] address, arg[1] width */
    AGENT_WRITE,  /* arg[2] value */
    AGENT_RMW,    /* arg[0] address, arg[1] enum agent_rmw, arg[2] operand; result, flags */
    AGENT_STOS,   /* arg[0] address, arg[1] width, arg[2] value, arg[3] count */
    AGENT_MOVS,   /* arg[0] to, arg[1] width, arg[2] from, arg[3] count */
    AGENT_SSE,    /* an instruction on arg[0] that the hypervisor does not decode; no recovery */
    AGENT_FILL,   /* arg[0] address, arg[1] pages, arg[2] pattern */
    AGENT_SUM,    /* arg[0] address, arg[1] pages; result: sum of all words */
    AGENT_TRIPLE, /* no interrupt table, then INT3 */
    AGENT_TSC,    /* result */
    AGENT_PROBES, /* arg[0] address of pairs {address, value}, arg[1] how many: reads all */
    AGENT_RDMSR,  /* arg[0] number; result */
    AGENT_WRMSR,  /* arg[0] number, arg[1] value; then counts */
    AGENT_CPUID,  /* arg[0] leaf; result = ECX */
    AGENT_RACE, /* arg[0] times: a deadline arg[1] ticks ahead, a wait of up to arg[2] turns, then one in the past */
    AGENT_EOIS, /* counts with interrupts on until box.stop, and ends each that comes */
    AGENT_IPIS, /* sends with ICR = arg[0] to the APIC ID arg[1] and counts, until box.stop */
    AGENT_COMMANDS,
};

enum agent_rmw { RMW_OR, RMW_AND, RMW_XOR, RMW_XCHG, RMW_CMPXCHG, RMW_BTS, RMW_TEST, RMW_CMP };

struct mailbox {
    uint64_t command;
    uint64_t arg[8];
    uint64_t result;
    uint64_t flags;  /* RFLAGS after RMW */
    uint64_t vector; /* 0x100 | vector of the exception that ended the command, or 0 */
    uint64_t error;
    uint64_t rip;
    uint64_t rsp; /* where the command began */
    volatile uint64_t counter;
    volatile uint64_t stop;
    volatile uint64_t nmis;
    volatile uint64_t interrupts;
    volatile uint64_t last_interrupt;
    uint64_t user_result; /* of the call at CPL 3 */
    uint64_t boxes; /* address of a page: interrupts are ended at once and counted in it (boxes.c); 0: no */
};
