/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a pin waits for follows from its state; nothing is queued. A level pin has something to send while it
 * is asserted, unmasked, not in service (remote IRR) and not put off. An edge pin has while `waiting`, from
 * the edge until somebody takes it or the guest masks the pin. The delivery status says the same.
 *
 * Level mode holds only for fixed and lowest priority; for other modes the pin works as edge. Polarity is kept
 * and means nothing: lines are asserted or not. Modes 011b and 110b are reserved: as if masked.
 *
 * Storm guard: VIOAPIC_STREAK_MAX ends in a row that find the pin still asserted, then the next delivery waits.
 * The row ends when the line falls or the guest masks the pin.
 */
#include "hv/irqchip/vioapic.h"

#include <string.h>

#define RTE_READ_ONLY (IOAPIC_RTE_STATUS | IOAPIC_RTE_REMOTE_IRR)
#define RTE_DEST      (0xffULL << IOAPIC_RTE_DEST_SHIFT)
#define RTE_EXT       (IOAPIC_RTE_EXT << IOAPIC_RTE_EXT_SHIFT)
#define ID_WRITABLE   0x0f000000U

static uint64_t rte_writable(const struct vioapic *a)
{
    return (0x1ffffULL & ~RTE_READ_ONLY) | RTE_DEST | (a->extended ? RTE_EXT : 0);
}

/* With more than 120 pins, the entries need nine bits. */
static uint32_t select_mask(const struct vioapic *a)
{
    return a->pin_count > 120 ? 0x1ff : 0xff;
}

static enum apic_delivery mode_of(uint64_t rte)
{
    return (enum apic_delivery)(rte >> IOAPIC_RTE_MODE_SHIFT & 7);
}

static bool is_level(uint64_t rte)
{
    return (rte & IOAPIC_RTE_LEVEL) && mode_of(rte) <= APIC_DM_LOWEST;
}

static bool is_open(uint64_t rte)
{
    return !(rte & IOAPIC_RTE_MASKED) && mode_of(rte) != APIC_DM_REMOTE_READ &&
           mode_of(rte) != APIC_DM_STARTUP;
}

/* Put off or not. */
static bool is_pending(const struct vioapic_pin *p)
{
    if (!is_open(p->rte))
        return false;
    return is_level(p->rte) ? p->sources != 0 && !(p->rte & IOAPIC_RTE_REMOTE_IRR) : p->waiting;
}

bool vioapic_init(struct vioapic *a, struct vioapic_pin *pins, uint32_t pin_count, uint8_t version,
                  bool extended, uint64_t tsc_khz)
{
    if (pin_count == 0 || pin_count > HV_IOAPIC_PINS_MAX ||
        (version != IOAPIC_VERSION_PCI && version != IOAPIC_VERSION_EOI))
        return false;
    *a = (struct vioapic){.pins = pins, .pin_count = pin_count, .version = version, .extended = extended};
    a->delay = tsc_khz != 0 ? tsc_khz * VIOAPIC_PUT_OFF_MS : 1;
    for (uint32_t i = 0; i < pin_count; i++)
        pins[i] = (struct vioapic_pin){.rte = IOAPIC_RTE_MASKED};
    return true;
}

/* --- registers --- */
static uint32_t reg_read(const struct vioapic *a)
{
    uint32_t pin = (a->select - IOAPIC_REDTBL) / 2;
    const struct vioapic_pin *p;
    if (a->select == IOAPIC_ID || a->select == IOAPIC_ARB)
        return a->id;
    if (a->select == IOAPIC_VER)
        return a->version | (a->pin_count - 1) << 16;
    if (a->select < IOAPIC_REDTBL || pin >= a->pin_count)
        return 0;
    p = &a->pins[pin];
    return (uint32_t)(a->select & 1 ? p->rte >> 32 : p->rte | (is_pending(p) ? IOAPIC_RTE_STATUS : 0));
}

