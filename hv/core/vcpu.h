/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual CPU. Its scheduling state is guarded by the lock of the run queue of the CPU that it belongs to
 * (`cpu`); see sched.h for the rules.
 */
#ifndef HV_CORE_VCPU_H
#define HV_CORE_VCPU_H

#include "arch/vmx/vm_exit.h"
#include "arch/vmx/vmx_context.h"
#include "guest_abi/hv_mgmt.h"
#include "guest_abi/hv_vcpu.h"
#include "hv/core/request.h"
#include "hv/core/timer.h"
#include "hv/core/insn_decode.h"

struct domain;

/* Reasons not to run; a vCPU is eligible when none is set and it is not blocked. */
enum vcpu_hold {
    HOLD_STOPPED = BIT(0), /* not started, or stopped by the manager */
    HOLD_PAUSED = BIT(1),  /* its domain is paused */
    HOLD_SERVICE = BIT(2), /* the manager has its service page */
    HOLD_DEAD = BIT(3),
    HOLD_CHANGE = BIT(4), /* for the time of a change of its affinity or priority */
};

enum vcpu_account { ACCOUNT_RUNNING, ACCOUNT_RUNNABLE, ACCOUNT_BLOCKED, ACCOUNT_OFFLINE, ACCOUNT_KINDS };

/*
 * What hardware does not switch at VM entry and exit; valid while the vCPU is loaded on no CPU
 * (vcpu_state.c).
 */
struct vcpu_switched {
    union { /* these are valid always, since writes exit, and so is tsc_aux */
        struct {
            uint64_t star, lstar, cstar, fmask;
        };
        uint64_t syscall[4];
    };
    uint64_t tsc_aux, kernel_gs_base;
    uint64_t cr2, xcr0, xss;
    uint64_t dr[4], dr6;
};

#define VCPU_STORES 8

/* An instruction that is being completed in steps: hv/exit/emulate.c. */
struct vcpu_emulation {
    struct insn insn;  /* what `bytes` say; len 0: nothing */
    uint8_t bytes[16]; /* INSN_MAX_LEN at most, then zeroes */
    uint8_t count;     /* 0: the service that is open is no instruction's */
    bool write, hole;  /* of the access that exited: there is nothing at gpa */
    uint16_t port;
    uint64_t gpa, linear;
    uint8_t cursor, answered; /* accesses repeated and answered */
    uint64_t answer[2];
    uint64_t stores[VCPU_STORES]; /* stores that were done: emulate_store_key, by the lowest bits of RIP */
};

struct vcpu {
    struct vmx_context vmx; /* first: vmentry.S works on it */

    /* Atomic: set by anybody, taken by the CPU that runs it. */
    uint32_t requests; /* enum request */

    /* Constant after creation. */
    uint32_t index;
    struct domain *domain;
    void *xsave;            /* a page */
    void *msr_bitmap;       /* the domain's, or the one for x2APIC mode */
    const uint64_t *posted; /* bit 0: interrupts were posted to its local APIC; never NULL */
    void *apic;             /* struct vapic, a page; NULL: no local APIC */
    void *
        apic_fast; /* the same for apic_fast.c; NULL also on a machine without x2APIC mode or TSC deadlines */
    void *apic_page;
    void *timer_bitmap; /* MSR bitmap while the processor has the APIC timer; NULL: it cannot */
    uint16_t vpid;

    /*
     * Under the lock of the run queue of `cpu`; `cpu` itself changes only under it and while neither running
     * nor queued.
     */
    uint32_t cpu;
    uint32_t holds; /* enum vcpu_hold */
    bool blocked;   /* HLT or a wait; read without the lock by sched_poke */
    bool running;
    bool dozing; /* runs, and has put its CPU to sleep: sched_doze */
    uint32_t
        notify_at; /* logical x2APIC ID of the CPU where it runs, not blocked; 0: none. Read without the lock */
    bool queued;
    uint8_t priority;
    struct vcpu *next, *prev; /* in the queue of its priority */
    uint64_t affinity;
    uint64_t slice_us;
    uint64_t slice_left, slice_start; /* TSC ticks that are left of it; when it began to run */
    enum vcpu_account account;
    uint64_t account_since;
    uint64_t ticks[ACCOUNT_KINDS];

