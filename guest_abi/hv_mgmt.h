/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Structures of the management calls: system, domains, vCPUs, memory. See hv_abi.h for the rules
 * that hold for all of them. Times are in TSC ticks of the machine unless the name says otherwise;
 * sizes and addresses in bytes.
 */
#pragma once

#include <stddef.h>

#include "guest_abi/hv_abi.h"

#define HV_NAME_SIZE 32 /* with the NUL */

/* HV_CALL_CONSOLE_READ: ESCAPE 0 0 is a BREAK on the line, ESCAPE ESCAPE a received byte of that value. */
#define HV_CONSOLE_ESCAPE 0xffU

struct hv_system_info {
    uint32_t size; /* in: sizeof(struct hv_system_info) */
    uint32_t cpus;
    uint64_t tsc_khz;
    uint64_t memory_total; /* usable RAM of the machine */
    uint64_t pool_total;   /* the hypervisor's own memory */
    uint64_t pool_free;
    uint32_t modules; /* boot modules, the management domain's own image (0) included */
    uint32_t domains; /* that exist */
    uint64_t tsc_now;
    uint64_t reserved[3];
    char build_id[48];  /* hex, NUL-terminated */
    char cpu_brand[56]; /* NUL-terminated */
};
_Static_assert(sizeof(struct hv_system_info) == 184, "ABI");
_Static_assert(offsetof(struct hv_system_info, build_id) == 80, "ABI");

struct hv_module_info {
    uint32_t size;
    uint32_t reserved0;
    gpa_t start; /* in the management domain; the module's pages are read-only there */
    uint64_t length;
    uint64_t reserved[1];
    char name[256]; /* the boot loader's string, NUL-terminated */
};
_Static_assert(sizeof(struct hv_module_info) == 288, "ABI");

struct hv_log_read {
    uint32_t size;
    uint32_t length;   /* in: bytes of room at buffer, at most 4096 */
    uint64_t position; /* in: where to go on, 0 at first; out: behind what was copied */
    uint64_t lost;     /* out: bytes skipped because the ring had been overwritten */
    gpa_t buffer;      /* inside one page */
};
_Static_assert(sizeof(struct hv_log_read) == 32, "ABI");

struct hv_cpu_info {
    uint32_t size;
    uint32_t apic_id;
    uint64_t ticks_idle;  /* in HLT with nothing to run */
    uint64_t ticks_guest; /* in guests, exits included */
    uint64_t exits;
    uint64_t switches; /* times another vCPU took the CPU */
    uint32_t runnable; /* vCPUs queued or running */
    uint32_t reserved0;
    uint64_t reserved[2];
};
_Static_assert(sizeof(struct hv_cpu_info) == 64, "ABI");

/* flags of struct hv_domain_create: where the domain's interrupt controllers are */
#define HV_DOMAIN_IRQCHIP_NONE  0U /* the manager emulates them all and injects */
#define HV_DOMAIN_IRQCHIP_SPLIT 1U /* local APICs in the hypervisor, the rest in the manager */
#define HV_DOMAIN_IRQCHIP_FULL  2U /* local APICs, I/O APIC, PIC and PIT in the hypervisor */
#define HV_DOMAIN_IRQCHIP       3U /* mask */
#define HV_DOMAIN_TSC_DEADLINE  4U /* with IRQCHIP_NONE: IA32_TSC_DEADLINE is there; see device_irq_level */
#define HV_DOMAIN_OUTPUTS       8U /* with IRQCHIP_NONE: routes may lead to device_irq_level (HV_ROUTE_OUTPUT) */
#define HV_DOMAIN_PIT                                                                                        \
    16U /* with NONE or SPLIT: the hypervisor has the 8254 and port 61h; it ticks on GSI 0 */

struct hv_domain_create {
    uint32_t size;
    uint32_t flags;      /* HV_DOMAIN_* */
    uint32_t max_vcpus;  /* 1 to HV_CAP_MAX_VCPUS */
    uint32_t pool_pages; /* most pages of the hypervisor's pool that it may cost; 0: no limit of its
                            own */
    uint64_t may;        /* HV_MAY_* that the domain gets; a subset of the caller's */
    uint64_t reserved[3];
    char name[HV_NAME_SIZE]; /* printable ASCII, NUL-terminated; for people only, need not be unique
                              */
};
_Static_assert(sizeof(struct hv_domain_create) == 80, "ABI");

enum hv_domain_state {
    HV_DOMAIN_BUILDING = 0, /* no vCPU has been started yet */
    HV_DOMAIN_ACTIVE = 1,
    HV_DOMAIN_PAUSED = 2,
    HV_DOMAIN_DEAD = 3, /* stopped by the hypervisor, see `reason`; waits to be destroyed */
};

