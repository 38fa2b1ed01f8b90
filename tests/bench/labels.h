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
/* Interrupts: guest_apic.S, manager_apic.c; with 2 CPUs. */
#define LABEL_TPR                 10
#define LABEL_TPR_CR8             11
#define LABEL_EOI_EDGE            12
#define LABEL_SELF_IPI            13
#define LABEL_IPI_RUNNING         14
#define LABEL_IPI_SAME_CPU        15
#define LABEL_IPI_HALTED          16
#define LABEL_DEADLINE_ARM        17
#define LABEL_DEADLINE_FIRE       18
#define LABEL_DEADLINE_HLT_FIRE   19
#define LABEL_IPI_RUNNING_LOGICAL 24
#define LABEL_MSI_INJECT          25
#define LABEL_MSI_INJECT_HALTED   26
#define LABEL_EOI_LEVEL           27
#define LABEL_IRQ_LINE            28
#define LABEL_NOTIFIER_SIGNAL     29
/* The same with 8 CPUs. */
#define LABEL_IPI_RUNNING_OF_8 20
#define LABEL_IPI_BROADCAST_2  21
#define LABEL_IPI_BROADCAST_4  22
#define LABEL_IPI_BROADCAST_8  23
/* Routes: manager_route.c. */
#define LABEL_ROUTE_REPLACE_10     30
#define LABEL_ROUTE_REPLACE_1000   31
#define LABEL_ROUTE_REPLACE_100000 32
#define LABEL_DOORBELL_PIO         33
#define LABEL_DOORBELL_MMIO        34
#define LABEL_DOORBELL_MANAGER     35
#define LABEL_RESAMPLE             36
#define LABEL_DEVICE_EDGE          37
#define LABEL_DEVICE_LEVEL         38
/* In xAPIC mode, with 2 CPUs; no number above these. */
#define LABEL_TPR_XAPIC         40
#define LABEL_EOI_EDGE_XAPIC    41
#define LABEL_SELF_IPI_XAPIC    42
#define LABEL_IPI_RUNNING_XAPIC 43

#define PREFETCH_BASE   0x5b1a0000
#define PREFETCH_STRIDE 64

/* The guest's memory: code at GUEST_LOAD, nothing at GUEST_MMIO and GUEST_BELL. */
#define GUEST_LOAD  0x1000
#define GUEST_PAGES 8
#define GUEST_MMIO  0x100000
#define GUEST_BELL  0x101000

#define PORT_UNCLAIMED 0x1230
#define PORT_CLAIMED   0xe00 /* reads as PORT_ANSWER */
#define PORT_DONE      0xe04 /* the guest has finished its job */
#define PORT_ANSWER    0x5a
#define PORT_COUNT     8
#define PORT_BELL      0xe10

#define WAKE_VECTOR 0x40

/* guest_apic.S: the first processor starts behind the place where SIPI takes the others. */
#define APIC_GUEST_ENTRY (GUEST_LOAD + 0x40)
#define IPI_VECTOR       0x50
#define LEVEL_PIN        20 /* of the I/O APIC, and the GSI */
