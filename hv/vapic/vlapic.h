/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual local APIC: a pure model on a register page. It changes its own state and returns facts; whoever
 * calls acts on them (sends the IPI, tells the I/O APIC, sets a timer, kicks a CPU). Nothing here knows a
 * vCPU, a clock or a lock.
 *
 * Who may call. *Owner*: the CPU that runs the vCPU, or the holder of the management lock while it cannot
 * run; registers, priority, EOI, timer, mode, state. *Anybody*, at any time: vlapic_receive, vlapic_admit,
 * vlapic_request, vlapic_error, vlapic_accepting, vlapic_mode, and the destination map (vlapic_map.h). What
 * both sides touch is atomic: the page by 32-bit words, `mode`, `enabled`, `esr_pending`, `events`.
 *
 * Time is the guest's TSC, handed in as `now`. Vector 0 stands for "none" wherever a vector is returned: it
 * is illegal, so never pending.
 *
 * SDM volume 3, "Advanced Programmable Interrupt Controller (APIC)"; rows L-01 to L-41 of the feature list
 * say where it leaves a choice.
 */
#ifndef HV_VAPIC_VLAPIC_H
#define HV_VAPIC_VLAPIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest_abi/apic.h"

enum vlapic_mode { VLAPIC_OFF, VLAPIC_XAPIC, VLAPIC_X2APIC };

/* What the domain's local APICs offer; the same for all of a domain, and what its CPUID says. */
struct vlapic_features {
    bool x2apic, tsc_deadline, cmci;
    bool directed_eoi; /* only together with an I/O APIC that has an EOI register */
    /*
     * TSC ticks of one timer tick at divide 1; the frequency that CPUID shows is the TSC's / tick; 0 counts
     * as 1
     */
    uint16_t tick;
    uint64_t min_period; /* TSC ticks: a shorter period is served this often */
};

enum vlapic_stat {
    VLAPIC_STAT_ACCEPTED = HV_APIC_ACCEPTED,
    VLAPIC_STAT_MERGED = HV_APIC_MERGED,
    VLAPIC_STAT_REFUSED = HV_APIC_REFUSED,
    VLAPIC_STAT_ERRORS = HV_APIC_ERRORS,
    VLAPIC_STAT_EOI = HV_APIC_EOI,
    VLAPIC_STAT_EOI_IDLE = HV_APIC_EOI_IDLE,
    VLAPIC_STAT_SPURIOUS = HV_APIC_SPURIOUS,
    VLAPIC_STAT_IPI = HV_APIC_IPI,
    VLAPIC_STAT_IPI_SELF = HV_APIC_IPI_SELF,
    VLAPIC_STAT_IPI_BROADCAST = HV_APIC_IPI_BROADCAST,
    VLAPIC_STAT_IPI_INVALID = HV_APIC_IPI_INVALID,
    VLAPIC_STAT_LVT = HV_APIC_LVT,
    VLAPIC_STAT_TIMER = HV_APIC_TIMER,
    VLAPIC_STATS = HV_APIC_COUNTS
};

struct vlapic_timer {
    uint64_t deadline; /* TSC */
    bool armed;
    uint8_t shift; /* log2 of the divider */
    /* APIC_TIMER_* and APIC_LVT_MASKED as last acted on: hardware may store into the page before we see a write. */
    uint32_t lvt;
};

static inline uint32_t vlapic_timer_mode(const struct vlapic_timer *t)
{
    return t->lvt & APIC_TIMER_MODE;
}

static inline bool vlapic_timer_masked(const struct vlapic_timer *t)
{
    return t->lvt & APIC_LVT_MASKED;
}

struct vlapic {
    uint32_t *page; /* the first 1 KiB is used */

    /* Constant. */
    uint32_t id;    /* x2APIC ID; its low eight bits are the xAPIC ID */
    uint32_t index; /* of the vCPU, for the caller */
    bool bsp;
    struct vlapic_features features;

    /* Atomic, written by the owner. */
    uint32_t mode;    /* enum vlapic_mode */
    uint32_t enabled; /* SVR bit 8 as last acted on */

    /* Atomic, written by anybody. */
    uint32_t esr_pending;
    uint32_t events; /* enum hv_lapic_event */
    uint64_t stats[VLAPIC_STATS];
    /* Vectors that are no plain edge: illegal ones, and those of TMR. It may be behind TMR while that changes. */
    uint64_t not_edge[4];

