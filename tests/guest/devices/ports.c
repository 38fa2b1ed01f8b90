/* SPDX-License-Identifier: BSD-2-Clause */
/* The devices without time: PCI ports, keyboard controller, serial port, debug ports. */
#include "tests/guest/devices/devices.h"
#include "tests/guest/lib/report.h"

void check_pci(void)
{
    uint32_t found = 0;
    out(0xcf8, 4, 0xffffffff);
    report(in(0xcf8, 4) == 0x80fffffc, "address %#x", in(0xcf8, 4));
    out(0xcf8, 1, 0);
    out(0xcfa, 2, 0);
    report(in(0xcf8, 4) == 0x80fffffc, "narrow writes miss the address: %#x", in(0xcf8, 4));
    report(in(0xcf8, 2) == 0x00ff, "0xcf9 is the reset register: %#x", in(0xcf8, 2));
    for (uint32_t bus = 0; bus < 256; bus += 85) {
        for (uint32_t function = 0; function < 256; function++) {
            out(0xcf8, 4, 0x80000000 | bus << 16 | function << 8);
            found += in(0xcfc, 4) != 0xffffffff;
        }
    }
    report(found == 0, "%u functions found", found);
    out(0xcf8, 4, 0x80000004);
    out(0xcfc, 4, 0x12345678);
    for (uint16_t lane = 0; lane < 4; lane++)
        report(in((uint16_t)(0xcfc + lane), 1) == 0xff, "byte lane %u", lane);
    report(in(0xcfc, 2) == 0xffff && in(0xcfe, 2) == 0xffff, "16-bit lanes");
    out(0xcf8, 4, 4);
    report(in(0xcfc, 4) == 0xffffffff, "not enabled: %#x", in(0xcfc, 4));
}

static uint32_t ask(uint32_t command)
{
    out(0x64, 1, command);
    return in(0x64, 1) & 1 ? in(0x60, 1) : 0xffff;
}

void check_i8042(void)
{
    report(in(0x64, 1) == 0x14, "status %#x", in(0x64, 1));
    report(ask(0xaa) == 0x55, "self test");
    report(ask(0xab) == 0 && ask(0xa9) == 0, "port tests");
    out(0x64, 1, 0x60);
    out(0x60, 1, 0x45);
    report(ask(0x20) == 0x45, "command byte");
    report(ask(0xd0) == 0xcf, "output port");
    out(0x60, 1, 0xf2); /* identify, to a keyboard that is not there */
    report((in(0x64, 1) & 1) == 0, "no keyboard answers");
    out(0x64, 1, 0xd1);
    out(0x60, 1, 0xcd);
    report(in(0x92, 1) == 0, "A20 is one gate: %#x", in(0x92, 1));
    out(0x92, 1, 2);
    report(ask(0xd0) == 0xcf, "A20 is open again");
    out(0x64, 1, 0xff); /* a pulse of no line */
    out(0xcf9, 1, 2);
    report(in(0xcf9, 1) == 2, "0xcf9 keeps SYS_RST");
}

void check_uart(void)
{
    out(0x3ff, 1, 0x5a);
    report(in(0x3ff, 1) == 0x5a && in(0x3fe, 2) >> 8 == 0x5a, "scratch register");
    out(0x3fb, 1, 0x83);
    out(0x3f8, 2, 0x0102);
    report(in(0x3f8, 2) == 0x0102, "divisor by 16 bits %#x", in(0x3f8, 2));
    out(0x3fb, 1, 3);
    report(in(0x3fd, 1) == 0x60, "line status %#x", in(0x3fd, 1));
    report(in(0x3fe, 1) == 0xb0, "modem status %#x", in(0x3fe, 1));
    out(0x3fa, 1, 1);
    report((in(0x3fa, 1) & 0xc0) == 0xc0, "FIFOs");
    out(0x3fc, 1, 0x10); /* loopback */
    for (uint32_t i = 0; i < 20; i++)
        out(0x3f8, 1, 'a' + i);
    report((in(0x3fd, 1) & 3) == 3, "overrun after 16 bytes");
    report((in(0x3fd, 1) & 3) == 1, "the overrun is told once");
    uint32_t wrong = 0, count = 0;
    for (; in(0x3fd, 1) & 1; count++)
        wrong += in(0x3f8, 1) != 'a' + count;
    report(count == 16 && wrong == 0, "%u bytes came back, %u wrong", count, wrong);
    out(0x3fc, 1, 0);
    for (const char *at = "uart: a line by the serial port\n"; *at; at++)
        out(0x3f8, 1, (uint32_t)*at);
    report(in(0x3fe, 4) == 0xffff00b0 + 0x5a00, "ports and nobody behind them: %#x", in(0x3fe, 4));
}

void check_debug_ports(void)
{
    report(in(0xe9, 1) == 0xe9, "0xe9 is there");
    out(0x80, 1, 0x42);
    report(in(0x80, 1) == 0x42, "0x80 keeps a byte");
    report(in(0x80, 2) == 0xff42, "and nobody is at 0x81");
    report(in(0xf4, 4) == 0, "debug exit reads as 0");
    report(in(0xf8, 1) == 0xff, "and has four ports");
}

/* Accesses that begin at a port that nobody has and reach one that somebody has. */
void check_straddling(void)
{
    report(in(0xe8, 2) == 0xe9ff && in(0xe8, 4) == 0xffffe9ff, "0xe9 from below: %#x", in(0xe8, 4));
    out(0x3ff, 1, 0x5a);
    report(in(0x3f6, 4) >> 16 == (in(0x3f8, 1) | in(0x3f9, 1) << 8), "0x3f8 from below: %#x", in(0x3f6, 4));
    out(0x7f, 2, 0x4300);
    report(in(0x80, 1) == 0x43, "0x80 from below: %#x", in(0x80, 1));
    report(in(0x91, 2) == 0x02ff, "0x92 from below: %#x", in(0x91, 2));
}
