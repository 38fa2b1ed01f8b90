/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Constants that the start-up assembly (boot/) and the start of other CPUs (smp.c) share. Only
 * #defines: the assembler reads it too.
 */
#ifndef ARCH_CPU_IMAGE_H
#define ARCH_CPU_IMAGE_H

/* The image's virtual address is its physical address plus this (linker.ld). */
#define IMAGE_VMA 0xffffffff80000000

/* Selectors of the start-up GDTs. */
#define BOOT_CS64 0x08
#define BOOT_DS   0x10

/* CR4.PAE; CR0 PE, ET, WP, PG; EFER LME and NXE: what long mode with NX needs, nothing else. */
#define CR4_BOOT          0x20
#define CR0_BOOT          0x80010011
#define EFER_BOOT         0x900
#define MSR_IA32_EFER_NUM 0xc0000080

/* The start-up page below 1 MiB (boot/ap_start.S): offset of the word that takes CR3. */
#define AP_CR3_OFF 0x08

/* struct smp_ap_args, smp.c. */
#define AP_ARGS_STACK 0
#define AP_ARGS_ENTRY 8
#define AP_ARGS_ARG   16
#define AP_ARGS_ALIVE 24

#endif
