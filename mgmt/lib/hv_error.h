/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hv_error: results of hypercalls as text.
 */
#pragma once

#include <stdint.h>

/* A short English phrase for the negative result of a call, without the final dot. */
const char *hv_error_text(int64_t result);
