/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shell_line: one line as it is typed, and the lines before it. Pure.
 *
 * Keys: printable characters, Backspace, Del, arrows, Home, End, and of the control keys A, B, C, D,
 * E, F, K, N, P, U and W, as everywhere. Sequences of the terminal that are not known are swallowed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHELL_LINE_SIZE = 256, SHELL_WORDS_MAX = 16, SHELL_HISTORY = 32 };

struct shell_line {
    char text[SHELL_LINE_SIZE]; /* NUL-terminated */
    size_t length;
    size_t cursor;                                /* 0 to length */
    uint8_t escape;                               /* place within an escape sequence; 0: outside */
    char parameter;                               /* its first digit */
    char history[SHELL_HISTORY][SHELL_LINE_SIZE]; /* entry n at n % SHELL_HISTORY */
    uint32_t entries;                             /* so far */
    uint32_t shown;                               /* entry on the line; equal to `entries`: the new one */
    char unfinished[SHELL_LINE_SIZE];             /* the new one, while an older one is shown */
};

enum shell_key {
    SHELL_NOTHING, /* nothing changed */
    SHELL_TYPED,   /* one character more, at the end */
    SHELL_CHANGED,
    SHELL_DONE,    /* Enter: the line is complete, and remembered */
    SHELL_DROPPED, /* Ctrl-C: the line is empty now */
};

enum shell_key shell_line_key(struct shell_line *line, char byte);

/* Empties it for the next one; the history stays. */
void shell_line_clear(struct shell_line *line);

/* Cuts the text at blanks; returns the number of words, at most SHELL_WORDS_MAX. */
int shell_line_split(char *text, char *words[SHELL_WORDS_MAX]);
