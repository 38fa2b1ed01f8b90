/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Priority. The pin behind `lowest` comes first. A request counts when no pin of the same or a higher priority
 * is in service; in special mask mode, masked pins in service do not count, and a non-specific EOI passes over
 * them; in special fully nested mode the master takes the slave's pin again while that is in service.
 *
 * Cascade. Pin 2 of the master is requested while the slave has an interrupt to give. The request is latched
 * like an edge, so one that the slave takes back gives IRQ 15 as a spurious interrupt. A poll of the slave
 * takes it from the master too. A master in single mode has no slave.
 */
#include "hv/irqchip/vpic.h"

#include <string.h>

enum { MASTER, SLAVE, NONE = 8 };

#define CASCADE 4 /* bit of pin 2 */

static const uint8_t elcr_writable[2] = {PIC_ELCR_MASTER_RW, PIC_ELCR_SLAVE_RW};

static uint8_t bit(unsigned pin)
{
    return (uint8_t)(1U << (pin & 7));
}

static uint8_t level_pins(const struct hv_pic_chip *c)
{
    return c->flags & HV_PIC_LTIM ? 0xff : c->elcr;
}

static uint8_t requests(const struct vpic *p, unsigned which);

/* The pin that the chip would give now, or NONE. `irr` as requests() gives it. */
static unsigned resolve(const struct hv_pic_chip *c, uint8_t irr, bool master)
{
    uint8_t in_service = (uint8_t)(c->flags & HV_PIC_SMM ? c->isr & ~c->imr : c->isr);
    if (c->step != HV_PIC_READY)
        return NONE;
    irr &= (uint8_t)~c->imr;
    for (unsigned i = 1; i <= 8; i++) {
        unsigned pin = (c->lowest + i) & 7;
        bool again = master && pin == 2 && (c->flags & HV_PIC_SFNM);
        if ((irr & bit(pin)) && (again || !(in_service & bit(pin))))
            return pin;
        if (in_service & bit(pin))
            return NONE;
    }
    return NONE;
}

static unsigned chosen(const struct vpic *p, unsigned which)
{
    return resolve(&p->chip[which], requests(p, which), which == MASTER);
}

static bool has_slave(const struct vpic *p)
{
    return !(p->chip[MASTER].flags & HV_PIC_SINGLE);
}

/* IRR as it is read. */
static uint8_t requests(const struct vpic *p, unsigned which)
{
    const struct hv_pic_chip *c = &p->chip[which];
    bool slave = which == MASTER && has_slave(p) && chosen(p, SLAVE) != NONE;
    return (uint8_t)((p->lines[which] & level_pins(c)) | c->latch | (slave ? CASCADE : 0));
}

/* After every change of the slave. */
static void cascade(struct vpic *p)
{
    struct hv_pic_chip *m = &p->chip[MASTER];
    if (has_slave(p) && !(level_pins(m) & CASCADE) && chosen(p, SLAVE) != NONE)
        m->latch |= CASCADE;
}

static void end(struct vpic *p, unsigned which, uint8_t pins, struct vpic_facts *f)
{
    p->chip[which].isr &= (uint8_t)~pins;
    f->ended |= (uint16_t)(pins << 8 * which);
}

/* INTA, or a poll: the pin goes into service, unless its end is automatic. */
static void acknowledge(struct vpic *p, unsigned which, unsigned pin, struct vpic_facts *f)
{
    struct hv_pic_chip *c = &p->chip[which];
    c->latch &= (uint8_t)~bit(pin);
    if (!(c->flags & HV_PIC_AEOI)) {
        c->isr |= bit(pin);
        return;
    }
    end(p, which, bit(pin), f);
    if (c->flags & HV_PIC_ROTATE_AEOI)
        c->lowest = (uint8_t)pin;
}

void vpic_init(struct vpic *p)
{
    memset(p, 0, sizeof(*p));
    p->chip[MASTER].lowest = p->chip[SLAVE].lowest = 7;
}

static void set_line(struct vpic *p, unsigned pin)
{
    uint8_t *lines = &p->lines[pin / 8];
    *lines = (uint8_t)((*lines & ~bit(pin)) | (p->sources[pin] != 0 ? bit(pin) : 0));
}

int vpic_line(struct vpic *p, uint32_t pin, unsigned source, bool asserted)
{
    struct hv_pic_chip *c;
    uint8_t before;
    bool was, same;
    if (pin >= VPIC_PINS || pin == 2 || source >= VPIC_SOURCES)
        return -1;
    c = &p->chip[pin / 8];
    was = p->sources[pin] != 0;
    before = requests(p, pin / 8);
    if (asserted)
        p->sources[pin] |= 1ULL << source;
    else
        p->sources[pin] &= ~(1ULL << source);
    set_line(p, pin);
    if (asserted && !was && !(level_pins(c) & bit(pin)))
        c->latch |= bit(pin);
    cascade(p);
    if (!asserted)
        return 1;
    same = (before & bit(pin)) || (was && !(level_pins(c) & bit(pin)));
    p->stats[VPIC_STAT_COALESCED] += same;
    if (c->step != HV_PIC_READY || (c->imr & bit(pin)))
        return -1;
    return !same;
}