static void rte_write(struct vioapic *a, uint32_t pin, uint64_t value, struct vioapic_facts *f)
{
    struct vioapic_pin *p = &a->pins[pin];
    uint64_t old = p->rte;
    p->rte = (old & IOAPIC_RTE_REMOTE_IRR) | (value & rte_writable(a));
    f->what |= VIOAPIC_FACT_RTE;
    f->pin = pin;
    if (is_open(old) != is_open(p->rte))
        f->what |= VIOAPIC_FACT_MASK;
    if (is_level(p->rte) || !is_open(p->rte))
        p->waiting = false;
    if (!is_level(p->rte) || !is_open(p->rte))
        p->put_off = p->streak = 0;
    /* Software for version 0x11 ends an interrupt by switching to edge and back. */
    if (!is_level(p->rte) && (old & IOAPIC_RTE_REMOTE_IRR)) {
        p->rte &= ~IOAPIC_RTE_REMOTE_IRR;
        f->what |= VIOAPIC_FACT_ENDED;
    }
}

static void reg_write(struct vioapic *a, uint32_t value, struct vioapic_facts *f)
{
    uint32_t pin = (a->select - IOAPIC_REDTBL) / 2;
    if (a->select == IOAPIC_ID)
        a->id = value & ID_WRITABLE;
    if (a->select < IOAPIC_REDTBL || pin >= a->pin_count)
        return;
    if (a->select & 1)
        rte_write(a, pin, (uint32_t)a->pins[pin].rte | (uint64_t)value << 32, f);
    else
        rte_write(a, pin, (a->pins[pin].rte >> 32 << 32) | value, f);
}

static uint32_t dword_read(const struct vioapic *a, uint32_t at)
{
    return at == IOAPIC_IOREGSEL ? a->select : at == IOAPIC_IOWIN ? reg_read(a) : 0;
}

/*
 * `mask`: the bytes that are written. A narrow write of the window keeps the others; one of IOREGSEL makes
 * them 0, so that nothing of an earlier selection stays.
 */
static void dword_write(struct vioapic *a, uint32_t at, uint32_t value, uint32_t mask,
                        struct vioapic_facts *f)
{
    if (at == IOAPIC_IOWIN) {
        reg_write(a, (reg_read(a) & ~mask) | value, f);
    } else if (at == IOAPIC_IOREGSEL && (mask & 0xff)) {
        a->select = value & select_mask(a);
    } else if (at == IOAPIC_EOIR && a->version >= IOAPIC_VERSION_EOI && (mask & 0xff)) {
        f->what |= VIOAPIC_FACT_EOI;
        f->vector = (uint8_t)value;
    }
}

uint64_t vioapic_read(const struct vioapic *a, uint32_t offset, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size && i < 8; i++) {
        uint32_t at = offset + i;
        value |= (uint64_t)(uint8_t)(dword_read(a, at & ~3U) >> 8 * (at & 3)) << 8 * i;
    }
    return value;
}

void vioapic_write(struct vioapic *a, uint32_t offset, unsigned size, uint64_t value, struct vioapic_facts *f)
{
    uint32_t dword = 0, mask = 0;
    for (unsigned i = 0; i < size && i < 8; i++) {
        uint32_t at = offset + i, shift = 8 * (at & 3);
        dword |= (uint32_t)(uint8_t)(value >> 8 * i) << shift;
        mask |= 0xffU << shift;
        if ((at & 3) == 3 || i + 1 == size || i == 7) {
            dword_write(a, at & ~3U, dword, mask, f);
            dword = mask = 0;
        }
    }
}

