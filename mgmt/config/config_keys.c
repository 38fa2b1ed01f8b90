/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_keys: see config_keys.h. One small function per key, one table at the end.
 */
#include "mgmt/config/config_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_MIN (64ULL << 10)
#define MEMORY_MAX (1ULL << 40)
#define PAGE       4096ULL
#define DISK_MAX   (512ULL << 30)

/* Digits only: no sign, no blanks, which strtoull would take. */
static bool number(const char *text, uint64_t *value, const char **end)
{
    char *stop;
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = hex ? text + 2 : text;
    if (strchr(hex ? "0123456789abcdefABCDEF" : "0123456789", *digits) == NULL || *digits == '\0')
        return false;
    if (strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") > (hex ? 16U : 19U))
        return false;
    *value = strtoull(digits, &stop, hex ? 16 : 10);
    *end = stop;
    return true;
}

bool config_size(const char *text, uint64_t *value)
{
    static const char units[] = "KMGT";
    const char *end;
    if (!number(text, value, &end))
        return false;
    if (*end == '\0')
        return true;
    const char *unit = strchr(units, *end & ~0x20);
    if (!unit || *unit == '\0' || end[1] != '\0')
        return false;
    uint32_t shift = 10 * (uint32_t)(unit - units + 1);
    if (*value > UINT64_MAX >> shift)
        return false;
    *value <<= shift;
    return true;
}

static bool ranged(const char *value, uint64_t low, uint64_t high, uint64_t *out, char *remedy)
{
    const char *end;
    if (number(value, out, &end) && *end == '\0' && *out >= low && *out <= high)
        return true;
    snprintf(remedy, CONFIG_REMEDY_SIZE, "write a number from %llu to %llu", (unsigned long long)low,
             (unsigned long long)high);
    return false;
}

static bool chosen(const char *value, const char *const *words, uint32_t count, uint32_t *out, char *remedy)
{
    size_t used = 0;
    for (*out = 0; *out < count; (*out)++)
        if (strcmp(value, words[*out]) == 0)
            return true;
    used += (size_t)snprintf(remedy, CONFIG_REMEDY_SIZE, "write one of:");
    for (uint32_t i = 0; i < count && used < CONFIG_REMEDY_SIZE; i++)
        used += (size_t)snprintf(remedy + used, CONFIG_REMEDY_SIZE - used, "%s %s", i ? "," : "", words[i]);
    return false;
}

static bool copied(const char *value, char *to, size_t size, const char *what, char *remedy)
{
    size_t length = strlen(value);
    if (length == 0)
        snprintf(remedy, CONFIG_REMEDY_SIZE, "write %s", what);
    else if (length >= size)
        snprintf(remedy, CONFIG_REMEDY_SIZE, "at most %zu characters fit", size - 1);
    if (length == 0 || length >= size)
        return false;
    memcpy(to, value, length + 1);
    return true;
}

static bool set_kernel(struct config *c, struct config_domain *d, const char *value, char *remedy)
{
    d->kernel_line = c->line;
    if (strpbrk(value, " \t")) {
        snprintf(remedy, CONFIG_REMEDY_SIZE,
                 "write the name of a boot module, without blanks; "
                 "arguments belong to cmdline");
        return false;
    }
    return copied(value, d->kernel, sizeof(d->kernel), "the name of a boot module", remedy);
}

static bool set_type(struct config *c, struct config_domain *d, const char *value, char *remedy)
{
    static const char *const words[] = {"auto", "flat16", "flat32", "multiboot", "pvh", "linux", "linux32"};
    uint32_t word;
    (void)c;
    if (!chosen(value, words, sizeof(words) / sizeof(words[0]), &word, remedy))
        return false;
    d->type = (enum config_type)word;
    return true;
}

static bool set_cmdline(struct config *c, struct config_domain *d, const char *value, char *remedy)
{
    (void)c;
    if (*value == '\0')
        return true;
    return copied(value, d->cmdline, sizeof(d->cmdline), "the kernel's arguments", remedy);
}

static bool set_module(struct config *c, struct config_domain *d, const char *value, char *remedy)
{
    if (d->modules == CONFIG_MODULES_MAX) {
        snprintf(remedy, CONFIG_REMEDY_SIZE, "at most %d modules", CONFIG_MODULES_MAX);
        return false;
    }
    if (!copied(value, d->module[d->modules], CONFIG_MODULE_SIZE, "the name of a boot module", remedy))
        return false;
    d->module_line[d->modules] = c->line;
    d->modules++;
    return true;
}

static bool set_memory(struct config *c, struct config_domain *d, const char *value, char *remedy)
{
    uint64_t bytes;
    (void)c;
    if (!config_size(value, &bytes) || bytes < MEMORY_MIN || bytes > MEMORY_MAX || bytes % PAGE != 0) {
        snprintf(remedy, CONFIG_REMEDY_SIZE,
                 "write a size from 64K to 1T, a multiple of 4K, with K, M, G or T behind it");
        return false;
    }
    d->memory = bytes;
    return true;
}

static bool set_vcpus(struct config *c, struct config_domain *d, const char *value, char *remedy)
{
    uint64_t out;
    (void)c;
    if (!ranged(value, 1, 64, &out, remedy))
        return false;
    d->vcpus = (uint32_t)out;
    return true;
}

static bool set_priority(struct config *c, struct config_domain *d, const char *value, char *remedy)
{
    uint64_t out;
    (void)c;
    if (!ranged(value, 0, 255, &out, remedy))
        return false;
    d->priority = (uint32_t)out;
    return true;
}

bool config_cpus(const char *text, uint64_t *cpus)
{
    uint64_t mask = 0, first, last;
    if (strcmp(text, "all") == 0) {
        *cpus = UINT64_MAX;
        return true;
    }
    for (const char *at = text;; at++) {
        if (!number(at, &first, &at))
            return false;
        last = first;
        if (*at == '-' && !number(at + 1, &last, &at))
            return false;
        if (first > last || last > 63)
            return false;
        mask |= (last == 63 ? 0 : 1ULL << (last + 1)) - (1ULL << first);
        if (*at == '\0') {
            *cpus = mask;
            return true;
        }
        if (*at != ',')
            return false;
    }
}

static bool set_cpus(struct config *c, struct config_domain *d, const char *value, char *remedy)
{
    (void)c;
    if (config_cpus(value, &d->cpus))
        return true;
    snprintf(remedy, CONFIG_REMEDY_SIZE, "write CPUs from 0 to 63 like 0,2-3, or all");
    return false;
}

static bool set_autostart(struct config *c, struct config_domain *d, const char *value, char *remedy)
{
    static const char *const words[] = {"no", "yes"};
    uint32_t word;
    (void)c;
    if (!chosen(value, words, 2, &word, remedy))
        return false;
    d->autostart = word == 1;
    return true;
}

static bool set_console(struct config *c, struct config_domain *d, const char *value, char *remedy)
{
    static const char *const words[] = {"on", "quiet"};
    uint32_t word;
    (void)c;
    if (!chosen(value, words, 2, &word, remedy))
        return false;
    d->console = (enum config_console)word;
    return true;
}

static bool set_on_exit(struct config *c, struct config_domain *d, const char *value, char *remedy)
{
    static const char *const words[] = {"destroy", "keep", "restart"};
    uint32_t word;
    (void)c;
    if (!chosen(value, words, 3, &word, remedy))
        return false;
    d->on_exit = (enum config_on_exit)word;
    return true;
}

static bool set_irqchip(struct config *c, struct config_domain *d, const char *value, char *remedy)
{
    static const char *const words[] = {"none", "split", "full"};
    uint32_t word;
    (void)c;
    if (!chosen(value, words, 3, &word, remedy))
        return false;
    d->irqchip = (enum config_irqchip)word;
    return true;
}

static bool set_acpi(struct config *c, struct config_domain *d, const char *value, char *remedy)
{
    static const char *const words[] = {"auto", "no", "yes"};
    uint32_t word;
    (void)c;
    if (!chosen(value, words, 3, &word, remedy))
        return false;
    d->acpi = (enum config_acpi)word;
    return true;
}

static bool yes_or_no(const char *value, bool *out, char *remedy)
{
    static const char *const words[] = {"no", "yes"};
    uint32_t word;
    if (!chosen(value, words, 2, &word, remedy))
        return false;
    *out = word == 1;
    return true;
}

static bool set_rng(struct config *c, struct config_domain *d, const char *value, char *remedy)
{
    (void)c;
    return yes_or_no(value, &d->rng, remedy);
}

static bool set_vcon(struct config *c, struct config_domain *d, const char *value, char *remedy)
{
    (void)c;
    return yes_or_no(value, &d->vcon, remedy);
}

static bool set_virtio(struct config *c, struct config_domain *d, const char *value, char *remedy)
{
    static const char *const words[] = {"pci", "mmio"};
    uint32_t word;
    (void)c;
    if (!chosen(value, words, 2, &word, remedy))
        return false;
    d->virtio = (enum config_virtio)word;
    return true;
}

/* "disk.img", "disk.img,ro", "disk.img,cow", "empty,64M". */
static bool set_disk(struct config *c, struct config_domain *d, const char *value, char *remedy)
{
    struct config_disk *disk = &d->disk[d->disks];
    size_t length = strcspn(value, ",");
    const char *how = value[length] == ',' ? value + length + 1 : "ro";
    if (d->disks == CONFIG_DISKS_MAX) {
        snprintf(remedy, CONFIG_REMEDY_SIZE, "at most %d disks", CONFIG_DISKS_MAX);
        return false;
    }
    *disk = (struct config_disk){.cow = strcmp(how, "ro") != 0, .line = c->line};
    bool empty = length == 5 && strncmp(value, "empty", 5) == 0;
    if (empty && config_size(how, &disk->size) && disk->size >= PAGE && disk->size <= DISK_MAX &&
        disk->size % PAGE == 0) {
        d->disks++;
        return true;
    }
    if (empty || length == 0 || length >= sizeof(disk->module) || strpbrk(value, " \t") ||
        (disk->cow && strcmp(how, "cow") != 0)) {
        snprintf(remedy, CONFIG_REMEDY_SIZE,
                 "write a boot module's name, then ,ro or ,cow, or empty, and a size from 4K to 512G");
        return false;
    }
    memcpy(disk->module, value, length);
    d->disks++;
    return true;
}

static bool set_net(struct config *c, struct config_domain *d, const char *value, char *remedy)
{
    (void)c;
    if (d->nets == CONFIG_NETS_MAX) {
        snprintf(remedy, CONFIG_REMEDY_SIZE, "at most %d network devices", CONFIG_NETS_MAX);
        return false;
    }
    if (!copied(value, d->net[d->nets], CONFIG_NAME_SIZE, "the name of a switch", remedy))
        return false;
    d->nets++;
    return true;
}

static bool set_success(struct config *c, struct config_domain *d, const char *value, char *remedy)
{
    uint64_t out;
    (void)c;
    if (!ranged(value, 0, UINT32_MAX, &out, remedy))
        return false;
    d->success = (uint32_t)out;
    return true;
}

static bool set_load(struct config *c, struct config_domain *d, const char *value, char *remedy)
{
    (void)c;
    if (config_size(value, &d->load))
        return true;
    snprintf(remedy, CONFIG_REMEDY_SIZE, "write an address like 0x7c00 or 1M");
    return false;
}

static bool set_timeout(struct config *c, struct config_domain *d, const char *value, char *remedy)
{
    uint64_t out;
    (void)c;
    if (!ranged(value, 0, 86400, &out, remedy))
        return false;
    d->timeout = (uint32_t)out;
    return true;
}

static bool set_on_end(struct config *c, struct config_domain *d, const char *value, char *remedy)
{
    static const char *const words[] = {"shell", "poweroff", "reboot"};
    uint32_t word;
    (void)d;
    if (!chosen(value, words, 3, &word, remedy))
        return false;
    c->on_end = (enum config_on_end)word;
    return true;
}

static bool set_banner(struct config *c, struct config_domain *d, const char *value, char *remedy)
{
    (void)d;
    if (c->banners == CONFIG_BANNER_MAX) {
        snprintf(remedy, CONFIG_REMEDY_SIZE, "at most %d lines", CONFIG_BANNER_MAX);
        return false;
    }
    if (!copied(value, c->banner[c->banners], CONFIG_BANNER_SIZE, "a line to be shown", remedy))
        return false;
    c->banners++;
    return true;
}

static const struct config_key domain_keys[] = {
    {"kernel", true, set_kernel},     {"type", true, set_type},       {"cmdline", true, set_cmdline},
    {"module", false, set_module},    {"memory", true, set_memory},   {"vcpus", true, set_vcpus},
    {"priority", true, set_priority}, {"cpus", true, set_cpus},       {"autostart", true, set_autostart},
    {"console", true, set_console},   {"on_exit", true, set_on_exit}, {"success", true, set_success},
    {"load", true, set_load},         {"timeout", true, set_timeout}, {"irqchip", true, set_irqchip},
    {"acpi", true, set_acpi},         {"virtio", true, set_virtio},   {"disk", false, set_disk},
    {"net", false, set_net},          {"rng", true, set_rng},         {"vcon", true, set_vcon},
};

static const struct config_key global_keys[] = {
    {"on_end", true, set_on_end},
    {"banner", false, set_banner},
};

static const struct config_key *keys_of(bool global, uint32_t *count)
{
    *count =
        global ? sizeof(global_keys) / sizeof(global_keys[0]) : sizeof(domain_keys) / sizeof(domain_keys[0]);
    return global ? global_keys : domain_keys;
}

const struct config_key *config_key_find(bool global, const char *name, uint32_t *index)
{
    uint32_t count;
    const struct config_key *keys = keys_of(global, &count);
    for (*index = 0; *index < count; (*index)++)
        if (strcmp(keys[*index].name, name) == 0)
            return &keys[*index];
    return NULL;
}

void config_key_list(bool global, char *to, size_t size)
{
    uint32_t count;
    size_t used = 0;
    const struct config_key *keys = keys_of(global, &count);
    to[0] = '\0';
    for (uint32_t i = 0; i < count && used < size; i++)
        used += (size_t)snprintf(to + used, size - used, "%s%s", i ? ", " : "", keys[i].name);
}

void config_domain_defaults(struct config_domain *domain)
{
    memset(domain, 0, sizeof(*domain));
    domain->memory = 16ULL << 20;
    domain->vcpus = 1;
    domain->priority = 100;
    domain->cpus = UINT64_MAX;
    domain->success = 33;
    domain->load = UINT64_MAX; /* by type */
}
