/* SPDX-License-Identifier: BSD-2-Clause */
/* cmdline: see the grammar in cmdline.h. A word is copied without its quotes, split, looked up,
 * converted, stored. */
#include "boot/cmdline.h"

#include <string.h>

struct word {
    char text[CMDLINE_WORD_SIZE]; /* when too long: its beginning */
    bool too_long;
    bool open_quote;
    bool plain; /* no quotes: only such a word can be "--" */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Takes the word at *line, which is not a blank, and moves *line behind it. */
static void take_word(const char **line, struct word *word)
{
    const char *at = *line;
    size_t len = 0;
    char quote = '\0';
    *word = (struct word){.plain = true};
    for (; *at != '\0' && (quote != '\0' || !is_blank(*at)); at++) {
        if (quote == '\0' && (*at == '"' || *at == '\'')) {
            quote = *at;
            word->plain = false;
        } else if (*at == quote) {
            quote = '\0';
        } else if (len + 1 < sizeof(word->text)) {
            word->text[len++] = *at;
        } else {
            word->too_long = true;
        }
    }
    word->open_quote = quote != '\0';
    *line = at;
}

static unsigned digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return 16;
}

/* 0, 10, 20 or 30 for what follows the digits; 64 for anything else. */
static unsigned shift_of(const char *suffix)
{
    static const char letters[] = "KMGkmg";
    if (suffix[0] == '\0')
        return 0;
    for (unsigned i = 0; i < sizeof(letters) - 1; i++) {
        if (suffix[0] == letters[i] && suffix[1] == '\0')
            return 10 * (i % 3 + 1);
    }
    return 64;
}

enum verdict { ACCEPTED, MALFORMED, OUT_OF_RANGE };

static enum verdict convert_number(const char *text, uint64_t *number)
{
    unsigned base = 10;
    bool overflow = false;
    uint64_t n = 0;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
    }
    const char *at = text;
    for (; digit_of(*at) < base; at++)
        overflow |= __builtin_mul_overflow(n, base, &n) || __builtin_add_overflow(n, digit_of(*at), &n);
    unsigned shift = shift_of(at);
    if (at == text || shift == 64)
        return MALFORMED;
    if (overflow || n > UINT64_MAX >> shift)
        return OUT_OF_RANGE;
    *number = n << shift;
    return ACCEPTED;
}

static enum verdict store_number(const struct cmdline_key *key, const char *value)
{
    uint64_t number;
    enum verdict verdict = convert_number(value, &number);
    if (verdict != ACCEPTED)
        return verdict;
    if (number < key->min || number > key->max)
        return OUT_OF_RANGE;
    *key->to.number = number;
    return ACCEPTED;
}

static enum verdict store_choice(const struct cmdline_key *key, const char *value)
{
    for (uint32_t i = 0; key->names[i] != NULL; i++) {
        if (strcmp(key->names[i], value) == 0) {
            *key->to.choice = i;
            return ACCEPTED;
        }
    }
    return MALFORMED;
}

/* `value` is NULL only for a flag. */
static enum verdict store(const struct cmdline_key *key, const char *value)
{
    switch (key->type) {
    case CMDLINE_FLAG: {
        bool off = value != NULL && strcmp(value, "off") == 0;
        if (value != NULL && !off && strcmp(value, "on") != 0)
            return MALFORMED;
        *key->to.flag = !off;
        return ACCEPTED;
    }
    case CMDLINE_U64:
        return store_number(key, value);
    case CMDLINE_STRING:
        if (strlen(value) >= key->size)
            return OUT_OF_RANGE;
        memcpy(key->to.text, value, strlen(value) + 1);
        return ACCEPTED;
    case CMDLINE_ENUM:
        return store_choice(key, value);
    }
    return MALFORMED;
}

static const struct cmdline_key *find_key(const char *name, const struct cmdline_key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    }
    return NULL;
}

/* Splits the word in place and says what is wrong with it: false, *problem set. */
static bool apply(struct word *word, const struct cmdline_key *key, const char *value,
                  enum cmdline_problem *problem)
{
    if (word->open_quote)
        *problem = CMDLINE_OPEN_QUOTE;
    else if (word->too_long)
        *problem = CMDLINE_WORD_TOO_LONG;
    else if (key == NULL)
        *problem = CMDLINE_UNKNOWN_KEY;
    else if (value == NULL && key->type != CMDLINE_FLAG)
        *problem = CMDLINE_NO_VALUE;
    else {
        enum verdict verdict = store(key, value);
        *problem = verdict == OUT_OF_RANGE ? CMDLINE_OUT_OF_RANGE : CMDLINE_MALFORMED;
        return verdict == ACCEPTED;
    }
    return false;
}

static bool is_image(const struct word *word, const struct cmdline_key *keys, size_t count)
{
    return word->text[0] == '/' || word->text[0] == '(' ||
           (strchr(word->text, '=') == NULL && find_key(word->text, keys, count) == NULL);
}

const char *cmdline_parse(const char *line, bool image_first, const struct cmdline_key *keys,
                          size_t key_count, const struct cmdline_report *report)
{
    for (bool first = true;; first = false) {
        struct word word;
        enum cmdline_problem problem;
        while (is_blank(*line))
            line++;
        if (*line == '\0')
            return line;
        take_word(&line, &word);
        if (word.plain && strcmp(word.text, "--") == 0) {
            while (is_blank(*line))
                line++;
            return line;
        }
        if (first && image_first && is_image(&word, keys, key_count))
            continue;

        char *value = strchr(word.text, '=');
        if (value != NULL)
            *value++ = '\0';
        const struct cmdline_key *key = find_key(word.text, keys, key_count);
        if (!apply(&word, key, value, &problem))
            report->call(report->ctx, problem, word.text, value != NULL ? value : "",
                         key != NULL ? key->form : "");
    }
}

const char *cmdline_problem_text(enum cmdline_problem problem)
{
    static const char *const text[] = {
        [CMDLINE_UNKNOWN_KEY] = "unknown key",     [CMDLINE_NO_VALUE] = "no value",
        [CMDLINE_MALFORMED] = "malformed value",   [CMDLINE_OUT_OF_RANGE] = "value out of range",
        [CMDLINE_WORD_TOO_LONG] = "word too long", [CMDLINE_OPEN_QUOTE] = "quote without an end",
    };
    return (size_t)problem < sizeof(text) / sizeof(text[0]) ? text[problem] : "unknown problem";
}