/* --- lines --- */
int vioapic_line(struct vioapic *a, uint32_t pin, unsigned source, bool asserted, uint64_t now)
{
    struct vioapic_pin *p;
    bool was, coalesced;
    if (pin >= a->pin_count || source >= VIOAPIC_SOURCES)
        return VIOAPIC_MASKED;
    p = &a->pins[pin];
    was = p->sources != 0;
    if (!asserted) {
        p->sources &= ~(1ULL << source);
        if (p->sources == 0)
            p->put_off = p->streak = 0;
        return VIOAPIC_DONE;
    }
    p->sources |= 1ULL << source;
    if (!is_open(p->rte)) {
        a->stats[VIOAPIC_STAT_IGNORED] += !is_level(p->rte);
        return VIOAPIC_MASKED;
    }
    if (is_level(p->rte)) {
        coalesced = !is_pending(p) || now < p->put_off;
    } else {
        coalesced = was || p->waiting;
        p->waiting = p->waiting || !coalesced;
    }
    a->stats[VIOAPIC_STAT_COALESCED] += coalesced;
    return coalesced ? VIOAPIC_COALESCED : VIOAPIC_SEND;
}

bool vioapic_asserted(const struct vioapic *a, uint32_t pin)
{
    return pin < a->pin_count && a->pins[pin].sources != 0;
}

bool vioapic_masked(const struct vioapic *a, uint32_t pin)
{
    return pin >= a->pin_count || !is_open(a->pins[pin].rte);
}

/* --- messages --- */
void vioapic_message(const struct vioapic *a, uint32_t pin, struct vlapic_message *m)
{
    const struct vioapic_pin *p = &a->pins[pin];
    uint32_t high = a->extended ? (uint32_t)(p->rte >> IOAPIC_RTE_EXT_SHIFT & IOAPIC_RTE_EXT) : 0;
    *m = (struct vlapic_message){.dest = (uint32_t)(p->rte >> IOAPIC_RTE_DEST_SHIFT) | high << 8,
                                 .vector = (uint8_t)p->rte,
                                 .mode = (uint8_t)mode_of(p->rte),
                                 .level = is_level(p->rte),
                                 .logical = (p->rte & IOAPIC_RTE_LOGICAL) != 0,
                                 .wide = high != 0};
}

bool vioapic_ready(const struct vioapic *a, uint32_t pin, uint64_t now, struct vlapic_message *m)
{
    if (pin >= a->pin_count || !is_pending(&a->pins[pin]) || now < a->pins[pin].put_off)
        return false;
    vioapic_message(a, pin, m);
    return true;
}

uint32_t vioapic_next(const struct vioapic *a, uint32_t from, uint64_t now, struct vlapic_message *m)
{
    while (from < a->pin_count && !vioapic_ready(a, from, now, m))
        from++;
    return from < a->pin_count ? from : a->pin_count;
}

int vioapic_sent(struct vioapic *a, uint32_t pin, int result)
{
    struct vioapic_pin *p = &a->pins[pin];
    p->put_off =
        0; /* also when nobody takes it: a deadline that has passed would be due again at once, for ever */
    if (result < 0) {
        a->stats[VIOAPIC_STAT_REFUSED]++;
        return VIOAPIC_MASKED;
    }
    if (is_level(p->rte))
        p->rte |= IOAPIC_RTE_REMOTE_IRR;
    p->waiting = false;
    a->stats[result > 0 ? VIOAPIC_STAT_SENT : VIOAPIC_STAT_COALESCED]++;
    return result;
}

/* --- ends --- */
bool vioapic_eoi(const struct vioapic *a, uint8_t vector, struct vioapic_pins *pins)
{
    const struct vioapic_pin *p = a->pins;
    bool any = false;
    memset(pins, 0, sizeof(*pins));
    for (uint32_t i = 0, n = a->pin_count; i < n; i++, p++) {
        if ((uint8_t)p->rte != vector)
            continue;
        if (is_level(p->rte) && (p->rte & IOAPIC_RTE_REMOTE_IRR)) {
            pins->bits[i / 64] |= 1ULL << i % 64;
            any = true;
        }
    }
    return any;
}

