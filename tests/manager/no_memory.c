/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/manager/lab.h"
void test_no_memory(void)
{
    CHECK(true);
}
