#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The runner itself: what it must call a failure, it calls a failure. Works on texts and on a tests.cfg of its own."""
import os
import subprocess
import sys
import tempfile
import types
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from runner import machine, outcome, records  # pylint: disable=wrong-import-position
import emu  # pylint: disable=wrong-import-position

RUN = os.path.join(os.path.dirname(HERE), "run.py")
BOOT = "machine = qemu\nimage = signalbox\nend = exit 0x11\n"


def load(text):
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as file:
        file.write(text)
        file.flush()
        return records.load(file.name, "/", "/b", lambda *_: True)


class Text(unittest.TestCase):
    LOG = "one\r\ntwo\r\nthree\r\n"

    def test_in_order(self):
        self.assertIsNone(machine.check_text(self.LOG, ["one", "three"], ["four"]))

    def test_out_of_order(self):
        self.assertIn("out of order", machine.check_text(self.LOG, ["three", "one"], []))

    def test_one_line_serves_one_expectation(self):
        self.assertIn("out of order", machine.check_text(self.LOG, ["one", "one"], []))

    def test_missing(self):
        self.assertIn("never printed", machine.check_text(self.LOG, ["four"], []))

    def test_forbidden(self):
        self.assertIn("forbidden", machine.check_text(self.LOG, ["one"], ["^two$"]))


class End(unittest.TestCase):
    """Every way to end is told from every other."""

    @staticmethod
    def result(code, exit_code):
        return types.SimpleNamespace(code=code, exit_code=exit_code, status="?", detail="?")

    def test_exit_code(self):
        self.assertIsNone(machine.check_end("exit 0x11", "qemu", self.result(emu.FAIL, 35)))
        for code in (33, 37, 0, 1, None):
            self.assertIsNotNone(machine.check_end("exit 0x11", "qemu", self.result(emu.FAIL, code)))

    def test_shutdown(self):
        self.assertIsNone(machine.check_end("shutdown", "bochs", self.result(emu.PASS, 1)))
        for code in (emu.TIMEOUT, emu.CRASH, emu.FAIL, emu.ENDED):
            self.assertIsNotNone(machine.check_end("shutdown", "bochs", self.result(code, 1)))

    def test_halt(self):
        self.assertIsNone(machine.check_end("halt", "bochs", self.result(emu.TIMEOUT, 1)))
        self.assertIsNotNone(machine.check_end("halt", "bochs", self.result(emu.PASS, 1)))
        self.assertIsNone(machine.check_end("halt", "qemu", self.result(emu.PASS, 0)))
        self.assertIsNotNone(machine.check_end("halt", "qemu", self.result(emu.PASS, 33)))
        for end in ("halt", "reset", "quit"):
            self.assertIsNotNone(machine.check_end(end, "qemu", self.result(emu.TIMEOUT, 0)))

    def test_unknown(self):
        self.assertIsNotNone(machine.check_end("somehow", "qemu", self.result(emu.PASS, 0)))


class Record(unittest.TestCase):
    def test_matrix(self):
        tests = load(f"[a]\n{BOOT}cpus = 1 8\ncpu_model = corei7_haswell_4770 tigerlake\nexpect = x{{cpus}}")
        self.assertEqual([t.name for t in tests],
                         ["a.haswell.1cpu", "a.haswell.8cpu", "a.tigerlake.1cpu", "a.tigerlake.8cpu"])
        self.assertEqual(tests[1].lines("expect"), ["x8"])

    def test_refused(self):
        for text in ("[a]\n" + BOOT,  # expects nothing
                     f"[a]\n{BOOT}expect = (",
                     f"[a]\n{BOOT}expect = x\nexpct = y",
                     f"[a]\n{BOOT}expect = x\nafter = b",
                     "[a]\nmachine = qemu\nexpect = x",  # does not say how it ends
                     "[a]\ngroup = check",
                     "[a]\nitem_command = true\ncommand = true {item}"):
            with self.assertRaises(records.RecordError, msg=text):
                load(text)


class Whole(unittest.TestCase):
    """The program, with a configuration of its own in an empty tree."""

    def run_it(self, text, *args):
        with tempfile.TemporaryDirectory() as tree:
            os.makedirs(tree + "/tests")
            os.symlink(HERE, tree + "/tests/runner")
            os.symlink(os.path.join(HERE, "..", "..", "tools"), tree + "/tools")
            with open(tree + "/tests/tests.cfg", "w", encoding="utf-8") as file:
                file.write(text)
            with open(RUN, encoding="utf-8") as source, open(tree + "/tests/run.py", "w", encoding="utf-8") as copy:
                copy.write(source.read())
            env = dict(os.environ, SBX_TEST_ROOT=tree)
            done = subprocess.run([sys.executable, tree + "/tests/run.py", *args], env=env, text=True, check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout.splitlines()

    def test_counts(self):
        code, lines = self.run_it("[a]\ncommand = true\n[b]\ncommand = echo why; false\n[c]\ncommand = echo lack; exit 77\n"
                                  "[d]\ncommand = true\nafter = b\n[e]\ncommand = sleep 9\ntimeout = 0.2")
        self.assertEqual((code, lines[-1]), (1, "1 passed, 2 failed, 2 skipped"))
        self.assertTrue(any(line.startswith("FAIL b: exit code 1: why, ") for line in lines), lines)
        self.assertTrue(any(line.startswith("FAIL e: no end within 0.2 s, ") for line in lines), lines)
        self.assertIn("skip c: lack", lines)
        self.assertIn("skip d: needs b, which did not pass", lines)

    def test_nothing_ran(self):
        code, lines = self.run_it("[a]\ncommand = exit 77")
        self.assertEqual((code, lines[-1]), (3, "0 passed, 0 failed, 1 skipped"))
        code, lines = self.run_it("[a]\ncommand = true", "no-such-test")
        self.assertEqual((code, lines[-1]), (3, "0 passed, 0 failed, 0 skipped"))

    def test_dependency_is_pulled_in(self):
        code, lines = self.run_it("[a]\ncommand = true\n[b]\ncommand = true\nafter = a\n[c]\ncommand = false", "b")
        self.assertEqual((code, lines[-1]), (0, "2 passed, 0 failed, 0 skipped"))

    def test_outcomes(self):
        self.assertEqual(outcome.failed("x").kind, "FAIL")


if __name__ == "__main__":
    unittest.main()