bool vioapic_end(struct vioapic *a, uint32_t pin, uint8_t vector, uint64_t now)
{
    struct vioapic_pin *p = &a->pins[pin];
    if (pin >= a->pin_count || (uint8_t)p->rte != vector || !(p->rte & IOAPIC_RTE_REMOTE_IRR))
        return false;
    p->rte &= ~IOAPIC_RTE_REMOTE_IRR;
    a->stats[VIOAPIC_STAT_ENDED]++;
    if (!is_pending(p))
        return false;
    if (++p->streak < VIOAPIC_STREAK_MAX)
        return true;
    p->streak = 0;
    p->storms++;
    a->stats[VIOAPIC_STAT_STORMS]++;
    p->put_off = now + a->delay;
    return false;
}

bool vioapic_deadline(const struct vioapic *a, uint64_t *deadline)
{
    *deadline = UINT64_MAX;
    for (uint32_t i = 0; i < a->pin_count; i++) {
        const struct vioapic_pin *p = &a->pins[i];
        if (p->put_off != 0 && is_pending(p) && p->put_off < *deadline)
            *deadline = p->put_off;
    }
    return *deadline != UINT64_MAX;
}

/* --- records --- */
void vioapic_state_get(const struct vioapic *a, uint64_t now, struct hv_ioapic *out)
{
    memset(out, 0, HV_IOAPIC_SIZE(a->pin_count));
    out->size = HV_IOAPIC_SIZE(a->pin_count);
    out->version = HV_IOAPIC_VERSION;
    out->pins = a->pin_count;
    out->id = a->id;
    out->select = a->select;
    for (uint32_t i = 0; i < a->pin_count; i++) {
        const struct vioapic_pin *p = &a->pins[i];
        out->pin[i] = (struct hv_ioapic_pin){.rte = p->rte,
                                             .sources = p->sources,
                                             .put_off = p->put_off > now ? p->put_off - now : 0,
                                             .streak = p->streak,
                                             .flags = p->waiting ? HV_IOAPIC_WAITING : 0};
    }
}

static bool pin_valid(const struct vioapic *a, const struct hv_ioapic_pin *in)
{
    uint64_t rte = in->rte;
    if ((rte & ~(rte_writable(a) | IOAPIC_RTE_REMOTE_IRR)) || in->reserved ||
        (in->flags & ~HV_IOAPIC_WAITING))
        return false;
    if (is_level(rte))
        return in->flags == 0 && in->streak < VIOAPIC_STREAK_MAX &&
               ((in->sources != 0 && is_open(rte)) || (in->put_off == 0 && in->streak == 0)) &&
               (in->put_off == 0 || !(rte & IOAPIC_RTE_REMOTE_IRR));
    return !(rte & IOAPIC_RTE_REMOTE_IRR) && in->put_off == 0 && in->streak == 0 &&
           (in->flags == 0 || is_open(rte));
}

bool vioapic_state_set(struct vioapic *a, uint64_t now, const struct hv_ioapic *in, size_t size)
{
    if (size != HV_IOAPIC_SIZE(a->pin_count) || in->size != size || in->version != HV_IOAPIC_VERSION ||
        in->pins != a->pin_count || (in->id & ~ID_WRITABLE) || (in->select & ~select_mask(a)) ||
        in->reserved[0] || in->reserved[1] || in->reserved[2])
        return false;
    for (uint32_t i = 0; i < a->pin_count; i++)
        if (!pin_valid(a, &in->pin[i]))
            return false;
    a->id = in->id;
    a->select = in->select;
    for (uint32_t i = 0; i < a->pin_count; i++) {
        const struct hv_ioapic_pin *from = &in->pin[i];
        struct vioapic_pin *p = &a->pins[i];
        uint64_t left = from->put_off < a->delay ? from->put_off : a->delay;
        p->rte = from->rte;
        p->sources = from->sources;
        p->put_off = left != 0 ? now + left : 0;
        p->streak = from->streak;
        p->waiting = from->flags != 0;
    }
    return true;
}
