/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time is the position: PIT ticks, TSC * 1193182 / frequency, always from the same base. A channel does nothing
 * as time passes but one thing: at `load_at` the counter takes `reload`. Everything else follows from how far
 * it is from `start`.
 *
 * A count that is written is loaded one tick later; while a periodic mode runs, at the end of the period (2)
 * or of the half period (3); in modes 1 and 5 at a trigger, which is a rising gate. A low gate freezes modes
 * 0, 2, 3, 4. Counts of 1 in modes 2 and 3 are illegal and work as 2. A change of mode gives no tick.
 */
#include "hv/irqchip/vpit.h"

#include <string.h>

enum { REFRESH_TICKS = 18, FIRST_POSITION = 0x10000 };
enum { PENDING = HV_PIT_UNACKED | HV_PIT_COALESCED };

/* --- time --- */
static uint64_t position_at(const struct vpit *p, uint64_t tsc)
{
    uint64_t passed = (int64_t)(tsc - p->tsc_base) < 0 ? 0 : tsc - p->tsc_base;
    return p->tick_base + passed / p->tsc_hz * PIT_HZ + passed % p->tsc_hz * PIT_HZ / p->tsc_hz;
}

/* The first TSC of that position. */
static uint64_t tsc_at(const struct vpit *p, uint64_t position)
{
    uint64_t ticks = position - p->tick_base;
    return p->tsc_base + ticks / PIT_HZ * p->tsc_hz + (ticks % PIT_HZ * p->tsc_hz + PIT_HZ - 1) / PIT_HZ;
}

/* --- one channel --- */
static uint32_t modulus(const struct hv_pit_channel *c)
{
    return c->flags & HV_PIT_BCD ? 10000 : 65536;
}

static bool is_periodic(const struct hv_pit_channel *c)
{
    return c->mode == 2 || c->mode == 3;
}

/* Modes that a low gate stops; in the others, a rising gate triggers, and nothing stops. */
static bool gate_stops(const struct hv_pit_channel *c)
{
    return c->mode != 1 && c->mode != 5;
}

/* Ticks of a period of mode 3 with OUT high. */
static uint32_t high_ticks(uint32_t count)
{
    return count - count / 2;
}

static uint64_t elapsed(const struct hv_pit_channel *c, uint64_t at)
{
    return (c->frozen_at < at ? c->frozen_at : at) - c->start;
}

static bool out_at(const struct hv_pit_channel *c, uint64_t at)
{
    uint64_t e = elapsed(c, at);
    if (c->count == 0)
        return c->mode != 0;
    if (c->mode <= 1)
        return e >= c->count;
    if (c->mode >= 4)
        return e != c->count;
    if (c->frozen_at != HV_PIT_NEVER)
        return true;
    return c->mode == 2 ? e % c->count != c->count - 1 : e % c->count < high_ticks(c->count);
}

static uint16_t value_at(const struct hv_pit_channel *c, uint64_t at)
{
    uint64_t e = elapsed(c, at);
    uint32_t n = c->count, m = modulus(c), value;
    if (n == 0)
        return 0;
    if (!is_periodic(c)) {
        value = (n + m - (uint32_t)(e % m)) % m;
    } else if (c->mode == 2) {
        value = (n - (uint32_t)(e % n)) % m;
    } else {
        uint32_t i = (uint32_t)(e % n);
        value = ((n & ~1U) - 2 * (i < high_ticks(n) ? i : i - high_ticks(n))) % m;
    }
    if (c->flags & HV_PIT_BCD)
        value = value / 1000 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 | value % 10;
    return (uint16_t)value;
}

/* Rising edges of OUT after `from`, up to and with `to`, when nothing is loaded in between. */
static uint64_t rising(const struct hv_pit_channel *c, uint64_t from, uint64_t to)
{
    uint64_t a = elapsed(c, from), b = elapsed(c, to), edge = c->count + (c->mode >= 4);
    if (c->count == 0)
        return 0;
    if (is_periodic(c))
        return b / c->count - a / c->count;
    return a < edge && b >= edge;
}