    /* Owner. */
    struct vlapic_timer timer;
    uint32_t map_key; /* vlapic_map.c: under which logical address it is entered */
};

/* An interrupt message: from an ICR, a local vector, an MSI or an I/O APIC. */
struct vlapic_message {
    uint32_t dest;
    uint8_t vector;
    uint8_t mode;      /* enum apic_delivery */
    uint8_t shorthand; /* enum apic_shorthand */
    bool level;        /* trigger mode */
    bool logical;
    bool wide; /* dest has 32 bits, as x2APIC and extended destinations write it; otherwise 8 */
};

enum vlapic_receipt {
    VLAPIC_DROPPED_DISABLED, /* the APIC, or by software what it would take */
    VLAPIC_DROPPED_ILLEGAL,  /* vector 0 to 15; *error says what follows */
    VLAPIC_DROPPED_STATE,    /* SIPI to one that does not wait, reserved delivery mode */
    VLAPIC_MERGED,           /* was pending already */
    VLAPIC_NEW
};

/* What an EOI ended. */
struct vlapic_eoi {
    uint8_t vector; /* 0: nothing was in service */
    bool level;     /* TMR */
    bool broadcast; /* the I/O APICs are to see it: level, and not suppressed by SVR bit 12 */
};

enum vlapic_fact {
    VLAPIC_FACT_EOI = 1 << 0,      /* .eoi */
    VLAPIC_FACT_SEND = 1 << 1,     /* .ipi; also for SELF IPI, as shorthand self */
    VLAPIC_FACT_PRIORITY = 1 << 2, /* TPR or PPR changed: another vector may be deliverable */
    VLAPIC_FACT_TIMER = 1 << 3,    /* ask vlapic_timer_next and vlapic_timer_expire */
    VLAPIC_FACT_ENABLE = 1 << 4,   /* SVR bit 8 changed; see .enabled */
    VLAPIC_FACT_LOGICAL = 1 << 5,  /* LDR, DFR or mode: call vlapic_map_update */
    VLAPIC_FACT_MODE = 1 << 6,     /* off, xAPIC, x2APIC: acceleration and CPUID follow */
    VLAPIC_FACT_WIRE = 1 << 7,     /* LINT0 changed: the PIC may be let through or cut off */
    VLAPIC_FACT_ERROR = 1 << 8,    /* .error: vector to deliver to this APIC */
};

/* The caller hands in zeroes. */
struct vlapic_facts {
    uint32_t what;
    uint8_t error;
    struct vlapic_eoi eoi;
    struct vlapic_message ipi;
};

/* --- words of the page --- */
static inline uint32_t vlapic_reg_get(const struct vlapic *a, uint32_t offset)
{
    return __atomic_load_n(&a->page[offset / 4], __ATOMIC_RELAXED);
}

static inline void vlapic_reg_set(struct vlapic *a, uint32_t offset, uint32_t value)
{
    __atomic_store_n(&a->page[offset / 4], value, __ATOMIC_RELAXED);
}

static inline bool vlapic_test(const struct vlapic *a, enum apic_reg bits, uint8_t vector)
{
    return __atomic_load_n(&a->page[bits / 4U + (vector >> 5) * 4U], __ATOMIC_RELAXED) >> (vector & 31) & 1;
}

static inline enum vlapic_mode vlapic_mode(const struct vlapic *a)
{
    return (enum vlapic_mode)__atomic_load_n(&a->mode, __ATOMIC_ACQUIRE);
}

/* Takes fixed interrupts: hardware- and software-enabled. */
static inline bool vlapic_accepting(const struct vlapic *a)
{
    return vlapic_mode(a) != VLAPIC_OFF && __atomic_load_n(&a->enabled, __ATOMIC_RELAXED) != 0;
}

static inline void vlapic_count(struct vlapic *a, enum vlapic_stat stat)
{
    __atomic_fetch_add(&a->stats[stat], 1, __ATOMIC_RELAXED);
}

/* Anybody: a vector that vlapic_admit has let through. */
static inline enum vlapic_receipt vlapic_request(struct vlapic *a, uint8_t vector)
{
    uint32_t bit = 1U << (vector & 31);
    uint32_t *word = (void *)((uint8_t *)a->page + APIC_IRR + (vector & 0xe0U) / 2);
    if (__builtin_expect((__atomic_fetch_or(word, bit, __ATOMIC_SEQ_CST) & bit) != 0, 0)) {
        vlapic_count(a, VLAPIC_STAT_MERGED);
        return VLAPIC_MERGED;
    }
    vlapic_count(a, VLAPIC_STAT_ACCEPTED);
    return VLAPIC_NEW;
}

