#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Every header of the tree compiles alone, with gcc and with clang, under the warning flags of the hypervisor.
# A header that needs another one includes it, so that the order of #include lines never matters.
#
#   tools/check_headers.sh            all headers, tracked or new
#   tools/check_headers.sh a.h b.h    these only
#
# Headers that assembly alone includes carry no C; the compiler accepts them as well. Compilers: ${GCC:-gcc},
# ${CLANG:-clang}; more flags: ${HEADER_CFLAGS}. mgmt/ and tests/ may use the whole of the C library and the FPU.
set -u
cd "$(dirname "$0")/.." || exit 2

flags=(-std=c11 -Wall -Wextra -Werror -Wconversion -Wsign-conversion -Wshadow -Wcast-qual
    -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wswitch-enum -Wundef -fno-pic
    -I. -O1 -S -o /dev/null -x c)
kernel=(-mgeneral-regs-only -mno-red-zone)
read -r -a extra <<<"${HEADER_CFLAGS:-}"

if [ $# -gt 0 ]; then
    headers=("$@")
else
    mapfile -t headers < <({ git ls-files --cached --others --exclude-standard -- '*.h'; } | sort -u)
fi

failed=0
count=0
for header in "${headers[@]}"; do
    [ -f "$header" ] || continue
    case $header in
    tests/bochs/*) continue ;; # C++ for the emulator's own build
    tests/* | mgmt/*) own=(-I"$(dirname "$header")") ;;
    *) own=("${kernel[@]}") ;;
    esac
    count=$((count + 1))
    for compiler in "${GCC:-gcc}" "${CLANG:-clang}"; do
        # Included twice: the guard is tested too.
        if ! printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
            "$compiler" "${flags[@]}" "${own[@]}" "${extra[@]}" -; then
            echo "$header: does not compile alone with $compiler" >&2
            failed=$((failed + 1))
        fi
    done
done

if [ "$count" -eq 0 ]; then
    echo "check_headers: found no header" >&2
    exit 2
fi
echo "check_headers: $count headers, 2 compilers, $failed failures"
[ "$failed" -eq 0 ]
