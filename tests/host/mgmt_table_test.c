/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of mgmt/shell/table.c: what people and programs get to read.
 */
#include "mgmt/shell/table.h"

#include "tests/host/test.h"

static char seen[8192];

static void print(const char *line, size_t length)
{
    size_t used = strlen(seen);
    EXPECT_TRUE(memchr(line, '\n', length) == NULL && length < TABLE_LINE_SIZE);
    snprintf(seen + used, sizeof(seen) - used, "%.*s\n", (int)length, line);
}

static const struct table_column columns[] = {{"id", 4}, {"name", -8}, {"result", -1}};

static void show(bool json, uint32_t rows, const char *result)
{
    struct table table;
    seen[0] = '\0';
    table_begin(&table, columns, 3, json, print);
    for (uint32_t i = 0; i < rows; i++) {
        const struct table_cell cells[] = {i ? TABLE_NONE : TABLE_NUMBER(UINT64_MAX), TABLE_TEXT("a name"),
                                           TABLE_TEXT(result)};
        table_row(&table, cells);
    }
    table_end(&table);
}

TEST(table_for_people)
{
    show(false, 2, "");
    EXPECT_STREQ(seen, "  id  name      result\n"
                       "18446744073709551615  a name\n"
                       "   -  a name\n");
    show(false, 0, "");
    EXPECT_STREQ(seen, "  id  name      result\n");
}

TEST(table_for_programs)
{
    show(true, 2, "ok");
    EXPECT_STREQ(seen, "[\n"
                       "  {\"id\": 18446744073709551615, \"name\": \"a name\", \"result\": \"ok\"},\n"
                       "  {\"id\": null, \"name\": \"a name\", \"result\": \"ok\"}\n"
                       "]\n");
    show(true, 0, "");
    EXPECT_STREQ(seen, "[\n]\n");
    show(true, 1, "a\"b\\c\td\x7f\xc3");
    EXPECT_TRUE(strstr(seen, "\"a\\\"b\\\\c\\u0009d\\u007f\\u00c3\"}") != NULL);
}

TEST(table_long_values)
{
    static char text[3000];
    memset(text, '"', sizeof(text) - 1);
    show(true, 2, text);
    EXPECT_STREQ(seen + strlen(seen) - 6, "\\\"\"}\n]\n" + 1);
    show(false, 1, text);
    EXPECT_TRUE(strlen(seen) < 2U * TABLE_LINE_SIZE);
}
