/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include "guest_abi/hv_call.h"
#include "mgmt/start/start.h"
int main(void)
{
    printf("hello: version %d\n", (int)hv_version());
    return 0;
}
