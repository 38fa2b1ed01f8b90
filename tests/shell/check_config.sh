#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/shell/check_config.sh: `make mgmt-check` accepts the configurations of the tree, and of a bad one says each mistake in a
# line of its own and fails.
set -u
cd "$(dirname "$0")/../.." || exit 1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
bad=$folder/bad.conf

for file in mgmt/demo/*.conf tests/shell/session.conf $(find tests/guest -name '*.conf'); do
    make -s --no-print-directory mgmt-check CONFIG="$file" >"$folder/out" 2>&1 || {
        echo "refused: $file"
        cat "$folder/out"
        exit 1
    }
done

cat >"$bad" <<'END'
on_end = never
[ok]
kernel = x
memory = 12
[ok]
vcpus = 0
[a b]
kernel = y
[two]
type = what
size = 1M
END
sed "s#^#$bad:#" >"$folder/expected" <<'END'
1: on_end = never: write one of: shell, poweroff, reboot
4: memory = 12: write a size from 64K to 1T, a multiple of 4K, with K, M, G or T behind it
5: [ok]: this domain is there already, in line 2; rename one of them
7: [a b]: a domain's name has 1 to 31 letters, digits, '-', '_' or '.', and is not a number
10: type = what: write one of: auto, flat16, flat32, multiboot, pvh, linux, linux32
9: [two]: kernel is missing; write kernel = boot module
END
make -s --no-print-directory mgmt-check CONFIG="$bad" >"$folder/out" 2>"$folder/err" && {
    echo "accepted: $bad"
    exit 1
}
# The list of all keys is not repeated here.
grep -q "$bad:11: size = 1M: there is no such key; the keys are: kernel, " "$folder/out" || {
    echo "an unknown key is not named:"
    cat "$folder/out"
    exit 1
}
grep -v ':11: ' "$folder/out" | diff "$folder/expected" - || exit 1
make -s --no-print-directory mgmt-check CONFIG="$folder/none.conf" >"$folder/out" 2>&1 && {
    echo "accepted a file that is not there"
    exit 1
}
echo "mgmt-check: as it should be"
