#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Packages: build-essential patch xz-utils debian-archive-keyring bochsbios vgabios grub-common grub-pc-bin grub-efi-amd64-bin xorriso mtools qemu-system-x86 seabios ovmf
#
# Builds the Bochs emulator on which Signalbox is tested; prints the path of the binary as its last line.
#
# The source is Debian's upstream tarball of Bochs 3.0. It comes through apt (tools/apt_private.sh)
# and is checked against the SHA-256 below. Three variants:
#   patched    with our corrections of tests/bochs/patches (the default)
#   unpatched  as released
#   bench      patched, with the counting module of tests/bochs/instrument; handler chaining is off so that it is exact
# A result is kept in the cache folder under a key made of everything that went into it, so a second call only prints.
# Lock: one flock for the whole cache folder; nothing is visible under its final name before it is complete.
# Environment: SBX_CACHE (cache folder), SBX_BOCHS_TARBALL (a tarball to use in place of apt), CC, CXX.
set -euo pipefail

VERSION=3.0
TARBALL=bochs_3.0+dfsg.orig.tar.xz
SHA256=78f6c73d4a6472d5130a87ab9dc306d02c7c71ed8e25b3a8ef642e2a7acd282b
SUITE=trixie
BUILD_PACKAGES="build-essential patch xz-utils bochsbios vgabios"
OPTIONS="--with-nogui --enable-x86-64 --enable-cpu-level=6 --enable-smp --enable-vmx=2 --enable-avx --enable-evex
 --enable-pci --enable-e1000 --enable-ne2000 --enable-a20-pin --disable-docbook --disable-show-ips"
FAST="--enable-all-optimizations"
EXACT="--enable-fast-function-calls --disable-handlers-chaining --disable-repeat-speedups
 --enable-instrumentation=instrument/sbx"
FLAGS="-O3"

here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../tools/apt_private.sh"
cache=${SBX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/signalbox}/bochs

usage()
{
    echo "usage: build.sh [--variant patched|unpatched|bench] [--print]"
    echo "  --print  print the path of the binary; exit 1 when it is not built"
}

die()
{
    echo "build.sh: $*" >&2
    exit 1
}

inputs() # names of the files of ours that go into the chosen variant, in a fixed order
{
    if [ "$variant" != unpatched ]; then
        find "$here/patches" -name '*.patch' | LC_ALL=C sort
    fi
    if [ "$variant" = bench ]; then
        find "$here/instrument" -type f ! -name '*.md' | LC_ALL=C sort
    fi
}

cache_key()
{
    {
        echo "$VERSION $SHA256 $variant $options $FLAGS"
        "${CXX:-g++}" --version 2>/dev/null | head -1
        inputs | while read -r file; do
            echo "${file#"$here"}"
            cat "$file"
        done
    } | sha256sum | cut -c1-16
}

check_packages()
{
    local missing=""
    command -v "${CXX:-g++}" >/dev/null && command -v make >/dev/null || missing="$missing build-essential"
    command -v patch >/dev/null || missing="$missing patch"
    command -v xz >/dev/null || missing="$missing xz-utils"
    [ -e /usr/share/bochs/BIOS-bochs-latest ] || missing="$missing bochsbios"
    [ -e /usr/share/vgabios/vgabios.bin ] || missing="$missing vgabios"
    [ -z "$missing" ] || die "missing Debian packages:$missing
  install them with: apt-get install $BUILD_PACKAGES"
}

fetch_tarball()
{
    echo "fetching the Bochs $VERSION source through apt"
    apt_private_set_up deb-src $SUITE "$work/apt" || die "no packages of $SUITE"
    apt_private_source "bochs=$VERSION*" "$work" 2>/dev/null || apt_private_source bochs "$work" || die "no source of Bochs"
    [ -f "$work/$TARBALL" ] || die "apt delivered another version than $TARBALL"
}

get_tarball()
{
    if [ -f "$cache/$TARBALL" ] && verify "$cache/$TARBALL"; then
        return
    fi
    if [ -n "${SBX_BOCHS_TARBALL:-}" ]; then
        cp "$SBX_BOCHS_TARBALL" "$work/$TARBALL"
    else
        fetch_tarball
    fi
    verify "$work/$TARBALL" || die "SHA-256 of $TARBALL is wrong"
    mv "$work/$TARBALL" "$cache/$TARBALL"
}

verify()
{
    echo "$SHA256  $1" | sha256sum --check --status
}

build()
{
    local src=$work/bochs-$VERSION file
    echo "unpacking"
    tar -C "$work" -xf "$cache/$TARBALL"
    inputs | while read -r file; do
        [ "${file%.patch}" != "$file" ] || continue
        echo "patch $(basename "$file")"
        patch -d "$src" -p1 --fuzz=0 --no-backup-if-mismatch <"$file" >"$work/patch.log" ||
            { cat "$work/patch.log" >&2; die "$(basename "$file") does not apply"; }
    done
    if [ "$variant" = bench ]; then
        mkdir -p "$src/instrument/sbx"
        cp "$here"/instrument/*.cc "$here"/instrument/*.h "$src/instrument/sbx/"
        sed 's/^ *instrument\.o$/  instrument.o/' "$src/instrument/stubs/Makefile.in" >"$src/instrument/sbx/Makefile.in"
    fi
    echo "configuring ($variant)"
    # shellcheck disable=SC2086
    (cd "$src" && ./configure $options CFLAGS="$FLAGS" CXXFLAGS="$FLAGS") >"$work/configure.log" 2>&1 ||
        { tail -20 "$work/configure.log" >&2; die "configure failed"; }
    echo "compiling (about a minute)"
    make -C "$src" -j2 bochs >"$work/make.log" 2>&1 || { grep -E 'error|Error' "$work/make.log" >&2; die "make failed"; }
    mkdir "$work/result"
    strip -o "$work/result/bochs" "$src/bochs"
    "$work/result/bochs" --help cpu >"$work/result/cpus" 2>&1 || true
    grep -q corei7_skylake_x "$work/result/cpus" || die "the binary does not run"
    rm -rf "$target"
    mv "$work/result" "$target"
}

variant=patched
print=0
while [ $# -gt 0 ]; do
    case $1 in
    --variant) variant=${2:-}; shift ;;
    --print) print=1 ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done
case $variant in
patched | unpatched) options="$OPTIONS $FAST" ;;
bench) options="$OPTIONS $EXACT" ;;
*) usage >&2; exit 2 ;;
esac
options=${options//$'\n'/}

target=$cache/$VERSION-$variant-$(cache_key)
if [ $print = 1 ]; then
    [ -x "$target/bochs" ] || exit 1
    echo "$target/bochs"
    exit 0
fi
if [ ! -x "$target/bochs" ]; then
    check_packages
    mkdir -p "$cache"
    exec 9>"$cache/lock"
    flock -n 9 || { echo "waiting for another build"; flock 9; }
fi
if [ ! -x "$target/bochs" ]; then
    rm -rf "$cache"/work.* # left behind by a build that was killed: we hold the lock
    work=$(mktemp -d "$cache/work.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    get_tarball
    build
fi
echo "$target/bochs"
