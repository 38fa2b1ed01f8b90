#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Installs the Debian packages that a task needs and that this machine lacks. A machine with git,
# make and gcc is enough to begin with: the Makefile calls this script before its first rule.
#
#   tools/deps.sh build|run|iso|disk|test|check...   install what is missing
#   tools/deps.sh -n build|run|...                   only name what is missing (exit code 1 if anything is)
#
# Every missing package is named with the reason for it. As root the packages are installed at
# once, otherwise through sudo if it asks for no password; else the command is printed and the exit
# code is 2. When nothing is missing, the answer takes one dpkg query and no output.
set -euo pipefail

# package, the tasks that need it, and why
packages='
build-essential       build run test check           compiler, assembler, linker and C library of the host
newlib-source         build run test check           the C library, built from source
xz-utils              build run test check           unpacks the sources of newlib and Bochs
acpica-tools          build run test check           compiles the ACPI machine code of guests
python3               build run iso disk test check  link checks, symbol table, images, test runner
clang                 build test check               the second compiler
debian-archive-keyring      run test                 checks the signature on the Bochs source
patch                 run test                       applies our corrections to Bochs
bochsbios             run test                       BIOS of the emulated machine
vgabios               run test                       video BIOS of the emulated machine
grub-common           run iso disk test              makes the boot image
grub-pc-bin           run iso disk test              GRUB for machines with a BIOS
grub-efi-amd64-bin    run iso disk test              GRUB for machines with UEFI
xorriso               run iso test                   writes the boot image
mtools                run iso disk test              writes the FAT part of the boot image
qemu-system-x86       run test                       the second emulator: UEFI, VT-d, machines without VT-x
seabios               run test                       BIOS for QEMU
ovmf                  run test                       UEFI firmware for QEMU
libzydis-dev          test check                     x86 decoder that our instruction decoder is compared with
libclang-rt-dev       test check                     sanitizers and fuzzing engine for clang
llvm                  test check                     function names in the reports of the sanitizers
procps                test                           ps, to look for emulators that were left behind
lz4                   test                           unpacks the ELF of a Linux kernel
spin                  test check                     checks the models of the lock-free protocols
clang-format          check                          source format
'

tasks='build run iso disk test check'
apt=(apt-get -o DPkg::Lock::Timeout=300)
dry_run=no

say() { echo "deps: $*" >&2; }

# "package: why" of every package that one of the tasks given needs, in the order of the table.
wanted() {
    awk -v asked="$*" -v tasks="$tasks" '
        BEGIN {
            split(tasks, list)
            for (i in list) known[list[i]] = 1
            n = split(asked, ask)
        }
        NF {
            need = 0
            for (f = 2; f <= NF && $f in known; f++)
                for (i = 1; i <= n; i++) need = need || $f == ask[i]
            if (!need) next
            why = $f
            while (++f <= NF) why = why " " $f
            print $1 ": " why
        }' <<<"$packages"
}

# Keeps the lines whose package is not installed.
missing() {
    local lines installed
    lines=$(wanted "$@")
    # shellcheck disable=SC2046 # package names have no blanks
    installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' \
        $(cut -d: -f1 <<<"$lines") 2>/dev/null | sed -n 's/ installed$//p' || true)
    awk -F: 'NR == FNR {have[$1] = 1; next} !($1 in have)' <(echo "$installed") <(echo "$lines")
}

install() {
    local prefix=()
    if [ "$(id -u)" -ne 0 ]; then
        if ! sudo -n true 2>/dev/null; then
            say "install them with: sudo apt-get update && sudo apt-get install $*"
            exit 2
        fi
        prefix=(sudo -n)
    fi
    prefix+=(env DEBIAN_FRONTEND=noninteractive)
    say "installing"
    "${prefix[@]}" "${apt[@]}" -qq update || say "the package lists are not fresh, going on"
    if ! "${prefix[@]}" "${apt[@]}" -qq -y --no-install-recommends install "$@" </dev/null >&2; then
        say "apt-get failed, see above; packages wanted: $*"
        exit 2
    fi
}

if [ "${1-}" = -n ]; then
    dry_run=yes
    shift
fi
for task in "$@"; do
    case " $tasks " in
    *" $task "*) ;;
    *) set -- && break ;;
    esac
done
if [ $# -eq 0 ]; then
    say "usage: tools/deps.sh [-n] build|run|iso|disk|test|check..."
    exit 2
fi

lines=$(missing "$@")
[ -n "$lines" ] || exit 0
say "missing Debian packages:"
while read -r line; do
    echo "    $line" >&2
done <<<"$lines"
[ "$dry_run" = no ] || exit 1
# shellcheck disable=SC2046
install $(cut -d: -f1 <<<"$lines")
lines=$(missing "$@")
[ -z "$lines" ] || { say "still missing: ${lines//$'\n'/; }"; exit 2; }
say "all there"
