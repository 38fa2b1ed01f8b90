#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Packages: xz-utils debian-archive-keyring
#
# Debian's kernels and its static busybox as guests of the tests and of the demonstration; nothing is installed.
#
#   tools/linux.sh 6.1|6.12       print the folder with vmlinuz, modules/, busybox and version (fetched the first time)
#   tools/linux.sh --fetch 6.12   fetch what the archive has now, even when a kernel is there already
#
# 6.1 is Debian 12's kernel, 6.12 Debian 13's, both of the cloud flavour. The packages come through apt
# (apt_private.sh), which checks signature and hashes. Each kernel is kept in the cache folder under its package's
# version and the list of drivers; a link with the short name points to the one in use, so a second call needs no
# network. Lock: one flock for the folder; nothing is visible under its final name before it is complete.
# Environment: SBX_CACHE (cache folder). Exit code 77: the packages cannot be had (no network, no mirror).
set -euo pipefail
. "$(dirname "$0")/apt_private.sh"

cache=${SBX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/signalbox}/linux
DRIVERS="virtio virtio_ring virtio_pci virtio_pci_modern_dev virtio_pci_legacy_dev virtio_mmio virtio_blk failover net_failover
 virtio_net virtio_console virtio-rng rng-core button pvpanic pvpanic-mmio"

say() { echo "linux.sh: $*" >&2; }
die() { say "$*"; exit 2; }
unavailable() { say "$*"; exit 77; }

usage()
{
    echo "usage: tools/linux.sh [--fetch] 6.1|6.12" >&2
    exit 2
}

download() # packages into $work
{
    (cd "$work" && apt_private apt-get download "$@") >>"$work/apt.log" 2>&1 ||
        { tail -3 "$work/apt.log" >&2; unavailable "apt-get download $* failed"; }
}

add_drivers() # the drivers of the list, uncompressed and without their debug sections
{
    local name file
    mkdir "$work/result/modules"
    for name in $DRIVERS; do
        file=$(find "$work/kernel" -name "$name.ko" -o -name "$name.ko.xz" | head -1)
        case $file in
        *.xz) xz -dc "$file" >"$work/result/modules/$name.ko" ;;
        *.ko) cp "$file" "$work/result/modules/" ;;
        *) ;; # built in
        esac
    done
}

drivers_key() { echo "$DRIVERS" | sha256sum | cut -c1-8; }

fetch()
{
    local kernel version target
    say "asking apt for $suite's packages"
    apt_private_set_up deb "$suite" "$work/apt" || unavailable "no packages of $suite"
    kernel=$(apt_private apt-cache show --no-all-versions linux-image-cloud-amd64 |
        sed -n 's/^Depends: *\(linux-image-[^ ,]*\).*/\1/p')
    [ -n "$kernel" ] || unavailable "$suite has no linux-image-cloud-amd64"
    version=$(apt_private apt-cache show --no-all-versions "$kernel" | sed -n 's/^Version: *//p')
    target=${kernel#linux-image-}_${version//[^A-Za-z0-9.+~-]/_}-$(drivers_key)
    if [ ! -d "$cache/$target" ]; then
        say "fetching $kernel $version and busybox-static"
        download "$kernel" busybox-static
        dpkg-deb -x "$work"/linux-image-*.deb "$work/kernel"
        dpkg-deb -x "$work"/busybox-static_*.deb "$work/busybox"
        mkdir "$work/result"
        cp "$work"/kernel/boot/vmlinuz-* "$work/result/vmlinuz"
        cp "$work"/kernel/boot/config-* "$work/result/config"
        find "$work/busybox" -type f -path "*/bin/busybox" -exec cp {} "$work/result/busybox" \;
        [ -x "$work/result/busybox" ] || die "the package busybox-static holds no busybox"
        add_drivers
        echo "${kernel#linux-image-} $version" >"$work/result/version"
        mv "$work/result" "$cache/$target"
    fi
    ln -sfn "$target" "$cache/$short"
}

again=no
if [ "${1-}" = --fetch ]; then
    again=yes
    shift
fi
short=${1-}
case $short in
6.1) suite=bookworm ;;
6.12) suite=trixie ;;
*) usage ;;
esac
present() # the link leads to a kernel that was fetched for this list of drivers
{
    case $(readlink "$cache/$short") in
    *-"$(drivers_key)") [ -e "$cache/$short/version" ] ;;
    *) return 1 ;;
    esac
}
if [ $again = yes ] || ! present; then
    mkdir -p "$cache"
    exec 9>"$cache/lock"
    flock -n 9 || { say "waiting for another fetch"; flock 9; }
    if [ $again = yes ] || ! present; then
        rm -rf "$cache"/work.* # left behind by a fetch that was killed: we hold the lock
        work=$(mktemp -d "$cache/work.XXXXXX")
        trap 'rm -rf "$work"' EXIT
        fetch
    fi
fi
echo "$cache/$short"
