#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A session at the shell, as those of session.py: two guests are traced, and the dump is given to tools/trace.py."""
import json
import os
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import session  # pylint: disable=wrong-import-position
from machine import ROOT, Machine  # pylint: disable=wrong-import-position
from session import MODULES, check, has, listing, wake  # pylint: disable=wrong-import-position
sys.path.insert(0, os.path.join(ROOT, "tools"))
import trace  # pylint: disable=wrong-import-position

TRACE = os.path.join(ROOT, "tools", "trace.py")


def round_trip(records):
    """The way round on one CPU: who exits is entered, or leaves before another runs and is entered. Records that say otherwise."""
    after = {None: (1, 7, 8, 2), 1: (7, 2), 2: (1,), 7: (8,), 8: (7, 2)}  # EXIT, ENTRY, LEAVE, RUN
    last, wrong = None, []
    for record in records:
        if record.kind not in (1, 2, 7, 8):
            continue
        same = last and (record.domain, record.vcpu) == (last.domain, last.vcpu)
        if record.kind not in after[last and last.kind] or (last and last.kind != 7 and not same) or (last and record.tsc < last.tsc):
            wrong.append((last, record))
        last = record
    return wrong


def tracing():
    """Two guests on two CPUs: one sleeps until a character's interrupt, one asks the manager without end. Then a dump, and what tools/trace.py makes of it."""
    def memory(machine):
        return re.search(r"hypervisor's memory: (\d+) of", machine.command("stats")).group(1)

    def dump(machine):
        begin = machine.at
        machine.type("trace dump\r")
        machine.expect(r"~t end\*37\n", 250)  # a plain pattern: there is much to look through
        machine.expect("signalbox> ")
        with tempfile.TemporaryDirectory() as folder:
            log, out = os.path.join(folder, "log"), os.path.join(folder, "out.json")
            with open(log, "wb") as file:
                file.write(machine.log[begin:])
            text = subprocess.run([sys.executable, "-B", TRACE, log], check=True, capture_output=True, text=True)
            subprocess.run([sys.executable, "-B", TRACE, log, "--json", out], check=True, capture_output=True)
            with open(out, encoding="utf-8") as file:
                events = json.load(file)["traceEvents"]
        check("0 unreadable lines\n" in text.stderr, text.stderr)
        return trace.parse(machine.log[begin:].decode("utf-8", "replace"))[-1], text.stdout, events

    def character(machine, character):
        machine.type("console irq\r")
        machine.expect("Ctrl-] leaves it")
        machine.type(character)
        machine.expect(f"irq: {ord(character):02x}\n")
        machine.type("\x1d")
        machine.expect("signalbox> ")

    with Machine(MODULES) as machine:
        wake(machine)
        has(machine.command("help trace"), "  trace ", "trace off")
        has(machine.command("trace dump"), "nothing is traced")
        has(machine.command("trace start 7"), "this machine has none of these CPUs")
        free = memory(machine)
        machine.command("start irq")
        machine.expect(r"\[irq\] irq: ready")
        has(machine.command("vcpu-pin irq 0 1"), "done")
        machine.command("start keeper")
        has(machine.command("vcpu-pin keeper 0 0"), "done")
        free = memory(machine)
        has(machine.command("trace start all 32"), "CPUs all are traced; each keeps its last 4095 records")
        check(int(free) - int(memory(machine)) == 2 * (32 + 1) * 4, f"what it costs: {free} KiB before, {memory(machine)} with two rings")
        character(machine, "A")  # CPU 1 was asleep when tracing began: it is seen from its first exit on
        character(machine, "B")
        has(machine.command("trace stop"), "stopped")
        rows = listing(machine, "trace --json")
        time.sleep(0.2)
        check(listing(machine, "trace --json") == rows and [row["cpu"] for row in rows] == [0, 1], f"nothing is written any more: {rows}")
        got, text, events = dump(machine)
        print(f"{len(got.records())} records of {len(got.cpus)} CPUs, {got.lost} overwritten, of {sum(row['records'] for row in rows)}")
        check(got.whole and len(got.records()) + got.lost == sum(row["records"] for row in rows), "taken and lost is all")
        check({r.domain for r in got.cpus[1] if isinstance(r, trace.Record)} == {1}, "CPU 1 is irq's alone")
        check({r.domain for r in got.cpus[0] if isinstance(r, trace.Record)} == {0, 2}, "CPU 0 is the others'")
        for cpu, line in got.cpus.items():
            wrong = round_trip([r for r in line if isinstance(r, trace.Record)])
            check(not wrong, f"CPU {cpu}, the way round: {wrong[:3]}")
        check(re.search(r"irq/0 +HLT (?s:.*)irq/0 +leaves, blocked(?s:.*)manager/0 +call IRQ_LINE (?s:.*)manager/0 +send by line to irq GSI 4  level 0x1 "
                        r"(?s:.*)irq/0 +runs  waited \d+(?s:.*)irq/0 +entry, vector 0x24  injected 0x80000024(?s:.*)irq/0 +IO .*detail 0x3fa0008"
                        r"(?s:.*)irq/0 +HLT ", text), f"a character's way to a guest that sleeps: {text}")
        check(re.search(r"manager/0 +result of IRQ_LINE  first 0x1  result 1\n", text), "the guest newly has it")
        check(re.search(r"keeper/0 +IO .*\n(?:.*irq.*\n)*.*keeper/0 +leaves, held\n(?s:.*)manager/0 +call VCPU_COMPLETE (?s:.*)keeper/0 +runs .*\n"
                        r"(?:.*irq.*\n)*.*keeper/0 +entry ", text), f"a service: {text}")
        names = {(e["pid"], e["name"]) for e in events if e["ph"] == "X"}
        check(names >= {(0, "irq/0"), (0, "keeper/0"), (0, "HLT"), (0, "IO"), (0, "call VCPU_COMPLETE"), (2, "runs on CPU 1"), (2, "blocked"), (2, "held"),
                        (3, "runs on CPU 0"), (3, "held"), (1, "runs on CPU 0")}, f"spans: {names}")
        check({e["args"]["name"] for e in events if e["name"] == "process_name"} == {"CPUs", "domain 0 manager", "domain 1 irq", "domain 2 keeper"}, "tracks")
        has(machine.command("trace off"), "gone")
        check(memory(machine) == free, "its memory is back")

        # A vCPU that comes to a CPU goes that CPU's way, and the rings stay when the manager is started again.
        has(machine.command("trace start 1 1"), "CPUs 1 are traced")
        machine.command("list")
        check({r.domain for r in dump(machine)[0].records()} <= {1}, "keeper is not on CPU 1")
        has(machine.command("vcpu-pin keeper 0 1"), "done")
        machine.command("list")
        check(2 in {r.domain for r in dump(machine)[0].records()}, "it is now")
        machine.type("restart\r")
        machine.expect(r"domain 2 \(keeper\): found, running\n")
        wake(machine, banner=False)
        before = listing(machine, "trace --json")[0]["records"]
        machine.command("list")
        check(listing(machine, "trace --json")[0]["records"] > before, "it goes on")
        has(machine.command("vcpu-pin keeper 0 0"), "done")
        before = listing(machine, "trace --json")[0]["records"]
        machine.command("list")
        after = listing(machine, "trace --json")[0]["records"]
        check(after - before < 10, f"CPU 1 has nobody to run: {after - before} records")
        has(machine.command("trace off"), "gone")
        character(machine, "C")
        has(machine.command("destroy irq"), "destroyed")


if __name__ == "__main__":
    session.SESSIONS = {"tracing": tracing}
    sys.exit(session.main())
