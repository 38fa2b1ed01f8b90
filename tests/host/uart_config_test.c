/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of drivers/uart_config.c: sound texts with the whole result, refused texts with none. */
#include "drivers/uart_config.h"

#include "tests/host/test.h"

enum { P = UART_PIO, M = UART_MMIO, CLOCK = 1843200 };
enum {
    PN = UART_PARITY_NONE,
    PO = UART_PARITY_ODD,
    PE = UART_PARITY_EVEN,
    PM = UART_PARITY_MARK,
    PS = UART_PARITY_SPACE
};

static const struct {
    const char *text;
    int kind;
    uint64_t base;
    uint32_t baud, clock_hz;
    int data, parity, stop, shift, width;
} sound[] = {
    {"115200", P, 0x3f8, 115200, CLOCK, 8, PN, 1, 0, 1},
    {"115200,8n1,0x3f8", P, 0x3f8, 115200, CLOCK, 8, PN, 1, 0, 1},
    {"9600,7e2,0x2f8", P, 0x2f8, 9600, CLOCK, 7, PE, 2, 0, 1},
    {"9600,5o1,760", P, 760, 9600, CLOCK, 5, PO, 1, 0, 1},
    {"9600,6m1", P, 0x3f8, 9600, CLOCK, 6, PM, 1, 0, 1},
    {"9600,8s1", P, 0x3f8, 9600, CLOCK, 8, PS, 1, 0, 1},
    {"115200,8n1,mmio,0xfe034000", M, 0xfe034000, 115200, CLOCK, 8, PN, 1, 0, 1},
    {"115200,,mmio,0xFE034000,shift=2,width=4", M, 0xfe034000, 115200, CLOCK, 8, PN, 1, 2, 4},
    {"115200,,,shift=1", P, 0x3f8, 115200, CLOCK, 8, PN, 1, 1, 1},
    {"115200/3000000,8n1,mmio,0x1000000000", M, 0x1000000000, 115200, 48000000, 8, PN, 1, 0, 1},
    {"2/115200", P, 0x3f8, 2, CLOCK, 8, PN, 1, 0, 1},
    {"1/65535", P, 0x3f8, 1, 1048560, 8, PN, 1, 0, 1},
    {"1/65536", P, 0, 0, 0, 0, 0, 0, 0, -1},
    {"115200,,mmio,0xABCDEFabcdef", M, 0xabcdefabcdef, 115200, CLOCK, 8, PN, 1, 0, 1},
    {"auto", P, 0x3f8, 0, CLOCK, 8, PN, 1, 0, 1},
    {"auto/268435455,8n1", P, 0x3f8, 0, 4294967280u, 8, PN, 1, 0, 1},
    {"1,,0xfff8", P, 0, 0, 0, 0, 0, 0, 0, -1}, /* divisor 115200 does not fit */
    {"2,,0xfff8", P, 0xfff8, 2, CLOCK, 8, PN, 1, 0, 1},
    {"115200,", P, 0x3f8, 115200, CLOCK, 8, PN, 1, 0, 1},
    {"115200,,", P, 0x3f8, 115200, CLOCK, 8, PN, 1, 0, 1},
};

TEST(uart_config_sound)
{
    for (size_t i = 0; i < COUNT(sound); i++) {
        struct uart_config config = uart_config_default();
        test_row("%s", sound[i].text);
        EXPECT_EQ(uart_config_parse(&config, sound[i].text), sound[i].width > 0);
        if (sound[i].width < 0)
            continue;
        EXPECT_EQ((int)config.kind, sound[i].kind);
        EXPECT_EQ(config.base, sound[i].base);
        EXPECT_EQ(config.baud, sound[i].baud);
        EXPECT_EQ(config.clock_hz, sound[i].clock_hz);
        EXPECT_EQ(config.data_bits, sound[i].data);
        EXPECT_EQ((int)config.parity, sound[i].parity);
        EXPECT_EQ(config.stop_bits, sound[i].stop);
        EXPECT_EQ(config.reg_shift, sound[i].shift);
        EXPECT_EQ(config.reg_width, sound[i].width);
    }
}

