/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shell: see shell.h. Input is told by the interrupt of the console's port, where it has one. Where it has
 * none it is asked for every 20 ms, and every millisecond for a while after something came, since a port
 * has room for 16 bytes only. An attached console gets every byte but Ctrl-], and a BREAK on the line, which
 * the shell itself ignores.
 */
#include "mgmt/shell/shell.h"

#include <stdio.h>
#include <string.h>

#include "mgmt/lib/call.h"
#include "mgmt/lib/console_input.h"
#include "mgmt/lib/events.h"
#include "mgmt/lib/irq.h"
#include "mgmt/lib/irq_bell.h"
#include "mgmt/shell/commands.h"
#include "mgmt/shell/guest.h"
#include "mgmt/shell/screen.h"
#include "mgmt/shell/shell_line.h"

#define KEY_LEAVE '\035' /* Ctrl-] */

enum {
    POLL_MS = 20,
    BUSY_POLL_MS = 1,
    BUSY_POLLS = 100,
    TOLD_POLL_MS = 100,
    PROMPT_SIZE = SHELL_LINE_SIZE + 32
};

static const char prompt[] = "signalbox> ";

static struct events_timer poll;
static uint64_t khz;
static bool in_use;
static struct shell_line line;
static char shown[PROMPT_SIZE];
static struct guest *attached;
static const struct commands_mode *mode; /* NULL: none */
static bool told;                        /* the port interrupts */

bool shell_in_use(void)
{
    return in_use;
}

/* The prompt, the line, and the terminal's cursor moved back to where the line's is. */
static void compose(void)
{
    int used = snprintf(shown, sizeof(shown), "%s%s", prompt, line.text);
    if (line.cursor < line.length)
        snprintf(shown + used, sizeof(shown) - (size_t)used, "\033[%zuD", line.length - line.cursor);
}

static void show(void)
{
    compose();
    screen_prompt(shown);
}

void shell_greet(const struct config *config)
{
    for (uint32_t i = 0; i < config->banners; i++)
        screen_line(config->banner[i], strlen(config->banner[i]));
    if (config->banners > 0)
        show();
}

static void run_line(void)
{
    char *words[SHELL_WORDS_MAX];
    char text[PROMPT_SIZE];
    snprintf(text, sizeof(text), "%s%s", prompt, line.text);
    screen_prompt(NULL);
    screen_line(text, strlen(text));
    int count = shell_line_split(line.text, words);
    if (count > 0)
        commands_run(count, words);
    shell_line_clear(&line);
    attached = commands_attached();
    if (attached) {
        screen_printf("console of %s; Ctrl-] leaves it", attached->config->name);
        console_attach(&attached->console);
    } else if ((mode = commands_mode()) != NULL) {
        mode->start(khz);
    } else {
        show();
    }
}

static void leave_console(void)
{
    screen_raw_bytes("\n", 1);
    console_detach(&attached->console);
    attached = NULL;
    show();
}

static void leave_mode(void)
{
    mode->stop();
    mode = NULL;
    show();
}

static void on_byte(char byte)
{
    bool first = !in_use;
    in_use = true;
    if (mode) {
        leave_mode();
        return;
    }
    if (attached) {
        if (byte == KEY_LEAVE)
            leave_console();
        else
            guest_type(attached, (uint8_t)byte);
        return;
    }
    enum shell_key key = shell_line_key(&line, byte);
    if (key == SHELL_DONE) {
        run_line();
    } else if (key == SHELL_TYPED && !first) {
        compose();
        screen_prompt_grew(byte);
    } else if (key != SHELL_NOTHING || first) {
        show();
    }
}

/* A BREAK is for an attached console only. */
static void on_input(uint8_t raw)
{
    static struct console_input input;
    int what = console_input_next(&input, raw);
    if (what == CONSOLE_INPUT_BREAK && attached)
        guest_type(attached, GUEST_BREAK);
    else if (what >= 0 && what != CONSOLE_INPUT_BREAK)
        on_byte((char)what);
}

/* All that is there: a port's interrupt comes again only after it was empty. False: there is no console. */
static bool read_all(bool *any)
{
    char bytes[256];
    int64_t count;
    *any = false;
    do {
        count = call_console_read(bytes, sizeof(bytes));
        for (int64_t i = 0; i < count; i++)
            on_input((uint8_t)bytes[i]);
        *any |= count > 0;
    } while (count == sizeof(bytes));
    return count >= 0;
}

static void on_poll(void *ctx)
{
    static bool had_domain; /* the attached one, at the last look */
    static uint32_t busy;   /* polls until it counts as quiet */
    bool any, more = read_all(&any);
    (void)ctx;
    for (uint32_t i = 0; i < guest_count(); i++)
        guest_poll(guest_get(i));
    if (attached && had_domain && !attached->domain)
        leave_console(); /* it has ended; its result is among the lines that waited */
    had_domain = attached && attached->domain;
    if (mode && mode->over && mode->over())
        leave_mode();
    busy = any ? BUSY_POLLS : busy - (busy > 0);
    uint32_t ms = told ? TOLD_POLL_MS : busy ? BUSY_POLL_MS : POLL_MS;
    if (more)
        events_timer_set(&poll, events_now() + ms * khz, on_poll, NULL);
}

static void on_told(void *ctx, uint32_t number)
{
    (void)number;
    on_poll(ctx);
}

static bool listen(void)
{
    static struct irq_bell bell;
    if (irq_bell_make(&bell, 0, on_told, NULL) < 0)
        return false;
    const struct hv_pirq receiver = {
        .flags = HV_PIRQ_CONSOLE, .notifier = bell.notifier, .cpu = HV_PIRQ_ANY_CPU};
    if (irq_pirq_bind(0, &receiver) >= 0)
        return true;
    irq_bell_drop(&bell);
    return false;
}

void shell_init(const struct frames *frames, uint64_t tsc_khz)
{
    khz = tsc_khz;
    commands_init(frames, tsc_khz);
    told = listen();
    on_poll(NULL);
}
