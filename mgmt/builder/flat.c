/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flat: images without a format, put at one address and entered at their first byte.
 *
 * flat16: real mode. Below 64 KiB CS is 0 and IP the address, as after a BIOS; above it CS is the
 * address in paragraphs. flat32: protected mode as PVH has it, EBX = start info.
 */
#include "mgmt/builder/plan.h"

#define REAL_MODE_END 0x100000ULL

static void add_image(struct plan *plan, const struct plan_input *input)
{
    if (input->kernel.size == 0)
        plan_fail(plan, "%s is empty", input->kernel.name);
    plan_add(plan, input->load, input->kernel.data, input->kernel.size, input->kernel.size, "the image");
}

void plan_flat16(struct plan *plan, const struct plan_input *input)
{
    if (input->load >= REAL_MODE_END || (input->load >= 0x10000 && input->load % 16 != 0))
        plan_fail(plan,
                  "load = %#llx: real mode begins below 1 MiB, and above 64 KiB at a multiple "
                  "of 16",
                  (unsigned long long)input->load);
    plan->mode = PLAN_REAL16;
    plan->entry = (uint32_t)input->load;
    add_image(plan, input);
}

void plan_flat32(struct plan *plan, const struct plan_input *input)
{
    if (input->load >= PLAN_ABOVE_4G)
        plan_fail(plan, "load = %#llx: 32-bit code begins below 4 GiB", (unsigned long long)input->load);
    plan->mode = PLAN_FLAT32;
    plan->entry = (uint32_t)input->load;
    add_image(plan, input);
    plan_add_start_info(plan, input);
}
