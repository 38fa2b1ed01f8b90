/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proof for patches/05-e1000-intx-disable.patch.
 *
 * The e1000's interrupt cause is set by its ICS register. Status bit 3 must follow the cause; the
 * line, seen in the request register of the 8259, must follow it only while command bit 10 is
 * clear. PCI Local Bus Specification 2.3 sections 6.2.2 and 6.2.3; 82540EM manual, registers ICR,
 * ICS, IMS, IMC.
 */
#include "proof.h"

#define E1000_ID         0x100e8086u
#define COMMAND_MEMORY   0x2u
#define COMMAND_INTX_OFF 0x400u
#define STATUS_INTERRUPT 0x80000u /* bit 3 of the upper half */
#define REG_ICR          0xc0
#define REG_ICS          0xc8
#define REG_IMS          0xd0
#define CAUSE_LINK       4u

const char proof_name[] = "intx";
static uint32_t device;
static volatile uint32_t *registers;

static uint32_t config_read(uint32_t offset)
{
    out32(0xcf8, device | offset);
    return in32(0xcfc);
}

static void config_write(uint32_t offset, uint32_t value)
{
    out32(0xcf8, device | offset);
    out32(0xcfc, value);
}

static void find_device(void)
{
    for (uint32_t slot = 0; slot < 32; slot++) {
        device = 0x80000000u | slot << 11;
        if (config_read(0) == E1000_ID)
            return;
    }
    proof_fail("no e1000", 0);
}

/* True when the line of the device is requested at the interrupt controllers. */
static int line_is_up(void)
{
    uint32_t irq = config_read(0x3c) & 15;

    out8(0x20, 0x0a); /* OCW3: next read gives the request register */
    out8(0xa0, 0x0a);
    return (in8(irq < 8 ? 0x20 : 0xa0) >> (irq & 7)) & 1;
}

static void expect(const char *what, uint32_t status, int line)
{
    uint32_t value = config_read(4);

    proof_print(what);
    proof_print("\n");
    if ((value & STATUS_INTERRUPT) != status)
        proof_fail("interrupt status wrong; register", value);
    if (line_is_up() != line)
        proof_fail("line wrong; register", value);
}

void proof_main(void)
{
    uint32_t command;

    find_device();
    command = (config_read(4) & 0xffff) | COMMAND_MEMORY;
    config_write(4, command);
    registers = (volatile uint32_t *)(uintptr_t)(config_read(0x10) & ~15u);
    expect("idle", 0, 0);
    registers[REG_IMS / 4] = CAUSE_LINK;
    registers[REG_ICS / 4] = CAUSE_LINK;
    expect("raised", STATUS_INTERRUPT, 1);
    config_write(4, command | COMMAND_INTX_OFF);
    if (!(config_read(4) & COMMAND_INTX_OFF))
        proof_fail("INTx disable bit does not hold", config_read(4));
    expect("disabled", STATUS_INTERRUPT, 0);
    config_write(4, command);
    expect("enabled again", STATUS_INTERRUPT, 1);
    (void)registers[REG_ICR / 4];
    expect("acknowledged", 0, 0);
    proof_pass();
}
