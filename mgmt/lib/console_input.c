/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * console_input: see console_input.h. Sequences that the interface does not have end at the byte that
 * is wrong, and that byte counts as received: nothing that a person typed is lost.
 */
#include "mgmt/lib/console_input.h"

#include "guest_abi/hv_mgmt.h"

int console_input_next(struct console_input *input, uint8_t byte)
{
    uint8_t place = input->place;
    input->place = 0;
    if (place == 0 && byte != HV_CONSOLE_ESCAPE)
        return byte;
    if (place == 0 || (place == 1 && byte == 0)) {
        input->place = (uint8_t)(place + 1);
        return CONSOLE_INPUT_NONE;
    }
    return place == 2 && byte == 0 ? CONSOLE_INPUT_BREAK : byte;
}
