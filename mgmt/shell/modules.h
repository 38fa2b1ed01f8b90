/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * modules: the boot modules by name. The boot loader gives each a string; its first word, without
 * folders, is the name, the rest are arguments. Module 0 is this program.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { MODULES_MAX = 32, MODULES_NAME_SIZE = 64 };

struct module {
    char name[MODULES_NAME_SIZE];
    char arguments[256];
    const uint8_t *data;
    uint64_t size;
};

/* Asks the hypervisor, once. `view`: how guest-physical memory is seen. */
void modules_init(void *(*view)(uint64_t gpa, uint64_t bytes));

uint32_t modules_count(void);
const struct module *modules_get(uint32_t index);

/* By the first word of the string, without folders; module 0 excepted. NULL: none. */
const struct module *modules_find(const char *string);

/* The first module, without module 0, whose name ends like that. */
const struct module *modules_find_ending(const char *ending);