TEST(uart_config_refused_changes_nothing)
{
    static const char *const texts[] = {
        "",
        ",",
        "x",
        "none,",
        "None",
        "0",
        "-1",
        "115200x",
        "115200 ",
        " 115200",
        "4294967296",
        "99999999999999999999999",
        "0x",
        "115200/",
        "115200/0",
        "115200/x",
        "115200/57600",
        "115200/268435456",
        "auto/",
        "autox",
        "115200,8",
        "115200,8n",
        "115200,8n3",
        "115200,8x1",
        "115200,4n1",
        "115200,9n1",
        "115200,n81",
        "115200,8n11",
        "115200,8n1x",
        "115200,8n1,0",
        "115200,8n1,0x",
        "115200,8n1,0xfff9",
        "115200,8n1,0x10000",
        "115200,8n1,com1",
        "115200,8n1,-8",
        "115200,8n1,mmio",
        "115200,8n1,mmio,",
        "115200,8n1,mmio,0",
        "115200,8n1,mmio,0x10000000000000000",
        "115200,8n1,mmio,0xffffffffffffffff",
        "115200,8n1,mmio,fe034000",
        "115200,8n1,0x3f8,",
        "115200,8n1,0x3f8,4",
        "115200,8n1,0x3f8,shift=",
        "115200,8n1,0x3f8,shift=4",
        "115200,8n1,0x3f8,width=0",
        "115200,8n1,0x3f8,width=3",
        "115200,8n1,0x3f8,width=8",
        "115200,8n1,0x3f8,width=2",
        "115200,8n1,mmio,0x1002,shift=2,width=4",
        "115200,8n1,0xfff0,shift=2",
        "115200,,,shift=1,",
        "115200,,,,",
    };
    struct uart_config before = uart_config_default();
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct uart_config config = before;
        char *copy = strdup(texts[i]); /* of exact size */
        test_row("%s", texts[i]);
        EXPECT_FALSE(uart_config_parse(&config, copy));
        EXPECT_MEMEQ(&config, &before, sizeof(config));
        free(copy);
    }
}

TEST(uart_config_none_and_again)
{
    struct uart_config config = uart_config_default();
    ASSERT_TRUE(uart_config_parse(&config, "9600,7e2,0x2f8"));
    ASSERT_TRUE(uart_config_parse(&config, "none"));
    EXPECT_EQ(config.kind, UART_NONE);
    ASSERT_TRUE(uart_config_parse(&config, "115200,,0x2e8"));
    EXPECT_EQ(config.kind, UART_PIO);
    EXPECT_EQ(config.data_bits, 7); /* what is left empty keeps its value */
    EXPECT_EQ(config.base, 0x2e8);
}

TEST(uart_config_cut_everywhere)
{
    static const char text[] = "115200/3000000,8n1,mmio,0xfe034000,shift=2,width=4";
    unsigned accepted = 0;
    for (size_t len = 0; len <= strlen(text); len++) {
        struct uart_config config = uart_config_default();
        char *cut = strndup(text, len);
        bool ok = uart_config_parse(&config, cut);
        accepted += ok;
        if (!ok)
            EXPECT_EQ(config.base, 0x3f8);
        free(cut);
    }
    EXPECT_TRUE(accepted > 10 && accepted < strlen(text));
}

TEST(uart_config_interrupts_of_a_pc)
{
    static const struct {
        const char *text;
        int irq;
    } rows[] = {{"115200", 4},          {"115200,,0x2f8", 3}, {"115200,,0x3e8", 4},      {"115200,,0x2e8", 3},
                {"115200,,0x1000", -1}, {"none", -1},         {"115200,,mmio,0x3f8", -1}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct uart_config config = uart_config_default();
        test_row("%s", rows[i].text);
        ASSERT_TRUE(uart_config_parse(&config, rows[i].text));
        EXPECT_EQ(uart_config_isa_irq(&config), rows[i].irq);
    }
}
