# SPDX-License-Identifier: BSD-2-Clause
HV_SRCS += $(addprefix boot/, header.S ap_start.S boot_info.c boot_memmap.c multiboot.c multiboot2.c pvh.c cmdline.c)
