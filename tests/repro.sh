#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Two builds of the last commit, in folders of different names, with different job counts, time zones and languages, give the
# same bytes. Uncommitted changes are not looked at. Both builds use the same compiled newlib from the cache.
#
#   tests/repro.sh [COMPILER]        gcc (default) or clang; exit code 77: this is no git work tree
set -eu
cd "$(dirname "$0")/.."
compiler=${1:-gcc}
if ! commit=$(git rev-parse --verify HEAD 2>/dev/null); then
    echo "not a git work tree"
    exit 77
fi
if [ -n "$(git status --porcelain --untracked-files=no)" ]; then
    echo "note: uncommitted changes are left out"
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/sbx-repro-XXXXXX")
trap 'rm -rf "$work"' EXIT

build() { # folder, further settings
    local folder=$1
    shift
    git clone -q --no-hardlinks . "$folder"
    git -C "$folder" -c advice.detachedHead=false checkout -q "$commit"
    env "$@" make -C "$folder" CC="$compiler" >"$folder.log" 2>&1 || {
        tail -n 30 "$folder.log"
        echo "$folder: make failed"
        exit 1
    }
}

build "$work/a" LC_ALL=C TZ=UTC MAKEFLAGS=-j1
build "$work/another-folder/of-the-same-tree" LC_ALL=C.UTF-8 TZ=Asia/Tokyo MAKEFLAGS=-j2
one=$work/a/build/signalbox.elf
two="$work/another-folder/of-the-same-tree/build/signalbox.elf"
if ! cmp "$one" "$two"; then
    echo "the two images differ"
    exit 1
fi
echo "$compiler: both images are $(sha256sum <"$one" | cut -c1-64)"