bool vpic_masked(const struct vpic *p, uint32_t pin)
{
    const struct hv_pic_chip *c = &p->chip[pin >= 8];
    return pin >= VPIC_PINS || c->step != HV_PIC_READY || (c->imr & bit(pin)) ||
           (pin >= 8 && vpic_masked(p, 2));
}

bool vpic_busy(const struct vpic *p, uint32_t pin)
{
    return (requests(p, pin / 8) | p->chip[pin / 8].isr) & bit(pin);
}

bool vpic_output(const struct vpic *p)
{
    return chosen(p, MASTER) != NONE;
}

uint8_t vpic_ack(struct vpic *p, struct vpic_facts *f)
{
    unsigned which = MASTER, pin = chosen(p, MASTER);
    if (pin != NONE)
        acknowledge(p, MASTER, pin, f);
    if (pin == 2 && has_slave(p)) {
        which = SLAVE;
        pin = chosen(p, SLAVE);
        if (pin != NONE)
            acknowledge(p, SLAVE, pin, f);
        cascade(p);
    }
    p->stats[pin == NONE ? VPIC_STAT_SPURIOUS : VPIC_STAT_ACKNOWLEDGED]++;
    return (uint8_t)(p->chip[which].base + (pin == NONE ? 7 : pin));
}

/* --- ports --- */
/* The sense of edges starts anew: what was latched, or in service, is lost, and said to be ended. */
static void icw1(struct vpic *p, unsigned which, uint8_t value, struct vpic_facts *f)
{
    struct hv_pic_chip *c = &p->chip[which];
    f->ended |= (uint16_t)(c->latch << 8 * which);
    f->mask |= (uint16_t)(c->imr << 8 * which);
    end(p, which, c->isr, f);
    c->latch = c->imr = 0;
    c->lowest = 7;
    c->step = HV_PIC_ICW2;
    c->flags = (uint16_t)((value & 1 ? HV_PIC_NEEDS_ICW4 : 0) | (value & 2 ? HV_PIC_SINGLE : 0) |
                          (value & 8 ? HV_PIC_LTIM : 0));
}

/* Bits 7:5: rotate, specific, EOI. */
static void ocw2(struct vpic *p, unsigned which, uint8_t value, struct vpic_facts *f)
{
    struct hv_pic_chip *c = &p->chip[which];
    bool rotate = value & 0x80, specific = value & 0x40, eoi = value & 0x20;
    uint8_t served = (uint8_t)(c->flags & HV_PIC_SMM ? c->isr & ~c->imr : c->isr);
    unsigned pin = value & 7;
    if (!eoi && !specific) {
        c->flags = (uint16_t)((c->flags & ~HV_PIC_ROTATE_AEOI) | (rotate ? HV_PIC_ROTATE_AEOI : 0));
        return;
    }
    if (!specific) {
        if (served == 0)
            return;
        for (pin = (c->lowest + 1U) & 7; !(served & bit(pin)); pin = (pin + 1) & 7)
            continue;
    }
    if (eoi)
        end(p, which, c->isr & bit(pin), f);
    if (rotate)
        c->lowest = (uint8_t)pin;
}

static void ocw3(struct hv_pic_chip *c, uint8_t value)
{
    uint16_t flags = c->flags;
    if (value & 0x40)
        flags = (uint16_t)((flags & ~HV_PIC_SMM) | (value & 0x20 ? HV_PIC_SMM : 0));
    if (value & 2)
        flags = (uint16_t)((flags & ~HV_PIC_READ_ISR) | (value & 1 ? HV_PIC_READ_ISR : 0));
    c->flags = (uint16_t)((flags & ~HV_PIC_POLL) | (value & 4 ? HV_PIC_POLL : 0));
}

