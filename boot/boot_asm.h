/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How header.S tells boot_main which protocol brought us here: the value that the loader left in EAX, or
 * PVH's own magic.
 */
#ifndef BOOT_BOOT_ASM_H
#define BOOT_BOOT_ASM_H

#include "arch/cpu/image.h"

#define BOOT_MAGIC_MB1 0x2badb002
#define BOOT_MAGIC_MB2 0x36d76289
#define BOOT_MAGIC_PVH 0x336ec578

#endif
