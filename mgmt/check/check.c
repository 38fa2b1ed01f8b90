/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check: validates configurations on the build machine with the manager's own code.
 *
 *   make mgmt-check CONFIG=domains.conf
 *   build/mgmt/check FILE...             exit code 0: all are good; 1: complaints; 2: not readable
 */
#include <stdio.h>
#include <stdlib.h>

#include "mgmt/config/config.h"

enum { FILE_MAX = 1 << 20 };

static void complain(void *ctx, uint32_t line, const char *sentence)
{
    printf("%s:%u: %s\n", (const char *)ctx, line, sentence);
}

static int check(char *name)
{
    static struct config config;
    static char text[FILE_MAX + 1];
    FILE *file = fopen(name, "rb");
    if (!file) {
        perror(name);
        return 2;
    }
    size_t length = fread(text, 1, sizeof(text), file);
    int bad = ferror(file);
    fclose(file);
    if (bad || length > FILE_MAX) {
        fprintf(stderr, "%s: cannot be read, or is larger than %d bytes\n", name, FILE_MAX);
        return 2;
    }
    if (!config_parse(&config, text, length, complain, name))
        return 1;
    printf("%s: %u domains, no complaints\n", name, config.domains);
    return 0;
}

int main(int argc, char **argv)
{
    int worst = argc > 1 ? 0 : 2;
    if (argc < 2)
        fprintf(stderr, "usage: check FILE...\n");
    for (int i = 1; i < argc; i++) {
        int result = check(argv[i]);
        worst = result > worst ? result : worst;
    }
    return worst;
}
