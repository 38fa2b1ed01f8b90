/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * console: the serial line of one domain, at the manager's side.
 *
 * In the background whole lines go to the screen with the domain's name in front; a line that does
 * not end is shown when it is long, or by console_flush(). All output is kept in a ring, so that
 * whoever attaches sees what was there. Attached, bytes go through as they are.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONSOLE_KEPT = 8192, CONSOLE_LINE = 240 };

struct console {
    char name[32];
    bool attached;
    bool quiet;              /* in the background: kept, not shown */
    uint64_t bytes;          /* so far */
    char kept[CONSOLE_KEPT]; /* byte n at n % CONSOLE_KEPT */
    char line[CONSOLE_LINE];
    size_t line_length;
    enum { CONSOLE_TEXT, CONSOLE_ESCAPE, CONSOLE_SEQUENCE } in; /* of what came last */
};

void console_init(struct console *console, const char *name, bool quiet);
void console_put(struct console *console, uint8_t byte);
void console_flush(struct console *console);

void console_attach(struct console *console); /* shows what was kept */
void console_detach(struct console *console);
