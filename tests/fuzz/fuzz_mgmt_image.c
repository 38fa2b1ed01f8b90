/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: a kernel for the loaders of mgmt/builder. The first byte chooses the loader and the
 * number of modules. A plan that is made must lie in RAM, without overlaps, with its entry in RAM.
 */
#include "mgmt/builder/plan.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t sum; /* so that the bytes are read */

static void check(const struct plan *plan)
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
    assert(plan->failed || plan_is_ram(plan, plan->entry, 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const loader[])(struct plan * plan, const struct plan_input *input) = {
        plan_multiboot, plan_pvh, plan_flat16, plan_flat32};
    static const uint8_t module[5000];
    static struct plan plan;
    if (size < 2)
        return 0;
    struct plan_input input = {.kernel = {data + 2, size - 2, "kernel"}, .cmdline = "words"};
    input.modules = data[0] >> 2 & 3;
    input.load = (uint64_t)data[1] << 12;
    for (uint32_t i = 0; i < input.modules; i++)
        input.module[i] = (struct plan_bytes){module, sizeof(module), "module"};
    plan_init(&plan, 4 << 20);
    (void)plan_is_multiboot(&input.kernel);
    (void)plan_is_pvh(&input.kernel);
    loader[data[0] & 3](&plan, &input);
    check(&plan);
    plan_free(&plan);
    return 0;
}
