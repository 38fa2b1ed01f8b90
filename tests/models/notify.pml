/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The notification page of hv/core/notify.c and its reader in the manager: a bit in `pending`, then its word's bit in
 * `selector`, both by locked OR; the reader exchanges first the selector, then the words. Two senders send the same
 * notification, one of them twice, and another in the same word.
 *
 * Claim: when nothing moves any more, what was sent has been read after it was sent. Each variant (-DNO_..., see run.sh)
 * breaks one rule and must fail. That a set selector wakes the reader is the claim of wakeup.pml; all accesses are
 * locked, so no store buffer is needed.
 */
byte selector; /* one word: bit 0 */
byte pending;  /* of that word */
byte unread[2]; /* by bit: sent and not yet read. The truth, which nobody looks at. */

#define BIT(n) (1 << (n))

inline send(bit_number)
{
#ifdef NO_PENDING_FIRST
    selector = 1;
    atomic {
        pending = pending | BIT(bit_number);
        unread[bit_number] = 1
    }
#else
    atomic {
        known = pending & BIT(bit_number);
        pending = pending | BIT(bit_number);
        unread[bit_number] = 1
    };
    if
    :: known -> skip
    :: else -> selector = 1
    fi
#endif
}

proctype sender(byte first, second)
{
    byte known;
    send(first);
    send(second)
}

proctype reader()
{
    byte word;
end:
    do
    :: selector ->
#ifdef NO_SELECTOR_FIRST
        atomic {
            word = pending;
            pending = 0
        };
        selector = 0;
#else
#ifdef NO_EXCHANGE
        selector = 0;
        word = pending;
        pending = 0;
#else
        selector = 0;
        atomic {
            word = pending;
            pending = 0
        };
#endif
#endif
        atomic {
            unread[0] = (word & BIT(0) -> 0 : unread[0]);
            unread[1] = (word & BIT(1) -> 0 : unread[1]);
            word = 0
        }
    od
}

init
{
    atomic {
        run sender(0, 0);
        run sender(0, 1);
        run reader()
    }
    timeout;
    assert(pending == 0 && selector == 0);
    assert(unread[0] == 0 && unread[1] == 0)
}
