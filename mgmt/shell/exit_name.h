/* SPDX-License-Identifier: BSD-2-Clause */
/* exit_name: what the reasons of VM exits are called. SDM volume 3, appendix C "VMX Basic Exit Reasons". */
#pragma once

#include <stdint.h>

/* "?" for one that cannot be. */
const char *exit_name(uint32_t reason);