/* Why a domain is dead. */
enum hv_dead_reason {
    HV_DEAD_NONE = 0,
    HV_DEAD_TRIPLE_FAULT = 1,
    HV_DEAD_ENTRY_FAILED = 2, /* its state does not pass the VM-entry checks; detail: VM-instruction
                                 error or exit reason */
    HV_DEAD_EXIT = 3,         /* an exit that nobody handles; detail: the exit reason */
    HV_DEAD_NO_MEMORY = 4,    /* a page for it could not be had */
};

struct hv_domain_info {
    uint32_t size;
    uint32_t domain;
    uint32_t state;  /* enum hv_domain_state */
    uint32_t reason; /* enum hv_dead_reason */
    uint64_t detail;
    uint32_t vcpus; /* created */
    uint32_t max_vcpus;
    uint64_t may;
    uint64_t memory_pages; /* donated to it */
    uint64_t shared_pages; /* of the manager, mapped in it */
    uint64_t pool_pages;   /* of the hypervisor's pool that it costs */
    uint64_t reserved[2];
    char name[HV_NAME_SIZE];
};
_Static_assert(sizeof(struct hv_domain_info) == 112, "ABI");

enum hv_claim_space { HV_CLAIM_PIO = 0, HV_CLAIM_MMIO = 1 };

/*
 * Accesses in [base, base + length) go to the manager. Unclaimed ports and memory read all ones and
 * swallow writes. MMIO: pages without memory behind them only; length in whole pages.
 */
struct hv_claim {
    uint32_t size;
    uint32_t space; /* enum hv_claim_space */
    uint64_t base;
    uint64_t length;
    uint64_t reserved[1];
};
_Static_assert(sizeof(struct hv_claim) == 32, "ABI");

enum hv_vcpu_state {
    HV_VCPU_STOPPED = 0,
    HV_VCPU_RUNNABLE = 1,
    HV_VCPU_RUNNING = 2,
    HV_VCPU_BLOCKED = 3, /* HLT, or HV_CALL_NOTIFY_WAIT */
    HV_VCPU_SERVICE = 4, /* waits for the manager's answer on its service page */
};

struct hv_vcpu_info {
    uint32_t size;
    uint32_t state; /* enum hv_vcpu_state */
    uint32_t cpu;   /* where it runs or ran last */
    uint32_t priority;
    uint64_t affinity;
    uint64_t slice_us;
    uint64_t ticks_running;
    uint64_t ticks_runnable; /* ready, but another vCPU had the CPU */
    uint64_t ticks_blocked;
    uint64_t ticks_offline; /* stopped, paused, or waiting for the manager */
    uint64_t exits;
    uint64_t exits_by_reason[72]; /* index: basic exit reason, SDM volume 3 appendix C; larger ones
                                     in the last */
    gpa_t service;                /* its service page, in the domain that made it */
    uint64_t reserved[2];
};
_Static_assert(sizeof(struct hv_vcpu_info) == 672, "ABI");

enum hv_inject {
    HV_INJECT_NMI = 0,       /* vector 0, error 0 */
    HV_INJECT_EXCEPTION = 1, /* vector 0 to 31 without 2; error code where the vector has one, else 0 */
    HV_INJECT_EXTERNAL = 2,  /* vector 16 to 255: an external interrupt for a domain without a local APIC */
};

/* flags of struct hv_mem */
#define HV_MEM_WRITE (1U << 0)
#define HV_MEM_EXEC  (1U << 1)

struct hv_mem {
    uint32_t size;
    uint32_t flags; /* HV_MEM_*; memory is always readable */
    gpa_t own;      /* where it is in the caller, page-aligned */
    gpa_t target;   /* where it is to appear in the domain, page-aligned */
    uint64_t pages; /* 1 to 2^36; fewer may be done in one call (see the result): repeat for the rest */
};
_Static_assert(sizeof(struct hv_mem) == 32, "ABI");

struct hv_mem_query {
    uint32_t size;
    uint32_t flags;  /* out: HV_MEM_* */
    gpa_t gpa;       /* in: an address in the domain */
    gpa_t own;       /* out: the frame's address in the management domain (HV_NO_PAGE: none) */
    uint64_t length; /* out: bytes from gpa to the end of the mapping's leaf */
    uint32_t owner;  /* out: domain that owns the frame */
    uint32_t pins;   /* out: registrations that hold the frame */
};
_Static_assert(sizeof(struct hv_mem_query) == 40, "ABI");
