/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounded text formatting; see fmt.h for what is understood. Pure, host-tested. An unknown
 * conversion is copied to the output as it stands, and formatting stops there: its argument's size
 * is not known, so what followed could only be wrong.
 */
#include "hv/core/fmt.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct sink {
    char *out;
    size_t size, len;
};

struct spec {
    bool left, zero, alternate;
    int width;
    int precision; /* -1: not given */
    enum { SIZE_CHAR, SIZE_SHORT, SIZE_INT, SIZE_LONG } size;
};

static void put(struct sink *s, char c)
{
    if (s->len + 1 < s->size)
        s->out[s->len++] = c;
}

static void pad(struct sink *s, char c, int count)
{
    while (count-- > 0)
        put(s, c);
}

static void put_text(struct sink *s, const struct spec *p, const char *text)
{
    if (!text)
        text = "(null)";
    int len = 0;
    while ((p->precision < 0 || len < p->precision) && text[len])
        len++;
    if (!p->left)
        pad(s, ' ', p->width - len);
    for (int i = 0; i < len; i++)
        put(s, text[i]);
    if (p->left)
        pad(s, ' ', p->width - len);
}

static void put_number(struct sink *s, const struct spec *p, uint64_t value, bool negative, unsigned base,
                       char a)
{
    char digits[24];
    int len = 0;
    for (uint64_t v = value; v; v /= base) {
        unsigned d = (unsigned)(v % base);
        digits[len++] = (char)(d < 10 ? '0' + d : (unsigned)a + d - 10);
    }
    int least = p->precision < 0 ? 1 : p->precision;
    int zeros = least > len ? least - len : 0;
    int prefix = (negative ? 1 : 0) + (p->alternate && base == 16 ? 2 : 0);
    int space = p->width - prefix - zeros - len;
    if (p->zero && !p->left && p->precision < 0 && space > 0) {
        zeros += space;
        space = 0;
    }
    if (!p->left)
        pad(s, ' ', space);
    if (negative)
        put(s, '-');
    if (p->alternate && base == 16) {
        put(s, '0');
        put(s, 'x');
    }
    pad(s, '0', zeros);
    while (len)
        put(s, digits[--len]);
    if (p->left)
        pad(s, ' ', space);
}

static int parse_number(const char **f)
{
    int n = 0;
    for (; **f >= '0' && **f <= '9'; (*f)++)
        if (n < 1000)
            n = n * 10 + (**f - '0');
    return n;
}

static const char *parse_size(const char *f, struct spec *p)
{
    p->size = SIZE_INT;
    if (*f == 'h') {
        p->size = SIZE_SHORT;
        if (*++f == 'h') {
            p->size = SIZE_CHAR;
            f++;
        }
    } else if (*f == 'l' || *f == 'z') {
        p->size = SIZE_LONG;
        if (*f++ == 'l' && *f == 'l')
            f++;
    }
    return f;
}

static int64_t to_signed(const struct spec *p, uint64_t raw)
{
    switch (p->size) {
    case SIZE_CHAR:
        return (int8_t)raw;
    case SIZE_SHORT:
        return (int16_t)raw;
    case SIZE_INT:
        return (int32_t)raw;
    case SIZE_LONG:
        break;
    }
    return (int64_t)raw;
}

static uint64_t to_unsigned(const struct spec *p, uint64_t raw)
{
    static const uint64_t mask[] = {0xff, 0xffff, 0xffffffff, UINT64_MAX};
    return raw & mask[p->size];
}

/* Flags, width, precision and size between '%' and the conversion letter; returns where that letter
 * is. */
static const char *parse_spec(const char *f, struct spec *p, va_list *args)
{
    *p = (struct spec){.precision = -1};
    for (;; f++) {
        if (*f == '-')
            p->left = true;
        else if (*f == '0')
            p->zero = true;
        else if (*f == '#')
            p->alternate = true;
        else
            break;
    }
    if (*f == '*') {
        p->width = va_arg(*args, int);
        f++;
    } else {
        p->width = parse_number(&f);
    }
    if (*f == '.') {
        f++;
        if (*f == '*') {
            p->precision = va_arg(*args, int);
            f++;
        } else {
            p->precision = parse_number(&f);
        }
    }
    return parse_size(f, p);
}

/* One argument by its conversion letter; false when the letter is unknown. */
static bool convert(struct sink *s, char letter, struct spec *p, va_list *args)
{
    uint64_t raw = 0;
    if (letter && strchr("diuxXo", letter))
        raw = p->size == SIZE_LONG ? va_arg(*args, uint64_t) : va_arg(*args, unsigned);
    switch (letter) {
    case 'd':
    case 'i': {
        int64_t v = to_signed(p, raw);
        put_number(s, p, v < 0 ? -(uint64_t)v : (uint64_t)v, v < 0, 10, 'a');
        return true;
    }
    case 'u':
        put_number(s, p, to_unsigned(p, raw), false, 10, 'a');
        return true;
    case 'o':
        put_number(s, p, to_unsigned(p, raw), false, 8, 'a');
        return true;
    case 'x':
    case 'X':
        put_number(s, p, to_unsigned(p, raw), false, 16, letter == 'x' ? 'a' : 'A');
        return true;
    case 'p':
        p->alternate = true;
        put_number(s, p, (uint64_t)(uintptr_t)va_arg(*args, void *), false, 16, 'a');
        return true;
    case 's':
        put_text(s, p, va_arg(*args, const char *));
        return true;
    case 'c':
        put(s, (char)va_arg(*args, int));
        return true;
    case '%':
        put(s, '%');
        return true;
    default:
        return false;
    }
}

size_t fmt_vformat(char *out, size_t size, const char *format, va_list args)
{
    struct sink s = {out, size, 0};
    va_list ap; /* a va_list parameter may be an array type: only a local one has a usable address */
    va_copy(ap, args);
    for (const char *f = format; *f; f++) {
        if (*f != '%') {
            put(&s, *f);
            continue;
        }
        struct spec p;
        const char *letter = parse_spec(f + 1, &p, &ap);
        if (!convert(&s, *letter, &p, &ap)) {
            for (; *f; f++)
                put(&s, *f);
            break;
        }
        f = letter;
    }
    va_end(ap);
    if (size)
        out[s.len] = '\0';
    return s.len;
}

size_t fmt_format(char *out, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t len = fmt_vformat(out, size, format, args);
    va_end(args);
    return len;
}