    /* Only the CPU that runs it, or the holder of the management lock while it cannot run. */
    bool halted;            /* HLT: goes on with the next event */
    bool waiting;           /* in HV_CALL_NOTIFY_WAIT */
    uint64_t wait_deadline; /* TSC; 0: none */
    struct timer wait_timer;
    struct timer apic_timer;
    uint64_t deadline;          /* guest's TSC; 0: none. This and the next two: irq_level.c */
    uint64_t edges, edges_told; /* of that timer, for the manager */
    /* Outputs that routes lead to, by source and as edges; atomic, but for what has been told. irq_level.c */
    uint64_t outputs[3], output_edges, output_edge_count, output_edges_told;
    uint32_t output_changes, output_told;
    uint32_t vmcs_on; /* CPU where the VMCS is active, and which may hold `switched` too; VCPU_NOWHERE */
    struct vcpu_switched switched;
    uint64_t tsc_offset, tsc_adjust;
    uint64_t misc_enable;
    uint8_t cr8; /* task priority class of a vCPU without a local APIC: kept, without effect */

    /* Events to inject, atomic: event.c. */
    uint32_t nmi_pending;      /* 0 to 2 */
    uint32_t external_pending; /* 0, or 0x100 | vector */

    /* The service page, service.c: pinned while the vCPU exists. */
    struct hv_service *service;
    gpa_t service_gpa; /* in the domain that made the vCPU */
    struct vcpu_emulation emulation;
    uint32_t service_kind; /* what the answer will finish; HV_EXIT_NONE: nothing open; SERVICE_ANSWERED */

    /* The notification page, notify.c; NULL: none. */
    struct hv_notify *notify;
    uint8_t notify_vector;

    /* Statistics, written by the CPU that runs it. */
    uint64_t exits[EXIT_REASON_COUNT];
    uint64_t traced_runnable, traced_timers; /* when it left its CPU; at its exit: traced.c */
};

static inline bool vcpu_posted(const struct vcpu *v)
{
    return __atomic_load_n(v->posted, __ATOMIC_RELAXED) & 1;
}

#define VCPU_NOWHERE     0xffffffffU
#define SERVICE_ANSWERED BIT(31)

/*
 * Makes a stopped vCPU, which nobody else finds before it is published: other CPUs look at all vCPUs of a domain at any
 * time, and at their local APICs. 0, or -HV_ENOMEM. The service page is pinned already, or NULL.
 */
int vcpu_create(struct domain *d, uint32_t index, struct hv_service *service, struct vcpu **out);
void vcpu_publish(struct vcpu *v);

/* The vCPU does not run, cannot be found any more, and its timer is not set. */
void vcpu_free(struct vcpu *v);

/*
 * vcpu_state.c: on the executing CPU, makes v's VMCS current and its switched state live; before that, takes
 * away the one that was.
 */
void vcpu_load(struct vcpu *v);

/*
 * On the CPU where v is loaded: what memory says of its switched state becomes live, and the VMCS, just
 * initialised, gets this CPU's part.
 */
void vcpu_reload(struct vcpu *v);

/* WRMSR of STAR, LSTAR, CSTAR, FMASK or TSC_AUX by v, which runs here. False: #GP. */
bool vcpu_write_switched(struct vcpu *v, uint32_t msr, uint64_t value);

/* v runs on the executing CPU and is in root mode: the state after power-up, in place. vcpu.c */
void vcpu_reset_here(struct vcpu *v);
/* The same for the INIT signal, which leaves extended state and most MSRs as they are. */
void vcpu_init_here(struct vcpu *v);

/*
 * Brings v's state, VMCS included, back to memory, from whichever CPU holds it. v does not run and cannot
 * start meanwhile. May wait for another CPU.
 */
void vcpu_unload(struct vcpu *v);

/*
 * Access to the VMCS of a vCPU that does not run: begin makes it current here, end restores what was. May
 * wait for another CPU.
 */
void vcpu_access_begin(struct vcpu *v);
void vcpu_access_end(struct vcpu *v);

#endif
