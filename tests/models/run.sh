#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Packages: spin gcc
#
# Runs the SPIN models of this folder: each must hold as it is, and must fail when one of its rules is taken away, which
# shows that the model can fail and that the rule is needed. One line per run; exit code 0 when all went as expected.
#
#   tests/models/run.sh          all but the three searches of many states, which take minutes
#   tests/models/run.sh large    these three
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
optimize=-O0 # the search takes less than its compilation would

command -v spin >/dev/null || { echo "run.sh: spin is missing; install it with: apt-get install spin" >&2; exit 77; }

check() # model, expected (holds or fails), -D options
{
    local model=$1 expected=$2 found log ends=""
    shift 2
    [ "$expected" = holds ] || ends=-E # the claim itself must fail, a process that is stuck is not enough
    mkdir -p "$work/run"
    log=$work/run/log
    (cd "$work/run" && cp "$here"/*.pml . && spin "$@" -a "$model.pml" && gcc -w $optimize -DSAFETY -DNOREDUCE -o pan pan.c &&
        ./pan -m200000 $ends) >"$log" 2>&1 || true
    if ! grep -q 'errors: ' "$log" || grep -q 'max search depth too small\|out of memory\|resource' "$log"; then
        found="was not searched"
    elif grep -q 'errors: 0' "$log"; then
        found=holds
    elif grep -q 'assertion violated' "$log"; then
        found=fails
    else
        found="fails otherwise"
    fi
    if [ "$found" = "$expected" ]; then
        echo "ok   $model $* $found ($(grep -o '^ *[0-9.e+]* states, stored' "$log" | tr -s ' '))"
    else
        echo "BAD  $model $* $found, expected: $expected"
        tail -20 "$log"
        bad=1
    fi
    rm -rf "$work/run"
}

if [ "${1:-}" = large ]; then
    optimize=-O2
    check posted holds
    check posted holds -DNO_POSTING
    check posted holds -DMIGRATION
    exit $bad
fi
check wakeup holds
check wakeup fails -DNO_FENCE_IN_BLOCK
check wakeup fails -DNO_LOCKED_REQUEST
check wakeup fails -DNO_LOCKED_TAKE
check wakeup fails -DNO_PENDING_IPI
check wakeup fails -DNO_IDLE_KICK
check notify holds
check notify fails -DNO_PENDING_FIRST
check notify fails -DNO_SELECTOR_FIRST
check notify fails -DNO_EXCHANGE
check route holds
check route fails -DNO_HAZARD_FIRST
check route fails -DNO_FENCE_IN_FIRE
check route fails -DNO_LOCKED_CHANGE
check route fails -DNO_WAIT
check posted holds -DOWN
check posted holds -DOWN -DEXCEPTION
check posted fails -DNO_LOCKED_ON
check posted fails -DNO_NOTIFY_FIRST
check posted fails -DNO_FENCE_IN_BLOCK
check posted fails -DNO_ON_IN_BLOCK
check posted fails -DNO_TAKE_BEFORE_SLEEP
check posted fails -DNO_CLEAR_FIRST
check posted fails -DNO_EXCHANGE
check posted fails -DNO_ON_AT_ENTRY
check posted fails -DNO_LOCKED_TAKE
check posted fails -DNO_ROOT_PENDING
check posted fails -DMIGRATION -DNO_HOME_CHECK
check posted fails -DOWN -DEXCEPTION -DNO_ON_AFTER_WINDOW
check eoi holds
check eoi fails -DNO_LOCKED_TMR
check eoi fails -DNO_LATE
check eoi fails -DNO_PROGRAM
check eoi fails -DNO_SECOND_LOOK
check service holds
check service fails -DNO_LOOK
check service fails -DHOLD_DECIDES
check service fails -DHOLD_FIRST
check trace holds
check trace fails -DNO_RECORD_FIRST
check trace fails -DNO_SECOND_LOOK
check trace fails -DNO_ONE_MORE
exit $bad
