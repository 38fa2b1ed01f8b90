/* SPDX-License-Identifier: BSD-2-Clause */
/* switches: see switches.h. */
#include "mgmt/shell/switches.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/config/config.h"

static struct named {
    char name[CONFIG_NAME_SIZE];
    struct net_switch *net;
} switches[SWITCHES_MAX];
static uint32_t count;

struct net_switch *switches_get(const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(switches[i].name, name) == 0)
            return switches[i].net;
    struct net_switch *net = count < SWITCHES_MAX ? malloc(sizeof(*net)) : NULL;
    if (!net)
        return NULL;
    net_switch_init(net);
    snprintf(switches[count].name, sizeof(switches[count].name), "%s", name);
    switches[count++].net = net;
    return net;
}

uint32_t switches_count(void)
{
    return count;
}

struct net_switch *switches_at(uint32_t index, const char **name)
{
    *name = switches[index].name;
    return switches[index].net;
}
