/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_keys: the keys and what their values may be. config.c finds the lines, this file
 * understands them.
 */
#pragma once

#include "mgmt/config/config.h"

/* Into `remedy` goes what is wrong with the value and what to write. */
enum { CONFIG_REMEDY_SIZE = 256 };

struct config_key {
    const char *name;
    bool once;
    bool (*set)(struct config *config, struct config_domain *domain, const char *value, char *remedy);
};

/* Keys of a domain, or (global) of the whole system. NULL: there is no such key. */
const struct config_key *config_key_find(bool global, const char *name, uint32_t *index);

/* All names, for the remedy of an unknown one: "a, b, c". */
void config_key_list(bool global, char *to, size_t size);

/* What a domain is when nothing is said. */
void config_domain_defaults(struct config_domain *domain);

/* "4096", "64K", "16M", "2G"; 0x is understood. */
bool config_size(const char *text, uint64_t *value);
