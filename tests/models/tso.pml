/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of x86 processors (TSO) for SPIN: stores go through a FIFO per processor and become visible to the others
 * later, in order; a processor sees its own at once; a locked instruction or a fence waits until the FIFO is empty.
 * SDM volume 3, "Memory Ordering in P6 and More Recent Processor Families".
 *
 * The including file defines CPUS and VARS. Each processor runs one process with the parameter `me`, and one
 * drain(me), which may make the oldest store visible at any time.
 */
#define FIFO_DEPTH 6

byte mem[VARS];
chan fifo[CPUS] = [FIFO_DEPTH] of { byte, byte };
byte waiting[CPUS * VARS]; /* stores of a processor that are in its FIFO, by variable */
byte newest[CPUS * VARS];  /* the youngest of them */

proctype drain(byte cpu)
{
    byte variable, value;
end:
    do
        ::atomic
        {
            fifo[cpu] ? variable, value->mem[variable] = value;
            waiting[cpu * VARS + variable]--;
            variable = 0;
            value = 0
        }
    od
}

/* Each is one step. LOAD is an expression. */
#define STORE(variable, value)                                                                     \
    atomic                                                                                         \
    {                                                                                              \
        waiting[me * VARS + variable]++;                                                           \
        newest[me * VARS + variable] = value;                                                      \
        fifo[me] !variable, value                                                                  \
    }
#define LOAD(variable) (waiting[me * VARS + variable]->newest[me * VARS + variable] : mem[variable])
#define DRAINED        (empty(fifo[me]))
#define FENCE          DRAINED
