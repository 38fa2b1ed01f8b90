# SPDX-License-Identifier: BSD-2-Clause
"""Runs one emulator process and watches the serial port of its guest.

Job: start the process in a process group of its own, read what the guest prints, feed what it shall read, compare
complete lines with the caller's patterns, and stop everything at the verdict, at the time limit or on an interrupt.
Two ways to the guest's serial port: a file that the emulator writes (cheapest; output only) and a TCP connection on
the loopback interface (both directions; one accepted connection, the emulator is the client).
Invariant: when Session.run returns or raises, the process group is gone and the caller's terminal is as it was.
The kernel kills the emulator when this process dies without warning (setpriv --pdeathsig).
"""
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import termios
import time
import tty

POLL_SECONDS = 0.02
KILL_GRACE_SECONDS = 1.5
ESCAPE = 0x01  # Ctrl-a


class Watcher:
    """Decides about the guest's lines: verdict is None, 'pass' or 'fail'; detail says why."""

    def __init__(self, pass_patterns, fail_patterns, expect, in_order=False):
        self.passes = [re.compile(p) for p in pass_patterns]
        self.fails = [re.compile(p) for p in fail_patterns]
        self.missing = [re.compile(p) for p in expect]
        self.in_order = in_order
        self.only_expect = bool(expect) and not pass_patterns
        self.verdict = None
        self.detail = ""
        self.partial = ""

    def feed(self, data):
        lines = (self.partial + data.decode("utf-8", "replace")).split("\n")
        self.partial = lines.pop()
        for line in lines:
            self._line(line.rstrip("\r"))

    def finish(self):
        """The guest has ended: its last line may lack the newline."""
        if self.partial:
            self._line(self.partial.rstrip("\r"))
            self.partial = ""

    def _line(self, line):
        if self.verdict:
            return
        for pattern in {p for p in (self.missing[:1] if self.in_order else self.missing) if p.search(line)}:
            self.missing.remove(pattern)  # one of them: a pattern that is expected twice wants two lines
        if any(p.search(line) for p in self.fails):
            self.verdict, self.detail = "fail", f"guest: {line}"
        elif any(p.search(line) for p in self.passes):
            self.verdict, self.detail = "pass", f"guest: {line}"
            if self.missing:
                self.verdict, self.detail = "fail", self.missing_text()
        elif self.only_expect and not self.missing:
            self.verdict, self.detail = "pass", "all expected lines seen"

    def missing_text(self):
        return "never seen: " + ", ".join(p.pattern for p in self.missing)


class Terminal:
    """The caller's terminal in raw mode; Ctrl-a x leaves, Ctrl-a Ctrl-a sends Ctrl-a."""

    def __init__(self):
        self.fd = sys.stdin.fileno()
        self.saved = termios.tcgetattr(self.fd) if os.isatty(self.fd) else None
        self.escaped = False
        self.open = True

    def __enter__(self):
        if self.saved:
            tty.setraw(self.fd)
        return self

    def __exit__(self, *_):
        if self.saved:
            termios.tcsetattr(self.fd, termios.TCSADRAIN, self.saved)

    def read(self):
        """(bytes for the guest, True when the user wants to leave)"""
        data = os.read(self.fd, 4096)
        if not data:
            self.open = False
        out = bytearray()
        for byte in data:
            if not self.escaped and byte == ESCAPE:
                self.escaped = True
                continue
            if self.escaped and byte in b"xX":
                return bytes(out), True
            if self.escaped and byte != ESCAPE:
                out.append(ESCAPE)
            self.escaped = False
            out.append(byte)
        return bytes(out), False


class Script:
    """Input prepared by the caller: pairs (pattern or None, bytes); bytes go out after the pattern was printed."""

    def __init__(self, steps):
        self.steps = [(p and re.compile(p.encode()), d if isinstance(d, bytes) else d.encode()) for p, d in steps]
        self.seen = b""

    def due(self, data):
        self.seen += data
        out = b""
        while self.steps:
            pattern, text = self.steps[0]
            match = pattern.search(self.seen) if pattern else None
            if pattern and not match:
                break
            if match:
                self.seen = self.seen[match.end():]
            out += text
            self.steps.pop(0)
        return out