/* Counts a message that nobody takes, and passes on why. */
static inline enum vlapic_receipt vlapic_refuse(struct vlapic *a, enum vlapic_receipt why)
{
    vlapic_count(a, VLAPIC_STAT_REFUSED);
    return why;
}

/* --- vlapic.c: reset, requests, priority --- */
/* As after RESET: xAPIC mode at the default address. `page` is 4 KiB, 16-byte aligned. */
void vlapic_init(struct vlapic *a, void *page, uint32_t id, uint32_t index, bool bsp,
                 const struct vlapic_features *features);
/*
 * INIT, "Local APIC State After an INIT Reset": mode and ID stay. LOGICAL, TIMER, ENABLE, WIRE follow for the
 * caller.
 */
void vlapic_reset(struct vlapic *a);
/* TMR has been written as a whole. */
void vlapic_trigger_follow(struct vlapic *a);

/*
 * Anybody. Puts a message into this APIC, whatever its destination. *error: vector of the error interrupt
 * that is to be delivered to it, or 0.
 */
enum vlapic_receipt vlapic_receive(struct vlapic *a, const struct vlapic_message *m, uint8_t *error);
/*
 * The two halves of a fixed interrupt, for callers with a posted-interrupt descriptor: admit checks and sets
 * TMR, then PIR or request() sets the vector.
 */
enum vlapic_receipt vlapic_admit(struct vlapic *a, uint8_t vector, bool level, uint8_t *error);
/*
 * Owner: folds 64 posted requests, the `i`th of four words, into IRR. The highest vector of them, or else `lower`.
 * vlapic_admit lets no illegal vector through.
 */
static inline uint8_t vlapic_fold(struct vlapic *a, uint32_t i, uint64_t posted, uint8_t lower)
{
    uint32_t *irr = a->page + APIC_IRR / 4 + i * 8;
    if (i == 0)
        posted &= ~0xffffUL;
    if (posted == 0)
        return lower;
    if ((uint32_t)posted)
        __atomic_fetch_or(irr, (uint32_t)posted, __ATOMIC_SEQ_CST);
    if (posted >> 32)
        __atomic_fetch_or(irr + 4, (uint32_t)(posted >> 32), __ATOMIC_SEQ_CST);
    return (uint8_t)(i * 64 + 63 - (uint32_t)__builtin_clzll(posted));
}

/* Highest vector of a 256-bit register (APIC_IRR, APIC_ISR, APIC_TMR), or 0. */
uint8_t vlapic_highest(const struct vlapic *a, enum apic_reg bits);
/* PPR as TPR and ISR make it; the register may be behind. Anybody. */
uint8_t vlapic_ppr_now(const struct vlapic *a);
/* The same, stored. */
uint8_t vlapic_ppr(struct vlapic *a);
/* The vector that would be delivered now, or 0. */
uint8_t vlapic_next(struct vlapic *a);
/*
 * Interrupt acknowledge: the next vector goes from IRR to ISR; without one the spurious vector, with no
 * change.
 */
uint8_t vlapic_ack(struct vlapic *a);
struct vlapic_eoi vlapic_end(struct vlapic *a);
/* For an EOI that hardware has virtualized: only what follows from it. */
struct vlapic_eoi vlapic_ended(struct vlapic *a, uint8_t vector);

/* --- vlapic_event.c: INIT, SIPI, NMI, SMI --- */
enum vlapic_start { VLAPIC_START_NONE, VLAPIC_START_INIT, VLAPIC_START_SIPI };
enum vlapic_receipt vlapic_event_post(struct vlapic *a, enum apic_delivery mode, uint8_t vector);
/* Owner: INIT has been applied to the APIC when this says so; the caller resets the vCPU. SIPI: *vector. */
enum vlapic_start vlapic_event_start(struct vlapic *a, uint8_t *vector);
bool vlapic_event_waiting(const struct vlapic *a); /* in wait-for-SIPI */
/* Owner: HV_LAPIC_NMI or HV_LAPIC_SMI; true when it was pending, and is no more. */
bool vlapic_event_take(struct vlapic *a, enum hv_lapic_event which);

