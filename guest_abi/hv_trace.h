/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tracing: what vCPUs and CPUs did, record by record, in one ring per CPU. guest_abi/README.md says what each
 * call does.
 *
 * Records of a ring have the numbers 0, 1, 2... in the order of their writing; the ring keeps the last of them.
 * Who reads says which one he wants next and is told how many were overwritten before he came: none is missing
 * without being counted. Time stamps are the machine's TSC and rise within a ring; rings are merged by them.
 */
#pragma once

#include <stddef.h>

#include "guest_abi/hv_abi.h"

enum hv_trace_op {
    HV_TRACE_START = 1, /* makes the rings and writes */
    HV_TRACE_STOP = 2,  /* writes no more; the rings can still be read */
    HV_TRACE_FREE = 3,  /* the same, and takes them away */
};

#define HV_TRACE_PAGES_MAX    64U  /* of one ring; 4 KiB each */
#define HV_TRACE_PAGE_RECORDS 128U /* in one page */
#define HV_TRACE_READ_MAX     32U  /* that one call copies */

enum hv_trace_kind {
    /*
     * A VM exit. code: basic reason (SDM volume 3 appendix C), bit 15: of an entry that failed. b: RIP. a: the
     * qualification; EPT violation: the guest-physical address; RDMSR, WRMSR: 31:0 the MSR, WRMSR 63:32 lower half
     * of the value; VMCALL: RAX; CPUID: leaf and, 63:32, subleaf; external interrupt: 7:0 the machine's vector,
     * 63:32 enum hv_trace_host.
     */
    HV_TRACE_EXIT = 1,
    /*
     * The VM entry that ends it, maybe of another vCPU. code: vector that is delivered, 0: none. a: 31:0 VM-entry
     * interruption information (bit 31: it was injected), 39:32 and 47:40 RVI and SVI where the processor delivers.
     * b: interrupts that its local APIC has ever accepted.
     */
    HV_TRACE_ENTRY = 2,
    /* A management call that has been made. code: its number. a: first argument. b: result. */
    HV_TRACE_CALL = 3,
    /*
     * An interrupt is sent by this vCPU, or for it (TIMER). code: vector and delivery mode as in a message's data,
     * 0 where the route decides. a: 7:0 enum hv_trace_source, 31:16 target domain, 63:32 GSI or HV_TRACE_NO_GSI.
     * b: APIC ID (IPI), address (MESSAGE, DOORBELL), level (LINE), handle (NOTIFIER), vCPU (INJECT), deadline in
     * the guest's ticks (TIMER). What became of it is the result of the call.
     */
    HV_TRACE_SEND = 4,
    /* The guest has ended an interrupt in a way that exits. code: vector. */
    HV_TRACE_EOI = 5,
    /* The guest arms its local APIC's timer in a way that exits. code: 0 deadline, 1 count. a: what it writes. */
    HV_TRACE_ARM = 6,
    /* The vCPU leaves its CPU. code: enum hv_trace_leave. */
    HV_TRACE_LEAVE = 7,
    /* A vCPU takes the CPU. a: TSC ticks since it could have run: it was woken, released or preempted then. */
    HV_TRACE_RUN = 8,
    HV_TRACE_KINDS = 9,
};

enum hv_trace_source {
    HV_TRACE_IPI = 1,
    HV_TRACE_MESSAGE = 2,  /* HV_CALL_SIGNAL_MSI */
    HV_TRACE_LINE = 3,     /* HV_CALL_IRQ_LINE */
    HV_TRACE_NOTIFIER = 4, /* HV_CALL_NOTIFIER_SIGNAL, bound to a GSI, or (no GSI) to a notification */
    HV_TRACE_DOORBELL = 5, /* a write to a doorbell without a value; the same */
    HV_TRACE_INJECT = 6,   /* HV_CALL_VCPU_INJECT */
    HV_TRACE_TIMER = 7,    /* of the vCPU's local APIC */
};

#define HV_TRACE_NO_GSI 0xffffffffU

enum hv_trace_host {
    HV_TRACE_HOST_TIMER = 0,  /* some deadline: of a guest's timer, a slice, a wait */
    HV_TRACE_HOST_DEVICE = 1, /* a line of the machine's devices */
    HV_TRACE_HOST_OTHER = 2,  /* between CPUs */
};

enum hv_trace_leave {
    HV_TRACE_BLOCKED = 0,   /* HLT, or HV_CALL_NOTIFY_WAIT */
    HV_TRACE_HELD = 1,      /* stopped, paused, in service, dead */
    HV_TRACE_PREEMPTED = 2, /* it could go on; maybe it does */
};

struct hv_trace_record {
    uint64_t tsc;  /* the machine's */
    uint16_t kind; /* enum hv_trace_kind */
    uint16_t domain;
    uint16_t vcpu;
    uint16_t code;
    uint64_t a, b;
};
_Static_assert(sizeof(struct hv_trace_record) == 32, "ABI");
_Static_assert(offsetof(struct hv_trace_record, a) == 16, "ABI");

struct hv_trace_read {
    uint32_t size;
    uint32_t cpu;
    uint64_t
        position;  /* in: number of the record wanted next, 0 at first; out: behind what was copied or lost */
    uint64_t lost; /* out: records before those copied that were overwritten meanwhile */
    uint64_t written; /* out: records ever written; when position gets there nothing is left */
    gpa_t buffer;     /* for struct hv_trace_record, inside one page, a multiple of 8 */
    uint32_t records; /* in: room there, at most HV_TRACE_READ_MAX */
    uint32_t reserved;
};
_Static_assert(sizeof(struct hv_trace_read) == 48, "ABI");
