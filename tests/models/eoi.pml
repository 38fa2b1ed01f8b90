/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Level interrupts where hardware ends them: an EOI exits only for vectors in `eoi_exits`, hv/vapic/vapic.c
 * (vapic_take_late, vapic_eoi_seen) and hv/vapic/deliver.c (post). One vector, which a poster uses for edges
 * and for levels in turn; a level is posted again only when its EOI was seen, as an I/O APIC does. The owner
 * takes what was posted, delivers it and ends it at any time.
 *
 * Claim, when nothing moves any more: the EOI of each level was seen. Each variant (-DNO_..., see run.sh) takes
 * a rule away and must fail. In the model the owner's steps in root mode and in the guest come in any order that
 * the request allows; that a request is looked at is the claim of wakeup.pml.
 */
#define CPUS 2
#define VARS 4

#define TMR   0
#define EXITS 1 /* eoi_exits */
#define LATE  2
#define PIR   3

#include "tso.pml"

bool hw;   /* the bit in the VMCS */
bool irr, isr;
bool owed; /* remote IRR: a level was posted whose EOI was not seen */

#define LOCKED(variable, value)                                                                              \
    atomic {                                                                                                 \
        DRAINED -> mem[variable] = value                                                                     \
    }

/* vlapic_admit sets and clears TMR by a locked instruction, and only if it changes. */
#ifdef NO_LOCKED_TMR
#define SET_TMR(value) STORE(TMR, value)
#else
#define SET_TMR(value) LOCKED(TMR, value)
#endif

proctype poster(byte me)
{
    byte posts = 4;
    do
    :: posts && !owed ->
        posts--;
        if
        :: SET_TMR(0);
            LOCKED(PIR, 1)
        :: atomic { owed = true };
            SET_TMR(1);
#ifdef NO_LATE
            LOCKED(PIR, 1)
#else
            if
            :: LOAD(EXITS) -> LOCKED(PIR, 1)
            :: else -> LOCKED(LATE, 1)
            fi
#endif
        fi
    :: !posts -> break
    od
}

proctype owner(byte me)
{
end:
    do
    :: mem[LATE] ->
#ifdef NO_PROGRAM
        LOCKED(LATE, 0);
        LOCKED(EXITS, 1);
        irr = true
#else
        LOCKED(LATE, 0);
        LOCKED(EXITS, 1);
        hw = true;
        irr = true
#endif
    :: mem[PIR] -> LOCKED(PIR, 0); irr = true
    :: atomic { irr && !isr -> irr = false; isr = true }
    :: isr ->
        isr = false;
        if
        :: hw -> goto exited
        :: else
        fi
    od;
exited:
    if
    :: LOAD(TMR) -> owed = false
    :: else
    fi;
    /* vapic_eoi_seen */
    if
    :: LOAD(TMR) -> goto end
    :: else
    fi;
    LOCKED(EXITS, 0);
#ifndef NO_SECOND_LOOK
    if
    :: LOAD(TMR) -> LOCKED(EXITS, 1)
    :: else
    fi;
#endif
    hw = LOAD(EXITS);
    goto end
}

init
{
    atomic {
        run drain(0);
        run drain(1);
        run owner(0);
        run poster(1)
    }
    timeout;
    assert(!owed);
    assert(!mem[PIR] && !mem[LATE] && !irr && !isr)
}
