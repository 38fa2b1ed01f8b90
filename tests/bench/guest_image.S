/* SPDX-License-Identifier: BSD-2-Clause */
/* The guests' flat images inside the manager's. */
    .section .rodata
    .globl  bench_guest, bench_guest_end, bench_guest_apic, bench_guest_apic_end
bench_guest:
    .incbin "bench_guest.bin"
bench_guest_end:
bench_guest_apic:
    .incbin "bench_guest_apic.bin"
bench_guest_apic_end:
    .section .note.GNU-stack, "", @progbits
