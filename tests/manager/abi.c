/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/manager/lab.h"
void test_abi(void)
{
    CHECK(true);
}
