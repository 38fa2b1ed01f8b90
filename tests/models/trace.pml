/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A trace ring, hv/core/trace_ring.h, under the memory model of tso.pml: one CPU writes records of two words into a ring of
 * two, another reads them meanwhile. Record n has n + 1 in both words.
 *
 * Claim: what the reader takes is the record that it wanted, both words of it; and taken and lost together are all that have
 * been written. Each variant (-DNO_..., see run.sh) breaks one rule and must fail.
 */
#define CPUS 2
#define VARS 5
#define HEAD 0
#define WORD(record, number) (1 + 2 * ((record) % SIZE) + (number))

#include "tso.pml"

#define SIZE    2
#define RECORDS 5

byte taken, lost;
bool over;

#ifdef NO_ONE_MORE /* forgets the record that is just being written */
#define OLDEST(head) ((head) >= SIZE -> (head) - SIZE : 0)
#else
#define OLDEST(head) ((head) >= SIZE -> (head) - SIZE + 1 : 0)
#endif

proctype writer(byte me)
{
    byte n = 0;
    do
    :: n < RECORDS ->
#ifdef NO_RECORD_FIRST
        STORE(HEAD, n + 1);
#endif
        STORE(WORD(n, 0), n + 1);
        STORE(WORD(n, 1), n + 1);
#ifndef NO_RECORD_FIRST
        STORE(HEAD, n + 1);
#endif
        n++
    :: n == RECORDS -> break
    od
}

proctype reader(byte me)
{
    byte position = 0, head, start, first, second, oldest;
    do
    :: position < RECORDS ->
        LOAD(HEAD) > position; /* else there is nothing to read */
        head = LOAD(HEAD);
        oldest = OLDEST(head);
        start = (position > oldest -> position : oldest);
        lost = lost + start - position;
        first = LOAD(WORD(start, 0));
        second = LOAD(WORD(start, 1));
#ifndef NO_SECOND_LOOK
        head = LOAD(HEAD);
#endif
        oldest = OLDEST(head);
        if
        :: oldest > start -> lost++
        :: else ->
            assert(first == start + 1 && second == start + 1);
            taken++
        fi;
        position = start + 1
    :: position == RECORDS -> over = true; break
    od
}

init
{
    atomic {
        run drain(0);
        run drain(1);
        run writer(0);
        run reader(1)
    }
    timeout;
    assert(over && taken + lost == RECORDS)
}
