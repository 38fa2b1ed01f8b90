/* SPDX-License-Identifier: BSD-2-Clause */
/* Names for addresses in dumps, from the table that tools/symbols.py links into the image. */
#ifndef HV_CORE_SYMTAB_H
#define HV_CORE_SYMTAB_H

#include <stdint.h>

/* The function that holds `address` and the offset in it; NULL outside our text. */
const char *symtab_lookup(uint64_t address, uint64_t *offset);

/* The linker's build-id in hex. */
const char *symtab_build_id(void);

#endif
