/* SPDX-License-Identifier: BSD-2-Clause */
/* text: the few string functions that the loader needs, and COM1 at 115200 8n1. */
#include "tests/boot/loader/loader.h"

#define COM1 0x3f8

void put_prepare(void)
{
    outb(COM1 + 3, 0x80);
    outb(COM1, 1);
    outb(COM1 + 1, 0);
    outb(COM1 + 3, 0x03);
}

void put(const char *text)
{
    for (; *text; text++) {
        while (!(inb(COM1 + 5) & 0x20))
            ;
        outb(COM1, (uint8_t)*text);
    }
}

bool same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

const char *after(const char *word, const char *key)
{
    while (*key && *word == *key)
        word++, key++;
    return *key ? NULL : word;
}

uint64_t take_hex(const char **text)
{
    const char *at = *text;
    uint64_t value = 0;
    if (at[0] == '0' && at[1] == 'x')
        at += 2;
    const char *digits = at;
    for (;; at++) {
        if (*at >= '0' && *at <= '9')
            value = value << 4 | (uint64_t)(*at - '0');
        else if (*at >= 'a' && *at <= 'f')
            value = value << 4 | (uint64_t)(*at - 'a' + 10);
        else
            break;
    }
    if (at == digits)
        fail("a directive lacks a number");
    *text = at;
    return value;
}

void expect_char(const char **text, char c)
{
    if (**text != c)
        fail("a directive is malformed");
    ++*text;
}

void *memcpy(void *to, const void *from, size_t size)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    while (size--)
        *t++ = *f++;
    return to;
}

void *memset(void *to, int byte, size_t size)
{
    uint8_t *t = to;
    while (size--)
        *t++ = (uint8_t)byte;
    return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const uint8_t *x = a, *y = b;
    for (; size; x++, y++, size--)
        if (*x != *y)
            return *x < *y ? -1 : 1;
    return 0;
}
