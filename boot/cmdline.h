/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmdline: the hypervisor's command line, word by word, against a table of keys. Pure; nothing on
 * it is fatal.
 *
 *     line  := [image] { word } [ "--" rest ]   words stand between blanks (space, tab, line end)
 *     word  := key | key "=" value              split at the first "="
 *
 * '...' and "..." anywhere in a word keep blanks; the quotes are removed, and there is no escape
 * character. "--" as a word of its own ends our part. A key given twice: the later one counts. A
 * refused word leaves its target unchanged.
 *
 * The image path: QEMU's -kernel and GRUB Legacy put the image's path before the first word of a
 * Multiboot 1 command line; GRUB 2, Multiboot 2 and PVH loaders do not. With `image_first` (to be
 * set for Multiboot 1) the first word is therefore passed over, silently, when it begins with "/"
 * or "(" or when it has no "=" and is not a known key.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CMDLINE_WORD_SIZE = 256 }; /* with the NUL; longer words are refused */

enum cmdline_type {
    CMDLINE_FLAG,   /* key, key=on, key=off */
    CMDLINE_U64,    /* decimal or 0x..., with K, M or G (powers of 1024) behind it */
    CMDLINE_STRING, /* any text that fits */
    CMDLINE_ENUM,   /* one of `names`; its index is stored */
};

struct cmdline_key {
    const char *name;
    const char *form; /* what is expected, for the report: "com1=<baud>[,...]" */
    enum cmdline_type type;
    union {
        bool *flag;
        uint64_t *number;
        char *text;
        uint32_t *choice;
    } to;
    uint64_t min, max;        /* CMDLINE_U64: both inclusive */
    size_t size;              /* CMDLINE_STRING: of `to.text` */
    const char *const *names; /* CMDLINE_ENUM: ends with NULL */
};

enum cmdline_problem {
    CMDLINE_UNKNOWN_KEY,
    CMDLINE_NO_VALUE,
    CMDLINE_MALFORMED,
    CMDLINE_OUT_OF_RANGE, /* a number outside min..max or 64 bits, or text that does not fit */
    CMDLINE_WORD_TOO_LONG,
    CMDLINE_OPEN_QUOTE, /* the word goes to the end of the line and is not used */
};

/* `key` and `value` hold during the call; `form` is that of the key, or "" where no key is known.
 */
struct cmdline_report {
    void (*call)(void *ctx, enum cmdline_problem problem, const char *key, const char *value,
                 const char *form);
    void *ctx;
};

/* Returns the text behind "--", or the line's end. */
const char *cmdline_parse(const char *line, bool image_first, const struct cmdline_key *keys,
                          size_t key_count, const struct cmdline_report *report);

const char *cmdline_problem_text(enum cmdline_problem problem);
