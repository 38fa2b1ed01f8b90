/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shell_line: see shell_line.h.
 */
#include "mgmt/shell/shell_line.h"

#include <string.h>

#define KEY_CTRL_C    '\003'
#define KEY_BACKSPACE '\010'
#define KEY_CTRL_U    '\025'
#define KEY_CTRL_W    '\027'
#define KEY_ESCAPE    '\033'
#define KEY_DELETE    '\177'

static enum shell_key cut(struct shell_line *line, size_t length)
{
    bool changed = length != line->length;
    line->length = length;
    line->text[length] = '\0';
    return changed ? SHELL_CHANGED : SHELL_NOTHING;
}

static size_t before_word(const struct shell_line *line)
{
    size_t at = line->length;
    while (at > 0 && line->text[at - 1] == ' ')
        at--;
    while (at > 0 && line->text[at - 1] != ' ')
        at--;
    return at;
}

/* An escape sequence ends with a letter or a tilde (cursor keys, Del...). */
static bool in_escape(struct shell_line *line, char byte)
{
    if (byte == KEY_ESCAPE) {
        line->escape = true;
        return true;
    }
    if (!line->escape)
        return false;
    line->escape = !((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z' && byte != 'O') ||
                     byte == '~');
    return true;
}

enum shell_key shell_line_key(struct shell_line *line, char byte)
{
    if (in_escape(line, byte))
        return SHELL_NOTHING;
    switch (byte) {
    case '\r':
    case '\n':
        return SHELL_DONE;
    case KEY_CTRL_C:
        (void)cut(line, 0);
        return SHELL_DROPPED;
    case KEY_BACKSPACE:
    case KEY_DELETE:
        return cut(line, line->length > 0 ? line->length - 1 : 0);
    case KEY_CTRL_U:
        return cut(line, 0);
    case KEY_CTRL_W:
        return cut(line, before_word(line));
    default:
        break;
    }
    if (byte < ' ' || byte > '~' || line->length + 1 == sizeof(line->text))
        return SHELL_NOTHING;
    line->text[line->length++] = byte;
    line->text[line->length] = '\0';
    return SHELL_CHANGED;
}

int shell_line_split(char *text, char *words[SHELL_WORDS_MAX])
{
    int count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(text, " ", &rest); word && count < SHELL_WORDS_MAX;
         word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    return count;
}
