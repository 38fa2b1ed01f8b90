/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Posted interrupts, from the poster to the guest: hv/vapic/pi.h (post, take), hv/vapic/deliver.c (tell),
 * hv/core/sched.c (block, wake, queue), hv/exit/run.c (serve, enter). One vCPU with local APIC that runs, is
 * preempted, sleeps in HLT, or moves to another CPU (-DMIGRATION); posters on other CPUs, or one and the vCPU
 * itself (its own IPIs, -DOWN). Two vectors: HIGH can be delivered, LOW too unless the guest's priority keeps it back, which
 * is chosen at the start and stays (V-10).
 *
 * Claims, when nothing moves any more: every vector was delivered after it was posted last (LOW, when kept
 * back: is in IRR); ON is clear and nothing is in PIR; and never is more taken than was announced, so that
 * nobody goes round for ever. Each variant (-DNO_..., see run.sh) takes one rule away and must fail.
 * -DNO_POSTING: levels below `pi`, where the notification is an exit.
 *
 * An interrupt that arrives in root mode stays pending; so does the notification, which the processor then
 * handles at the VM entry as in the guest: clear ON, take PIR, raise RVI. Only an exit by #DB or #AC takes what is
 * pending (-DEXCEPTION, hv/exit/intr.c).
 */
#ifdef MIGRATION
#define PROCESSORS 2 /* that run vCPUs */
#define POSTERS    1
#define CPUS       4 /* and one moves it */
#else
#define PROCESSORS 1
#define POSTERS    2
#define CPUS       3
#endif

#define REQUESTS 0 /* 1: event, 2: look at the scheduler */
#define PIR      1
#define ON       2
#define BLOCKED  3
#define RUNNING  4
#define HOLD     5
#define HOME     6
#define LOCK     7 /* one for each processor's queue */
#define NOTIFY   9 /* 1 + the processor to be notified; 0: none */
#define VARS     10

#include "tso.pml"

#define HIGH 1
#define LOW  2

/* Of the queues, read and written under their locks only, so that no FIFO matters. */
bool queued, current[PROCESSORS];

bool kick[PROCESSORS]; /* pending interrupts */
bool nv[PROCESSORS];
byte irr, kept_back; /* of the guest; vectors that its priority keeps back */
bool halted;
byte truth;         /* posted and not yet in IRR: what PIR should be */
byte told, taken;   /* ON went from 0 to 1; was found set and cleared */
byte hlts = 1;
#ifdef MIGRATION
byte preemptions; /* the move is one */
#else
byte preemptions = 1;
#endif
#ifdef OWN
byte own = 1; /* IPIs to itself */
#else
byte own;
#endif
#ifdef EXCEPTION
byte exceptions = 2;
#else
byte exceptions;
#endif

#define DELIVERABLE (irr & ~kept_back)

#define LOCK_OF(q)                                                                                           \
    atomic {                                                                                                 \
        DRAINED && mem[LOCK + (q)] == 0 -> mem[LOCK + (q)] = 1                                               \
    }
#define UNLOCK_OF(q) STORE(LOCK + (q), 0)
#define REQUEST(bits)                                                                                        \
    atomic {                                                                                                 \
        DRAINED -> mem[REQUESTS] = mem[REQUESTS] | (bits)                                                    \
    }

#ifdef NO_HOME_CHECK
#define STILL_HOME true
#else
#define STILL_HOME LOAD(HOME) == q
#endif

/* The queue of the vCPU's processor, locked; the vCPU may move until then. */
inline lock_home()
{
    do
    :: q = LOAD(HOME);
        LOCK_OF(q);
        atomic {
            if
            :: STILL_HOME -> break
            :: else -> UNLOCK_OF(q)
            fi
        }
    od
}

/*
 * settle() for a vCPU that may have become able to run, and the wake-up of an idle processor. All fields are
 * written under the lock, so they are looked at in one step.
 */
