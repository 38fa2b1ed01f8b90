#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/guest/memtest/run.sh [x64|ia32] starts Debian's memtest86+ in a domain and waits until its screen shows the first test. The
# package's files are taken from /boot, or from the package, downloaded to build/memtest; without either the test is skipped (77).
#
# Without a timer to calibrate by, memtest86+ draws its screen twice and then tests on without drawing, so this is all that can be seen.
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
exec python3 tools/emu.py run --machine bochs --cpu-model corei7_skylake_x --memory 128 --timeout 240 \
    --image build/signalbox.elf --append exit=shutdown-port \
    --module "build/mgmt/manager.bin config=memtest.conf" \
    --module "tests/guest/memtest/memtest.conf memtest.conf" --module "$file memtest.bin" \
    --expect 'Memtest86\+ v' --expect 'Memory  :    6MB' --pass '#0  \[Address test' \
    --fail 'panic' --fail 'not started' --fail '\(memtest\): '
