/* SPDX-License-Identifier: BSD-2-Clause */
/* What the SDM says of each register: table.c. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { PAGE_R = 1, PAGE_W = 2, MSR_R = 4, MSR_W = 8 };

struct reg_rule {
    uint32_t may;
    uint32_t keeps;   /* bits that a write of the page changes */
    uint32_t ignores; /* bits of the MSR that are read-only without #GP */
    uint32_t ones;    /* bits that always read as one */
    uint32_t reset;   /* of a processor after INIT */
};

/* 0x000 to 0xff0; what is not there has no rights. */
struct reg_rule reg_rule(uint32_t offset);

extern bool page_all; /* every offset of the page */
void page_tests(void);
void msr_tests(void);
void value_tests(void);
void esr_tests(void);