inline settle_and_unlock()
{
    atomic {
        idle = false;
        if
        :: !LOAD(RUNNING) && !queued && !LOAD(HOLD) && !LOAD(BLOCKED) ->
            queued = true;
            idle = !current[q]
        :: else
        fi;
        UNLOCK_OF(q)
    };
    atomic {
        if
        :: idle -> kick[q] = true
        :: else
        fi;
        idle = false;
        q = 0
    }
}

inline unblock()
{
    lock_home();
    STORE(BLOCKED, 0);
    settle_and_unlock()
}

inline sched_request(bits)
{
    REQUEST(bits);
    if
    :: LOAD(BLOCKED) -> unblock()
    :: else ->
        if
        :: LOAD(RUNNING) -> kick[LOAD(HOME)] = true
        :: else
        fi
    fi
}

/* Step 2 of pi.h: ON by a locked instruction, which is the barrier before the look at the vCPU's place. */
#ifdef NO_LOCKED_ON
#define SET_ON                                                                                               \
    atomic {                                                                                                 \
        on = LOAD(ON);                                                                                       \
        told = told + 1 - on;                                                                                \
        STORE(ON, 1)                                                                                         \
    }
#else
#define SET_ON                                                                                               \
    atomic {                                                                                                 \
        DRAINED -> on = mem[ON];                                                                             \
        mem[ON] = 1;                                                                                         \
        told = told + 1 - on                                                                                 \
    }
#endif

/* A notification in root mode is kept, not lost. */
#ifdef NO_ROOT_PENDING
bool in_guest[PROCESSORS];
#define SEND_NV(p)                                                                                           \
    atomic {                                                                                                 \
        if                                                                                                   \
        :: in_guest[p] -> nv[p] = true                                                                       \
        :: else                                                                                              \
        fi                                                                                                   \
    }
#define ENTER in_guest[me] = true
#define LEAVE in_guest[me] = false
#else
#define SEND_NV(p) nv[p] = true
#define ENTER skip
#define LEAVE skip
#endif

/* sched_posted; `mine`: the processor that posts, or none. */
inline tell(mine)
{
    where = LOAD(NOTIFY);
    if
    :: where && where - 1 != mine -> SEND_NV(where - 1)
    :: else -> /* deliver_tell */
        where = LOAD(HOME);
        if
        :: LOAD(BLOCKED) -> unblock()
        :: else ->
            if
            :: !LOAD(RUNNING) -> skip
            :: else ->
                if
                :: where == mine -> REQUEST(1)
                :: else -> SEND_NV(where)
                fi
            fi
        fi
    fi;
    where = 0
}

inline post(vector, mine)
{
    atomic {
        DRAINED -> known = (mem[PIR] & vector) != 0;
        mem[PIR] = mem[PIR] | vector;
        truth = truth | vector
    };
    if
    :: known -> known = false
    :: else ->
        SET_ON;
        if
        :: on -> on = 0
        :: else -> tell(mine)
        fi
    fi
}

/* pi.h, a and b; by the owner, or by the processor in the guest. */
#define CLEAR_ON                                                                                             \
    atomic {                                                                                                 \
        DRAINED -> taken = taken + mem[ON];                                                                  \
        mem[ON] = 0                                                                                          \
    }
#ifdef NO_EXCHANGE
#define FOLD                                                                                                 \
    atomic {                                                                                                 \
        got = mem[PIR];                                                                                      \
        truth = truth & ~got                                                                                 \
    };                                                                                                       \
    atomic {                                                                                                 \
        DRAINED -> mem[PIR] = 0;                                                                             \
        irr = irr | got;                                                                                     \
        got = 0                                                                                              \
    }
#else
#define FOLD                                                                                                 \
    atomic {                                                                                                 \
        DRAINED -> irr = irr | mem[PIR];                                                                     \
        truth = truth & ~mem[PIR];                                                                           \
        mem[PIR] = 0                                                                                         \
    }
#endif
#ifdef NO_CLEAR_FIRST
#define TAKE                                                                                                 \
    FOLD;                                                                                                    \
    CLEAR_ON
#else
#define TAKE                                                                                                 \
    CLEAR_ON;                                                                                                \
    FOLD
#endif

