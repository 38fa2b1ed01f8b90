/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shell_line: one line as it is typed. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { SHELL_LINE_SIZE = 256, SHELL_WORDS_MAX = 16 };

struct shell_line {
    char text[SHELL_LINE_SIZE]; /* NUL-terminated */
    size_t length;
    bool escape; /* within an escape sequence of the terminal, which is swallowed */
};

enum shell_key {
    SHELL_NOTHING, /* nothing changed */
    SHELL_CHANGED,
    SHELL_DONE,    /* Enter */
    SHELL_DROPPED, /* Ctrl-C */
};

/* Printable characters, Backspace, Ctrl-U, Ctrl-W, Enter, Ctrl-C. */
enum shell_key shell_line_key(struct shell_line *line, char byte);

/* Cuts the text at blanks; returns the number of words, at most SHELL_WORDS_MAX. */
int shell_line_split(char *text, char *words[SHELL_WORDS_MAX]);
