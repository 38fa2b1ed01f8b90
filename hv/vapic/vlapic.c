/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The heart of the virtual APIC: how a message becomes a request (IRR), a request an interrupt in service
 * (ISR), and how an EOI ends it.
 *
 * Order: TMR is set before IRR, so that whoever sees a request also sees its trigger mode. Requests come from
 * anybody; only the owner moves them on. IRR, ISR and TMR never hold a vector below 16.
 *
 * SDM volume 3, "Interrupt Acceptance for Fixed Interrupts", "Task and Processor Priorities", "Signaling
 * Interrupt Servicing Completion", "Local APIC State After Power-Up or Reset", "Spurious Interrupt".
 */
#include "hv/vapic/vlapic.h"

#include <string.h>

#define CLASS(vector) ((vector) >> 4)

static uint32_t word_offset(enum apic_reg bits, uint8_t vector)
{
    return (uint32_t)bits + (uint32_t)(vector >> 5) * 16;
}

static uint32_t bit_of(uint8_t vector)
{
    return 1U << (vector & 31);
}

/* Both return the word before. */
static uint32_t bit_set(struct vlapic *a, enum apic_reg bits, uint8_t vector)
{
    return __atomic_fetch_or(&a->page[word_offset(bits, vector) / 4], bit_of(vector), __ATOMIC_SEQ_CST);
}

static uint32_t bit_clear(struct vlapic *a, enum apic_reg bits, uint8_t vector)
{
    return __atomic_fetch_and(&a->page[word_offset(bits, vector) / 4], ~bit_of(vector), __ATOMIC_SEQ_CST);
}

/* Unrolled: it is asked before many entries. */
#define LOOK(i)                                                                                              \
    do {                                                                                                     \
        uint32_t word_ = vlapic_reg_get(a, (uint32_t)bits + (i)*16);                                         \
        if (word_ != 0)                                                                                      \
            return (uint8_t)((i)*32 + 31 - (uint32_t)__builtin_clz(word_));                                  \
    } while (0)

uint8_t vlapic_highest(const struct vlapic *a, enum apic_reg bits)
{
    LOOK(7U);
    LOOK(6U);
    LOOK(5U);
    LOOK(4U);
    LOOK(3U);
    LOOK(2U);
    LOOK(1U);
    LOOK(0U);
    return 0;
}

/* Registers that RESET and INIT give a value; all others are 0. */
static void reset_registers(struct vlapic *a)
{
    uint32_t max_lvt = a->features.cmci ? 6 : 5;
    for (uint32_t offset = 0; offset < APIC_REGS_SIZE; offset += 4)
        vlapic_reg_set(a, offset, 0);
    vlapic_reg_set(a, APIC_VERSION,
                   APIC_VERSION_INTEGRATED | max_lvt << APIC_VERSION_MAX_LVT_SHIFT |
                       (a->features.directed_eoi ? APIC_VERSION_DIRECTED_EOI : 0));
    vlapic_reg_set(a, APIC_DFR, APIC_DFR_FLAT);
    vlapic_reg_set(a, APIC_SVR, APIC_SVR_VECTOR);
    for (uint32_t lvt = APIC_LVT_TIMER; lvt <= APIC_LVT_ERROR; lvt += 16)
        vlapic_reg_set(a, lvt, APIC_LVT_MASKED);
    if (a->features.cmci)
        vlapic_reg_set(a, APIC_LVT_CMCI, APIC_LVT_MASKED);
    /* What firmware would leave for an operating system that begins with the PIC: virtual wire mode. */
    if (a->bsp)
        vlapic_reg_set(a, APIC_LVT_LINT0, (uint32_t)APIC_DM_EXTINT << APIC_LVT_MODE_SHIFT);
    vlapic_base_names(a);
    vlapic_trigger_follow(a);
}

/*
 * `not_edge` follows TMR, whoever writes them at once: TMR first, and who has taken bits away from `not_edge` looks
 * at TMR again. All steps are locked.
 */
void vlapic_trigger_follow(struct vlapic *a)
{
    for (uint32_t i = 0; i < 4; i++) {
        __atomic_exchange_n(&a->not_edge[i], i ? 0 : 0xffff, __ATOMIC_SEQ_CST);
        uint64_t high = vlapic_reg_get(a, APIC_TMR + i * 32 + 16);
        __atomic_fetch_or(&a->not_edge[i], high << 32 | vlapic_reg_get(a, APIC_TMR + i * 32),
                          __ATOMIC_SEQ_CST);
    }
}

static void trigger_set(struct vlapic *a, uint8_t vector, bool level)
{
    uint64_t *word = &a->not_edge[vector / 64], bit = 1UL << vector % 64;
    (level ? bit_set : bit_clear)(a, APIC_TMR, vector);
    if (!level)
        __atomic_fetch_and(word, ~bit, __ATOMIC_SEQ_CST);
    if (level || vlapic_test(a, APIC_TMR, vector))
        __atomic_fetch_or(word, bit, __ATOMIC_SEQ_CST);
}

