#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Fetches the source of inih, a small INI parser, through apt and prints the folder that holds ini.c and ini.h. Debian's
# libinih-dev is compiled for the host's C library, so the management domain compiles the same source for its own.
#
# The tarball is Debian's, checked against the SHA-256 below; apt's configuration is a private one whose mirror and
# keyring are those of this machine. A second call only looks at the cache folder.
# Environment: SBX_CACHE (cache folder), SBX_INIH_TARBALL (a tarball to use in place of apt).
set -euo pipefail

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

own_mirror() # the mirror that this machine uses for its own Debian release
{
    local codename
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(CREATED_BY)' |
        awk -v r="$codename" '$3 == "Packages" && ($2 == r || $2 == "stable") { print $1; exit }'
}

own_keyring() # a keyring that this machine's sources name, or nothing: then apt uses its trusted keys
{
    local file
    file=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
        grep -v '^ *#' | grep -io 'signed-by[:=] *[^] ,]*debian-archive[^] ,]*' | head -1 | sed 's/^[^:=]*[:=] *//' || true)
    [ -n "$file" ] || file=/usr/share/keyrings/debian-archive-keyring.gpg
    if [ -r "$file" ]; then
        echo "$file"
    fi
}

fetch()
{
    local mirror keyring signed="" opt
    mirror=$(own_mirror)
    [ -n "$mirror" ] || die "this machine's apt configuration names no Debian mirror"
    keyring=$(own_keyring)
    [ -z "$keyring" ] || signed="[signed-by=$keyring] "
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
    echo "deb-src ${signed}${mirror} $SUITE main" >"$work/sources.list"
    opt=(-q -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User= -o APT::Get::List-Cleanup=0)
    apt-get "${opt[@]}" update >"$work/apt.log" 2>&1 || { tail -5 "$work/apt.log" >&2; die "apt-get update failed"; }
    (cd "$work" && apt-get "${opt[@]}" source --tar-only --download-only libinih) >>"$work/apt.log" 2>&1 ||
        { tail -5 "$work/apt.log" >&2; die "apt-get source libinih failed"; }
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
