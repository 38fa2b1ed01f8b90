#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/guest/memtest/run.sh [x64|ia32] [whole] runs Debian's memtest86+ in a domain until its first tests have passed: the seventh has
# begun, no error was found, and its clock, which it calibrates by the PIT, counts seconds. With `whole`, until its first pass is through,
# some two minutes. The package's files are taken from /boot, or from the package, downloaded to build/memtest; without either the test is
# skipped (77).
set -eu
cd "$(dirname "$0")/../../.."
image=memtest86+${1:-x64}.bin
file=/boot/$image
if [ ! -f "$file" ]; then
    file=build/memtest/boot/$image
    if [ ! -f "$file" ]; then
        mkdir -p build/memtest
        (cd build/memtest && apt-get download -q memtest86+ && dpkg-deb -x memtest86+_*.deb .) || {
            echo "memtest86+ is neither installed nor can it be downloaded: skipped"
            exit 77
        }
    fi
fi
end='#6  \[Moving inversions, (64|32)'
[ "${2:-}" = whole ] && end='Pass:  1        Errors: 0 '
exec python3 tools/emu.py run --machine bochs --cpu-model corei7_skylake_x --memory 128 --timeout 280 \
    --image build/signalbox.elf --append exit=shutdown-port \
    --module "build/mgmt/manager.bin config=memtest.conf" \
    --module "tests/guest/memtest/memtest.conf memtest.conf" --module "$file memtest.bin" \
    --expect 'Memtest86\+ v' --expect 'Memory  :    6MB' --expect '#0  \[Address test' --expect 'Time:  0:00:0[1-9]' \
    --expect '#5  \[Moving inversions, random' --pass "$end" \
    --fail 'panic' --fail 'not started' --fail 'Errors: [1-9]' --fail 'FAIL' --fail '\(memtest\): '
