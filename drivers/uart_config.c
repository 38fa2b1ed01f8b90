/* SPDX-License-Identifier: BSD-2-Clause */
/* uart_config: see the grammar in uart_config.h. Each take_ function moves *at behind what it took,
 * or leaves it. */
#include "drivers/uart_config.h"

#include <string.h>

enum { UART_REGISTERS = 8, PORT_END = 0x10000, DIVISOR_MAX = 0xffff };

struct uart_config uart_config_default(void)
{
    return (struct uart_config){
        .kind = UART_PIO,
        .base = 0x3f8,
        .baud = 115200,
        .clock_hz = UART_CLOCK_HZ,
        .data_bits = 8,
        .stop_bits = 1,
        .reg_width = 1,
    };
}

static bool take(const char **at, const char *word)
{
    size_t len = strlen(word);
    if (strncmp(*at, word, len) != 0)
        return false;
    *at += len;
    return true;
}

static bool take_number(const char **at, uint64_t max, uint64_t *number)
{
    static const char digits[] = "0123456789abcdef";
    const char *text = *at;
    unsigned base = take(&text, "0x") || take(&text, "0X") ? 16 : 10;
    const char *start = text;
    uint64_t n = 0;
    for (; *text != '\0'; text++) {
        char c = *text >= 'A' && *text <= 'F' ? (char)(*text - 'A' + 'a') : *text;
        const char *digit = memchr(digits, c, base);
        if (digit == NULL)
            break;
        uint64_t value = (uint64_t)(digit - digits);
        if (value > max || n > (max - value) / base)
            return false;
        n = n * base + value;
    }
    if (text == start)
        return false;
    *at = text;
    *number = n;
    return true;
}

static bool take_rate(const char **at, struct uart_config *config)
{
    uint64_t n;
    if (take(at, "auto"))
        config->baud = 0;
    else if (take_number(at, UINT32_MAX, &n) && n != 0)
        config->baud = (uint32_t)n;
    else
        return false;
    if (!take(at, "/"))
        return true;
    if (!take_number(at, UINT32_MAX / UART_CLOCKS_PER_BIT, &n) || n == 0)
        return false;
    config->clock_hz = (uint32_t)n * UART_CLOCKS_PER_BIT;
    return true;
}

static bool take_frame(const char **at, struct uart_config *config)
{
    static const char parities[] = "noems"; /* in the order of enum uart_parity */
    const char *text = *at;
    if (text[0] < '5' || text[0] > '8' || text[1] == '\0')
        return false;
    const char *parity = strchr(parities, text[1]);
    if (parity == NULL || (text[2] != '1' && text[2] != '2'))
        return false;
    config->data_bits = (uint8_t)(text[0] - '0');
    config->parity = (enum uart_parity)(parity - parities);
    config->stop_bits = (uint8_t)(text[2] - '0');
    *at += 3;
    return true;
}

static bool take_place(const char **at, struct uart_config *config)
{
    if (take(at, "mmio,")) {
        config->kind = UART_MMIO;
        return take_number(at, UINT64_MAX, &config->base) && config->base != 0;
    }
    config->kind = UART_PIO;
    return take_number(at, PORT_END - 1, &config->base) && config->base != 0;
}

static bool take_option(const char **at, struct uart_config *config)
{
    uint64_t n;
    if (take(at, "shift=")) {
        if (!take_number(at, 3, &n))
            return false;
        config->reg_shift = (uint8_t)n;
        return true;
    }
    if (!take(at, "width=") || !take_number(at, 4, &n) || n == 0 || n == 3)
        return false;
    config->reg_width = (uint8_t)n;
    return true;
}

static bool is_field_end(char c)
{
    return c == ',' || c == '\0';
}

static bool take_all(const char *at, struct uart_config *config)
{
    if (!take_rate(&at, config))
        return false;
    if (take(&at, ",") && !is_field_end(*at) && !take_frame(&at, config))
        return false;
    if (take(&at, ",") && !is_field_end(*at) && !take_place(&at, config))
        return false;
    while (take(&at, ",")) {
        if (!take_option(&at, config))
            return false;
    }
    return *at == '\0';
}

/* All registers lie in the port or address space, and none is wider than its distance to the next
 * one. */
static bool is_sound(const struct uart_config *config)
{
    uint64_t span = (uint64_t)UART_REGISTERS << config->reg_shift;
    uint64_t divided = config->clock_hz / UART_CLOCKS_PER_BIT;
    if (config->kind == UART_PIO ? config->base > PORT_END - span : config->base > UINT64_MAX - span)
        return false;
    if (config->reg_width > 1u << config->reg_shift || config->base % config->reg_width != 0)
        return false;
    return config->baud == 0 || (divided >= config->baud && divided / config->baud <= DIVISOR_MAX);
}

bool uart_config_parse(struct uart_config *config, const char *text)
{
    struct uart_config changed = *config;
    if (strcmp(text, "none") == 0) {
        config->kind = UART_NONE;
        return true;
    }
    if (!take_all(text, &changed) || !is_sound(&changed))
        return false;
    *config = changed;
    return true;
}

int uart_config_isa_irq(const struct uart_config *config)
{
    if (config->kind != UART_PIO)
        return -1;
    switch (config->base) {
    case 0x3f8:
    case 0x3e8:
        return 4;
    case 0x2f8:
    case 0x2e8:
        return 3;
    default:
        return -1;
    }
}
