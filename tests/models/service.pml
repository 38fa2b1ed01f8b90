/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A service and its answer: submit() and service_complete() of hv/core/service.c, the hold under the run queue's lock, and a
 * manager that looks at the page whenever it likes, because up to eight vCPUs share a notification, or because it has started
 * again and takes a held vCPU without a kind on its page for one that was answered and not completed. Two services, one
 * after the other.
 *
 * Claim: each service is answered, after it was asked and before the vCPU goes on, and the vCPU is not left held. Each
 * variant (-DNO_..., see run.sh) breaks one rule and must fail. All accesses that matter are locked or ordered by TSO.
 */
#define SERVICES 2

bit lock;
bit kind;     /* of the page: 0 none */
bit open;     /* service_kind */
bit answered; /* SERVICE_ANSWERED of it */
bit answer;   /* REQUEST_ANSWER */
bit held;     /* HOLD_SERVICE */
byte asked, told; /* the truth: services that were shown, and answered */
byte gone;        /* that the vCPU has finished */

inline take() { atomic { !lock; lock = 1 } }
inline give() { lock = 0 }

proctype vcpu()
{
    do
    :: gone == SERVICES -> break
    :: else ->
        open = 1;
#ifdef HOLD_FIRST
        held = 1;
#endif
        atomic { kind = 1; asked++ };
        take();
        if
#ifdef NO_LOOK
        :: held = 1
#else
        :: answer -> skip
        :: else -> held = 1
#endif
        fi;
        give();
        atomic { !held && answer; answer = 0 };
        assert(told == asked); /* else it goes on without an answer */
        atomic { open = 0; answered = 0 };
        gone++
    od
}

inline complete()
{
    if
    :: open && !answered ->
        answered = 1;
        answer = 1;
        take();
        held = 0;
        give()
    :: else -> skip
    fi
}

#ifdef HOLD_DECIDES /* as it was: who is not held is not in service */
#define IN_SERVICE held
#else
#define IN_SERVICE 1
#endif

proctype manager()
{
    bit restarted;
end:
    do
    :: kind -> atomic { kind = 0; told++ };
        if
        :: IN_SERVICE -> complete()
        :: else -> skip
        fi
    :: !restarted && !kind && held -> /* a new instance: answered, not completed */
        restarted = 1;
        complete()
    od
}

init
{
    atomic {
        run vcpu();
        run manager()
    }
    timeout;
    assert(gone == SERVICES)
}
