/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * labels: the rows of the bench, as the counting emulator knows them (tests/bochs/README.md), and
 * what the guest and its manager agree on. Included by C and assembly; tests/bench/bench.py reads
 * the numbers from here.
 */
#define LABEL_NONE                  0
#define LABEL_CPUID                 1
#define LABEL_HYPERCALL_NULL        2
#define LABEL_PIO_HV                3
#define LABEL_PIO_MANAGER           4
#define LABEL_PIO_MANAGER_OTHER_CPU 5
#define LABEL_MMIO_MANAGER          6
#define LABEL_VCPU_SWITCH           7
#define LABEL_HLT_WAKE_OTHER_CPU    8
#define LABEL_DOMAIN_LIFECYCLE      9

#define PREFETCH_BASE   0x5b1a0000
#define PREFETCH_STRIDE 64

/* The guest's memory: code at GUEST_LOAD, nothing at GUEST_MMIO. */
#define GUEST_LOAD  0x1000
#define GUEST_PAGES 8
#define GUEST_MMIO  0x100000

#define PORT_UNCLAIMED 0x1230
#define PORT_CLAIMED   0xe00 /* reads as PORT_ANSWER */
#define PORT_DONE      0xe04 /* the guest has finished its job */
#define PORT_ANSWER    0x5a
#define PORT_COUNT     8

#define WAKE_VECTOR 0x40
