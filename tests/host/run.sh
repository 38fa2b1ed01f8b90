#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/host/run.sh JOBS PROGRAM... runs host test programs, JOBS at a time, prints one line for each as it ends and
# the total at the end. The output of a program that fails is printed whole. A program that dies (sanitizer report,
# signal, ${HOST_TIMEOUT:-300} seconds without an end) counts as one failure more than it reported.
set -u
jobs=$1
shift
total=$#
if [ "$total" -eq 0 ]; then
    echo "host tests: nothing to run" >&2
    exit 2
fi
logs=build/host/log
mkdir -p "$logs"

declare -A name_of # pid -> program
started=0 ended=0 passed=0 failed=0 bad=""

start_one() {
    local name=${1##*/}
    timeout "${HOST_TIMEOUT:-300}" "$1" >"$logs/$name.log" 2>&1 &
    name_of[$!]=$name
    started=$((started + 1))
}

end_one() {
    local pid status name last
    wait -n -p pid
    status=$?
    name=${name_of[$pid]}
    ended=$((ended + 1))
    last=$(tail -n 1 "$logs/$name.log")
    if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
        passed=$((passed + BASH_REMATCH[1]))
        failed=$((failed + BASH_REMATCH[2]))
        [ "$status" -ne 0 ] && [ "${BASH_REMATCH[2]}" -eq 0 ] && failed=$((failed + 1))
    else
        last="died with status $status"
        [ "$status" -eq 124 ] && last="no end within ${HOST_TIMEOUT:-300} s"
        failed=$((failed + 1))
        status=1
    fi
    printf '[%d/%d] %s: %s\n' "$ended" "$total" "$name" "$last"
    if [ "$status" -ne 0 ]; then
        bad="$bad $name"
        sed 's/^/    /' "$logs/$name.log"
    fi
}

for program in "$@"; do
    [ $((started - ended)) -ge "$jobs" ] && end_one
    start_one "$program"
done
while [ "$ended" -lt "$total" ]; do
    end_one
done

echo "host tests: $total programs, $passed passed, $failed failed${bad:+:$bad}"
[ "$failed" -eq 0 ] && [ -z "$bad" ]