static void load(struct hv_pit_channel *c)
{
    uint64_t at = c->load_at;
    bool low_half = c->mode == 3 && c->count != 0 && c->frozen_at == HV_PIT_NEVER &&
                    (at - c->start) % c->count == high_ticks(c->count);
    c->count = is_periodic(c) && c->reload == 1 ? 2 : c->reload;
    c->start = low_half ? at - high_ticks(c->count) : at;
    c->frozen_at = gate_stops(c) && !(c->flags & HV_PIT_GATE) ? at : HV_PIT_NEVER;
    c->load_at = HV_PIT_NEVER;
    c->flags &= (uint16_t)~HV_PIT_NULL;
}

/* Returns the rising edges on the way. */
static uint64_t advance(struct hv_pit_channel *c, uint64_t from, uint64_t to)
{
    uint64_t edges = 0;
    if (c->load_at <= to) {
        edges = rising(c, from, c->load_at);
        from = c->load_at;
        load(c);
    }
    return edges + rising(c, from, to);
}

/* The first rising edge after `from`. */
static uint64_t next_rising(const struct hv_pit_channel *now, uint64_t from)
{
    struct hv_pit_channel c = *now;
    uint64_t edge;
    for (;;) {
        edge = HV_PIT_NEVER;
        if (c.count != 0 && c.frozen_at == HV_PIT_NEVER)
            edge = c.start +
                   (is_periodic(&c) ? (elapsed(&c, from) / c.count + 1) * c.count : c.count + (c.mode >= 4));
        if (edge <= from)
            edge = HV_PIT_NEVER;
        if (c.load_at >= edge)
            return edge;
        from = c.load_at;
        load(&c);
    }
}

static void set_gate(struct hv_pit_channel *c, bool high, uint64_t at)
{
    if (high == ((c->flags & HV_PIT_GATE) != 0))
        return;
    c->flags ^= HV_PIT_GATE;
    if (!high) {
        if (gate_stops(c) && c->frozen_at == HV_PIT_NEVER) {
            c->frozen_at = at;
            if (is_periodic(c) && c->count != 0)
                c->load_at = HV_PIT_NEVER;
        }
    } else if (c->mode == 0 || c->mode == 4) {
        if (c->frozen_at != HV_PIT_NEVER)
            c->start += at - c->frozen_at;
        c->frozen_at = HV_PIT_NEVER;
    } else if (c->reload != 0) {
        c->load_at = at + 1;
    }
}

static void set_count(struct hv_pit_channel *c, uint32_t value, uint64_t at)
{
    uint64_t period = c->count != 0 ? at - elapsed(c, at) % c->count : 0; /* where it began */
    if (c->flags & HV_PIT_BCD)
        value =
            ((value >> 12) * 1000 + (value >> 8 & 15) * 100 + (value >> 4 & 15) * 10 + (value & 15)) % 10000;
    c->reload = value != 0 ? value : modulus(c);
    c->flags |= HV_PIT_NULL;
    if (c->mode == 0)
        c->count = 0;
    if (c->mode == 0 || c->mode == 4 || (is_periodic(c) && c->count == 0))
        c->load_at = at + 1;
    else if (is_periodic(c) && c->frozen_at == HV_PIT_NEVER)
        c->load_at = c->mode == 3 && period + high_ticks(c->count) > at ? period + high_ticks(c->count)
                                                                        : period + c->count;
}

static void write_byte(struct hv_pit_channel *c, uint8_t value, uint64_t at)
{
    if (c->access != 3) {
        set_count(c, c->access == 1 ? value : (uint32_t)value << 8, at);
        return;
    }
    c->flags ^= HV_PIT_WRITE_HIGH;
    if (!(c->flags & HV_PIT_WRITE_HIGH)) {
        set_count(c, (uint32_t)value << 8 | c->low, at);
        return;
    }
    c->low = value;
    if (c->mode == 0) { /* the first byte stops it, and OUT falls */
        c->count = 0;
        c->load_at = HV_PIT_NEVER;
    }
}

