/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table: see table.h. Lines that would be longer than TABLE_LINE_SIZE are cut off in a table; in JSON
 * a value is cut off so that the object stays whole.
 */
#include "mgmt/shell/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Room that the rest of an object needs at most: keys, quotes, braces and numbers. */
#define JSON_REST 360U

struct text {
    char *to;
    size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text->to + text->used, text->size - text->used, format, args);
    va_end(args);
    if (length > 0)
        text->used += (size_t)length;
    if (text->used >= text->size)
        text->used = text->size - 1;
}

static void add_string(struct text *text, const char *value)
{
    add(text, "\"");
    for (; *value && text->used + JSON_REST < text->size; value++) {
        unsigned char byte = (unsigned char)*value;
        if (byte == '"' || byte == '\\')
            add(text, "\\%c", byte);
        else if (byte < ' ' || byte >= 0x7f)
            add(text, "\\u%04x", byte);
        else
            add(text, "%c", byte);
    }
    add(text, "\"");
}

void table_begin(struct table *table, const struct table_column *columns, uint32_t count, bool json,
                 void (*print)(const char *line, size_t length))
{
    *table = (struct table){.columns = columns, .count = count, .json = json, .print = print};
    struct text text = {table->line, sizeof(table->line), 0};
    for (uint32_t i = 0; i < count && !json; i++)
        add(&text, "%s%*s", i ? "  " : "", columns[i].width, columns[i].name);
    if (json)
        add(&text, "[");
    print(table->line, text.used);
}

static void row_json(struct table *table, const struct table_cell *cells)
{
    struct text text = {table->line, sizeof(table->line), 0};
    if (table->rows > 0) {
        size_t length = strlen(table->line);
        table->line[length] = ',';
        table->print(table->line, length + 1);
    }
    add(&text, "  {");
    for (uint32_t i = 0; i < table->count; i++) {
        add(&text, "%s\"%s\": ", i ? ", " : "", table->columns[i].name);
        if (cells[i].none)
            add(&text, "null");
        else if (cells[i].text)
            add_string(&text, cells[i].text);
        else
            add(&text, "%llu", (unsigned long long)cells[i].number);
    }
    add(&text, "}");
}

static void row_text(struct table *table, const struct table_cell *cells)
{
    struct text text = {table->line, sizeof(table->line), 0};
    for (uint32_t i = 0; i < table->count; i++) {
        int width = table->columns[i].width;
        if (cells[i].text || cells[i].none)
            add(&text, "%s%*s", i ? "  " : "", width, cells[i].none ? "-" : cells[i].text);
        else
            add(&text, "%s%*llu", i ? "  " : "", width, (unsigned long long)cells[i].number);
    }
    while (text.used > 0 && table->line[text.used - 1] == ' ')
        text.used--;
    table->print(table->line, text.used);
}

void table_row(struct table *table, const struct table_cell *cells)
{
    if (table->json)
        row_json(table, cells);
    else
        row_text(table, cells);
    table->rows++;
}

void table_end(struct table *table)
{
    if (!table->json)
        return;
    if (table->rows > 0)
        table->print(table->line, strlen(table->line));
    table->print("]", 1);
}
