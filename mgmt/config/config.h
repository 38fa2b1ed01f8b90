/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config: the text that says which domains there are. Pure: text in, tables and complaints out; the
 * same code serves the manager and the checker on the host.
 *
 *     ; keys before the first section are for the whole system
 *     on_end = poweroff
 *     [hello]
 *     kernel = hello.bin
 *     type = flat16
 *     memory = 1M
 *     autostart = yes
 *
 * `key = value`, one per line; lines that begin with ; or # are comments; a section is a domain and
 * its name. Each mistake is one complaint with line, key, value and remedy, and all of them are
 * found in one go. config_keys.c has the list of keys.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CONFIG_DOMAINS_MAX = 64,
    CONFIG_NAME_SIZE = 32,
    CONFIG_FILE_SIZE = 64, /* name of a boot module */
    CONFIG_CMDLINE_SIZE = 1024,
    CONFIG_MODULES_MAX = 16,
    CONFIG_MODULE_SIZE = 256, /* name of a boot module and its arguments */
    CONFIG_LINE_MAX = 1500,
    CONFIG_DISKS_MAX = 4,
    CONFIG_NETS_MAX = 2,
    CONFIG_BANNER_MAX = 8, /* lines */
    CONFIG_BANNER_SIZE = 120,
};

enum config_type {
    CONFIG_AUTO,
    CONFIG_FLAT16,
    CONFIG_FLAT32,
    CONFIG_MULTIBOOT,
    CONFIG_PVH,
    CONFIG_LINUX,
    CONFIG_LINUX32
};
enum config_console { CONFIG_CONSOLE_ON, CONFIG_CONSOLE_QUIET };
enum config_on_exit { CONFIG_EXIT_DESTROY, CONFIG_EXIT_KEEP, CONFIG_EXIT_RESTART };
enum config_irqchip {
    CONFIG_IRQCHIP_NONE,
    CONFIG_IRQCHIP_SPLIT,
    CONFIG_IRQCHIP_FULL
};                                                                      /* as HV_DOMAIN_IRQCHIP_* */
enum config_acpi { CONFIG_ACPI_AUTO, CONFIG_ACPI_NO, CONFIG_ACPI_YES }; /* auto: with an irqchip */
enum config_virtio { CONFIG_VIRTIO_PCI, CONFIG_VIRTIO_MMIO };
enum config_on_end { CONFIG_END_SHELL, CONFIG_END_POWEROFF, CONFIG_END_REBOOT };

/* A virtio disk: a boot module's content, or nothing of a size. */
struct config_disk {
    char module[CONFIG_FILE_SIZE]; /* "": empty at first, written to memory */
    uint64_t size;                 /* then */
    bool cow;                      /* can be written to; the module stays as it is */
    uint32_t line;                 /* in the text */
};

struct config_domain {
    char name[CONFIG_NAME_SIZE];
    uint32_t line; /* of its section */
    char kernel[CONFIG_FILE_SIZE];
    uint32_t kernel_line; /* where it is given */
    enum config_type type;
    char cmdline[CONFIG_CMDLINE_SIZE];
    char module[CONFIG_MODULES_MAX][CONFIG_MODULE_SIZE];
    uint32_t module_line[CONFIG_MODULES_MAX];
    uint32_t modules;
    uint64_t memory; /* bytes, whole pages */
    uint32_t vcpus;
    uint32_t priority;
    uint64_t cpus; /* mask */
    bool autostart;
    enum config_console console;
    enum config_on_exit on_exit;
    enum config_irqchip irqchip;
    enum config_acpi acpi;
    enum config_virtio virtio;
    struct config_disk disk[CONFIG_DISKS_MAX];
    uint32_t disks;
    char net[CONFIG_NETS_MAX][CONFIG_NAME_SIZE]; /* names of switches */
    uint32_t nets;
    bool rng, vcon;
    uint32_t success; /* the exit code that means success */
    uint64_t load;    /* flat images */
    uint32_t timeout; /* seconds until it is ended as failed; 0: none */
    uint32_t given;   /* bit n: row n of the keys was there */
};

struct config {
    struct config_domain domain[CONFIG_DOMAINS_MAX];
    uint32_t domains;
    enum config_on_end on_end;
    char banner[CONFIG_BANNER_MAX][CONFIG_BANNER_SIZE]; /* shown when the domains are started */
    uint32_t banners;
    uint32_t given;
    uint32_t line; /* that is being read */
    uint32_t complaints;
};

/* One complaint, a whole sentence without the file's name; line 0: the file as a whole. */
typedef void config_complain(void *ctx, uint32_t line, const char *sentence);

/* True when there was nothing to complain about. After false, `config` holds what could be read and
 * is good for config->on_end only. */
bool config_parse(struct config *config, const char *text, size_t length, config_complain *complain,
                  void *ctx);

/* A list of CPUs like "0,2-3", or "all", as a mask of CPUs 0 to 63; false: it is none. */
bool config_cpus(const char *text, uint64_t *cpus);