static uint8_t read_byte(struct hv_pit_channel *c, uint64_t at)
{
    uint16_t value = c->flags & HV_PIT_LATCHED_COUNT ? c->latch : value_at(c, at);
    bool high = c->access == 2 || (c->flags & HV_PIT_READ_HIGH);
    if (c->flags & HV_PIT_LATCHED_STATUS) {
        c->flags &= (uint16_t)~HV_PIT_LATCHED_STATUS;
        return c->status;
    }
    if (c->access == 3)
        c->flags ^= HV_PIT_READ_HIGH;
    if (c->access != 3 || high)
        c->flags &= (uint16_t)~HV_PIT_LATCHED_COUNT;
    return (uint8_t)(high ? value >> 8 : value);
}

/* What is latched already stays. */
static void latch(struct hv_pit_channel *c, bool count, bool status, uint64_t at)
{
    if (status && !(c->flags & HV_PIT_LATCHED_STATUS)) {
        c->status = (uint8_t)(out_at(c, at) << 7 | ((c->flags & HV_PIT_NULL) != 0) << 6 | c->access << 4 |
                              c->mode << 1 | (c->flags & HV_PIT_BCD));
        c->flags |= HV_PIT_LATCHED_STATUS;
    }
    if (count && !(c->flags & HV_PIT_LATCHED_COUNT)) {
        c->latch = value_at(c, at);
        c->flags |= HV_PIT_LATCHED_COUNT;
    }
}

static void control(struct vpit *p, uint8_t value)
{
    struct hv_pit_channel *c = &p->channel[value >> 6 & 3];
    uint8_t access = value >> 4 & 3, mode = value >> 1 & 7;
    if (value >> 6 == 3) { /* read-back */
        for (unsigned i = 0; i < 3; i++)
            if (value & 2U << i)
                latch(&p->channel[i], !(value & 0x20), !(value & 0x10), p->position);
    } else if (access == 0) {
        latch(c, true, false, p->position);
    } else {
        c->mode = mode > 5 ? mode & 3 : mode;
        c->access = access;
        c->flags = (uint16_t)((c->flags & HV_PIT_GATE) | HV_PIT_NULL | (value & HV_PIT_BCD));
        c->count = c->reload = 0;
        c->load_at = c->frozen_at = HV_PIT_NEVER;
    }
}

/* --- the device --- */
static void miss(struct vpit *p, uint64_t edges)
{
    uint64_t room = VPIT_MISSED_MAX - p->edges, taken = edges < room ? edges : room;
    p->edges += (uint32_t)taken;
    p->dropped += edges - taken;
}

static uint64_t sync(struct vpit *p, uint64_t now)
{
    uint64_t to = position_at(p, now), edges;
    if (to <= p->position)
        return p->position;
    edges = advance(&p->channel[0], p->position, to);
    advance(&p->channel[1], p->position, to);
    advance(&p->channel[2], p->position, to);
    if (!(p->flags & HV_PIT_MUTED))
        miss(p, edges);
    return p->position = to;
}

void vpit_init(struct vpit *p, uint64_t tsc_khz, uint64_t now)
{
    *p = (struct vpit){.tsc_base = now, .tick_base = FIRST_POSITION, .position = FIRST_POSITION};
    p->tsc_hz = (tsc_khz == 0 ? 1 : tsc_khz < UINT32_MAX ? tsc_khz : UINT32_MAX) * 1000;
    uint64_t ticks = (VPIT_MIN_TICKS * (uint64_t)PIT_HZ + p->tsc_hz - 1) / p->tsc_hz;
    p->shortest = ticks > VPIT_MIN_PERIOD ? (uint32_t)ticks : VPIT_MIN_PERIOD;
    p->flags = HV_PIT_REINJECT;
    for (unsigned i = 0; i < 3; i++)
        p->channel[i] = (struct hv_pit_channel){.access = 3,
                                                .load_at = HV_PIT_NEVER,
                                                .frozen_at = HV_PIT_NEVER,
                                                .flags = HV_PIT_NULL | (i < 2 ? HV_PIT_GATE : 0)};
}

