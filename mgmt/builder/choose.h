/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * choose: the loader for a kernel, by the type that the configuration gives it or, with `auto`, by what the
 * image says of itself. Pure.
 */
#pragma once

#include "mgmt/builder/plan.h"
#include "mgmt/config/config.h"

/* Leaves plan->failed as its answer, as the loaders do. */
void choose_loader(struct plan *plan, enum config_type type, const struct plan_input *input);
