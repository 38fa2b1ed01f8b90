/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who owns which interrupt vector of a physical CPU. Each range is derived from its neighbour, so
 * none can overlap. Order matters to the local APIC: the higher the vector, the higher its
 * priority.
 */
#ifndef ARCH_CPU_VECTORS_H
#define ARCH_CPU_VECTORS_H

enum vector {
    VECTOR_DE = 0,
    VECTOR_DB = 1,
    VECTOR_NMI = 2,
    VECTOR_BP = 3,
    VECTOR_OF = 4,
    VECTOR_BR = 5,
    VECTOR_UD = 6,
    VECTOR_NM = 7,
    VECTOR_DF = 8,
    VECTOR_TS = 10,
    VECTOR_NP = 11,
    VECTOR_SS = 12,
    VECTOR_GP = 13,
    VECTOR_PF = 14,
    VECTOR_MF = 16,
    VECTOR_AC = 17,
    VECTOR_MC = 18,
    VECTOR_XM = 19,
    VECTOR_VE = 20,
    VECTOR_CP = 21,
    VECTOR_EXCEPTIONS_END = 32,

    /* Our own, at the top: kicks and notifications go before device interrupts. */
    VECTOR_OWN_FIRST = 0xf0,
    VECTOR_CALL = VECTOR_OWN_FIRST, /* run a function on this CPU (smp.c) */
    VECTOR_TIMER,                   /* the local APIC timer's deadline */
    VECTOR_KICK,                    /* leave the guest or wake from HLT, then look at the pending work */
    VECTOR_PI_NOTIFY,               /* posted-interrupt notification; taken in root mode it means "drain" */
    VECTOR_PI_WAKEUP,               /* a posted interrupt for a vCPU that is blocked on this CPU */
    VECTOR_APIC_ERROR,
    VECTOR_SPURIOUS = 0xff,

    VECTOR_DEVICE_FIRST = VECTOR_EXCEPTIONS_END,
    VECTOR_DEVICE_LAST = VECTOR_OWN_FIRST - 1,
};

#endif
