/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's two 8259 interrupt controllers: only to keep them quiet. */
#ifndef DRIVERS_PIC8259_H
#define DRIVERS_PIC8259_H

/* Moves the 8259s' vectors to first_vector..first_vector + 15 (a multiple of 8) and masks every
 * line. */
void pic8259_silence(unsigned char first_vector);

#endif