uint8_t vpit_read(struct vpit *p, uint16_t port, uint64_t now)
{
    uint64_t at = sync(p, now);
    if (port == PIT_PORT61)
        return (uint8_t)(p->port61 | (at / REFRESH_TICKS & 1 ? PORT61_REFRESH : 0) |
                         (out_at(&p->channel[2], at) ? PORT61_OUT2 : 0));
    return port >= PIT_CHANNEL0 && port < PIT_CONTROL ? read_byte(&p->channel[port - PIT_CHANNEL0], at)
                                                      : 0xff;
}

void vpit_write(struct vpit *p, uint16_t port, uint8_t value, uint64_t now)
{
    uint64_t at = sync(p, now);
    if (port == PIT_PORT61) {
        p->port61 = value & PORT61_WRITABLE;
        set_gate(&p->channel[2], value & PORT61_GATE2, at);
    } else if (port == PIT_CONTROL) {
        control(p, value);
    } else if (port >= PIT_CHANNEL0 && port < PIT_CONTROL) {
        write_byte(&p->channel[port - PIT_CHANNEL0], value, at);
    }
}

bool vpit_out(struct vpit *p, unsigned channel, uint64_t now)
{
    uint64_t at = sync(p, now);
    return channel < 3 && out_at(&p->channel[channel], at);
}

/* --- IRQ 0 --- */
static bool is_short(const struct vpit *p)
{
    return is_periodic(&p->channel[0]) && p->channel[0].count != 0 && p->channel[0].count < p->shortest;
}

/* Position before which no tick is delivered; after a coalesced one it bounds what the caller's loop can do. */
static uint64_t earliest(const struct vpit *p)
{
    if (p->flags & HV_PIT_UNACKED)
        return p->served + PIT_HZ;
    return is_short(p) || (p->flags & HV_PIT_COALESCED) ? p->served + p->shortest : 0;
}

bool vpit_deadline(const struct vpit *p, uint64_t *tsc)
{
    uint64_t next = next_rising(&p->channel[0], p->position), at = next;
    if (p->edges != 0) {
        at = p->position < earliest(p) ? earliest(p) : p->position;
        if ((p->flags & HV_PIT_UNACKED) && !is_short(p) && next < at)
            at = next; /* of a short period each look would cost the machine an interrupt */
    } else if (next < earliest(p) && !(p->flags & HV_PIT_UNACKED)) {
        at = earliest(p);
    }
    if (at == HV_PIT_NEVER || (p->flags & HV_PIT_MUTED))
        return false;
    *tsc = tsc_at(p, at);
    return true;
}

bool vpit_run(struct vpit *p, uint64_t now)
{
    uint64_t at = sync(p, now);
    if (p->edges == 0 || at < earliest(p))
        return false;
    p->edges = p->flags & HV_PIT_REINJECT && !is_short(p) ? p->edges - 1 : 0;
    if (p->flags & HV_PIT_REINJECT)
        p->flags |= HV_PIT_UNACKED;
    p->served = at;
    p->flags &= (uint16_t)~HV_PIT_COALESCED;
    p->ticks++;
    return true;
}

void vpit_sent(struct vpit *p, int status)
{
    if (status > 0 || !(p->flags & HV_PIT_REINJECT))
        return;
    if (status == 0) {
        p->flags |= HV_PIT_COALESCED;
        miss(p, 1);
        return;
    }
    p->dropped += p->edges + 1;
    p->edges = 0;
    p->flags &= (uint16_t)~HV_PIT_UNACKED;
}

