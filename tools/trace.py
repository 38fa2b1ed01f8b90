#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Trace dumps: from the log of a console to a listing, or to JSON for chrome://tracing and ui.perfetto.dev.

    tools/trace.py console.log                    a listing of the last dump in the log
    tools/trace.py console.log --json out.json    the same as JSON (trace event format)
    tools/trace.py console.log --dump 1           the first dump in the log

The shell's "trace dump" prints the lines (mgmt/shell/trace_dump.h has their form), guest_abi/hv_trace.h says what is in a record. Anything else in the
log is passed over. Lines with a wrong sum or form are counted, and so are records that were overwritten before they could be read: both are
said on standard error, and no span of time is drawn across such a gap. Exit code: 0; 1: there is no dump; 2: wrong arguments.

In the timeline each CPU has a track with what it does (a guest, an exit by reason, idle), and each vCPU one with what becomes of it (runs, could run, blocked,
held); what happens at one moment (interrupts sent and ended, timers, calls) stands in the track of its CPU.
"""
import argparse
import collections
import json
import os
import re
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
LINE = re.compile(r"~t ([^*]*)\*([0-9a-f]{2})")
EXIT, ENTRY, CALL, SEND, EOI, ARM, LEAVE, RUN = range(1, 9)
NO_GSI = 0xFFFFFFFF
SOURCES = {1: "IPI", 2: "message", 3: "line", 4: "notifier", 5: "doorbell", 6: "injection", 7: "timer"}
SOURCE_VALUE = {1: "to APIC", 2: "address", 3: "level", 4: "handle", 5: "at", 6: "vCPU", 7: "deadline"}
HOST = {0: "timer", 1: "device", 2: "CPU"}
LEAVES = {0: "blocked", 1: "held", 2: "preempted"}

Record = collections.namedtuple("Record", "cpu number tsc kind domain vcpu code a b")
Gap = collections.namedtuple("Gap", "cpu number count why")  # before record `number`


def names(header, prefix):
    """Constants of a header by value: the tree has each name once."""
    with open(os.path.join(TOP, header), encoding="utf-8") as file:
        return {int(value, 0): name for name, value in re.findall(rf"^ +{prefix}(\w+) = (0x[0-9a-f]+|\d+),", file.read(), re.M)}


class Dump:
    """One dump: khz, domains {number: name}, cpus {number: [Record or Gap...]}, bad: lines that could not be read."""

    def __init__(self, khz, cpus):
        self.khz, self.count = khz, cpus
        self.domains, self.cpus, self.lost, self.bad, self.whole = {}, {}, 0, 0, False
        self.base, self.next = {}, {}

    def lines(self, cpu):
        return self.cpus.setdefault(cpu, [])

    def records(self):
        return [x for line in self.cpus.values() for x in line if isinstance(x, Record)]


def checked(words):
    """The words of a line whose sum is right, or None."""
    return words.group(1).split() if sum(words.group(1).encode("utf-8", "replace")) & 0xFF == int(words.group(2), 16) else None


def take(dump, words, state):
    """One good line of a dump; ValueError: it makes no sense here."""
    kind, rest = words[0], words[1:]
    if kind == "domain":
        dump.domains[int(rest[0], 16)] = " ".join(rest[1:])
        return
    number = [int(word, 16) for word in rest]
    if kind == "cpu":
        cpu, first, _, base = number
        state.update(cpu=cpu, next=first, base=base, seen=0)
        dump.lines(cpu)
    elif kind == "done":
        cpu, records, _ = number
        if cpu != state["cpu"]:
            raise ValueError
        if records > state["seen"]:  # lines that did not arrive at all
            dump.cpus[cpu].append(Gap(cpu, state["next"], records - state["seen"], "missing"))
        state.update(cpu=None)
    elif kind == "lost" and state["cpu"] is not None:
        (count,) = number
        dump.lost += count
        dump.cpus[state["cpu"]].append(Gap(state["cpu"], state["next"], count, "overwritten"))
        state["next"] += count
    elif kind == "r" and state["cpu"] is not None:
        tsc, what, domain, vcpu, code, a, b = number + [0] * (7 - len(number)) if len(number) > 1 else []
        dump.cpus[state["cpu"]].append(Record(state["cpu"], state["next"], state["base"] + tsc, what, domain, vcpu, code, a, b))
        state["next"] += 1
        state["seen"] += 1
    elif kind == "end" and not rest:
        dump.whole = True
    else:
        raise ValueError


def parse(text):
    """All dumps of a log."""
    dumps, state = [], {"cpu": None}
    for line in text.splitlines():
        at = line.find("~t ")
        if at < 0:
            continue
        match = LINE.match(line, at)
        words = checked(match) if match else None
        if words and words[0] == "begin":
            try:
                version, khz, cpus = (int(word, 16) for word in words[1:])
            except ValueError:
                continue
            if version == 1 and khz:
                dumps.append(Dump(khz, cpus))
                state = {"cpu": None}
            continue
        if not dumps or dumps[-1].whole:
            continue
        dump = dumps[-1]
        try:
            if not words:
                raise ValueError
            take(dump, words, state)
        except (ValueError, IndexError, KeyError):
            dump.bad += 1
            if state["cpu"] is not None:  # a record, as far as one can know
                dump.cpus[state["cpu"]].append(Gap(state["cpu"], state["next"], 1, "unreadable"))
                state["next"] += 1
                state["seen"] += 1
    return dumps


class Words:
    """Records in words."""

    def __init__(self, dump):
        self.dump = dump
        self.exits = names("arch/vmx/vm_exit.h", "EXIT_")
        self.calls = names("guest_abi/hv_abi.h", "HV_CALL_")

    def who(self, record):
        return f"{self.dump.domains.get(record.domain, record.domain)}/{record.vcpu}"

    def reason(self, record):
        name = self.exits.get(record.code & 0x7FFF, f"exit {record.code & 0x7fff}")
        if record.code & 0x8000:
            return f"ENTRY FAILED, {name}"
        if name == "EXTERNAL_INTERRUPT":
            return f"interrupt, {HOST.get(record.a >> 32, '?')}"
        if name == "VMCALL" and record.a >> 32 == 0x53425831:
            return f"call {self.calls.get(record.a & 0xFFFFFFFF, hex(record.a & 0xFFFFFFFF))}"
        return name

    def sent(self, record):
        source, gsi, domain = record.a & 0xFF, record.a >> 32, record.a >> 16 & 0xFFFF
        text = f"send by {SOURCES.get(source, source)}"
        text += f" to {self.dump.domains.get(domain, domain)}"
        if gsi != NO_GSI:
            text += f" GSI {gsi}"
        if record.code & 0xFF:
            text += f" vector {record.code & 0xff:#x}"
        return text

    def short(self, record):
        if record.kind == EXIT:
            return self.reason(record)
        if record.kind == ENTRY:
            return f"entry, vector {record.code:#x}" if record.code else "entry"
        if record.kind == CALL:
            return f"result of {self.calls.get(record.code, hex(record.code))}"
        if record.kind == SEND:
            return self.sent(record)
        if record.kind == EOI:
            return f"EOI of {record.code:#x}"
        if record.kind == ARM:
            return "arms its timer"
        if record.kind == LEAVE:
            return f"leaves, {LEAVES.get(record.code, record.code)}"
        if record.kind == RUN:
            return "runs"
        return f"kind {record.kind}"

    def details(self, record):
        if record.kind == EXIT:
            return {"rip": hex(record.b), "detail": hex(record.a)}
        if record.kind == ENTRY:
            return {"injected": hex(record.a & 0xFFFFFFFF), "rvi": hex(record.a >> 32 & 0xFF), "svi": hex(record.a >> 40 & 0xFF), "accepted": record.b}
        if record.kind == CALL:
            return {"first": hex(record.a), "result": record.b - (1 << 64) if record.b >> 63 else record.b}
        if record.kind == SEND:
            return {SOURCE_VALUE.get(record.a & 0xFF, "b"): hex(record.b), "message": hex(record.code)}
        if record.kind == ARM:
            return {"count" if record.code else "deadline": hex(record.a)}
        if record.kind == RUN:
            return {"waited": record.a}
        return {}


def listing(dump):
    """The dump's lines, merged by time."""
    words, lines = Words(dump), []
    start = min((record.tsc for record in dump.records()), default=0)
    for line in dump.cpus.values():
        at = start
        for x in line:
            if isinstance(x, Record):
                at = x.tsc
                more = "".join(f"  {name} {value}" for name, value in words.details(x).items())
                lines.append((at, x.cpu, x.number, f"{(at - start) * 1000 / dump.khz:14.3f} us  cpu {x.cpu}  {words.who(x):<14} {words.short(x)}{more}"))
            else:
                lines.append((at, x.cpu, x.number, f"{'':17}  cpu {x.cpu}  -- {x.count} records {x.why} --"))
    return [line[3] for line in sorted(lines, key=lambda line: line[:3])]


