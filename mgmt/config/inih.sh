#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Fetches the source of inih, a small INI parser, through apt and prints the folder that holds ini.c and ini.h. Debian's
# libinih-dev is compiled for the host's C library, so the management domain compiles the same source for its own.
#
# The tarball is Debian's, checked against the SHA-256 below (tools/apt_private.sh). A second call only looks at the cache folder.
# Environment: SBX_CACHE (cache folder), SBX_INIH_TARBALL (a tarball to use in place of apt).
set -euo pipefail
. "$(dirname "$0")/../../tools/apt_private.sh"

VERSION=59
TARBALL=libinih_59.orig.tar.gz
SHA256=062279922805f5e9a369551a08d5ddb506140fe50774183ffdbb7c22bb97e3f4
SUITE=trixie

cache=${SBX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/signalbox}
target=$cache/inih-$VERSION-${SHA256:0:12}

die()
{
    echo "inih.sh: $*" >&2
    exit 2
}

fetch()
{
    apt_private_set_up deb-src $SUITE "$work/apt" && apt_private_source libinih "$work" || die "no source of inih"
    [ -f "$work/$TARBALL" ] || die "apt delivered another version than $TARBALL"
}

mkdir -p "$cache"
exec 9>"$cache/inih.lock"
flock 9
if [ ! -f "$target/ini.c" ]; then
    work=$(mktemp -d "$cache/inih.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    if [ -n "${SBX_INIH_TARBALL:-}" ]; then
        cp "$SBX_INIH_TARBALL" "$work/$TARBALL"
    else
        echo "inih.sh: fetching inih $VERSION through apt" >&2
        fetch
    fi
    echo "$SHA256  $work/$TARBALL" | sha256sum --check --status || die "SHA-256 of $TARBALL is wrong"
    mkdir "$work/out"
    tar -C "$work/out" --strip-components=1 -xf "$work/$TARBALL" "inih-r$VERSION/ini.c" "inih-r$VERSION/ini.h" \
        "inih-r$VERSION/LICENSE.txt"
    mv -T "$work/out" "$target"
fi
echo "$target"
