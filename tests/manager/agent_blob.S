/* SPDX-License-Identifier: BSD-2-Clause */
/* The agent's image inside the test manager, and the page of struct sizes that is a boot module: see readonly.S. */
	.section .rodata
	.balign 16
	.global agent_image, agent_image_end
agent_image:
	.incbin "agent.bin"
agent_image_end:
	.section .note.GNU-stack, "", @progbits
