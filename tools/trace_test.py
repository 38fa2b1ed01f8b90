#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""tools/trace.py: what was written is read back; noise, damage and gaps of a console log are told and never drawn over."""
import os
import random
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import trace  # pylint: disable=wrong-import-position

KHZ = 1_000_000  # a tick is a nanosecond


def line(text):
    return f"~t {text}*{sum(text.encode()) & 0xff:02x}\r\n"


def record(cpu, number, tsc, kind, code=0, a=0, b=0, domain=1, vcpu=0):
    return trace.Record(cpu, number, tsc, kind, domain, vcpu, code, a, b)


def dump(cpus, gaps=(), domains=((0, "manager"), (1, "one"), (2, "a b"))):
    """What the manager prints for {cpu: [Record]}; gaps: (cpu, number before which, count). Lines."""
    lines = [line(f"begin 1 {KHZ:x} {len(cpus):x}")] + [line(f"domain {number:x} {name}") for number, name in domains]
    for cpu, records in cpus.items():
        base = records[0].tsc if records else 0
        lost = 0
        lines.append(line(f"cpu {cpu:x} 0 {len(records):x} {base:x}"))
        for r in records:
            for at, number, count in gaps:
                if (at, number) == (cpu, r.number):
                    lines.append(line(f"lost {count:x}"))
                    lost += count
            text = f"r {r.tsc - base:x} {r.kind:x} {r.domain:x} {r.vcpu:x} {r.code:x} {r.a:x} {r.b:x}"
            lines.append(line(re.sub("( 0)+$", "", text) if r.number % 2 else text))
        lines.append(line(f"done {cpu:x} {len(records):x} {lost:x}"))
    return lines + [line("end")]


def one(lines):
    dumps = trace.parse("".join(lines))
    assert len(dumps) == 1, len(dumps)
    return dumps[0]


# A guest halts and is woken by its timer; the manager signals a notifier meanwhile on the other CPU.
STORY = {
    0: [record(0, 0, 5000, trace.EXIT, 12, 0, 0x1000),
        record(0, 1, 5100, trace.LEAVE, 0),
        record(0, 2, 9000, trace.RUN, 0, 500),
        record(0, 3, 9050, trace.SEND, 0xEC, 7 | 1 << 16 | trace.NO_GSI << 32, 0x1234),
        record(0, 4, 9100, trace.ENTRY, 0xEC, 0xEC << 32, 7),
        record(0, 5, 9900, trace.EXIT, 1, 0xF1, 0x2000)],
    1: [record(1, 0, 6000, trace.EXIT, 18, 0x5342583100000000 | 0x3C, 0x3000, domain=0),
        record(1, 1, 6010, trace.SEND, 0x41, 4 | 1 << 16 | 24 << 32, 0x77, domain=0),
        record(1, 2, 6300, trace.CALL, 0x3C, 0x77, 1, domain=0),
        record(1, 3, 6400, trace.ENTRY, domain=0)],
}


