/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * commands_irq: interrupts of a domain, from its routes to its vCPUs. Everything is asked from the hypervisor
 * when it is shown; nothing is kept here.
 *
 * Each command takes its words apart, looks up the domain, then makes its calls; each of these three says
 * itself why it cannot go on, in one line. Listings go by pages of GSIs: a table can have 131,072 of them, and
 * the manager serves its domains in between.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest_abi/irqchip.h"
#include "mgmt/lib/call.h"
#include "mgmt/lib/hv_error.h"
#include "mgmt/lib/irq.h"
#include "mgmt/shell/commands.h"
#include "mgmt/shell/screen.h"
#include "mgmt/shell/table.h"

enum { ROWS_MAX = 256, ASK = 64, PIC_PINS = 8, ADDRESS_SIZE = 24 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MSI_BASE     0xfee00000U

/* ---- words */

/* Decimal, 0x or octal, below `end`. False: it was said. */
static bool number(const char *word, const char *what, uint64_t end, uint64_t *value)
{
    char *rest;
    *value = strtoull(word, &rest, 0);
    if (*word < '0' || *word > '9' || *rest != '\0')
        screen_printf("%s: %s is no number", what, word);
    else if (*value >= end)
        screen_printf("%s: %s is too large, the largest is %llu", what, word, (unsigned long long)(end - 1));
    else
        return true;
    return false;
}

static bool is_gsi(const char *word, uint32_t *gsi)
{
    uint64_t value;
    bool ok = number(word, "GSI", HV_GSI_MAX, &value);
    *gsi = (uint32_t)value;
    return ok;
}

/* The guest that a word names, if there is a domain; a change needs one of our own. */
static struct guest *present(const char *word, bool change)
{
    struct guest *guest = commands_guest(word);
    if (guest && !guest->domain)
        screen_printf("domain (%s): it is %s", guest->config->name, guest_state_text(guest));
    else if (guest && change && guest->foreign)
        screen_printf("domain %u (%s): another manager serves it", guest->id, guest->config->name);
    else
        return guest;
    return NULL;
}

__attribute__((format(printf, 2, 3))) static void say(const struct guest *guest, const char *format, ...)
{
    char text[160];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    screen_printf("domain %u (%s): %s", guest->id, guest->config->name, text);
}

/* What became of an interrupt: the result of irq_line(), irq_message(). */
static void say_sent(const struct guest *guest, const char *what, int64_t result)
{
    if (result > 0)
        say(guest, "%s: taken, by %lld", what, (long long)result);
    else if (result == 0)
        say(guest, "%s: it waits already, so this one is merged", what);
    else
        say(guest, "%s: %s", what, hv_error_text(result));
}

/* ---- routes */

static const char *kind_text(const struct hv_route *route)
{
    switch (route->kind) {
    case HV_ROUTE_IRQCHIP:
        return route->irqchip.chip < HV_CHIP_IOAPIC ? "pic" : "ioapic";
    case HV_ROUTE_MSI:
        return "msi";
    case HV_ROUTE_GSI:
        return "gsi";
    case HV_ROUTE_NOTIFY:
        return "notify";
    case HV_ROUTE_OUTPUT:
        return "output";
    default:
        return "?";
    }
}

static void route_row(struct table *table, const struct hv_route *route)
{
    char address[ADDRESS_SIZE];
    bool chip = route->kind == HV_ROUTE_IRQCHIP, msi = route->kind == HV_ROUTE_MSI;
    bool slave = chip && route->irqchip.chip == HV_CHIP_PIC_SLAVE;
    snprintf(address, sizeof(address), "0x%llx",
             (unsigned long long)route->msi.address_high << 32 | route->msi.address);
    const struct table_cell cells[] = {
        TABLE_NUMBER(route->gsi),
        TABLE_TEXT(kind_text(route)),
        chip && route->irqchip.chip >= HV_CHIP_IOAPIC ? TABLE_NUMBER(route->irqchip.chip - HV_CHIP_IOAPIC)
                                                      : TABLE_NONE,
        chip ? TABLE_NUMBER(route->irqchip.pin + (slave ? PIC_PINS : 0)) : TABLE_NONE,
        msi ? TABLE_TEXT(address) : TABLE_NONE,
        msi ? TABLE_NUMBER(route->msi.data) : TABLE_NONE,
        route->kind == HV_ROUTE_GSI      ? TABLE_NUMBER(route->gsi_to.gsi)
        : route->kind == HV_ROUTE_NOTIFY ? TABLE_NUMBER(route->notify.number)
        : route->kind == HV_ROUTE_OUTPUT ? TABLE_NUMBER(route->output.number)
                                         : TABLE_NONE,
    };
    table_row(table, cells);
}

static void begin_routes(struct table *table, bool json)
{
    static const struct table_column columns[] = {{"gsi", 6},       {"kind", -6}, {"chip", 4}, {"pin", 3},
                                                  {"address", -18}, {"data", 6},  {"to", 6}};
    table_begin(table, columns, COUNT(columns), json, screen_line);
}

/* A listing from a GSI on: `row` for each GSI with its routes, until the table is long enough. */
static void for_routes(int count, char *words[], void (*begin)(struct table *table, bool json),
                       void (*row)(struct table *table, const struct guest *guest,
                                   const struct hv_route *route, uint32_t routes))
{
    static struct hv_route routes[ASK];
    struct table table;
    uint32_t gsi = 0;
    int64_t got = 0;
    bool json = commands_json(&count, words);
    struct guest *guest = count > 1 ? present(words[1], false) : NULL;
    if (count == 1)
        screen_printf("usage: %s domain [gsi] [--json]", words[0]);
    if (!guest || (count > 2 && !is_gsi(words[2], &gsi)))
        return;
    begin(&table, json);
    while (table.rows < ROWS_MAX && (got = irq_route_get(guest->id, &gsi, routes, ASK)) > 0)
        for (uint32_t i = 0, n; i < got; i += n) {
            for (n = 1; i + n < got && routes[i + n].gsi == routes[i].gsi;)
                n++;
            row(&table, guest, &routes[i], n);
        }
    table_end(&table);
    if (got < 0)
        say(guest, "the routes cannot be read: %s", hv_error_text(got));
    else if (got > 0 && !json)
        screen_printf("there may be more: \"%s %s %u\" goes on", words[0], words[1], gsi);
}

static void routes_row(struct table *table, const struct guest *guest, const struct hv_route *route,
                       uint32_t routes)
{
    (void)guest;
    for (uint32_t i = 0; i < routes; i++)
        route_row(table, &route[i]);
}

void commands_routes(int count, char *words[])
{
    for_routes(count, words, begin_routes, routes_row);
}

/* The routes of one GSI: how many, or a negative HV_E*. */
static int64_t route_of(const struct guest *guest, uint32_t gsi, struct hv_route out[HV_ROUTES_PER_GSI])
{
    uint32_t n = 0, next = gsi;
    int64_t got = irq_route_get(guest->id, &next, out, HV_ROUTES_PER_GSI);
    while (got > 0 && n < got && out[n].gsi == gsi)
        n++;
    return got < 0 ? got : n;
}

static void route_get(const struct guest *guest, uint32_t gsi, bool json)
{
    struct hv_route routes[HV_ROUTES_PER_GSI];
    struct table table;
    int64_t got = route_of(guest, gsi, routes);
    if (got < 0 || (got == 0 && !json)) {
        say(guest, "GSI %u: %s", gsi, got < 0 ? hv_error_text(got) : "it has no route");
        return;
    }
    begin_routes(&table, json);
    for (int64_t i = 0; i < got; i++)
        route_row(&table, &routes[i]);
    table_end(&table);
}

static void route_del(const struct guest *guest, uint32_t gsi)
{
    struct hv_route routes[HV_ROUTES_PER_GSI];
    int64_t result = route_of(guest, gsi, routes);
    bool none = result == 0;
    if (result > 0)
        result = irq_route_set(guest->id, gsi, NULL, 0);
    say(guest, "GSI %u: %s", gsi,
        none         ? "it has no route"
        : result < 0 ? hv_error_text(result)
                     : "its route is gone");
}

/* "pic 4", "ioapic 1 4", "msi address data", "gsi 5". */
static bool parse_route(int count, char *words[], struct hv_route *route)
{
    uint64_t a, b;
    if (!strcmp(words[0], "pic") && count == 2) {
        route->kind = HV_ROUTE_IRQCHIP;
        if (!number(words[1], "pin", 2 * PIC_PINS, &a))
            return false;
        route->irqchip.chip = a < PIC_PINS ? HV_CHIP_PIC_MASTER : HV_CHIP_PIC_SLAVE;
        route->irqchip.pin = a % PIC_PINS;
        return true;
    }
    if (!strcmp(words[0], "ioapic") && count == 3) {
        route->kind = HV_ROUTE_IRQCHIP;
        if (!number(words[1], "ioapic", HV_IOAPICS_MAX, &a) ||
            !number(words[2], "pin", HV_IOAPIC_PINS_CONFIG_MAX, &b))
            return false;
        route->irqchip.chip = HV_CHIP_IOAPIC + (uint32_t)a;
        route->irqchip.pin = (uint32_t)b;
        return true;
    }
    if (!strcmp(words[0], "msi") && count == 3) {
        route->kind = HV_ROUTE_MSI;
        if (!number(words[1], "address", UINT64_MAX, &a) || !number(words[2], "data", 1ULL << 32, &b))
            return false;
        route->msi.address = (uint32_t)a;
        route->msi.address_high = (uint32_t)(a >> 32);
        route->msi.data = (uint32_t)b;
        return true;
    }
    if (!strcmp(words[0], "gsi") && count == 2) {
        route->kind = HV_ROUTE_GSI;
        return is_gsi(words[1], &route->gsi_to.gsi);
    }
    screen_printf("usage: route add domain gsi pic pin | ioapic n pin | msi address data | gsi n");
    return false;
}

/* A pin joins the pins of the other controllers; anything else stands alone. */
static void route_add(const struct guest *guest, uint32_t gsi, int count, char *words[])
{
    struct hv_route routes[HV_ROUTES_PER_GSI + 1], new = {.gsi = gsi};
    if (!parse_route(count, words, &new))
        return;
    int64_t had = route_of(guest, gsi, routes);
    if (had > 0 && (new.kind != HV_ROUTE_IRQCHIP || routes[0].kind != HV_ROUTE_IRQCHIP)) {
        say(guest, "GSI %u has a route; \"route del\" takes it away", gsi);
        return;
    }
    for (int64_t i = 0; i < had; i++)
        if (routes[i].irqchip.chip == new.irqchip.chip) {
            say(guest, "GSI %u has a pin of that controller; \"route del\" takes it away", gsi);
            return;
        }
    if (had >= 0) {
        routes[had] = new;
        had = irq_route_set(guest->id, gsi, routes, (uint32_t)had + 1);
    }
    say(guest, "GSI %u: %s", gsi, had < 0 ? hv_error_text(had) : "routed");
}

void commands_route(int count, char *words[])
{
    bool json = commands_json(&count, words);
    bool add = !strcmp(words[1], "add"), del = !strcmp(words[1], "del"), get = !strcmp(words[1], "get");
    uint32_t gsi;
    if (count < (add ? 5 : 4) || (!add && count > 4) || !(add || del || get) || (json && !get)) {
        screen_printf("usage: route add domain gsi kind ... | del domain gsi | get domain gsi [--json]");
        return;
    }
    struct guest *guest = present(words[2], !get);
    if (!guest || !is_gsi(words[3], &gsi))
        return;
    if (add)
        route_add(guest, gsi, count - 4, &words[4]);
    else if (del)
        route_del(guest, gsi);
    else
        route_get(guest, gsi, json);
}

/* ---- levels and counters */

/* What holds the pins of the controllers asserted; bits as in struct hv_ioapic_pin. */
static struct {
    bool pic_there, ioapic_there[HV_IOAPICS_MAX];
    struct hv_pic pic;
    struct hv_ioapic ioapic[HV_IOAPICS_MAX];
} chips;

/* The number of pins is whoever configured the domain's business: the usual one first. */
static bool read_ioapic(const struct guest *guest, uint32_t which)
{
    uint32_t pins = 24;
    int64_t result;
    do {
        result = irq_chip_get(guest->id, (enum hv_irqchip_state)(HV_IRQCHIP_STATE_IOAPIC + which),
                              &chips.ioapic[which], HV_IOAPIC_SIZE(pins));
        pins = pins % HV_IOAPIC_PINS_CONFIG_MAX + 1;
    } while (result == -HV_EINVAL && pins != 24);
    return result == 0;
}

static void read_chips(const struct guest *guest)
{
    chips.pic_there = irq_chip_get(guest->id, HV_IRQCHIP_STATE_PIC, &chips.pic, sizeof(chips.pic)) == 0;
    for (uint32_t i = 0; i < HV_IOAPICS_MAX; i++)
        chips.ioapic_there[i] = read_ioapic(guest, i);
}

/* Of one pin: 0 or 1; -1: it has none. */
static int pin_level(const struct hv_route *route)
{
    uint32_t chip = route->irqchip.chip, pin = route->irqchip.pin;
    if (route->kind != HV_ROUTE_IRQCHIP)
        return -1;
    if (chip < HV_CHIP_IOAPIC)
        return chips.pic_there && pin < PIC_PINS ? chips.pic.sources[chip * PIC_PINS + pin] != 0 : -1;
    chip -= HV_CHIP_IOAPIC;
    return chip < HV_IOAPICS_MAX && chips.ioapic_there[chip] && pin < chips.ioapic[chip].pins
               ? chips.ioapic[chip].pin[pin].sources != 0
               : -1;
}

static void irqs_row(struct table *table, const struct guest *guest, const struct hv_route *route,
                     uint32_t routes)
{
    struct hv_route_stats s;
    int level = -1;
    if (irq_route_stats(guest->id, route->gsi, &s) < 0)
        return; /* the domain ends just now */
    for (uint32_t i = 0; i < routes; i++)
        level = pin_level(&route[i]) > level ? pin_level(&route[i]) : level;
    const struct table_cell cells[] = {
        TABLE_NUMBER(route->gsi),
        TABLE_TEXT(routes > 1 && kind_text(&route[0])[0] != kind_text(&route[routes - 1])[0]
                       ? "pic+ioapic"
                       : kind_text(route)),
        level >= 0 ? TABLE_NUMBER((uint64_t)level) : TABLE_NONE,
        TABLE_NUMBER(s.fired),
        TABLE_NUMBER(s.delivered),
        TABLE_NUMBER(s.coalesced),
        TABLE_NUMBER(s.masked),
        TABLE_NUMBER(s.acknowledged),
        TABLE_NUMBER(s.storms),
    };
    table_row(table, cells);
}

static void begin_irqs(struct table *table, bool json)
{
    static const struct table_column columns[] = {{"gsi", 6},     {"kind", -10},        {"level", 5},
                                                  {"fired", 12},  {"delivered", 12},    {"coalesced", 12},
                                                  {"masked", 12}, {"acknowledged", 12}, {"storms", 8}};
    table_begin(table, columns, COUNT(columns), json, screen_line);
}

void commands_irqs(int count, char *words[])
{
    struct guest *guest = count > 1 && strcmp(words[1], "--json") ? guest_find(words[1]) : NULL;
    memset(&chips, 0, sizeof(chips));
    if (guest && guest->domain)
        read_chips(guest);
    for_routes(count, words, begin_irqs, irqs_row);
}

/* ---- interrupts by hand */

struct guest *commands_vcpu(char *words[], uint32_t *vcpu)
{
    uint64_t value = 0;
    struct guest *guest = present(words[0], true);
    bool ok = guest && number(words[1], "vCPU", guest->config->vcpus, &value);
    *vcpu = (uint32_t)value;
    return ok ? guest : NULL;
}

void commands_inject(int count, char *words[])
{
    uint32_t vcpu;
    uint64_t vector;
    struct guest *guest = commands_vcpu(&words[1], &vcpu);
    (void)count;
    if (!guest || !number(words[3], "vector", 256, &vector))
        return;
    int64_t result = call_vcpu_inject(guest->id, vcpu, HV_INJECT_EXTERNAL, (uint32_t)vector, 0);
    if (result == 0)
        say(guest, "vector %llu: it waits for vCPU %u", (unsigned long long)vector, vcpu);
    else if (result == -HV_ENXIO) /* it has a local APIC: its number is the vCPU's */
        say_sent(guest, "message to the local APIC",
                 irq_message(guest->id, MSI_BASE | vcpu << 12, (uint32_t)vector));
    else
        say(guest, "vector %llu: %s", (unsigned long long)vector, hv_error_text(result));
}

void commands_msi(int count, char *words[])
{
    uint64_t address, data;
    struct guest *guest = present(words[1], true);
    (void)count;
    if (guest && number(words[2], "address", UINT64_MAX, &address) &&
        number(words[3], "data", 1ULL << 32, &data))
        say_sent(guest, "message", irq_message(guest->id, address, (uint32_t)data));
}

void commands_irq_line(int count, char *words[])
{
    uint32_t gsi;
    uint64_t level;
    char what[32];
    struct guest *guest = present(words[1], true);
    (void)count;
    if (!guest || !is_gsi(words[2], &gsi) || !number(words[3], "level", 2, &level))
        return;
    snprintf(what, sizeof(what), "GSI %u %s", gsi, level ? "up" : "down");
    int64_t result = irq_line(guest->id, gsi, (unsigned)level);
    if (level)
        say_sent(guest, what, result);
    else /* the end of a line interrupts nobody */
        say(guest, "%s: %s", what, result < 0 && result != -HV_ENXIO ? hv_error_text(result) : "done");
}

void commands_nmi(int count, char *words[])
{
    uint32_t vcpu;
    struct guest *guest = commands_vcpu(&words[1], &vcpu);
    (void)count;
    if (!guest)
        return;
    int64_t result = call_vcpu_inject(guest->id, vcpu, HV_INJECT_NMI, 0, 0);
    say(guest, "NMI for vCPU %u: %s", vcpu, result < 0 ? hv_error_text(result) : "it waits to be taken");
}