def timeline(dump):
    """The dump in the trace event format: an object that JSON can hold."""
    words = Words(dump)
    records = dump.records()
    start = min((record.tsc for record in records), default=0)
    events = [{"ph": "M", "name": "process_name", "pid": 0, "tid": 0, "args": {"name": "CPUs"}}]

    def us(tsc):
        return (tsc - start) * 1000 / dump.khz

    def span(pid, tid, name, begin, end, args=None):
        events.append({"ph": "X", "pid": pid, "tid": tid, "name": name, "ts": us(begin), "dur": us(end) - us(begin), "args": args or {}})

    def cpu_span(last, now):
        """What the CPU did from one of EXIT, ENTRY, LEAVE, RUN to the next."""
        if last.kind == ENTRY:
            span(0, last.cpu, words.who(last), last.tsc, now.tsc, words.details(last))
        elif last.kind == EXIT:
            span(0, last.cpu, words.reason(last), last.tsc, now.tsc, {"vCPU": words.who(last), **words.details(last)})
        else:
            span(0, last.cpu, "no vCPU" if last.kind == LEAVE else "takes a vCPU", last.tsc, now.tsc, {"vCPU": words.who(last)})

    for cpu, line in sorted(dump.cpus.items()):
        events.append({"ph": "M", "name": "thread_name", "pid": 0, "tid": cpu, "args": {"name": f"CPU {cpu}"}})
        last, at = None, start
        for x in line:
            if isinstance(x, Gap):
                events.append({"ph": "i", "s": "t", "pid": 0, "tid": cpu, "ts": us(at), "name": f"{x.count} records {x.why}", "args": {"count": x.count}})
                last = None
                continue
            at = x.tsc
            if x.kind in (EXIT, ENTRY, LEAVE, RUN):
                if last:
                    cpu_span(last, x)
                last = x
            else:
                events.append({"ph": "i", "s": "t", "pid": 0, "tid": cpu, "ts": us(x.tsc), "name": words.short(x),
                               "args": {"vCPU": words.who(x), **words.details(x)}})
    vcpus = collections.defaultdict(list)
    for record in sorted(records, key=lambda record: record.tsc):
        if record.kind in (LEAVE, RUN):
            vcpus[record.domain, record.vcpu].append(record)
    for (domain, vcpu), line in sorted(vcpus.items()):
        pid = 1 + domain
        events.append({"ph": "M", "name": "process_name", "pid": pid, "tid": 0, "args": {"name": f"domain {domain} {dump.domains.get(domain, '')}".strip()}})
        events.append({"ph": "M", "name": "thread_name", "pid": pid, "tid": vcpu, "args": {"name": f"vCPU {vcpu}"}})
        for last, now in zip(line, line[1:]):
            if last.kind == RUN:
                span(pid, vcpu, f"runs on CPU {last.cpu}", last.tsc, now.tsc)
            elif now.kind == RUN:
                ready = max(last.tsc, now.tsc - now.a)
                if ready > last.tsc:
                    span(pid, vcpu, LEAVES.get(last.code, "?"), last.tsc, ready)
                if now.tsc > ready:
                    span(pid, vcpu, "could run", ready, now.tsc)
    return {"traceEvents": events, "displayTimeUnit": "ns",
            "otherData": {"tsc_khz": dump.khz, "records": len(records), "overwritten": dump.lost, "unreadable_lines": dump.bad}}


