/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config: see config.h. The lines are found by inih (compiled with line numbers, a call for each
 * section, and lines without a value allowed, so that all complaints are made here). inih counts on
 * lines of a limited length without NUL bytes, which check_bytes() makes sure of.
 */
#include "mgmt/config/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ini.h"
#include "mgmt/config/config_keys.h"

struct parse {
    struct config *config;
    struct config_domain *domain; /* of the current section; NULL: none, or one that is refused */
    bool global;
    config_complain *complain;
    void *ctx;
};

__attribute__((format(printf, 3, 4))) static void complain(struct parse *p, int line, const char *format, ...)
{
    char sentence[640];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    p->config->complaints++;
    p->complain(p->ctx, (uint32_t)line, sentence);
}

static bool name_is_good(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t length = strlen(name);
    bool digits = strspn(name, "0123456789") == length; /* would be taken for an id */
    return length > 0 && length < CONFIG_NAME_SIZE && strspn(name, allowed) == length && !digits;
}

static void open_section(struct parse *p, const char *name, int line)
{
    p->global = false;
    p->domain = NULL;
    if (!name_is_good(name)) {
        complain(p, line,
                 "[%s]: a domain's name has 1 to %d letters, digits, '-', '_' or '.', and is not a "
                 "number",
                 name, CONFIG_NAME_SIZE - 1);
        return;
    }
    for (uint32_t i = 0; i < p->config->domains; i++)
        if (strcmp(p->config->domain[i].name, name) == 0) {
            complain(p, line, "[%s]: this domain is there already, in line %u; rename one of them", name,
                     p->config->domain[i].line);
            return;
        }
    if (p->config->domains == CONFIG_DOMAINS_MAX) {
        complain(p, line, "[%s]: more than %d domains", name, CONFIG_DOMAINS_MAX);
        return;
    }
    p->domain = &p->config->domain[p->config->domains++];
    config_domain_defaults(p->domain);
    memcpy(p->domain->name, name, strlen(name) + 1);
    p->domain->line = (uint32_t)line;
}

static void set_key(struct parse *p, const char *name, const char *value, int line)
{
    char remedy[CONFIG_REMEDY_SIZE] = "";
    uint32_t index;
    uint32_t *given = p->global ? &p->config->given : &p->domain->given;
    const struct config_key *key = config_key_find(p->global, name, &index);
    if (!key) {
        config_key_list(p->global, remedy, sizeof(remedy));
        complain(p, line, "%s = %s: there is no such key%s; the keys are: %s", name, value,
                 p->global ? " before the first [domain]" : "", remedy);
        return;
    }
    if (key->once && *given & 1U << index) {
        complain(p, line, "%s = %s: %s is given twice; remove one of the lines", name, value, name);
        return;
    }
    *given |= 1U << index;
    p->config->line = (uint32_t)line;
    if (!key->set(p->config, p->domain, value, remedy))
        complain(p, line, "%s = %s: %s", name, value, remedy);
}

/* Called by inih: for each section with name NULL, for each key with or without a value. */
static int on_line(void *user, const char *section, const char *name, const char *value, int line)
{
    struct parse *p = user;
    if (!name)
        open_section(p, section, line);
    else if (!value)
        complain(p, line, "%.60s: neither [domain] nor key = value", name);
    else if (p->global || p->domain)
        set_key(p, name, value, line);
    return 1;
}

struct input {
    const char *at;
    size_t left;
};

/* One line with its newline, as fgets does. */
static char *next_line(char *to, int room, void *stream)
{
    struct input *input = stream;
    size_t length = 0;
    if (input->left == 0)
        return NULL;
    while (input->left > 0 && length + 1 < (size_t)room) {
        to[length] = *input->at++;
        input->left--;
        if (to[length++] == '\n')
            break;
    }
    to[length] = '\0';
    return to;
}

/* No byte that is not text, no line that is too long. */
static bool check_bytes(struct parse *p, const char *text, size_t length)
{
    int line = 1;
    size_t start = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte == '\n') {
            line++;
            start = i + 1;
        } else if ((byte < ' ' && byte != '\t' && byte != '\r') || byte == 0x7f) {
            complain(p, line, "byte %#x is not text; write the file anew", byte);
            return false;
        } else if (i - start >= CONFIG_LINE_MAX) {
            complain(p, line, "the line has more than %d characters; shorten it", CONFIG_LINE_MAX);
            return false;
        }
    }
    return true;
}

/* A virtio device is of no use to a guest that it cannot interrupt. */
static void check_virtio(struct parse *p, const struct config_domain *domain)
{
    bool mmio = domain->virtio == CONFIG_VIRTIO_MMIO;
    if (domain->disks == 0 && domain->nets == 0 && !domain->rng && !domain->vcon)
        return;
    if (domain->irqchip == CONFIG_IRQCHIP_NONE || (mmio && domain->irqchip != CONFIG_IRQCHIP_FULL))
        complain(p, (int)domain->line, "[%s]: disk, net, rng and vcon need interrupts; write irqchip = full",
                 domain->name);
}

static void check_domains(struct parse *p)
{
    for (uint32_t i = 0; i < p->config->domains; i++) {
        struct config_domain *domain = &p->config->domain[i];
        uint32_t kernel, load;
        (void)config_key_find(false, "kernel", &kernel);
        (void)config_key_find(false, "load", &load);
        if ((domain->given & 1U << kernel) == 0)
            complain(p, (int)domain->line, "[%s]: kernel is missing; write kernel = boot module",
                     domain->name);
        if (domain->given & 1U << load && domain->type != CONFIG_FLAT16 && domain->type != CONFIG_FLAT32)
            complain(p, (int)domain->line,
                     "[%s]: load is for type = flat16 and flat32; other images know their address",
                     domain->name);
        if (domain->load == UINT64_MAX)
            domain->load = domain->type == CONFIG_FLAT16 ? 0x7c00 : 0x100000;
        check_virtio(p, domain);
    }
}

bool config_parse(struct config *config, const char *text, size_t length, config_complain *complain_to,
                  void *ctx)
{
    struct parse p = {.config = config, .global = true, .complain = complain_to, .ctx = ctx};
    memset(config, 0, sizeof(*config));
    if (!check_bytes(&p, text, length))
        return false;
    struct input input = {text, length};
    int bad = ini_parse_stream(next_line, &input, on_line, &p);
    if (bad != 0)
        complain(&p, bad, "a [ without its ]; close the bracket");
    check_domains(&p);
    return config->complaints == 0;
}