/* --- vlapic_lvt.c: errors, local vectors --- */
/* Anybody. Notes errors; the vector of the error interrupt that follows, or 0. */
uint8_t vlapic_error(struct vlapic *a, uint32_t esr_bits);
/*
 * A local source fires (offset of its LVT). True: deliver *m to this APIC by vlapic_receive. False: masked,
 * or without a meaning.
 */
bool vlapic_lvt_fire(struct vlapic *a, enum apic_reg lvt, struct vlapic_message *m);
/* The PIC's interrupts reach the vCPU: APIC off, or LINT0 unmasked as ExtINT. */
bool vlapic_accepts_extint(const struct vlapic *a);

/* --- vlapic_reg.c: accesses by the guest --- */
/* xAPIC page. Never fault; in other modes reads give ones and writes do nothing. */
uint64_t vlapic_mmio_read(struct vlapic *a, uint32_t offset, unsigned size, uint64_t now,
                          struct vlapic_facts *f);
void vlapic_mmio_write(struct vlapic *a, uint32_t offset, unsigned size, uint64_t value, uint64_t now,
                       struct vlapic_facts *f);
/* In both modes, when hardware has stored the value into the page already ("APIC-Write VM Exits"). */
void vlapic_written(struct vlapic *a, uint32_t offset, uint64_t now, struct vlapic_facts *f);
/* MSR 0x800 to 0x8FF. False: #GP, nothing has changed. */
bool vlapic_msr_read(struct vlapic *a, uint32_t msr, uint64_t now, uint64_t *value);
bool vlapic_msr_write(struct vlapic *a, uint32_t msr, uint64_t value, uint64_t now, struct vlapic_facts *f);
uint64_t vlapic_cr8(const struct vlapic *a);
bool vlapic_cr8_set(struct vlapic *a, uint64_t value, struct vlapic_facts *f);
/* The image of 1 KiB could have been made by this APIC in that mode. */
bool vlapic_regs_valid(const struct vlapic *a, enum vlapic_mode mode, const uint32_t *regs);

/* --- vlapic_base.c: IA32_APIC_BASE --- */
uint64_t vlapic_base(const struct vlapic *a);
enum vlapic_mode vlapic_base_mode(uint64_t base);
bool vlapic_base_valid(const struct vlapic *a, uint64_t value);
/* False: #GP, nothing has changed. */
bool vlapic_base_set(struct vlapic *a, uint64_t value, struct vlapic_facts *f);
/* ID and LDR as the mode shows them. */
void vlapic_base_names(struct vlapic *a);
/* The guest-physical page is this APIC's register page. */
bool vlapic_decodes(const struct vlapic *a, uint64_t gpa);

/* --- vlapic_icr.c: what a write to ICR means --- */
enum vlapic_icr { VLAPIC_ICR_SEND, VLAPIC_ICR_IGNORED, VLAPIC_ICR_ILLEGAL_VECTOR };
enum vlapic_icr vlapic_icr_decode(uint64_t icr, bool x2apic, struct vlapic_message *m);

/*
 * --- vlapic_timer.c: serve what is due (expire) before the guest's access to a timer register, else a late
 * interrupt is lost to the new setting ---
 */
void vlapic_timer_stop(struct vlapic *a);
void vlapic_timer_lvt(struct vlapic *a, uint32_t lvt, uint64_t now); /* a new value of the timer's LVT */
void vlapic_timer_initial(struct vlapic *a, uint32_t count, uint64_t now);
void vlapic_timer_divide(struct vlapic *a, uint32_t tdcr, uint64_t now);
uint32_t vlapic_timer_count(const struct vlapic *a, uint64_t now);
/* MSR 0x6E0 */
uint64_t vlapic_timer_deadline(const struct vlapic *a, uint64_t now);
void vlapic_timer_deadline_set(struct vlapic *a, uint64_t tsc);
/* True: the caller has to call expire at *deadline (which may have passed). */
bool vlapic_timer_next(const struct vlapic *a, uint64_t *deadline);
/* True: the timer fires now, once, whatever the delay: vlapic_lvt_fire(APIC_LVT_TIMER). */
bool vlapic_timer_expire(struct vlapic *a, uint64_t now);

/*
 * --- vlapic_state.c: records. The caller has folded posted requests, and updates map, timer and acceleration
 * after a set. ---
 */
void vlapic_state_get(struct vlapic *a, uint64_t now, struct hv_lapic *out);
/* False: refused, nothing has changed. `size`: bytes that are there. */
bool vlapic_state_set(struct vlapic *a, uint64_t now, const struct hv_lapic *in, size_t size);

#endif
