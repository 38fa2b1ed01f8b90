/* SPDX-License-Identifier: BSD-2-Clause */
/* trace_dump: see trace_dump.h. A step is one call's worth of records. */
#include "mgmt/shell/trace_dump.h"

#include <stdarg.h>
#include <stdio.h>

#include "mgmt/lib/call.h"
#include "mgmt/lib/events.h"
#include "mgmt/shell/guest.h"
#include "mgmt/shell/screen.h"

enum { VERSION = 1, LINE_SIZE = 160 };

typedef unsigned long long ull;

static struct events_timer timer;
static uint64_t wanted;
static uint32_t cpu, cpus;
static bool in_cpu, over;
static uint64_t position, until, base, records, lost;

__attribute__((format(printf, 1, 2))) static void line(const char *format, ...)
{
    char text[LINE_SIZE], whole[LINE_SIZE + 16];
    unsigned sum = 0;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    for (const char *c = text; *c; c++)
        sum += (unsigned char)*c;
    int length = snprintf(whole, sizeof(whole), "~t %s*%02x\n", text, sum & 0xff);
    screen_raw_bytes(whole, (size_t)length);
}

/* Zeroes at the end are left out. */
static void print(const struct hv_trace_record *r)
{
    const uint64_t value[] = {r->kind, r->domain, r->vcpu, r->code, r->a, r->b};
    size_t count = sizeof(value) / sizeof(value[0]);
    char text[LINE_SIZE];
    int used = snprintf(text, sizeof(text), "r %llx", (ull)(r->tsc - base));
    while (count > 1 && !value[count - 1])
        count--;
    for (size_t i = 0; i < count; i++)
        used += snprintf(text + used, sizeof(text) - (size_t)used, " %llx", (ull)value[i]);
    line("%s", text);
}

/* What is there of the CPU; false: it has no ring. */
static bool begin_cpu(void)
{
    uint64_t gone;
    position = 0;
    if (call_trace_read(cpu, &position, &gone, &until, NULL, 0) < 0)
        return false;
    position = wanted && until > wanted ? until - wanted : 0;
    records = lost = 0;
    return true;
}

static void end_cpu(void)
{
    line("done %x %llx %llx", cpu++, (ull)records, (ull)lost);
    in_cpu = false;
}

/* The next records of the CPU, none that came after the dump was begun. */
static void go_on(void)
{
    struct hv_trace_record r[HV_TRACE_READ_MAX];
    uint64_t from = position, left = until - position, now, gone = 0;
    int64_t got = call_trace_read(cpu, &position, &gone, &now, r,
                                  left < HV_TRACE_READ_MAX ? (uint32_t)left : HV_TRACE_READ_MAX);
    if (records == 0 && lost == 0) {
        base = got > 0 ? r[0].tsc : 0;
        line("cpu %x %llx %llx %llx", cpu, (ull)from, (ull)until, (ull)base);
    }
    if (got < 0) { /* tracing was turned off meanwhile */
        end_cpu();
        return;
    }
    if (gone)
        line("lost %llx", (ull)gone);
    for (int64_t i = 0; i < got; i++)
        print(&r[i]);
    records += (uint64_t)got;
    lost += gone;
    if (position >= until)
        end_cpu();
}

static void step(void *ctx)
{
    (void)ctx;
    if (in_cpu)
        go_on();
    else if (cpu < cpus && !(in_cpu = begin_cpu()))
        cpu++;
    over = cpu == cpus;
    if (!over)
        events_timer_set(&timer, events_now(), step, NULL);
}

void trace_dump_want(uint64_t count)
{
    wanted = count;
}

void trace_dump_start(uint64_t tsc_khz)
{
    cpu = 0;
    cpus = (uint32_t)call_capability(HV_CAP_CPUS);
    in_cpu = over = false;
    screen_raw(true);
    line("begin %x %llx %x", VERSION, (ull)tsc_khz, cpus);
    line("domain 0 manager");
    for (uint32_t i = 0; i < guest_count(); i++)
        if (guest_get(i)->domain)
            line("domain %x %s", guest_get(i)->id, guest_get(i)->config->name);
    step(NULL);
}

void trace_dump_stop(void)
{
    events_timer_cancel(&timer);
    if (over)
        line("end");
    screen_raw(false);
}

bool trace_dump_over(void)
{
    return over;
}
