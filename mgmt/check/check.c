/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check: validates configurations on the build machine with the manager's own code.
 *
 *   make mgmt-check CONFIG=domains.conf
 *   build/mgmt/check FILE...                 complaints; exit code 0: all are good; 1: complaints; 2: not readable
 *   build/mgmt/check --files FILE            what it names and needs: line, domain, key, value, with tabs between them;
 *                                            memory is 0 for a domain that does not start by itself
 *   build/mgmt/check --load FILE NAME=PATH.. and whether each kernel with its modules fits into its domain
 *   build/mgmt/check --keys                  the keys: section or "-", key, what a bad value is answered with
 *
 * tools/image.py finds the files that --files lists and hands them back to --load under the names of the list.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mgmt/builder/choose.h"
#include "mgmt/config/config.h"
#include "mgmt/config/config_keys.h"

enum { FILE_MAX = 1 << 20 };

static struct config config;

static void complain(void *ctx, uint32_t line, const char *sentence)
{
    printf("%s:%u: %s\n", (const char *)ctx, line, sentence);
}

static int parse(char *name)
{
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
    return config_parse(&config, text, length, complain, name) ? 0 : 1;
}

static int check(char *name)
{
    int result = parse(name);
    if (result == 0)
        printf("%s: %u domains, no complaints\n", name, config.domains);
    return result;
}

static void list(uint32_t line, const struct config_domain *domain, const char *key, const char *value)
{
    printf("%u\t%s\t%s\t%s\n", line, domain->name, key, value);
}

static int list_files(char *name)
{
    int result = parse(name);
    for (uint32_t i = 0; result == 0 && i < config.domains; i++) {
        const struct config_domain *domain = &config.domain[i];
        char memory[24];
        snprintf(memory, sizeof(memory), "%llu", domain->autostart ? (unsigned long long)domain->memory : 0);
        list(domain->line, domain, "memory", memory);
        list(domain->kernel_line, domain, "kernel", domain->kernel);
        for (uint32_t j = 0; j < domain->modules; j++)
            list(domain->module_line[j], domain, "module", domain->module[j]);
        for (uint32_t j = 0; j < domain->disks; j++)
            if (domain->disk[j].module[0] != '\0')
                list(domain->disk[j].line, domain, "disk", domain->disk[j].module);
    }
    return result;
}

/* The file of a NAME=PATH whose NAME is the first word of `text` without folders, mapped until the end of the program. */
static bool map_file(char *const pairs[], const char *text, struct plan_bytes *bytes)
{
    const char *end = text + strcspn(text, " \t"), *name = text;
    for (const char *at = text; at < end; at++)
        name = *at == '/' ? at + 1 : name;
    size_t length = (size_t)(end - name);
    for (; *pairs; pairs++) {
        struct stat about;
        if (strncmp(*pairs, name, length) != 0 || (*pairs)[length] != '=')
            continue;
        int file = open(*pairs + length + 1, O_RDONLY);
        if (file < 0 || fstat(file, &about) != 0 || about.st_size == 0)
            return false;
        void *data = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, file, 0);
        close(file);
        *bytes = (struct plan_bytes){data, (uint64_t)about.st_size, text};
        return data != MAP_FAILED;
    }
    return false;
}

static int load_domain(const struct config_domain *domain, const char *name, char *const pairs[])
{
    static struct plan plan;
    struct plan_input input = {.cmdline = domain->cmdline, .modules = domain->modules, .load = domain->load};
    bool mapped = map_file(pairs, domain->kernel, &input.kernel);
    for (uint32_t i = 0; i < domain->modules; i++)
        mapped = mapped && map_file(pairs, domain->module[i], &input.module[i]);
    if (!mapped) {
        fprintf(stderr, "%s: a file of [%s] cannot be read\n", name, domain->name);
        return 2;
    }
    plan_init(&plan, domain->memory);
    choose_loader(&plan, domain->type, &input);
    bool failed = plan.failed;
    if (failed)
        printf("%s:%u: [%s] cannot be loaded: %s\n", name, domain->kernel_line, domain->name, plan.error);
    plan_free(&plan);
    return failed ? 1 : 0;
}

static int load(char *name, char *const pairs[])
{
    int worst = parse(name);
    for (uint32_t i = 0; worst != 2 && i < config.domains && config.complaints == 0; i++) {
        int result = load_domain(&config.domain[i], name, pairs);
        worst = result > worst ? result : worst;
    }
    return worst;
}

/* A value that no key with a list of words takes; others may. */
static void list_keys(bool global)
{
    char names[1024];
    config_key_list(global, names, sizeof(names));
    for (char *name = strtok(names, ", "); name; name = strtok(NULL, ", ")) {
        char remedy[CONFIG_REMEDY_SIZE] = "";
        static struct config_domain domain;
        uint32_t index;
        (void)config_key_find(global, name, &index)->set(&config, &domain, "~", remedy);
        printf("%s\t%s\t%s\n", global ? "-" : "domain", name, remedy);
    }
}

int main(int argc, char **argv)
{
    int worst = 0;
    if (argc == 2 && strcmp(argv[1], "--keys") == 0) {
        list_keys(true);
        list_keys(false);
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "--files") == 0)
        return list_files(argv[2]);
    if (argc >= 3 && strcmp(argv[1], "--load") == 0)
        return load(argv[2], &argv[3]);
    if (argc < 2 || argv[1][0] == '-') {
        fprintf(stderr, "usage: check FILE... | --files FILE | --load FILE NAME=PATH... | --keys\n");
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        int result = check(argv[i]);
        worst = result > worst ? result : worst;
    }
    return worst;
}
