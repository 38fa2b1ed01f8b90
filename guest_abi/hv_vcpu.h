/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of a vCPU as the manager reads and writes it, its service page, and the notification
 * page.
 */
#pragma once

#include <stddef.h>

#include "guest_abi/hv_abi.h"

/* Kinds for HV_CALL_VCPU_GET and HV_CALL_VCPU_SET; the vCPU must be stopped, paused or in service
 * for SET. */
enum hv_state_kind {
    HV_STATE_REGS = 0,   /* struct hv_regs */
    HV_STATE_SREGS = 1,  /* struct hv_sregs */
    HV_STATE_MSRS = 2,   /* struct hv_msrs */
    HV_STATE_XSAVE = 3,  /* struct hv_xsave_header and the XSAVE area in standard format */
    HV_STATE_EVENTS = 4, /* struct hv_events */
    HV_STATE_LAPIC = 5,  /* struct hv_lapic (apic.h), with what was posted; the domain has local APICs */
};

struct hv_regs {
    uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi; /* the hardware's numbering */
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rip, rflags;
};
_Static_assert(sizeof(struct hv_regs) == 144, "ABI");

struct hv_segment {
    uint64_t base;
    uint32_t limit;
    uint16_t selector;
    uint16_t reserved;
    uint32_t access; /* VMX access rights: bits 3:0 type, 4 S, 6:5 DPL, 7 P, 12 AVL, 13 L, 14 D/B,
                        15 G, 16 unusable */
    uint32_t reserved1;
};
_Static_assert(sizeof(struct hv_segment) == 24, "ABI");

struct hv_table {
    uint64_t base;
    uint32_t limit;
    uint32_t reserved;
};

struct hv_sregs {
    struct hv_segment es, cs, ss, ds, fs, gs, ldtr, tr;
    struct hv_table gdt, idt;
    uint64_t cr0, cr2, cr3, cr4, efer;
    uint64_t dr6, dr7, dr[4];
    uint64_t xcr0;
};
_Static_assert(sizeof(struct hv_sregs) == 8 * 24 + 2 * 16 + 12 * 8, "ABI");

struct hv_msrs {
    uint64_t star, lstar, cstar, fmask, kernel_gs_base, tsc_aux;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t pat, tsc, tsc_adjust, misc_enable, xss;
    uint64_t tsc_deadline; /* HV_DOMAIN_TSC_DEADLINE, else 0; one that has passed: an edge not told yet */
    uint64_t reserved[1];
};
_Static_assert(sizeof(struct hv_msrs) == 128, "ABI");

struct hv_events {
    uint32_t interruptibility; /* SDM volume 3, "Guest Non-Register State": blocking by STI, MOV SS,
                                  NMI */
    uint32_t activity;         /* 0 active, 1 HLT, 2 shutdown, 3 wait-for-SIPI */
    uint32_t pending;          /* bit 31 valid; a VM-entry interruption-information word that is to be
                         injected first */
    uint32_t pending_error;
    uint32_t nmi_pending;      /* 0 to 2: one latched while another is handled */
    uint32_t external_pending; /* 0, or 0x100 | vector */
    uint64_t pending_debug;    /* pending debug exceptions */
};
_Static_assert(sizeof(struct hv_events) == 32, "ABI");

struct hv_xsave_header {
    uint32_t size; /* in: of the whole record, the area included; at most 4096 */
    uint32_t reserved;
    uint64_t xcr0;
    uint64_t reserved1[6];
};
_Static_assert(sizeof(struct hv_xsave_header) == 64, "ABI");

/* ---- the service page
 * --------------------------------------------------------------------------------------------- */

enum hv_exit_kind {
    HV_EXIT_NONE = 0,
    HV_EXIT_PIO = 1,    /* a claimed port; string instructions come one element at a time */
    HV_EXIT_MMIO = 2,   /* a claimed page, decoded */
    HV_EXIT_DECODE = 3, /* a claimed page, by an instruction that is not decoded: the bytes are in `insn` */
    HV_EXIT_KICK = 4,   /* HV_CALL_VCPU_KICK */
    HV_EXIT_SMI = 5,    /* an SMI for the vCPU, which has no SMM: from an IPI, an MSI or a local vector */
    HV_EXIT_IRQ_LEVEL = 6, /* device_irq_level has changed */
    HV_EXIT_EOI = 7,       /* the guest has ended a level-triggered vector of HV_CALL_EOI_VECTORS */
};

/*
 * Outputs of devices in the hypervisor: bits of device_irq_level. HV_CAP_DEVICE_IRQ says which version of the
 * list there is: version 1 has HV_IRQ_TIMER alone, in version 2 routes can lead to all others. The other numbers are kept for what they name. A later
 * version only adds bits, and bits that are not known are to be ignored.
 */
