#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# All C files of the tree, tracked or new, are as clang-format writes them with .clang-format. `--fix` rewrites them.
#
#   tools/check_format.sh [--fix] [file...]        ${CLANG_FORMAT:-clang-format}
set -u
cd "$(dirname "$0")/.." || exit 2
tool=${CLANG_FORMAT:-clang-format}
mode=(--dry-run -Werror)
if [ "${1:-}" = --fix ]; then
    mode=(-i)
    shift
fi
if [ $# -gt 0 ]; then
    files=("$@")
else
    mapfile -t files < <(git ls-files --cached --others --exclude-standard -- '*.c' '*.h' | sort -u)
fi
present=()
for file in "${files[@]}"; do
    [ -f "$file" ] && present+=("$file")
done
if [ ${#present[@]} -eq 0 ]; then
    echo "check_format: found no C file" >&2
    exit 2
fi
"$tool" --style=file "${mode[@]}" "${present[@]}"
status=$?
echo "check_format: ${#present[@]} files, $([ $status -eq 0 ] && echo clean || echo 'not clean: tools/check_format.sh --fix')"
exit $status
