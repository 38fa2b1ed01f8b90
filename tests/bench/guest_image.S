/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's flat image inside the manager's. */
    .section .rodata
    .globl  bench_guest, bench_guest_end
bench_guest:
    .incbin "bench_guest.bin"
bench_guest_end:
    .section .note.GNU-stack, "", @progbits
