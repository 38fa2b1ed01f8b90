/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * screen: see screen.h. Lines that come while a console is attached are kept up to a limit; the
 * oldest give way and their number is told afterwards.
 */
#include "mgmt/shell/screen.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { HELD_SIZE = 16384, PRINTF_MAX = 1024 };

static const char wipe[] = "\r\033[K";

static screen_sink *sink;
static const char *prompt;
static bool raw;
static char held[HELD_SIZE];
static size_t held_length;
static unsigned long held_lost; /* lines */

void screen_init(screen_sink *to)
{
    sink = to;
}

/* Room for `need` bytes: whole lines go from the front. */
static void make_room(size_t need)
{
    while (held_length + need > HELD_SIZE) {
        char *end = memchr(held, '\n', held_length);
        size_t drop = (size_t)(end - held) + 1;
        held_length -= drop;
        memmove(held, held + drop, held_length);
        held_lost++;
    }
}

static void hold(const char *text, size_t length)
{
    if (length > HELD_SIZE / 4)
        length = HELD_SIZE / 4;
    make_room(length + 1);
    memcpy(held + held_length, text, length);
    held[held_length + length] = '\n';
    held_length += length + 1;
}

void screen_line(const char *text, size_t length)
{
    if (raw) {
        hold(text, length);
        return;
    }
    if (prompt)
        sink(wipe, sizeof(wipe) - 1);
    sink(text, length);
    sink("\n", 1);
    if (prompt)
        sink(prompt, strlen(prompt));
}

void screen_printf(const char *format, ...)
{
    char text[PRINTF_MAX];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (length < 0)
        return;
    size_t size = (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1;
    for (char *line = text;; line++) {
        char *end = memchr(line, '\n', size - (size_t)(line - text));
        screen_line(line, end ? (size_t)(end - line) : size - (size_t)(line - text));
        if (!end)
            return;
        line = end;
    }
}

void screen_prompt(const char *text)
{
    if (raw)
        return;
    if (prompt)
        sink(wipe, sizeof(wipe) - 1);
    prompt = text;
    if (prompt)
        sink(prompt, strlen(prompt));
}

void screen_prompt_grew(char character)
{
    if (prompt && !raw)
        sink(&character, 1);
}

void screen_raw(bool on)
{
    raw = on;
    if (on) {
        prompt = NULL;
        return;
    }
    if (held_lost != 0)
        screen_printf("(%lu lines were lost while a console was attached)", held_lost);
    held_lost = 0;
    sink(held, held_length);
    held_length = 0;
}

void screen_raw_bytes(const char *text, size_t length)
{
    if (raw)
        sink(text, length);
}
