#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A guest sees the same interrupt controllers on every processor and at every level of acceleration.

Each guest of tests/guest/apic_* and irq_* ends with a line "trace: NAME LINES HASH" about all that it saw but times (see trace() in
lib/report.h). This reads the logs of the records guest.apic* and guest.irq* of the run that is going on and compares the traces of the
same guest with the same number of vCPUs; logs that are older than the guest or the hypervisor are left out. Exit code 0:
all are equal, and there was something to compare.
"""
import collections
import glob
import os
import re
import sys

BUILD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "build")
TRACE = re.compile(r"^\[test\] trace: (\S+ \d+ [0-9a-f]{16})\s*$", re.M)
NAME = re.compile(r"\.((?:apic|irq)_[a-z]+)-(\d+s?)$")


def is_old(log, guest):
    """The log is of something else than what was built last."""
    built = [os.path.join(BUILD, "signalbox.elf"), os.path.join(BUILD, "tests", "guest", guest + ".elf")]
    return any(os.path.getmtime(log) < os.path.getmtime(path) for path in built if os.path.exists(path))


def read(folder):
    """{(guest, vCPUs): {trace: [tests]}}, and the names of tests without a trace."""
    traces, without = collections.defaultdict(lambda: collections.defaultdict(list)), []
    for path in sorted(glob.glob(os.path.join(folder, "guest.*.log"))):
        test = os.path.basename(path)[:-len(".log")]
        key = NAME.search(test)
        if not key or is_old(path, key.group(1)):
            continue
        with open(path, encoding="utf-8", errors="replace") as file:
            found = TRACE.findall(file.read())
        if len(found) != 1:
            without.append(test)
        else:
            traces[key.groups()][found[0]].append(test)
    return traces, without


def main():
    traces, bad = read(os.path.join(BUILD, "test-logs"))
    for test in bad:
        print(f"{test}: no trace")
    for (guest, vcpus), by_trace in sorted(traces.items()):
        tests = sum(len(names) for names in by_trace.values())
        if len(by_trace) > 1:
            bad.append(guest)
            print(f"{guest}, {vcpus} vCPUs: {len(by_trace)} different traces")
            for trace, names in by_trace.items():
                print(f"  {trace}: {' '.join(names)}")
        else:
            print(f"{guest}, {vcpus} vCPUs: {tests} equal traces")
    if not any(len(names) > 1 for by_trace in traces.values() for names in by_trace.values()):
        bad.append("nothing")
        print("nothing to compare")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
