/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's log: every line goes to a ring that the management domain can read, and to the
 * serial console when its level passes `loglevel=`. Any context but NMI may log; panic may log from
 * anywhere after log_break_lock().
 */
#ifndef HV_CORE_LOG_H
#define HV_CORE_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "arch/cpu/spinlock.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG_LEVELS };

/* Sends one byte to the console. NULL: no console, the ring alone. */
typedef void (*log_sink)(char c);

/* Waits until all that was sent has left the port. */
typedef void (*log_drain)(void);

/* From here on lines of `level` and more important ones go to `sink`; lines logged before are sent
 * now, so that none is lost. */
void log_set_console(log_sink sink, log_drain drain, enum log_level level);

/*
 * Text of the management domain for the console, between log lines, a carriage return before each line feed;
 * not kept in the ring.
 */
void log_console_write(const char *text, size_t len);

/* What has come from the console, at most `room` bytes; next: one byte, or -1. Under the lock of the output,
 * since both look at the port's status. */
size_t log_console_read(int (*next)(void), char *text, size_t room);

/* Before the machine is switched off: the last line is still in the port's FIFO. */
void log_flush(void);

/* Time stamps start once the TSC's speed is known; 0 before. */
void log_set_clock(uint64_t tsc_khz);

/* One line, without a newline at its end. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_line(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...)    log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_DEBUG, __VA_ARGS__)

/*
 * For lines that a guest can trigger: at most LOG_BURST lines at once and LOG_PER_SECOND in the
 * long run, per limit. What is held back is counted and said with the next line that passes.
 */
#define LOG_BURST      10
#define LOG_PER_SECOND 2

struct log_limit {
    uint64_t refill_tsc; /* when the last token was added */
    uint32_t tokens_used;
    uint32_t held_back;
};

void log_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Copies log bytes from absolute position *pos on: text lines ended by '\n'. Moves *pos behind what
 * was copied. When *pos has already been overwritten it is moved to the oldest byte held, and *lost
 * is set to the number of bytes skipped. Returns the bytes copied.
 */
size_t log_read(uint64_t *pos, char *out, size_t size, uint64_t *lost);

/* For panic: the CPU that held the lock may be stopped for good. */
void log_break_lock(void);

#endif
