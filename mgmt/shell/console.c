/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * console: see console.h. In the background, bytes that would steer the terminal are left out, but
 * for the tab, and control sequences as a whole (ECMA-48 section 5.4 "Control sequences"): a guest must
 * not be able to draw over the shell.
 */
#include "mgmt/shell/console.h"

#include <stdio.h>
#include <string.h>

#include "mgmt/shell/screen.h"

void console_init(struct console *console, const char *name, bool quiet)
{
    memset(console, 0, sizeof(*console));
    snprintf(console->name, sizeof(console->name), "%s", name);
    console->quiet = quiet;
}

void console_flush(struct console *console)
{
    char text[CONSOLE_LINE + sizeof(console->name) + 4];
    int length;
    if (console->line_length == 0)
        return;
    length =
        snprintf(text, sizeof(text), "[%s] %.*s", console->name, (int)console->line_length, console->line);
    console->line_length = 0;
    if (!console->quiet && length > 0)
        screen_line(text, (size_t)length);
}

/* An end of line ends it in any case, so that nothing can swallow the lines that follow. */
static bool steers(struct console *console, uint8_t byte)
{
    bool sequence = console->in == CONSOLE_SEQUENCE && byte >= ' ' && byte < 0x7f;
    if (byte == 033)
        console->in = CONSOLE_ESCAPE;
    else if (console->in == CONSOLE_ESCAPE && byte == '[')
        console->in = CONSOLE_SEQUENCE;
    else if (!sequence || byte >= '@')
        console->in = CONSOLE_TEXT;
    return sequence || console->in != CONSOLE_TEXT || (byte < ' ' && byte != '\t') || byte == 0x7f;
}

static void put_background(struct console *console, uint8_t byte)
{
    bool hidden = steers(console, byte);
    if (byte == '\n') {
        if (console->line_length == 0)
            console->line[console->line_length++] = ' ';
        console_flush(console);
        return;
    }
    if (hidden)
        return;
    console->line[console->line_length++] = (char)byte;
    if (console->line_length == CONSOLE_LINE)
        console_flush(console);
}

void console_put(struct console *console, uint8_t byte)
{
    char text = (char)byte;
    console->kept[console->bytes++ % CONSOLE_KEPT] = text;
    if (console->attached)
        screen_raw_bytes(&text, 1);
    else
        put_background(console, byte);
}

void console_attach(struct console *console)
{
    uint64_t from = console->bytes > CONSOLE_KEPT ? console->bytes - CONSOLE_KEPT : 0;
    console->attached = true;
    console->line_length = 0;
    screen_raw(true);
    for (uint64_t n = from; n < console->bytes; n++)
        screen_raw_bytes(&console->kept[n % CONSOLE_KEPT], 1);
}

void console_detach(struct console *console)
{
    console->attached = false;
    screen_raw(false);
}