class SerialFile:
    """The emulator writes `path`; we read behind it."""

    def __init__(self, path):
        self.path, self.file = path, None

    def read(self):
        if self.file is None and os.path.exists(self.path):
            self.file = open(self.path, "rb")  # pylint: disable=consider-using-with
        return self.file.read() if self.file else b""

    def close(self):
        if self.file:
            self.file.close()


class SerialSocket:
    """The emulator connects to us; what the guest prints is also kept in `path`."""

    def __init__(self, path):
        self.copy = open(path, "wb", buffering=0)  # pylint: disable=consider-using-with
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1)
        self.port = self.listener.getsockname()[1]
        self.peer = None
        self.unsent = b""

    def fileno(self):
        return (self.peer or self.listener).fileno()

    def read(self):
        """What has come; call it when the descriptor is readable or the emulator has ended."""
        if self.peer is None:
            if not select.select([self.listener], [], [], 0)[0]:
                return b""
            self.peer, _ = self.listener.accept()
            self.listener.close()
            self.peer.setblocking(False)
            self.peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = b""
        try:
            while chunk := self.peer.recv(65536):
                data += chunk
        except (BlockingIOError, ConnectionResetError):
            pass
        self.copy.write(data)
        return data

    def send(self, data):
        self.unsent += data
        if self.peer and self.unsent:
            try:
                self.unsent = self.unsent[self.peer.send(self.unsent):]
            except (BlockingIOError, ConnectionResetError, BrokenPipeError):
                pass

    def close(self):
        for part in (self.peer, self.listener, self.copy):
            if part:
                part.close()


class Session:
    """One run. After run(): reason is 'verdict', 'ended', 'timeout' or 'left'; code is the emulator's exit code."""

    def __init__(self, command, serial, watcher, *, timeout, live=False, terminal=False, script=(), cwd=None,
                 env=None, output=None):
        self.command, self.serial, self.watcher = command, serial, watcher
        self.timeout, self.live, self.terminal = timeout, live or terminal, terminal
        self.script, self.cwd, self.env, self.output = Script(script), cwd, env, output
        self.reason, self.code, self.seconds = "", None, 0.0
        self.process = None

    def run(self):
        wrapper = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
        start = time.monotonic()
        with open(self.output or os.devnull, "wb") as out:
            self.process = subprocess.Popen(wrapper + self.command, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=subprocess.STDOUT, cwd=self.cwd, env=self.env,
                                            start_new_session=True)
        try:
            if self.terminal:
                with Terminal() as terminal:
                    self.reason = self._watch(start, terminal)
            else:
                self.reason = self._watch(start, None)
        finally:
            self._stop()
            self.seconds = time.monotonic() - start
            self.serial.close()

    def _watch(self, start, terminal):
        while True:
            ended = self.process.poll() is not None
            self._take(self.serial.read())
            if ended:
                self.watcher.finish()
            if self.watcher.verdict:
                return "verdict"
            if ended:
                return "ended"
            if self.timeout and time.monotonic() - start > self.timeout:
                return "timeout"
            if self._wait(terminal):
                return "left"

    def _wait(self, terminal):
        """Sleep until something may have happened; True when the user leaves."""
        if isinstance(self.serial, SerialFile):
            time.sleep(POLL_SECONDS)
            return False
        sources = [self.serial] + ([terminal.fd] if terminal and terminal.open else [])
        ready = select.select(sources, [], [], POLL_SECONDS)[0]
        leave = False
        if terminal and terminal.fd in ready:
            data, leave = terminal.read()
            self.serial.send(data)
        self.serial.send(self.script.due(b""))
        if self.process.poll() is None and ready == [self.serial]:
            time.sleep(0.001)  # let bytes gather: the guest sends them one at a time
        return leave

    def _take(self, data):
        if not data:
            return
        self.watcher.feed(data)
        if self.live:
            os.write(sys.stdout.fileno(), data)
        if isinstance(self.serial, SerialSocket):
            self.serial.send(self.script.due(data))

    def _stop(self):
        """Interrupt first: the emulator then closes its files and logs its tick count."""
        for sig, wait in ((signal.SIGINT, KILL_GRACE_SECONDS), (signal.SIGKILL, 10)):
            if self.process.poll() is None:
                os.killpg(self.process.pid, sig)
                try:
                    self.process.wait(wait)
                except subprocess.TimeoutExpired:
                    continue
        self.code = self.process.returncode
        self._drain()

    def _drain(self):
        try:
            self._take(self.serial.read())
        except OSError:
            pass
