#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs the tests of tests/tests.cfg side by side and prints one line for each as it ends.

    tests/run.py                       all tests
    tests/run.py 'boot.bochs.*' wx     those whose name matches a pattern (or contains the word), and what they need
    tests/run.py --group check,boot    those of some groups
    tests/run.py --list                names, groups and what each is about

The last line is "N passed, N failed, N skipped". Exit code 0: something ran and nothing failed; 1: failures; 2: wrong
usage; 3: nothing ran. Logs: build/test-logs/NAME.log; all results: build/test-results.json. A test may run while the
weights of those that run already leave room for its own within --jobs.
"""
import argparse
import fnmatch
import json
import os
import queue
import signal
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from runner import command, machine, outcome, records  # pylint: disable=wrong-import-position

ROOT = records.root_of_tree()
CONFIG = os.path.join(ROOT, "tests", "tests.cfg")


class Run:
    """The state of one run: what waits, what runs, what came out."""

    def __init__(self, tests, build, jobs):
        self.waiting, self.build, self.jobs = list(tests), build, jobs
        self.after = records.dependencies(CONFIG)
        self.open = {}      # record -> number of its tests without outcome
        self.bad = set()    # records with a test that did not pass
        for test in tests:
            self.open[test.record] = self.open.get(test.record, 0) + 1
        self.load, self.done = 0, queue.Queue()
        self.results = []

    def _ready(self, test):
        return all(not self.open.get(name) for name in self.after[test.record])

    def _next(self):
        """The first test whose turn it is; None when nothing can start now. Heavy ones are not overtaken for ever."""
        for test in self.waiting:
            if self._ready(test):
                fits = self.load == 0 or self.load + min(test.weight, self.jobs) <= self.jobs
                return test if fits else None
        return None

    def _start(self, test):
        self.waiting.remove(test)
        self.load += min(test.weight, self.jobs)
        threading.Thread(target=self._work, args=(test,), daemon=True).start()

    def _work(self, test):
        start, log = time.monotonic(), outcome.log_path(self.build, test.name)
        broken = [name for name in self.after[test.record] if name in self.bad]
        try:
            if broken:
                result = outcome.skipped(f"needs {broken[0]}, which did not pass")
            elif test["command"]:
                result = command.run(test, ROOT, log)
            else:
                result = machine.run(test, self.build, log)
        except Exception as error:  # pylint: disable=broad-except
            result = outcome.failed(f"the runner itself: {type(error).__name__}: {error}")
        result.seconds = time.monotonic() - start
        self.done.put((test, result))

    def _finish(self, test, result):
        self.load -= min(test.weight, self.jobs)
        self.open[test.record] -= 1
        if result.kind != outcome.PASSED:
            self.bad.add(test.record)
        self.results.append((test, result))
        if result.kind == outcome.PASSED:
            print(f"ok   {test.name}  ({result.seconds:.1f} s)", flush=True)
        elif result.kind == outcome.SKIPPED:
            print(f"skip {test.name}: {result.reason}", flush=True)
        else:
            log = os.path.relpath(outcome.log_path(self.build, test.name))
            print(f"FAIL {test.name}: {result.reason}, {log}", flush=True)

    def run(self):
        running = 0
        while self.waiting or running:
            while test := self._next():
                self._start(test)
                running += 1
            self._finish(*self.done.get())
            running -= 1

    def count(self, kind):
        return sum(result.kind == kind for _, result in self.results)


def choose(patterns, groups):
    """Tests whose name and group are asked for, and all tests of the records that those need."""
    def hit(test):
        named = not patterns or any(fnmatch.fnmatchcase(test.name, p) or p in test.name for p in patterns)
        return named and (not groups or test["group"] in groups)

    build = os.path.join(ROOT, "build")
    after = records.dependencies(CONFIG)
    candidates = records.load(CONFIG, ROOT, build, lambda name, group: not groups or group in groups)
    chosen = {test.name for test in candidates if hit(test)}
    needed, todo = set(), {test.record for test in candidates if test.name in chosen}
    while todo:
        todo = {name for record in todo for name in after[record]} - needed
        needed |= todo
    everything = records.load(CONFIG, ROOT, build,
                              lambda name, group: name in needed or not groups or group in groups)
    return [test for test in everything if test.name in chosen or test.record in needed]


def write_results(run, seconds):
    rows = [{"name": test.name, "group": test["group"], "outcome": {"ok": "passed", "FAIL": "failed", "skip": "skipped"}[r.kind],
             "reason": r.reason, "seconds": round(r.seconds, 2), "ticks": r.ticks} for test, r in run.results]
    with open(os.path.join(run.build, "test-results.json"), "w", encoding="utf-8") as file:
        json.dump({"seconds": round(seconds, 1), "tests": sorted(rows, key=lambda row: row["name"])}, file, indent=1)
        file.write("\n")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pattern", nargs="*")
    parser.add_argument("--group", default="", help="comma-separated")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--jobs", type=int, default=max(2, os.cpu_count() or 2))
    return parser.parse_args()


def main():
    args = arguments()
    try:
        tests = choose(args.pattern, [g for g in args.group.split(",") if g])
    except records.RecordError as error:
        print(f"tests.cfg: {error}", file=sys.stderr)
        return 2
    if args.list:
        for test in tests:
            print(f"{test.name:44} {test['group']:8} {test['about'].splitlines()[0] if test['about'] else ''}")
        return 0
    build = os.path.join(ROOT, "build")
    os.makedirs(os.path.join(build, "test-logs"), exist_ok=True)
    run, start, code = Run(tests, build, args.jobs), time.monotonic(), 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run.run()
    except KeyboardInterrupt:
        print(f"interrupted, {len(tests) - len(run.results)} tests have no result")
        code = 130
    write_results(run, time.monotonic() - start)
    ran = run.count(outcome.PASSED) + run.count(outcome.FAILED)
    code = code or (1 if run.count(outcome.FAILED) else 0 if ran else 3)
    print(f"{run.count(outcome.PASSED)} passed, {run.count(outcome.FAILED)} failed, {run.count(outcome.SKIPPED)} skipped",
          flush=True)
    return code


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # threads of an interrupted run are not waited for; their children die with us