static void data_write(struct hv_pic_chip *c, uint8_t value, uint8_t *mask_changed)
{
    switch ((enum hv_pic_step)c->step) {
    case HV_PIC_COLD:
    case HV_PIC_READY:
        *mask_changed = c->imr ^ value;
        c->imr = value;
        return;
    case HV_PIC_ICW2:
        c->base = value & 0xf8;
        if (!(c->flags & HV_PIC_SINGLE)) {
            c->step = HV_PIC_ICW3;
            return;
        }
        break;
    case HV_PIC_ICW3:
        c->icw3 = value;
        break;
    case HV_PIC_ICW4:
        c->flags &= (uint16_t) ~(HV_PIC_AEOI | HV_PIC_SFNM | HV_PIC_NEEDS_ICW4);
        c->flags |= (uint16_t)((value & 2 ? HV_PIC_AEOI : 0) | (value & 16 ? HV_PIC_SFNM : 0));
        break;
    }
    c->step = c->flags & HV_PIC_NEEDS_ICW4 ? HV_PIC_ICW4 : HV_PIC_READY;
}

/* True: *which, and whether it is the data port. */
static bool decode(uint16_t port, unsigned *which, bool *data)
{
    *which = (port & 0x80) != 0;
    *data = port & 1;
    return (port & ~0x81U) == PIC_MASTER_COMMAND;
}

uint8_t vpic_read(struct vpic *p, uint16_t port, struct vpic_facts *f)
{
    unsigned which, pin;
    bool data;
    struct hv_pic_chip *c;
    if (port == PIC_ELCR_MASTER || port == PIC_ELCR_SLAVE)
        return p->chip[port & 1].elcr;
    if (!decode(port, &which, &data))
        return 0xff;
    c = &p->chip[which];
    if (c->flags & HV_PIC_POLL) {
        c->flags &= (uint16_t)~HV_PIC_POLL;
        pin = chosen(p, which);
        if (pin == NONE)
            return 0;
        acknowledge(p, which, pin, f);
        p->stats[VPIC_STAT_ACKNOWLEDGED]++;
        if (which == SLAVE)
            p->chip[MASTER].latch &= (uint8_t)~CASCADE;
        cascade(p);
        return (uint8_t)(0x80 | pin);
    }
    return data ? c->imr : c->flags & HV_PIC_READ_ISR ? c->isr : requests(p, which);
}

void vpic_write(struct vpic *p, uint16_t port, uint8_t value, struct vpic_facts *f)
{
    unsigned which;
    bool data;
    uint8_t changed = 0;
    if (port == PIC_ELCR_MASTER || port == PIC_ELCR_SLAVE) {
        struct hv_pic_chip *c = &p->chip[port & 1];
        c->elcr = value & elcr_writable[port & 1];
        c->latch &= (uint8_t)~level_pins(c);
    } else if (!decode(port, &which, &data)) {
        return;
    } else if (data) {
        data_write(&p->chip[which], value, &changed);
        f->mask |= (uint16_t)(changed << 8 * which);
    } else if (value & 0x10) {
        icw1(p, which, value, f);
    } else if (value & 8) {
        ocw3(&p->chip[which], value);
    } else {
        ocw2(p, which, value, f);
    }
    cascade(p);
}

/* --- records --- */
void vpic_state_get(const struct vpic *p, struct hv_pic *out)
{
    memset(out, 0, sizeof(*out));
    out->size = sizeof(*out);
    out->version = HV_PIC_VERSION;
    memcpy(out->chip, p->chip, sizeof(out->chip));
    memcpy(out->sources, p->sources, sizeof(out->sources));
}

static bool chip_valid(const struct hv_pic_chip *c, uint8_t elcr_mask)
{
    for (unsigned i = 0; i < sizeof(c->reserved); i++)
        if (c->reserved[i] != 0)
            return false;
    if ((c->flags & ~HV_PIC_FLAGS) || c->step > HV_PIC_READY || (c->base & 7) || c->lowest > 7 ||
        (c->elcr & ~elcr_mask) || (c->latch & level_pins(c)))
        return false;
    if (c->isr != 0 && (c->step != HV_PIC_READY || (c->flags & HV_PIC_AEOI)))
        return false;
    if (c->flags & HV_PIC_NEEDS_ICW4 ? c->step == HV_PIC_COLD || c->step == HV_PIC_READY
                                     : c->step == HV_PIC_ICW4)
        return false;
    return c->step != HV_PIC_ICW3 || !(c->flags & HV_PIC_SINGLE);
}

bool vpic_state_set(struct vpic *p, const struct hv_pic *in, size_t size)
{
    if (size != sizeof(*in) || in->size != sizeof(*in) || in->version != HV_PIC_VERSION || in->reserved[0] ||
        in->reserved[1] || in->sources[2] != 0 || !chip_valid(&in->chip[MASTER], PIC_ELCR_MASTER_RW) ||
        !chip_valid(&in->chip[SLAVE], PIC_ELCR_SLAVE_RW))
        return false;
    memcpy(p->chip, in->chip, sizeof(p->chip));
    memcpy(p->sources, in->sources, sizeof(p->sources));
    for (unsigned i = 0; i < VPIC_PINS; i++)
        set_line(p, i);
    return true;
}
