/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log ring and the console behind it.
 *
 * The ring holds the text of all lines since boot, up to CONFIG_LOG_SIZE bytes; `end` counts bytes
 * ever written, so a reader knows by its own position what it missed. A line is formatted on the
 * stack and copied under the lock: lines of two CPUs never mix. The console is written under the
 * same lock, so its order is the ring's. A line that the console does not show (level) is still in
 * the ring.
 */
#include "hv/core/log.h"

#include <string.h>

#include "arch/cpu/insn.h"
#include "hv/core/config.h"
#include "hv/core/fmt.h"

_Static_assert((CONFIG_LOG_SIZE & (CONFIG_LOG_SIZE - 1)) == 0, "positions are masked");

static struct spinlock lock;
static char ring[CONFIG_LOG_SIZE]; /* under lock, and the next five too */
static uint64_t ring_end;
static log_sink console;
static log_drain console_drain;
static enum log_level console_level;
static uint64_t clock_khz;
static uint64_t clock_start;

static void console_write(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n')
            console('\r');
        console(text[i]);
    }
}

/* The level is the third character of the stamp, see stamp(). */
static const char level_letter[LOG_LEVELS] = {'E', 'W', 'I', 'D'};

static size_t stamp(char *out, size_t size, enum log_level level)
{
    uint64_t us = clock_khz ? (rdtsc() - clock_start) * 1000 / clock_khz : 0;
    return fmt_format(out, size, "[%c %4lu.%06lu] ", level_letter[level], us / 1000000, us % 1000000);
}

static void emit(enum log_level level, const char *line, size_t len)
{
    spin_lock(&lock);
    for (size_t i = 0; i < len; i++)
        ring[ring_end++ & (CONFIG_LOG_SIZE - 1)] = line[i];
    if (console && level <= console_level)
        console_write(line, len);
    spin_unlock(&lock);
}

static void vline(enum log_level level, uint32_t held_back, const char *format, va_list args)
{
    char line[CONFIG_LOG_LINE_MAX];
    size_t len = stamp(line, sizeof(line), level);
    len += fmt_vformat(line + len, sizeof(line) - len - 1, format, args);
    if (held_back)
        len += fmt_format(line + len, sizeof(line) - len - 1, " (%u like it held back)", held_back);
    line[len++] = '\n';
    emit(level, line, len);
}

void log_line(enum log_level level, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vline(level, 0, format, args);
    va_end(args);
}

/* Token bucket in TSC time. Races between CPUs can let a few lines more through, never hold one
 * back for good. */
static bool limit_passes(struct log_limit *limit, uint32_t *held_back)
{
    uint64_t now = rdtsc();
    uint64_t interval = clock_khz * 1000 / LOG_PER_SECOND;
    if (interval && now - limit->refill_tsc >= interval) {
        uint64_t tokens = (now - limit->refill_tsc) / interval;
        limit->tokens_used = tokens < limit->tokens_used ? limit->tokens_used - (uint32_t)tokens : 0;
        limit->refill_tsc = now;
    }
    if (limit->tokens_used >= LOG_BURST) {
        atomic_add_relaxed(&limit->held_back, 1);
        return false;
    }
    limit->tokens_used++;
    *held_back = atomic_exchange_full(&limit->held_back, 0);
    return true;
}

void log_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
{
    uint32_t held_back = 0;
    if (!limit_passes(limit, &held_back))
        return;
    va_list args;
    va_start(args, format);
    vline(level, held_back, format, args);
    va_end(args);
}

/* Sends what the ring holds, line by line, by the level letter in each stamp. */
static void replay(void)
{
    uint64_t pos = ring_end > CONFIG_LOG_SIZE ? ring_end - CONFIG_LOG_SIZE : 0;
    bool show = false, line_start = true;
    char letter = 0;
    for (; pos < ring_end; pos++) {
        char c = ring[pos & (CONFIG_LOG_SIZE - 1)];
        if (line_start) {
            letter = ring[(pos + 1) & (CONFIG_LOG_SIZE - 1)];
            show = memchr(level_letter, letter, (size_t)console_level + 1) != NULL;
        }
        if (show)
            console_write(&c, 1);
        line_start = c == '\n';
    }
}

void log_set_console(log_sink sink, log_drain drain, enum log_level level)
{
    spin_lock(&lock);
    console = sink;
    console_drain = drain;
    console_level = level;
    if (console)
        replay();
    spin_unlock(&lock);
}

void log_console_write(const char *text, size_t len)
{
    spin_lock(&lock);
    if (console)
        console_write(text, len);
    spin_unlock(&lock);
}

size_t log_console_read(int (*next)(void), char *text, size_t room)
{
    size_t n = 0;
    spin_lock(&lock);
    for (int c; n < room && (c = next()) >= 0; n++)
        text[n] = (char)c;
    spin_unlock(&lock);
    return n;
}

void log_flush(void)
{
    if (console_drain)
        console_drain();
}

void log_set_clock(uint64_t tsc_khz)
{
    clock_start = rdtsc();
    clock_khz = tsc_khz;
}

size_t log_read(uint64_t *pos, char *out, size_t size, uint64_t *lost)
{
    spin_lock(&lock);
    uint64_t oldest = ring_end > CONFIG_LOG_SIZE ? ring_end - CONFIG_LOG_SIZE : 0;
    *lost = 0;
    if (*pos < oldest) {
        *lost = oldest - *pos;
        *pos = oldest;
    }
    if (*pos > ring_end)
        *pos = ring_end;
    size_t n = ring_end - *pos < size ? (size_t)(ring_end - *pos) : size;
    for (size_t i = 0; i < n; i++)
        out[i] = ring[(*pos)++ & (CONFIG_LOG_SIZE - 1)];
    spin_unlock(&lock);
    return n;
}

void log_break_lock(void)
{
    lock = (struct spinlock){0, 0};
}
