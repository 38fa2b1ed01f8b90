# SPDX-License-Identifier: BSD-2-Clause
"""A machine in the emulator with somebody at its serial port: types, waits for what is printed, runs commands of the shell.

    with Machine(modules) as machine:
        machine.expect(r"domain 1 \\(hello\\): ended")
        lines = machine.command("list")

Bytes are typed a few at a time, as by a person: a real port has room for 16. Everything that was printed is in machine.log.
"""
import os
import re
import subprocess
import sys
import threading
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BUILD = os.environ.get("BUILD", os.path.join(ROOT, "build"))
PROMPT = b"signalbox> "
TYPED_AT_ONCE = 8
SECONDS_BETWEEN = 0.03


class Failure(Exception):
    """What was expected did not come."""


class Machine:
    def __init__(self, modules, cpus=2, memory=128, append="", manager="config=session.conf", cpu_model="corei7_skylake_x"):
        self.command_line = [
            sys.executable, os.path.join(ROOT, "tools", "emu.py"), "run", "--machine", "bochs", "--terminal", "--timeout", "600",
            "--cpu-model", cpu_model, "--cpus", str(cpus), "--memory", str(memory), "--nic", "none",
            "--image", os.path.join(BUILD, "signalbox.elf"), "--append", f"exit=shutdown-port {append}",
            "--module", f"{os.path.join(BUILD, 'mgmt', 'manager.bin')} {manager}"]
        for module in modules:
            self.command_line += ["--module", module]
        self.log = b""
        self.at = 0
        self.process = None
        self.news = threading.Condition()

    def __enter__(self):
        self.process = subprocess.Popen(self.command_line, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, bufsize=0)
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            try:
                self.process.stdin.write(b"\x01x")
                self.process.wait(20)
            except (subprocess.TimeoutExpired, OSError):
                self.process.kill()
        self.process.wait()

    def _read(self):
        while data := self.process.stdout.read(65536):
            with self.news:
                self.log += data
                self.news.notify()
        with self.news:
            self.news.notify()

    def expect(self, pattern, seconds=60):
        """Waits for what has not been looked at yet; the match. A \\n of the pattern is any end of a line."""
        regex = re.compile(pattern.replace("\n", r"\n").replace(r"\n", r"\r*\n").encode(), re.M)
        end = time.monotonic() + seconds
        with self.news:
            while True:
                if match := regex.search(self.log, self.at):
                    self.at = match.end()
                    return match
                left = end - time.monotonic()
                if left <= 0 or self.process.poll() is not None:
                    raise Failure(f"never came: {pattern!r}; last: {self.log[self.at:][-600:]!r}")
                self.news.wait(min(left, 1))

    def type(self, data, at_once=TYPED_AT_ONCE):
        data = data.encode() if isinstance(data, str) else data
        data = data.replace(b"\x01", b"\x01\x01")
        for start in range(0, len(data), at_once):
            self.process.stdin.write(data[start:start + at_once])
            time.sleep(SECONDS_BETWEEN)

    def command(self, line, seconds=60):
        """Runs a command; what it printed up to the next prompt, lines of guests left out."""
        self.type(line + "\r")
        self.expect(r"signalbox> " + re.escape(line) + r"\n", seconds)
        text = self.expect(r"(?s)(.*?)(?:\r\x1b\[K)?signalbox> ", seconds).group(1).decode()
        text = re.sub(r"\r+\n", "\n", text)
        return re.sub(r"(?m)^(\r\x1b\[K)?\[[a-z][a-z0-9-]+\] .*\n", "", text)
