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

/* The name in a boot module's string or in a configuration: the first word without its folders. */
static size_t find_name(const char *string, const char **name)
{
    size_t length = strcspn(string, " \t");
    *name = string;
    for (size_t i = 0; i < length; i++)
        if (string[i] == '/')
            *name = &string[i + 1];
    return length - (size_t)(*name - string);
}

static void split_name(struct module *module, const char *string)
{
    const char *name;
    size_t length = find_name(string, &name);
    snprintf(module->name, sizeof(module->name), "%.*s", (int)length, name);
    name += length;
    snprintf(module->arguments, sizeof(module->arguments), "%s", name + strspn(name, " \t"));
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

const struct module *modules_find(const char *string)
{
    const char *name;
    size_t length = find_name(string, &name);
    for (uint32_t i = 1; i < count; i++)
        if (strlen(modules[i].name) == length && memcmp(modules[i].name, name, length) == 0)
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