bool vpit_ack(struct vpit *p, uint64_t now)
{
    p->flags &= (uint16_t)~HV_PIT_UNACKED;
    return vpit_run(p, now);
}

static void set_flag(struct vpit *p, enum hv_pit_flag flag, bool on)
{
    p->flags = (uint16_t)((p->flags & ~(unsigned)(flag | PENDING)) | (on ? flag : 0U));
    p->edges = 0;
}

void vpit_reinject(struct vpit *p, bool on)
{
    set_flag(p, HV_PIT_REINJECT, on);
}

void vpit_mute(struct vpit *p, bool on)
{
    set_flag(p, HV_PIT_MUTED, on);
}

/* --- records --- */
void vpit_state_get(struct vpit *p, uint64_t now, struct hv_pit *out)
{
    uint64_t at = sync(p, now), reached = tsc_at(p, at);
    memset(out, 0, sizeof(*out));
    out->size = sizeof(*out);
    out->version = HV_PIT_VERSION;
    out->position = at;
    out->phase = now > reached ? now - reached : 0;
    out->served = p->served;
    out->edges = p->edges;
    out->flags = p->flags;
    out->port61 = p->port61;
    memcpy(out->channel, p->channel, sizeof(out->channel));
}

static bool channel_valid(const struct hv_pit_channel *c, uint64_t position)
{
    bool gate = c->flags & HV_PIT_GATE, frozen = c->frozen_at != HV_PIT_NEVER;
    if ((c->flags & ~HV_PIT_CHANNEL_FLAGS) || c->mode > 5 || c->access == 0 || c->access > 3 ||
        c->count > modulus(c) || c->reload > modulus(c) || (is_periodic(c) && c->count == 1))
        return false;
    if (c->access != 3 && (c->flags & (HV_PIT_WRITE_HIGH | HV_PIT_READ_HIGH)))
        return false;
    if (c->start > position || (c->count != 0 && c->reload == 0))
        return false;
    if (c->load_at != HV_PIT_NEVER &&
        (c->reload == 0 || c->load_at <= position || c->load_at > position + modulus(c)))
        return false;
    if (frozen && (!gate_stops(c) || c->frozen_at < c->start || c->frozen_at > position))
        return false;
    if (frozen && gate)
        return c->count == 0 || (is_periodic(c) && c->load_at != HV_PIT_NEVER);
    return frozen || gate || c->count == 0 || !gate_stops(c);
}

bool vpit_state_set(struct vpit *p, uint64_t now, const struct hv_pit *in, size_t size)
{
    uint64_t tick = p->tsc_hz / PIT_HZ;
    if (size != sizeof(*in) || in->size != sizeof(*in) || in->version != HV_PIT_VERSION || in->reserved ||
        in->reserved2[0] || in->reserved2[1] || in->reserved2[2])
        return false;
    if (in->position < FIRST_POSITION || in->position > 1ULL << 62 || in->served > in->position ||
        in->edges > VPIT_MISSED_MAX || (in->flags & ~HV_PIT_FLAGS) || (in->port61 & ~PORT61_WRITABLE) ||
        ((in->flags & HV_PIT_MUTED) && (in->edges != 0 || (in->flags & PENDING))) ||
        ((in->flags & PENDING) && !(in->flags & HV_PIT_REINJECT)))
        return false;
    for (unsigned i = 0; i < 3; i++)
        if (!channel_valid(&in->channel[i], in->position) ||
            ((in->channel[i].flags & HV_PIT_GATE) != 0) != (i < 2 || (in->port61 & PORT61_GATE2)))
            return false;
    memcpy(p->channel, in->channel, sizeof(p->channel));
    p->position = p->tick_base = in->position;
    p->tsc_base = now - (in->phase < tick ? in->phase : tick);
    p->served = in->served;
    p->edges = in->edges;
    p->flags = in->flags;
    p->port61 = in->port61;
    return true;
}
