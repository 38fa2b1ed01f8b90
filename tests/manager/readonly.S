/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A page of sizes for abi.c: as a boot module it is read-only for the manager, and a call that is to
 * write to a structure there finds the right size word first. One each 512 bytes; at a quarter of each
 * the size of a reading of a trace, in the middle that of a physical interrupt, and at three quarters
 * that of a local APIC's description.
 */
	.data
	.irp	size, 184, 288, 32, 64, 112, 672, 40, 96
	.long	\size
	.fill	31, 4, 0
	.long	48
	.fill	31, 4, 0
	.long	56
	.fill	31, 4, 0
	.long	216
	.fill	31, 4, 0
	.endr
