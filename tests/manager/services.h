/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by services.c and services_load.c. */
#pragma once

#include "tests/manager/lab.h"

int64_t services_answer(struct guest *g, uint32_t vcpu, uint64_t data);
bool services_expect_pio(struct guest *g, uint32_t vcpu, uint16_t port, uint32_t width, bool write,
                         uint64_t data);
bool services_expect_mmio(struct guest *g, uint32_t vcpu, gpa_t gpa, uint32_t width, bool write,
                          uint64_t data);
gpa_t services_spare_page(void);
void services_claim(struct guest *g); /* ports 0x200 to 0x20f, two pages at AGENT_MMIO */
void services_load(void);
