/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8259s are never used: interrupts come by the IOAPICs. They are initialised all the same,
 * because even a masked 8259 can raise a spurious interrupt, and its reset vectors would look like
 * exceptions. Intel 8259A data sheet.
 */
#include "drivers/pic8259.h"

#include "arch/cpu/insn.h"

#define MASTER_COMMAND 0x20
#define MASTER_DATA    0x21
#define SLAVE_COMMAND  0xa0
#define SLAVE_DATA     0xa1
#define ICW1_INIT_ICW4 0x11
#define ICW3_MASTER    0x04 /* the slave hangs on line 2 */
#define ICW3_SLAVE     0x02
#define ICW4_8086      0x01

void pic8259_silence(unsigned char first_vector)
{
    outb(MASTER_COMMAND, ICW1_INIT_ICW4);
    outb(SLAVE_COMMAND, ICW1_INIT_ICW4);
    outb(MASTER_DATA, first_vector);
    outb(SLAVE_DATA, (unsigned char)(first_vector + 8));
    outb(MASTER_DATA, ICW3_MASTER);
    outb(SLAVE_DATA, ICW3_SLAVE);
    outb(MASTER_DATA, ICW4_8086);
    outb(SLAVE_DATA, ICW4_8086);
    outb(MASTER_DATA, 0xff);
    outb(SLAVE_DATA, 0xff);
}