/* What serve() looks at besides the requests. */
#ifdef NO_ON_AT_ENTRY
#define POSTED 0
#else
#define POSTED LOAD(ON)
#endif
/* What sched_block looks at. */
#ifdef NO_ON_IN_BLOCK
#define POSTED_IN_BLOCK 0
#else
#ifdef NO_TAKE_BEFORE_SLEEP
/* "Nothing that could be delivered is posted": sleeps with ON set (V-10). */
#define POSTED_IN_BLOCK (LOAD(PIR) & ~kept_back)
#else
#define POSTED_IN_BLOCK LOAD(ON)
#endif
#endif
#ifdef NO_TAKE_BEFORE_SLEEP
#define TO_TAKE (LOAD(ON) && (!halted || (LOAD(PIR) & ~kept_back)))
#else
#define TO_TAKE LOAD(ON)
#endif

#ifdef NO_FENCE_IN_BLOCK
#define FENCE_IN_BLOCK skip
#else
#define FENCE_IN_BLOCK FENCE
#endif

/* Who reads `notify_at` before the look at ON, posts before it. */
#ifdef NO_NOTIFY_FIRST
#define NOTIFY_FIRST skip
#else
#define NOTIFY_FIRST STORE(NOTIFY, 0)
#endif

/* The requests are taken by an exchange, which stands between `running` and the look at ON. */
#ifdef NO_LOCKED_TAKE
#define TAKE_REQUESTS                                                                                        \
    atomic {                                                                                                 \
        r = LOAD(REQUESTS);                                                                                  \
        if                                                                                                   \
        :: r -> DRAINED -> mem[REQUESTS] = 0                                                                 \
        :: else                                                                                              \
        fi                                                                                                   \
    }
#else
#define TAKE_REQUESTS                                                                                        \
    atomic {                                                                                                 \
        DRAINED -> r = mem[REQUESTS];                                                                        \
        mem[REQUESTS] = 0                                                                                    \
    }
#endif

