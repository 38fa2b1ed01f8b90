/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * choose: see choose.h.
 */
#include "mgmt/builder/choose.h"

#include "mgmt/builder/elf.h"

static enum config_type detect(const struct plan_bytes *kernel)
{
    if (plan_is_pvh(kernel))
        return CONFIG_PVH;
    if (plan_is_multiboot(kernel))
        return CONFIG_MULTIBOOT;
    return plan_is_linux(kernel) ? CONFIG_LINUX : CONFIG_AUTO;
}

/* Of an ELF file that is cut off nobody can say what it was meant to be. */
static void explain(struct plan *plan, const struct plan_bytes *kernel)
{
    struct elf_file file;
    if (elf_is(kernel) && (!elf_open(&file, kernel, plan) || !elf_load(&file, plan)))
        return;
    plan_fail(plan,
              "%s has no PVH note, no Multiboot header and no Linux header; say type = flat16 or flat32",
              kernel->name);
}

void choose_loader(struct plan *plan, enum config_type type, const struct plan_input *input)
{
    if (type == CONFIG_AUTO)
        type = detect(&input->kernel);
    switch (type) {
    case CONFIG_FLAT16:
        plan_flat16(plan, input);
        return;
    case CONFIG_FLAT32:
        plan_flat32(plan, input);
        return;
    case CONFIG_MULTIBOOT:
        plan_multiboot(plan, input);
        return;
    case CONFIG_PVH:
        plan_pvh(plan, input);
        return;
    case CONFIG_LINUX:
        plan_linux(plan, input);
        return;
    case CONFIG_LINUX32:
        plan_linux32(plan, input);
        return;
    case CONFIG_AUTO:
        explain(plan, &input->kernel);
        return;
    }
}
