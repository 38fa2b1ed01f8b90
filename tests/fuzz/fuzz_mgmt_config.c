/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzz target: a configuration text. What is accepted must be within the limits of every key. */
#include "mgmt/config/config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_complaint(void *ctx, uint32_t line, const char *sentence)
{
    unsigned *count = ctx;
    ++*count;
    (void)line;
    assert(strlen(sentence) > 0);
}

static void check(const struct config_domain *d)
{
    assert(strnlen(d->name, sizeof(d->name)) < sizeof(d->name) && d->name[0] != '\0');
    assert(d->kernel[0] != '\0' && strnlen(d->kernel, sizeof(d->kernel)) < sizeof(d->kernel));
    assert(strnlen(d->cmdline, sizeof(d->cmdline)) < sizeof(d->cmdline));
    assert(d->modules <= CONFIG_MODULES_MAX && d->vcpus >= 1 && d->vcpus <= 64);
    assert(d->memory >= 65536 && d->memory % 4096 == 0 && d->priority <= 255 && d->cpus != 0);
    assert(d->load != UINT64_MAX || d->given != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config config;
    unsigned complaints = 0;
    bool ok = config_parse(&config, (const char *)data, size, on_complaint, &complaints);
    assert(ok == (complaints == 0) && config.complaints == complaints);
    for (uint32_t i = 0; ok && i < config.domains; i++)
        check(&config.domain[i]);
    return 0;
}
