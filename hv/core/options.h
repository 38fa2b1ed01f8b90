/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's command line, parsed once at start; the table of keys is in options.c. */
#ifndef HV_CORE_OPTIONS_H
#define HV_CORE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/uart_config.h"
#include "hv/core/log.h"

struct options {
    struct uart_config com1; /* kind UART_NONE: no console */
    enum log_level log_level;
    uint64_t pool_size; /* hvmem=; 0: the default */
    uint64_t max_cpus;  /* maxcpus= */
    uint32_t vapic;     /* vapic=: enum apicv_level, the highest that is used; UINT32_MAX: no limit */
};

/* Constant after options_parse. */
extern struct options options;

/*
 * Takes what it understands, keeps the default for the rest, and remembers what to complain about. Also sets
 * the exit policy. image_first: the loader puts the image's path before the first word (Multiboot 1).
 */
void options_parse(const char *cmdline, bool image_first);

/* Prints the complaints, once there is a console. */
void options_report(void);

#endif
