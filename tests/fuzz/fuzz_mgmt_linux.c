/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: a kernel for mgmt/builder/linux.c. The first byte chooses the entry, the memory and
 * the number of modules. A plan that is made must lie in RAM, without overlaps, with its entry,
 * boot parameters, RAM disk and tables in pieces of it, and give a state that is whole.
 */
#include "mgmt/builder/linux.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t sum; /* so that the bytes are read */

static const struct plan_piece *holding(const struct plan *plan, gpa_t at)
{
    for (uint32_t i = 0; i < plan->pieces; i++)
        if (at - plan->piece[i].to < plan->piece[i].room)
            return &plan->piece[i];
    return NULL;
}

static void check_pieces(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->pieces; i++) {
        const struct plan_piece *a = &plan->piece[i];
        assert(plan_is_ram(plan, a->to, a->room) && a->bytes <= a->room);
        for (uint32_t j = 0; j < i; j++) {
            const struct plan_piece *b = &plan->piece[j];
            assert(a->to + a->room <= b->to || b->to + b->room <= a->to);
        }
        for (uint64_t k = 0; k < a->bytes; k++)
            sum = (uint8_t)(sum + a->from[k]);
    }
}

static void check_entry(const struct plan *plan, const struct plan_input *input)
{
    struct hv_sregs sregs = {.cr0 = 0x10};
    struct hv_regs regs = {.rflags = 2};
    linux_set_state(plan, &sregs, &regs);
    const struct plan_piece *params = holding(plan, regs.rsi);
    assert(holding(plan, regs.rip) == &plan->piece[0]);
    assert(params && params->to == regs.rsi && params->bytes == 4096);
    uint32_t initrd, initrd_size, cmdline;
    memcpy(&initrd, params->from + 0x218, 4);
    memcpy(&initrd_size, params->from + 0x21c, 4);
    memcpy(&cmdline, params->from + 0x228, 4);
    const struct plan_piece *text = holding(plan, cmdline);
    assert(text && strcmp((const char *)text->from, input->cmdline) == 0);
    assert((initrd_size == 0) == (input->modules == 0));
    assert(initrd_size == 0 || (holding(plan, initrd) && holding(plan, initrd + initrd_size - 1)));
    assert(holding(plan, sregs.gdt.base));
    assert(plan->mode != PLAN_LINUX64 || holding(plan, sregs.cr3));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t module[5001];
    static struct plan plan;
    if (size < 1)
        return 0;
    struct plan_input input = {.kernel = {data + 1, size - 1, "kernel"}, .cmdline = "words"};
    input.modules = data[0] >> 1 & 3;
    for (uint32_t i = 0; i < input.modules; i++)
        input.module[i] = (struct plan_bytes){module, sizeof(module), "module"};
    plan_init(&plan, (uint64_t)(1 + (data[0] >> 3)) << 20);
    (data[0] & 1 ? plan_linux32 : plan_linux)(&plan, &input);
    check_pieces(&plan);
    if (plan.failed)
        assert(plan.error[0] != '\0');
    else
        check_entry(&plan, &input);
    plan_free(&plan);
    return 0;
}
