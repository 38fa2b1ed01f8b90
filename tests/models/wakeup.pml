/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wake-up protocol of hv/core/sched.c: a vCPU that sleeps, dozes, runs or is about to enter the guest, and two other
 * processors that send it requests.
 *
 * Claim: when nothing moves any more, no request is left: none was lost by a vCPU that sleeps, idles or is in the guest.
 * The numbered barriers can be taken away one by one (-DNO_...); each time the claim must fail. run.sh does all that.
 *
 * In the model the vCPU is the only one of its processor, so sched_next finds it or idles. An interrupt that arrives in
 * root mode stays pending (`ipi`) and ends the next guest instruction or HLT.
 */
#define CPUS 3
#define VARS 6

/* Variables. The last three are guarded by LOCK. */
#define REQUESTS 0
#define LOCK     1
#define BLOCKED  2
#define RUNNING  3
#define QUEUED   4
#define CURRENT  5 /* the run queue's: 0 = idle */

#include "tso.pml"

bool ipi;        /* pending at the vCPU's processor */
byte left[CPUS]; /* requests that a sender will still send */

/* spin_lock is a locked instruction; spin_unlock a plain store. */
#define SPIN_LOCK                                                                                  \
    atomic {                                                                                       \
        DRAINED && mem[LOCK] == 0 -> mem[LOCK] = 1                                                 \
    }
#define SPIN_UNLOCK STORE(LOCK, 0)

/* Barrier 1: between `blocked` and `requests` in sched_block. */
#ifdef NO_FENCE_IN_BLOCK
#define FENCE_IN_BLOCK skip
#else
#define FENCE_IN_BLOCK FENCE
#endif

/* Barrier 2: the request is a locked OR. */
#ifdef NO_LOCKED_REQUEST
#define SET_REQUEST STORE(REQUESTS, 1)
#else
#define SET_REQUEST                                                                                \
    atomic {                                                                                       \
        DRAINED -> mem[REQUESTS] = 1                                                               \
    }
#endif

/* Barrier 3: the requests are taken by an exchange, which comes after `running` has been set. */
#ifdef NO_LOCKED_TAKE
#define TAKE_REQUESTS                                                                              \
    atomic {                                                                                       \
        if                                                                                         \
        :: LOAD(REQUESTS) -> DRAINED -> mem[REQUESTS] = 0                                          \
        :: else                                                                                    \
        fi                                                                                         \
    }
#else
#define TAKE_REQUESTS                                                                              \
    atomic {                                                                                       \
        DRAINED -> mem[REQUESTS] = 0                                                               \
    }
#endif

/* An interrupt in root mode is kept, not lost. */
#ifdef NO_PENDING_IPI
bool in_guest_or_hlt;
#define SEND_IPI                                                                                   \
    atomic {                                                                                       \
        if                                                                                         \
        :: in_guest_or_hlt -> ipi = true                                                           \
        :: else                                                                                    \
        fi                                                                                         \
    }
#define AWAIT_IPI                                                                                  \
    in_guest_or_hlt = true;                                                                        \
    atomic {                                                                                       \
        ipi -> ipi = false;                                                                        \
        in_guest_or_hlt = false                                                                    \
    }
#else
#define SEND_IPI ipi = true
#define AWAIT_IPI                                                                                  \
    atomic {                                                                                       \
        ipi -> ipi = false                                                                         \
    }
#endif

/* The wake-up of an idle processor. */
#ifdef NO_IDLE_KICK
#define IDLE_KICK skip
#else
#define IDLE_KICK SEND_IPI
#endif

/* hv/exit/run.c and the blocking half of sched.c. */
proctype vcpu(byte me)
{
    bool blocked;
serve:
    TAKE_REQUESTS;
    if
    :: goto block /* HLT, or a wait */
    :: goto doze  /* the same, with an empty queue */
    :: LOAD(REQUESTS) -> goto serve
    :: !LOAD(REQUESTS) -> goto guest
    fi;
guest:
end_guest:
    AWAIT_IPI; /* VM exit */
    if
    :: LOAD(REQUESTS) -> goto serve
    :: else -> goto guest
    fi;
doze: /* it goes on running */
    if
    :: LOAD(REQUESTS) -> goto serve
    :: else
    fi;
end_doze:
    AWAIT_IPI; /* HLT in root mode */
    goto doze;
block:
    SPIN_LOCK;
    STORE(BLOCKED, 1);
    FENCE_IN_BLOCK;
    if
    :: LOAD(REQUESTS) -> STORE(BLOCKED, 0)
    :: else
    fi;
    blocked = LOAD(BLOCKED);
    SPIN_UNLOCK;
    if
    :: blocked -> blocked = false
    :: else -> goto serve
    fi;
    /* sched_next */
    SPIN_LOCK;
    STORE(RUNNING, 0);
    if
    :: !LOAD(BLOCKED) -> STORE(QUEUED, 1)
    :: else
    fi;
pick:
    if
    :: LOAD(QUEUED) ->
        STORE(QUEUED, 0);
        STORE(CURRENT, 1);
        STORE(RUNNING, 1);
        SPIN_UNLOCK;
        goto serve
    :: else -> STORE(CURRENT, 0); SPIN_UNLOCK
    fi;
end_idle:
    AWAIT_IPI;
    SPIN_LOCK;
    goto pick
}

/* sched_request, and settle() under the lock. */
proctype sender(byte me)
{
    bool idle;
again:
    left[me]--;
    SET_REQUEST;
    if
    :: LOAD(BLOCKED) ->
        SPIN_LOCK;
        STORE(BLOCKED, 0);
        if
        :: !LOAD(RUNNING) && !LOAD(QUEUED) ->
            STORE(QUEUED, 1);
            idle = !LOAD(CURRENT)
        :: else
        fi;
        SPIN_UNLOCK;
        if
        :: idle -> IDLE_KICK; idle = false
        :: else
        fi
    :: else ->
        if
        :: LOAD(RUNNING) -> SEND_IPI
        :: else
        fi
    fi;
    if
    :: left[me] -> goto again
    :: else
    fi
}

init
{
    byte i;
    atomic {
        mem[RUNNING] = 1;
        mem[CURRENT] = 1;
        left[1] = 2;
        left[2] = 1;
        for (i : 0 .. CPUS - 1) {
            run drain(i)
        }
        i = 0;
        run vcpu(0);
        run sender(1);
        run sender(2)
    }
    timeout;
    assert(left[1] == 0 && left[2] == 0);
    assert(mem[REQUESTS] == 0)
}
