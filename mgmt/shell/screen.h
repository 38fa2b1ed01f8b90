/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * screen: the one place that writes to the manager's console.
 *
 * While a person types, the prompt and the unfinished line stand at the bottom; whole lines of
 * others go above them: the prompt is wiped, the line printed, the prompt drawn again. While a
 * domain's console is attached (raw), its bytes go straight out and other lines wait in memory until
 * the way is free.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Writes bytes to the machine's console, all of them. */
typedef void screen_sink(const char *text, size_t length);

void screen_init(screen_sink *sink);

/* One line, without its newline. */
void screen_line(const char *text, size_t length);
__attribute__((format(printf, 1, 2))) void screen_printf(const char *format, ...);

/* What stands at the bottom; NULL: nothing. The text is the caller's and may change before the next
 * screen_prompt(). */
void screen_prompt(const char *text);

/* One character was put at the end of the prompt's text by the caller. */
void screen_prompt_grew(char character);

/* A domain's console takes the screen, or gives it back. */
void screen_raw(bool on);
void screen_raw_bytes(const char *text, size_t length);