#define HV_IRQ_TIMER       (1ULL << 0) /* an edge: the deadline of IA32_TSC_DEADLINE */
#define HV_IRQ_PMU         (1ULL << 1)
#define HV_IRQ_THERMAL     (1ULL << 2)
#define HV_IRQ_CMCI        (1ULL << 3)
#define HV_IRQ_APIC_ERROR  (1ULL << 4)
#define HV_IRQ_PIT         (1ULL << 5)
#define HV_IRQ_HPET(timer) (1ULL << (6 + (timer))) /* 0 to 2 */
#define HV_IRQ_RTC         (1ULL << 9)
#define HV_IRQ_SCI         (1ULL << 10)
#define HV_IRQ_STIMER(n)   (1ULL << (11 + (n))) /* 0 to 3 */
#define HV_IRQ_SYNIC       (1ULL << 15)
#define HV_IRQ_UPCALL      (1ULL << 16)
#define HV_IRQ_FREE        17 /* numbers from here to 63 are for the manager's routes */

/* hv_service.flags */
#define HV_SERVICE_IF      (1U << 0) /* RFLAGS.IF */
#define HV_SERVICE_READY   (1U << 1) /* HV_INJECT_EXTERNAL would be taken at once, and replaces none */
#define HV_SERVICE_WAITING (1U << 2) /* an external interrupt that was injected has not been taken yet */
#define HV_SERVICE_HALTED  (1U << 3) /* in HLT: goes on sleeping unless something is injected */

/*
 * One page per vCPU, owned by one side at a time: by the hypervisor while the vCPU runs, by the
 * manager from the notification until HV_CALL_VCPU_COMPLETE. `kind` is written last by the
 * hypervisor. Fields that the manager is to fill are marked "answer".
 */
struct hv_service {
    uint32_t version; /* HV_ABI_VERSION */
    uint32_t kind;    /* enum hv_exit_kind */
    uint64_t serial;  /* counts services of this vCPU */
    union {
        struct {
            uint16_t port;
            uint8_t width; /* bytes: 1, 2, 4 */
            uint8_t write; /* 1: OUT */
            uint32_t reserved;
            uint64_t data; /* OUT: the value; answer for IN */
        } pio;
        struct {
            gpa_t gpa;
            uint8_t width; /* bytes: 1, 2, 4, 8 */
            uint8_t write;
            uint8_t reserved[6];
            uint64_t data; /* the value; answer for a read */
        } mmio;
        struct {
            gpa_t gpa;
            uint8_t write;
            uint8_t insn_len; /* bytes that could be read, 0 to 15 */
            uint8_t insn[15];
            uint8_t action; /* answer: 0 = the state was changed by VCPU_SET, go on; 1 = inject #UD */
            uint8_t reserved[6];
        } decode;
        struct {
            uint8_t vector;
        } eoi;
        uint64_t raw[24];
    };
    /*
     * With every service of a vCPU whose domain has HV_DOMAIN_TSC_DEADLINE or HV_DOMAIN_OUTPUTS, else undefined. The bit of an
     * edge is set in the one service that tells it; edges between two services are one bit, and device_irq_edges (of
     * HV_IRQ_TIMER) or routed_edges (of all others), which count all that were ever told, grow by their number.
     */
    uint64_t device_irq_level; /* HV_IRQ_* */
    uint64_t device_irq_edges;
    uint32_t flags; /* HV_SERVICE_*, as the vCPU stands now */
    uint32_t cr8;   /* its task priority class */
    uint64_t routed_edges;
    uint64_t reserved[2];
    uint64_t
        manager[480 - 2]; /* the manager's own: kept over its restart, never looked at by the hypervisor */
};
_Static_assert(sizeof(struct hv_service) <= 4096, "ABI");
_Static_assert(offsetof(struct hv_service, manager) == 256, "ABI");
_Static_assert(offsetof(struct hv_service, pio) == 16, "ABI");
_Static_assert(offsetof(struct hv_service, decode.action) == 41, "ABI");
_Static_assert(offsetof(struct hv_service, device_irq_level) == 208, "ABI");

/* ---- the notification page
 * ---------------------------------------------------------------------------------------- */

/*
 * One per vCPU that asked for it: a two-level bitmap of pending notifications. The hypervisor sets
 * a bit of `pending`, then the word's bit of `selector`; the reader exchanges `selector` with 0,
 * then each selected word with 0. A notification that is pending already is not lost and not
 * counted twice.
 */
struct hv_notify {
    uint64_t selector; /* bit n: pending[n] is worth a look */
    uint64_t reserved[7];
    uint64_t pending[64];
};
_Static_assert(sizeof(struct hv_notify) == 576, "ABI");

/* Notification numbers, 0 to 4095. */
#define HV_NOTIFY_DOMAIN(domain) (domain) /* 0 to 255: the domain's state changed (dead) */
#define HV_NOTIFY_VCPU(domain, vcpu)                                                                         \
    (256U + (domain)*8U + (vcpu) % 8U) /* service of a vCPU whose number has that remainder */
#define HV_NOTIFY_OWN   2304U /* to HV_NOTIFY_COUNT - 1: for the manager's routes and notifiers, hv_route.h */
#define HV_NOTIFY_COUNT 4096U
