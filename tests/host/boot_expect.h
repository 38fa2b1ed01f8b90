/* SPDX-License-Identifier: BSD-2-Clause */
/* boot_expect: the result of a loader parser, and what the tests of all three ask of it. */
#pragma once

#include "boot/boot_info.h"

#include "tests/host/test.h"

static struct boot_info out;

static inline void expect_zero(void)
{
    static const struct boot_info zero;
    EXPECT_MEMEQ(&out, &zero, sizeof(out));
}

static inline void expect_problem(uint32_t i, enum boot_problem_kind kind, uint32_t index)
{
    ASSERT_TRUE(i < out.problem_count);
    EXPECT_STREQ(boot_problem_text(out.problem[i].kind), boot_problem_text(kind));
    EXPECT_EQ(out.problem[i].index, index);
}
