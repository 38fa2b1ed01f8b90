/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table: listings for people and, as JSON, for programs. Pure but for its lines, which go to a
 * callback.
 *
 * JSON is an array of objects, one object per line, the keys are the column names.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TABLE_COLUMNS_MAX = 12, TABLE_LINE_SIZE = 640 };

struct table_column {
    const char *name;
    int width; /* negative: flush left */
};

struct table_cell {
    const char *text; /* NULL: a number */
    uint64_t number;
    bool none; /* there is none: null in JSON, a dash for people */
};

struct table {
    const struct table_column *columns;
    uint32_t count;
    bool json;
    uint32_t rows;
    char line[TABLE_LINE_SIZE]; /* JSON: the object that waits for its comma */
    void (*print)(const char *line, size_t length);
};

void table_begin(struct table *table, const struct table_column *columns, uint32_t count, bool json,
                 void (*print)(const char *line, size_t length));
void table_row(struct table *table, const struct table_cell *cells);
void table_end(struct table *table);

#define TABLE_TEXT(value)                                                                                    \
    (struct table_cell)                                                                                      \
    {                                                                                                        \
        (value), 0, false                                                                                    \
    }
#define TABLE_NUMBER(value)                                                                                  \
    (struct table_cell)                                                                                      \
    {                                                                                                        \
        NULL, (value), false                                                                                 \
    }
#define TABLE_NONE                                                                                           \
    (struct table_cell)                                                                                      \
    {                                                                                                        \
        NULL, 0, true                                                                                        \
    }