void vlapic_reset(struct vlapic *a)
{
    reset_registers(a);
    __atomic_store_n(&a->enabled, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&a->esr_pending, 0, __ATOMIC_RELAXED);
    a->timer = (struct vlapic_timer){.shift = 1, .lvt = APIC_LVT_MASKED | APIC_TIMER_ONE_SHOT};
}

void vlapic_init(struct vlapic *a, void *page, uint32_t id, uint32_t index, bool bsp,
                 const struct vlapic_features *features)
{
    memset(a, 0, sizeof(*a));
    a->page = page;
    a->id = id;
    a->index = index;
    a->bsp = bsp;
    a->features = *features;
    if (a->features.tick == 0)
        a->features.tick = 1;
    a->mode = VLAPIC_XAPIC;
    vlapic_reset(a);
}

enum vlapic_receipt vlapic_admit(struct vlapic *a, uint8_t vector, bool level, uint8_t *error)
{
    *error = 0;
    if (!vlapic_accepting(a))
        return vlapic_refuse(a, VLAPIC_DROPPED_DISABLED);
    if (vector < APIC_FIRST_LEGAL) {
        *error = vlapic_error(a, APIC_ESR_RECEIVE_ILLEGAL_VECTOR);
        return VLAPIC_DROPPED_ILLEGAL;
    }
    /* A write only when it changes: edge interrupts, the usual case, leave the line shared. */
    if (vlapic_test(a, APIC_TMR, vector) != level)
        trigger_set(a, vector, level);
    return VLAPIC_NEW;
}

/* ExtINT: the caller asks the PIC for the vector, when the vCPU takes it. */
enum vlapic_receipt vlapic_receive(struct vlapic *a, const struct vlapic_message *m, uint8_t *error)
{
    enum vlapic_receipt receipt;
    *error = 0;
    if (m->mode == APIC_DM_FIXED || m->mode == APIC_DM_LOWEST) {
        receipt = vlapic_admit(a, m->vector, m->level, error);
        return receipt == VLAPIC_NEW ? vlapic_request(a, m->vector) : receipt;
    }
    if (m->mode == APIC_DM_EXTINT && vlapic_mode(a) != VLAPIC_OFF)
        return VLAPIC_NEW;
    if (m->mode == APIC_DM_REMOTE_READ || m->mode >= APIC_DM_EXTINT)
        return vlapic_refuse(a, VLAPIC_DROPPED_STATE);
    return vlapic_event_post(a, (enum apic_delivery)m->mode, m->vector);
}

uint8_t vlapic_ppr_now(const struct vlapic *a)
{
    uint32_t tpr = vlapic_reg_get(a, APIC_TPR) & 0xff, isr = vlapic_highest(a, APIC_ISR);
    return (uint8_t)(CLASS(tpr) >= CLASS(isr) ? tpr : (isr & 0xf0));
}

uint8_t vlapic_ppr(struct vlapic *a)
{
    uint32_t ppr = vlapic_ppr_now(a);
    if (vlapic_reg_get(a, APIC_PPR) != ppr)
        vlapic_reg_set(a, APIC_PPR, ppr);
    return (uint8_t)ppr;
}

/* Software disable holds what is pending; only an APIC that is off delivers nothing. */
uint8_t vlapic_next(struct vlapic *a)
{
    uint8_t vector = vlapic_highest(a, APIC_IRR);
    if (vector == 0 || vlapic_mode(a) == VLAPIC_OFF)
        return 0;
    return CLASS(vector) > CLASS(vlapic_ppr(a)) ? vector : 0;
}

uint8_t vlapic_ack(struct vlapic *a)
{
    uint8_t vector = vlapic_next(a);
    if (vector == 0) {
        vlapic_count(a, VLAPIC_STAT_SPURIOUS);
        return (uint8_t)(vlapic_reg_get(a, APIC_SVR) & APIC_SVR_VECTOR);
    }
    bit_clear(a, APIC_IRR, vector);
    bit_set(a, APIC_ISR, vector);
    vlapic_ppr(a);
    return vector;
}

struct vlapic_eoi vlapic_ended(struct vlapic *a, uint8_t vector)
{
    struct vlapic_eoi eoi = {.vector = vector, .level = vlapic_test(a, APIC_TMR, vector)};
    eoi.broadcast = eoi.level && !(vlapic_reg_get(a, APIC_SVR) & APIC_SVR_DIRECTED_EOI);
    vlapic_count(a, VLAPIC_STAT_EOI);
    return eoi;
}

struct vlapic_eoi vlapic_end(struct vlapic *a)
{
    uint8_t vector = vlapic_highest(a, APIC_ISR);
    if (vector == 0) {
        vlapic_count(a, VLAPIC_STAT_EOI_IDLE);
        return (struct vlapic_eoi){0};
    }
    bit_clear(a, APIC_ISR, vector);
    vlapic_ppr(a);
    return vlapic_ended(a, vector);
}