/* A processor that runs the vCPU when it is its home's turn. */
proctype processor(byte me)
{
    byte r, q, on, where, got;
    bool known, idle, blocked;
    if
    :: me == 0 -> goto serve
    :: else -> goto pick
    fi;
serve:
    TAKE_REQUESTS;
    atomic {
        if
        :: ((r & 1) || POSTED) && TO_TAKE -> goto take
        :: else -> goto decide
        fi
    };
take:
    TAKE;
decide:
    atomic {
        halted = halted && !DELIVERABLE;
        if
        :: (r & 2) || LOAD(HOLD) -> goto next
        :: else
        fi;
        if
        :: !halted -> goto last_look
        :: else
        fi
    };
    if
    :: goto doze /* nobody else is in the queue */
    :: skip
    fi;
    LOCK_OF(me);
    STORE(BLOCKED, 1);
    NOTIFY_FIRST;
    FENCE_IN_BLOCK;
    if
    :: LOAD(REQUESTS) || POSTED_IN_BLOCK -> STORE(BLOCKED, 0); STORE(NOTIFY, 1 + me)
    :: else -> STORE(NOTIFY, 0)
    fi;
    atomic {
        blocked = LOAD(BLOCKED);
        UNLOCK_OF(me);
        if
        :: blocked -> blocked = false; goto next
        :: else
        fi
    };
last_look:
    atomic {
        if
        :: LOAD(REQUESTS) || POSTED -> goto serve
        :: else -> r = 0; ENTER
        fi
    };
guest:
end_guest:
    if
#ifdef NO_POSTING
    :: atomic { nv[me] -> nv[me] = false; LEAVE; goto by_hand }
#else
    :: atomic { nv[me] -> nv[me] = false; goto in_hardware }
#endif
    :: atomic { kick[me] -> kick[me] = false; LEAVE }
    :: atomic { DELIVERABLE -> irr = irr & kept_back; goto guest }
    :: atomic { preemptions && DRAINED -> preemptions--; mem[REQUESTS] = mem[REQUESTS] | 2; LEAVE }
    :: atomic { own -> own--; LEAVE; goto own_ipi }
    :: atomic { exceptions -> exceptions--; LEAVE; goto exception }
    :: atomic { hlts && DRAINED -> hlts--; halted = true; mem[REQUESTS] = mem[REQUESTS] | 1; LEAVE }
    fi;
exit:
    atomic {
        if
        :: LOAD(REQUESTS) -> goto serve
        :: else -> ENTER; goto guest
        fi
    };
exception:
    atomic {
        nv[me] = false;
        kick[me] = false
    };
#ifndef NO_ON_AFTER_WINDOW
    if
    :: LOAD(ON) -> REQUEST(1)
    :: else
    fi;
#endif
    goto exit;
own_ipi:
    post(HIGH, me);
    goto exit;
in_hardware:
    TAKE;
    goto guest;
by_hand:
    if
    :: atomic { LOAD(ON) -> goto serve } /* it is to be injected */
    :: LOAD(ON) -> TAKE; goto exit
    :: !LOAD(ON) -> goto exit
    fi;
next:
    LOCK_OF(me);
    atomic {
        r = 0;
        STORE(RUNNING, 0);
        STORE(NOTIFY, 0);
        queued = !LOAD(HOLD) && !LOAD(BLOCKED);
        goto chosen
    };
pick:
    LOCK_OF(me);
chosen:
    atomic {
        if
        :: queued && LOAD(HOME) == me ->
            queued = false;
            current[me] = true;
            STORE(RUNNING, 1);
            STORE(NOTIFY, 1 + me);
            UNLOCK_OF(me);
            goto serve
        :: queued && LOAD(HOME) == me -> /* after another one, which takes the interrupts */
            current[me] = true;
            UNLOCK_OF(me);
            goto another
        :: !(queued && LOAD(HOME) == me) -> current[me] = false; UNLOCK_OF(me)
        fi
    };
end_idle:
    atomic {
        kick[me] || nv[me] -> kick[me] = false;
        nv[me] = false
    };
    goto pick;
doze: /* it goes on running; HLT in root mode */
    atomic {
        if
        :: LOAD(REQUESTS) || POSTED_IN_BLOCK -> goto serve
        :: else -> ENTER
        fi
    };
end_doze:
    atomic {
        kick[me] || nv[me] -> kick[me] = false;
        nv[me] = false;
        LEAVE;
        goto doze
    };
another:
    atomic {
        nv[me] = false;
        kick[me] = false;
        goto pick
    }
}

proctype poster(byte me, first, second)
{
    byte q, on, where;
    bool known, idle;
    post(first, 255);
    if
    :: second -> post(second, 255)
    :: else
    fi
}

#ifdef MIGRATION
/* A pause, a new home, a release. */
proctype mover(byte me)
{
    byte q;
    bool idle, poke;
    lock_home();
    atomic {
        STORE(HOLD, 1);
        poke = LOAD(RUNNING);
        queued = queued && poke;
        UNLOCK_OF(q)
    };
    if
    :: poke -> sched_request(2)
    :: else
    fi;
    !LOAD(RUNNING);
    lock_home();
    atomic {
        STORE(HOME, 1);
        UNLOCK_OF(q)
    };
    lock_home();
    STORE(HOLD, 0);
    settle_and_unlock()
}
#endif

init
{
    byte i;
    atomic {
        mem[RUNNING] = 1;
        mem[NOTIFY] = 1;
        current[0] = true;
        if
        :: kept_back = 0
        :: kept_back = LOW
        fi;
        for (i : 0 .. CPUS - 1) {
            run drain(i)
        }
        i = 0;
        run processor(0);
#ifdef MIGRATION
        run processor(1);
        run poster(2, LOW, HIGH);
        run mover(3)
#else
        run poster(1, LOW, HIGH);
#ifndef OWN
        run poster(2, HIGH, 0)
#endif
#endif
    }
    timeout;
#ifdef NO_TAKE_BEFORE_SLEEP
    assert((truth & ~kept_back) == 0); /* what is kept back may stay posted there */
#else
    assert(mem[PIR] == 0 && truth == 0);
    assert(mem[ON] == 0);
#endif
    assert(!DELIVERABLE);
    assert(mem[HOLD] == 0 && !queued);
    assert(taken <= told)
}
