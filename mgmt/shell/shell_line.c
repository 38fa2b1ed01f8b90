/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shell_line: see shell_line.h. Escape sequences of terminals: ESC [ letter, ESC [ digits ~, ESC O
 * letter (ECMA-48, and xterm for the rest); they are turned into the control key that does the same.
 */
#include "mgmt/shell/shell_line.h"

#include <string.h>

#define CONTROL(letter) ((letter)&0x1f)
#define KEY_BACKSPACE   '\010'
#define KEY_ESCAPE      '\033'
#define KEY_DELETE      '\177'

enum { OUTSIDE, AFTER_ESCAPE, IN_SEQUENCE };

static void take_out(struct shell_line *line, size_t from, size_t to)
{
    memmove(line->text + from, line->text + to, line->length - to + 1);
    line->length -= to - from;
    line->cursor = from;
}

static enum shell_key cut(struct shell_line *line, size_t from, size_t to)
{
    if (from == to)
        return SHELL_NOTHING;
    take_out(line, from, to);
    return SHELL_CHANGED;
}

static enum shell_key move(struct shell_line *line, size_t to)
{
    if (to == line->cursor || to > line->length)
        return SHELL_NOTHING;
    line->cursor = to;
    return SHELL_CHANGED;
}

static size_t word_before(const struct shell_line *line)
{
    size_t at = line->cursor;
    while (at > 0 && line->text[at - 1] == ' ')
        at--;
    while (at > 0 && line->text[at - 1] != ' ')
        at--;
    return at;
}

static enum shell_key insert(struct shell_line *line, char byte)
{
    if (byte < ' ' || byte > '~' || line->length + 1 == sizeof(line->text))
        return SHELL_NOTHING;
    bool at_end = line->cursor == line->length;
    memmove(line->text + line->cursor + 1, line->text + line->cursor, line->length - line->cursor + 1);
    line->text[line->cursor++] = byte;
    line->length++;
    return at_end ? SHELL_TYPED : SHELL_CHANGED;
}

static enum shell_key show_entry(struct shell_line *line, uint32_t entry)
{
    uint32_t oldest = line->entries > SHELL_HISTORY ? line->entries - SHELL_HISTORY : 0;
    if (entry < oldest || entry > line->entries || entry == line->shown)
        return SHELL_NOTHING;
    if (line->shown == line->entries)
        memcpy(line->unfinished, line->text, line->length + 1);
    const char *text = entry == line->entries ? line->unfinished : line->history[entry % SHELL_HISTORY];
    line->shown = entry;
    line->length = line->cursor = strlen(text);
    memcpy(line->text, text, line->length + 1);
    return SHELL_CHANGED;
}

static void remember(struct shell_line *line)
{
    const char *last = line->entries ? line->history[(line->entries - 1) % SHELL_HISTORY] : "";
    if (line->length > 0 && strcmp(line->text, last) != 0)
        memcpy(line->history[line->entries++ % SHELL_HISTORY], line->text, line->length + 1);
    line->shown = line->entries;
}

void shell_line_clear(struct shell_line *line)
{
    line->length = line->cursor = 0;
    line->text[0] = '\0';
    line->shown = line->entries;
}

/* The control key that a finished sequence stands for; 0: none. */
static char meaning(const struct shell_line *line, char final)
{
    switch (final) {
    case 'A':
        return CONTROL('P');
    case 'B':
        return CONTROL('N');
    case 'C':
        return CONTROL('F');
    case 'D':
        return CONTROL('B');
    case 'H':
        return CONTROL('A');
    case 'F':
        return CONTROL('E');
    case '~':
        break;
    default:
        return 0;
    }
    if (line->parameter == '1' || line->parameter == '7')
        return CONTROL('A');
    if (line->parameter == '4' || line->parameter == '8')
        return CONTROL('E');
    return line->parameter == '3' ? CONTROL('D') : 0;
}

/* Swallows bytes of sequences; at the end of one, *byte becomes what it means. True: go on with
 * *byte. */
static bool outside_sequence(struct shell_line *line, char *byte)
{
    if (*byte == KEY_ESCAPE) {
        line->escape = AFTER_ESCAPE;
        line->parameter = 0;
        return false;
    }
    if (line->escape == OUTSIDE)
        return true;
    if (line->escape == AFTER_ESCAPE) {
        line->escape = *byte == '[' || *byte == 'O' ? IN_SEQUENCE : OUTSIDE;
        return false;
    }
    if (*byte >= '0' && *byte <= '?') {
        if (!line->parameter)
            line->parameter = *byte;
        return false;
    }
    line->escape = OUTSIDE;
    *byte = meaning(line, *byte);
    return *byte != 0;
}

enum shell_key shell_line_key(struct shell_line *line, char byte)
{
    if (!outside_sequence(line, &byte))
        return SHELL_NOTHING;
    switch (byte) {
    case '\r':
    case '\n':
        remember(line);
        return SHELL_DONE;
    case CONTROL('C'):
        shell_line_clear(line);
        return SHELL_DROPPED;
    case KEY_BACKSPACE:
    case KEY_DELETE:
        return cut(line, line->cursor > 0 ? line->cursor - 1 : 0, line->cursor);
    case CONTROL('D'):
        return cut(line, line->cursor, line->cursor + (line->cursor < line->length));
    case CONTROL('U'):
        return cut(line, 0, line->cursor);
    case CONTROL('K'):
        return cut(line, line->cursor, line->length);
    case CONTROL('W'):
        return cut(line, word_before(line), line->cursor);
    case CONTROL('A'):
        return move(line, 0);
    case CONTROL('E'):
        return move(line, line->length);
    case CONTROL('B'):
        return move(line, line->cursor - 1); /* below 0 is beyond the end */
    case CONTROL('F'):
        return move(line, line->cursor + 1);
    case CONTROL('P'):
        return show_entry(line, line->shown - 1);
    case CONTROL('N'):
        return show_entry(line, line->shown + 1);
    default:
        return insert(line, byte);
    }
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
