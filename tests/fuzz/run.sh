#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/fuzz/run.sh JOBS SECONDS TARGET... runs fuzz targets, JOBS at a time, and prints one line for each. The log of one
# that fails is printed from its report on; the input that did it lies in build/fuzz/found/.
set -u
jobs=$1
seconds=$2
shift 2
mkdir -p build/fuzz/found build/fuzz/log
export seconds

run_one() {
    local name=$1 log=build/fuzz/log/$1.log status
    mkdir -p "build/fuzz/corpus/$name" "build/fuzz/seeds/$name"
    "build/fuzz/$name" -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=2048 -use_value_profile=1 \
        -print_final_stats=1 -artifact_prefix="build/fuzz/found/$name-" \
        "build/fuzz/corpus/$name" "build/fuzz/seeds/$name" >"$log" 2>&1
    status=$?
    if [ "$status" -eq 0 ]; then
        printf 'fuzz %s: %s runs in %s s, %s inputs kept, %s\n' "$name" \
            "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" "$seconds" \
            "$(find "build/fuzz/corpus/$name" -type f | wc -l)" "$(grep -o 'cov: [0-9]*' "$log" | tail -n 1)"
    else
        printf 'fuzz %s: FAILED with status %s\n' "$name" "$status"
        grep -n -A 40 -m 1 -E 'ERROR|runtime error|Assertion' "$log" || tail -n 40 "$log"
    fi
    return "$status"
}
export -f run_one

if printf '%s\n' "$@" | xargs -P "$jobs" -I{} bash -c 'run_one {}'; then
    echo "fuzz: $# targets, none failed"
else
    echo "fuzz: some of $# targets failed, inputs in build/fuzz/found/"
    exit 1
fi