def main(arguments):
    parser = argparse.ArgumentParser(description="Trace dumps of a console log as a listing or as a timeline in JSON.")
    parser.add_argument("log", help="the log of a console; -: standard input")
    parser.add_argument("--json", metavar="FILE", help="write JSON there (-: standard output), and no listing")
    parser.add_argument("--dump", type=int, default=0, metavar="N", help="the N-th dump of the log, from 1 (default: the last)")
    options = parser.parse_args(arguments)
    if options.log == "-":
        text = sys.stdin.buffer.read()
    else:
        with open(options.log, "rb") as file:
            text = file.read()
    dumps = parse(text.decode("utf-8", "replace"))
    if not dumps or not 0 <= options.dump <= len(dumps):
        print(f"trace.py: {len(dumps)} dumps in {options.log}", file=sys.stderr)
        return 1
    dump = dumps[options.dump - 1]
    print(f"trace.py: {len(dump.records())} records of {len(dump.cpus)} CPUs, {dump.lost} overwritten before they were read, "
          f"{dump.bad} unreadable lines{'' if dump.whole else '; the dump is not complete'}", file=sys.stderr)
    if not options.json:
        print("\n".join(listing(dump)))
    elif options.json == "-":
        json.dump(timeline(dump), sys.stdout)
    else:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(timeline(dump), file)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
