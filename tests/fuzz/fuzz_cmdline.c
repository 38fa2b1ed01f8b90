/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzz target: a command line with one key of each type, and the value of com1= as a UART configuration. */
#include "boot/cmdline.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/uart_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_problem(void *ctx, enum cmdline_problem problem, const char *key, const char *value,
                       const char *form)
{
    unsigned *count = ctx;
    ++*count;
    assert(strlen(key) + strlen(value) < CMDLINE_WORD_SIZE && form != NULL);
    assert(strcmp(cmdline_problem_text(problem), "unknown problem") != 0);
}

static void check_uart(const char *text)
{
    struct uart_config config = uart_config_default();
    if (!uart_config_parse(&config, text) || config.kind == UART_NONE)
        return;
    assert(config.data_bits >= 5 && config.data_bits <= 8 && config.stop_bits >= 1 && config.stop_bits <= 2);
    assert(config.reg_shift <= 3 && config.reg_width <= 1 << config.reg_shift && config.base != 0);
    assert(config.kind == UART_MMIO || config.base + (8u << config.reg_shift) <= 0x10000);
    if (config.baud != 0) {
        uint32_t divisor = config.clock_hz / 16 / config.baud;
        assert(divisor >= 1 && divisor <= 0xffff);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"halt", "reboot", NULL};
    bool flag = false;
    uint64_t number = 5;
    char text[24] = "";
    uint32_t choice = 0;
    const struct cmdline_key keys[] = {
        {.name = "flag", .form = "flag", .type = CMDLINE_FLAG, .to.flag = &flag},
        {.name = "mem",
         .form = "mem=",
         .type = CMDLINE_U64,
         .to.number = &number,
         .min = 5,
         .max = 1ull << 40},
        {.name = "com1", .form = "com1=", .type = CMDLINE_STRING, .to.text = text, .size = sizeof(text)},
        {.name = "exit", .form = "exit=", .type = CMDLINE_ENUM, .to.choice = &choice, .names = names},
    };
    unsigned problems = 0;
    struct cmdline_report report = {on_problem, &problems};
    char *line = malloc(size + 1); /* of exact size, so that a read behind the NUL is found */
    memcpy(line, data, size);
    line[size] = '\0';
    const char *rest = cmdline_parse(line, size % 2 != 0, keys, 4, &report);
    assert(rest >= line && rest <= line + strlen(line));
    assert(number >= 5 && number <= 1ull << 40 && choice < 2 && strlen(text) < sizeof(text));
    check_uart(line);
    check_uart(text);
    free(line);
    return 0;
}
