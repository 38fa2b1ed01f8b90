/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices of the management domain as a guest finds them; the first word of the command line says
 * which. Four words end the domain instead of checking anything: power-off, reset-cf9, reset-92,
 * reset-i8042; who survives that has failed.
 */
#include "tests/guest/devices/devices.h"

#include <stddef.h>

#include "tests/guest/lib/report.h"

const char guest_name[] = "devices";

static void power_off(void)
{
    out(0x604, 2, 0x2000);
}

static void reset_cf9(void)
{
    out(0xcf9, 1, 2);
    out(0xcf9, 1, 6);
}

static void reset_92(void)
{
    out(0x92, 1, in(0x92, 1) | 1);
}

static void reset_i8042(void)
{
    while (in(0x64, 1) & 2)
        ;
    out(0x64, 1, 0xfe);
}

static const struct {
    const char *word;
    void (*run)(void);
    bool ends;
} rows[] = {
    {"rtc", check_rtc, false},
    {"pm", check_pm, false},
    {"pci", check_pci, false},
    {"i8042", check_i8042, false},
    {"uart", check_uart, false},
    {"debug", check_debug_ports, false},
    {"straddling", check_straddling, false},
    {"power-off", power_off, true},
    {"reset-cf9", reset_cf9, true},
    {"reset-92", reset_92, true},
    {"reset-i8042", reset_i8042, true},
};

void guest_main(const char *cmdline)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!guest_has_word(cmdline, rows[i].word))
            continue;
        rows[i].run();
        if (rows[i].ends)
            report(false, "%s: still here", rows[i].word);
        else
            print("%s: checked\n", rows[i].word);
    }
}