class TraceTest(unittest.TestCase):
    def test_round_trip(self):
        got = one(dump(STORY))
        self.assertEqual(got.cpus, STORY)
        self.assertEqual((got.khz, got.domains, got.lost, got.bad, got.whole), (KHZ, {0: "manager", 1: "one", 2: "a b"}, 0, 0, True))

    def test_round_trip_of_any_values(self):
        rng = random.Random(7)
        cpus = {cpu: [record(cpu, n, 1000 * n + cpu, rng.randrange(1, 9), rng.randrange(1 << 16), rng.randrange(1 << 64), rng.randrange(1 << 64),
                             rng.randrange(256), rng.randrange(64)) for n in range(300)] for cpu in (0, 3, 63)}
        got = one(dump(cpus))
        self.assertEqual(got.cpus, cpus)
        self.assertEqual(len(trace.listing(got)), 900)  # and every one has words
        self.assertGreater(len(trace.timeline(got)["traceEvents"]), 900)

    def test_noise(self):
        """What else a terminal shows: prompts, escapes, lines of guests, a line that breaks off before another begins."""
        lines = dump(STORY)
        noisy = ["signalbox> trace dump\r\n", "~t r 1 2 3\r\n", "~t begin x*00\r\n"]  # before a dump: nobody's
        for text in lines:
            noisy += ["[one] tick 1\r\n", "\r\x1b[K" + text, "\r\n", "signalbox> lis"]
            noisy[-1] += "\r\n"
        got = one(noisy + ["~t r 0 1 1 0 c 0 0*99\r\n"])  # behind its end
        self.assertEqual((got.cpus, got.bad), (STORY, 0))

    def test_damage(self):
        """Each byte of each record line, changed: never a wrong record, always counted, the others as they were."""
        lines = dump(STORY)
        for at, text in enumerate(lines):
            if not text.startswith("~t r "):
                continue
            for column in range(4, len(text) - 2):
                damaged = lines[:at] + [text[:column] + ("1" if text[column] != "1" else "2") + text[column + 1:]] + lines[at + 1:]
                got = one(damaged)
                self.assertEqual(got.bad, 1, damaged[at])
                self.assertEqual(len(got.records()), 9)
                self.assertTrue(set(got.records()) <= {r for cpu in STORY.values() for r in cpu}, damaged[at])

    def test_makes_no_sense(self):
        for text in ("r", "r 1", "r 1 2 3 4 5 6 7 8", "r x 1 1 0 0 0 0", "lost", "lost x", "cpu 1", "done 9 1 0", "what 1", "", "end 1"):
            lines = dump(STORY)
            lines.insert(8, line(text))
            self.assertEqual(one(lines).bad, 1, text)
            self.assertEqual(len(one(lines).records()), 10, text)

    def test_line_missing(self):
        lines = dump(STORY)
        at = next(n for n, text in enumerate(lines) if text.startswith("~t r "))
        got = one(lines[:at + 2] + lines[at + 4:])
        self.assertEqual([(x.count, x.why) for x in got.cpus[0] if isinstance(x, trace.Gap)], [(2, "missing")])

    def test_overwritten(self):
        got = one(dump({0: [record(0, n, 100 * n, trace.EXIT if n % 2 else trace.ENTRY, 12) for n in range(10)]}, gaps=[(0, 0, 0x123), (0, 5, 7)]))
        self.assertEqual(got.lost, 0x123 + 7)
        self.assertEqual([(x.count, x.why) for x in got.cpus[0] if isinstance(x, trace.Gap)], [(0x123, "overwritten"), (7, "overwritten")])
        self.assertEqual([x.number for x in got.cpus[0] if isinstance(x, trace.Record)], [0x123 + n for n in range(5)] + [0x12A + n for n in range(5, 10)])
        timeline = trace.timeline(got)
        self.assertEqual(timeline["otherData"]["overwritten"], 0x12A)
        spans = [e for e in timeline["traceEvents"] if e["ph"] == "X"]
        self.assertEqual(len(spans), 8)  # nine between ten records, but none across the gap
        self.assertEqual(sum("overwritten" in text for text in trace.listing(got)), 2)

    def test_incomplete(self):
        got = one(dump(STORY)[:-1])
        self.assertFalse(got.whole)
        self.assertEqual(len(got.records()), 10)

    def test_several(self):
        dumps = trace.parse("".join(dump(STORY) + dump({2: STORY[0]}) + dump({})))
        self.assertEqual([len(d.records()) for d in dumps], [10, 6, 0])
        self.assertEqual(trace.listing(dumps[2]), [])

    def test_listing(self):
        lines = trace.listing(one(dump(STORY)))
        want = ["cpu 0  one/0 .*HLT", "cpu 0 .*leaves, blocked", "cpu 1  manager/0 .*call NOTIFIER_SIGNAL",
                r"cpu 1 .*send by notifier to one GSI 24 vector 0x41", "cpu 1 .*result of NOTIFIER_SIGNAL  first 0x77  result 1", "cpu 1 .*entry",
                "4.000 us  cpu 0 .*runs  waited 500", "cpu 0 .*send by timer to one vector 0xec", "cpu 0 .*entry, vector 0xec", "cpu 0 .*interrupt, timer"]
        self.assertEqual(len(lines), len(want))
        for text, pattern in zip(lines, want):
            self.assertRegex(text, pattern)

    def test_timeline(self):
        events = trace.timeline(one(dump(STORY)))["traceEvents"]
        spans = [(e["pid"], e["tid"], e["name"], round(e["ts"] * 1000), round(e["dur"] * 1000)) for e in events if e["ph"] == "X"]
        self.assertEqual(spans, [
            (0, 0, "HLT", 0, 100), (0, 0, "no vCPU", 100, 3900), (0, 0, "takes a vCPU", 4000, 100), (0, 0, "one/0", 4100, 800),
            (0, 1, "call NOTIFIER_SIGNAL", 1000, 400), (2, 0, "blocked", 100, 3400), (2, 0, "could run", 3500, 500)])
        self.assertEqual([e["name"] for e in events if e["ph"] == "i"],
                         ["send by timer to one vector 0xec", "send by notifier to one GSI 24 vector 0x41", "result of NOTIFIER_SIGNAL"])
        for event in events:  # what the format asks of each
            self.assertTrue({"ph", "name", "pid", "tid"} <= set(event))
            self.assertTrue(event["ph"] == "M" or event["ts"] >= 0)
            self.assertTrue(event["ph"] != "X" or event["dur"] >= 0)

    def test_names_are_the_headers(self):
        with open(os.path.join(trace.TOP, "guest_abi/hv_trace.h"), encoding="utf-8") as file:
            header = file.read()
        value = {name: int(number) for name, number in re.findall(r"HV_TRACE_(\w+) = (\d+),", header)}
        self.assertEqual([value[name] for name in "EXIT ENTRY CALL SEND EOI ARM LEAVE RUN KINDS".split()], list(range(1, 10)))
        self.assertEqual([value[name] for name in "IPI MESSAGE LINE NOTIFIER DOORBELL INJECT TIMER".split()], sorted(trace.SOURCES))
        self.assertEqual([value[name] for name in "BLOCKED HELD PREEMPTED HOST_TIMER HOST_DEVICE HOST_OTHER".split()],
                         [*trace.LEAVES, *trace.HOST])
        self.assertEqual(trace.names("arch/vmx/vm_exit.h", "EXIT_")[12], "HLT")
        self.assertEqual(trace.names("guest_abi/hv_abi.h", "HV_CALL_")[0x3C], "NOTIFIER_SIGNAL")

    def test_program(self):
        tool = os.path.join(os.path.dirname(os.path.abspath(__file__)), "trace.py")
        with tempfile.TemporaryDirectory() as folder:
            log, out = os.path.join(folder, "log"), os.path.join(folder, "out.json")
            with open(log, "w", encoding="utf-8", newline="") as file:
                file.write("".join(dump(STORY)))
            done = subprocess.run([sys.executable, tool, log], capture_output=True, text=True, check=True)
            self.assertEqual(len(done.stdout.splitlines()), 10)
            self.assertIn("10 records of 2 CPUs, 0 overwritten before they were read, 0 unreadable lines\n", done.stderr)
            subprocess.run([sys.executable, tool, log, "--json", out], check=True, capture_output=True)
            subprocess.run([sys.executable, "-m", "json.tool", out], check=True, capture_output=True)
            self.assertEqual(subprocess.run([sys.executable, tool, log, "--dump", "2"], capture_output=True, check=False).returncode, 1)
            self.assertEqual(subprocess.run([sys.executable, tool, os.devnull], capture_output=True, check=False).returncode, 1)


if __name__ == "__main__":
    unittest.main()
