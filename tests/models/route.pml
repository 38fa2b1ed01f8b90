/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Firing a route beside changing it, hv/route/hazard.h, under the memory model of tso.pml. A CPU fires again and again: it
 * names what it fires in its hazard word, looks at the route, acts, takes the name back; each firing has another count beside
 * the name. Another CPU changes the route twice, and waits each time until no firing that may have read the old route goes on.
 *
 * Claim: no action on a route after the call that replaced it has returned; and it returns. Each variant (-DNO_..., see run.sh)
 * breaks one rule and must fail.
 */
#define CPUS 2
#define VARS 2
#define HAZARD 0 /* 0: none; otherwise the count of the firing, 1 to FIRINGS */
#define ROUTE  1

#include "tso.pml"

#define FIRINGS 3
#define CHANGES 2

byte returned; /* routes below this one must not act any more. The truth, which nobody looks at. */
byte firings;
bool changed;

proctype firer(byte me)
{
    byte route;
    do
    :: firings < FIRINGS ->
        firings++;
#ifdef NO_HAZARD_FIRST
        route = LOAD(ROUTE);
        STORE(HAZARD, firings);
        FENCE;
#else
        STORE(HAZARD, firings);
#ifndef NO_FENCE_IN_FIRE
        FENCE;
#endif
        route = LOAD(ROUTE);
#endif
        assert(route >= returned);
        STORE(HAZARD, 0)
    :: firings == FIRINGS -> break
    od
}

proctype changer(byte me)
{
    byte route = 0, first;
    do
    :: route < CHANGES ->
        route++;
#ifdef NO_LOCKED_CHANGE
        STORE(ROUTE, route);
#else
        /* exchange: waits for the stores before it, and is visible at once */
        atomic {
            DRAINED;
            mem[ROUTE] = route
        };
#endif
#ifndef NO_WAIT
        first = LOAD(HAZARD);
        if
        :: first ->
            LOAD(HAZARD) != first
        :: else -> skip
        fi;
#endif
        returned = route
    :: route == CHANGES -> changed = true; break
    od
}

init
{
    atomic {
        run drain(0);
        run drain(1);
        run firer(0);
        run changer(1)
    }
    timeout;
    assert(changed)
}
