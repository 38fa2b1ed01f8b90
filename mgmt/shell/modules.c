/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * modules: see modules.h.
 */
#include "mgmt/shell/modules.h"

#include <stdio.h>
#include <string.h>

#include "mgmt/lib/call.h"

static struct module modules[MODULES_MAX];
static uint32_t count;

static void split_name(struct module *module, const char *string)
{
    size_t length = strcspn(string, " \t");
    const char *name = string;
    for (size_t i = 0; i < length; i++)
        if (string[i] == '/')
            name = &string[i + 1];
    snprintf(module->name, sizeof(module->name), "%.*s", (int)(length - (size_t)(name - string)), name);
    string += length;
    snprintf(module->arguments, sizeof(module->arguments), "%s", string + strspn(string, " \t"));
}

void modules_init(void *(*view)(uint64_t gpa, uint64_t bytes))
{
    struct hv_module_info info;
    for (uint32_t i = 0; i < MODULES_MAX && call_module_info(i, &info) >= 0; i++) {
        struct module *module = &modules[count++];
        split_name(module, info.name);
        module->data = view(info.start, info.length);
        module->size = module->data ? info.length : 0;
    }
}

uint32_t modules_count(void)
{
    return count;
}

const struct module *modules_get(uint32_t index)
{
    return index < count ? &modules[index] : NULL;
}

const struct module *modules_find(const char *name)
{
    for (uint32_t i = 1; i < count; i++)
        if (strcmp(modules[i].name, name) == 0)
            return &modules[i];
    return NULL;
}

const struct module *modules_find_ending(const char *ending)
{
    size_t length = strlen(ending);
    for (uint32_t i = 1; i < count; i++) {
        size_t own = strlen(modules[i].name);
        if (own >= length && strcmp(modules[i].name + own - length, ending) == 0)
            return &modules[i];
    }
    return NULL;
}
