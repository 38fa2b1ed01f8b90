#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Shows where the root-mode instructions of one operation of the bench go.

Runs the bench once and traces one operation of the label that is named (tests/bochs/README.md). Prints the
instructions per function, largest first; with --walk the functions in the order in which they ran, with --disassembly
each instruction. Needs a built image: build/signalbox.elf.full and build/bench/manager.bin.
"""
import argparse
import bisect
import collections
import os
import re
import subprocess
import sys

import bench


def symbols(path):
    """Sorted addresses and names of the functions."""
    listing = subprocess.run(["nm", "-n", path], check=True, capture_output=True, text=True).stdout
    found = [(int(a, 16), n) for a, t, n in (line.split() for line in listing.splitlines() if len(line.split()) == 3)
             if t in "tT" and not n.startswith(".")]
    return [a for a, _ in found], [n for _, n in found]


def instructions(path):
    """{address: text}"""
    listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn", path], check=True, capture_output=True, text=True).stdout
    return {int(a, 16): text for a, text in re.findall(r"^([0-9a-f]+):\t(.*)$", listing, re.MULTILINE)}


def trace(build, model, row, number, level):
    path = os.path.join(build, "bench", "trace.txt")
    os.environ["SBX_BENCH_TRACE"] = f"{bench.labels()[row]}:{number}:{path}"
    bench.run(build, model, 8 if re.search("_[248]$", row) else 2, "apic" if row in bench.EXITS else "all", level)
    with open(path, encoding="ascii") as file:
        return [(int(cpu), int(rip, 16)) for cpu, rip in (line.split() for line in file)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("row", choices=sorted(bench.labels()))
    parser.add_argument("--build", default=os.path.join(bench.ROOT, "build"))
    parser.add_argument("--model", default=bench.MODELS[0])
    parser.add_argument("--level", help="vapic= of the command line")
    parser.add_argument("--number", type=int, default=20, help="which operation (default 20)")
    parser.add_argument("--walk", action="store_true")
    parser.add_argument("--disassembly", action="store_true")
    options = parser.parse_args()
    image = os.path.join(options.build, "signalbox.elf.full")
    addresses, names = symbols(image)
    steps = trace(options.build, options.model, options.row, options.number, options.level)
    text = instructions(image) if options.disassembly else {}
    walk = []
    for cpu, rip in steps:
        name = names[bisect.bisect_right(addresses, rip) - 1]
        if not walk or walk[-1][:2] != [cpu, name]:
            walk.append([cpu, name, []])
        walk[-1][2].append(rip)
    for cpu, name, rips in walk if options.walk or options.disassembly else []:
        print(f"CPU {cpu}  {len(rips):5}  {name}")
        for rip in rips if options.disassembly else []:
            print(f"    {rip:x}  {text.get(rip, '?')}")
    total = collections.Counter()
    for cpu, name, rips in walk:
        total[cpu, name] += len(rips)
    for (cpu, name), count in total.most_common():
        print(f"CPU {cpu}  {count:5}  {name}")
    print(f"{len(steps)} instructions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
