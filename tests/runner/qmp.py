# SPDX-License-Identifier: BSD-2-Clause
"""Two ways into a running QEMU: its monitor (QMP, QEMU's docs/interop/qmp-spec) and its debugger (the remote serial
protocol of GDB, "GDB Remote Serial Protocol" in the GDB manual). Both over Unix sockets; only what the hooks need.
"""
import json
import re
import socket
import time

CONNECT_SECONDS = 15


class QmpError(Exception):
    """The emulator does not answer, or refuses."""


def connect(path):
    deadline = time.monotonic() + CONNECT_SECONDS
    while True:
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            link.connect(path)
            link.settimeout(CONNECT_SECONDS)
            return link
        except OSError as error:
            link.close()
            if time.monotonic() > deadline:
                raise QmpError(f"no answer at {path}") from error
            time.sleep(0.02)


class Monitor:
    """QMP; most of what we want is only in the human monitor, which QMP passes on."""

    def __init__(self, path):
        self.link = connect(path)
        self.file = self.link.makefile("rw", encoding="utf-8")
        self._read("QMP")
        self.command("qmp_capabilities")

    def _read(self, key):
        while True:
            try:
                line = self.file.readline()
            except OSError as error:
                raise QmpError("the monitor does not answer") from error
            if not line:
                raise QmpError("the monitor has gone")
            message = json.loads(line)
            if "error" in message:
                raise QmpError(message["error"].get("desc", "refused"))
            if key in message:
                return message[key]

    def command(self, name, **arguments):
        try:
            self.file.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
            self.file.flush()
        except OSError as error:
            raise QmpError("the monitor does not take commands") from error
        return self._read("return")

    def quit(self):
        """Stops the emulator, which may be gone before its answer arrives."""
        try:
            self.command("quit")
        except QmpError:
            pass

    def human(self, line):
        return self.command("human-monitor-command", **{"command-line": line})

    def registers(self, cpu=0):
        """Registers of one CPU as {name: number}; HLT is 1 when it is halted."""
        text = self.human("info registers -a")
        part = re.split(r"^CPU#", text, flags=re.M)[1 + cpu]
        return {name: int(value, 16) for name, value in re.findall(r"\b([A-Z][A-Z0-9]*) *= *([0-9a-f]+)", part)}

    def close(self):
        try:
            self.file.close()
        except OSError:
            pass
        self.link.close()


class Debugger:
    """GDB's protocol, CPU 0. QEMU must have been started with -S, so that breakpoints are there in time."""

    def __init__(self, path):
        self.link = connect(path)
        self.buffer = b""

    def _byte(self):
        if not self.buffer:
            try:
                self.buffer = self.link.recv(4096)
            except OSError as error:
                raise QmpError("the debugger does not answer") from error
            if not self.buffer:
                raise QmpError("the debugger has gone")
        byte, self.buffer = self.buffer[:1], self.buffer[1:]
        return byte

    def receive(self):
        while self._byte() != b"$":
            pass
        body = b""
        while (byte := self._byte()) != b"#":
            body += byte
        self._byte()
        self._byte()
        self.link.sendall(b"+")
        return body.decode("ascii", "replace")

    def send(self, text):
        body = text.encode()
        self.link.sendall(b"$" + body + b"#%02x" % (sum(body) & 0xff))

    def ask(self, text):
        self.send(text)
        answer = self.receive()
        if not answer or answer.startswith("E"):  # an empty answer: no such command
            raise QmpError(f"the debugger refuses {text}: {answer or 'unknown'}")
        return answer

    def run_to(self, address):
        """Continue until CPU 0 is about to execute `address`."""
        self.ask(f"Z1,{address:x},1")
        stop = self.ask("c")
        if not stop.startswith(("T05", "S05")):
            raise QmpError(f"stopped by {stop} instead of the breakpoint")
        self.ask(f"z1,{address:x},1")

    def read_memory(self, address, size):
        return bytes.fromhex(self.ask(f"m{address:x},{size:x}"))

    def write_memory(self, address, data):
        self.ask(f"M{address:x},{len(data):x}:{data.hex()}")

    def write_register(self, number, value):
        """One of the first 17 registers of x86-64 in GDB's order, 8 bytes each: 7 rsp, 16 rip."""
        all_of_them = bytearray.fromhex(self.ask("g"))
        all_of_them[8 * number:8 * number + 8] = value.to_bytes(8, "little")
        self.ask("G" + all_of_them.hex())

    def detach(self):
        """The machine goes on by itself. It may come to its end before the answer is read or acknowledged, so neither
        is waited for with an error: what the machine printed afterwards tells whether it went on."""
        self.send("D")
        try:
            self.receive()
        except (QmpError, OSError):
            pass
        self.link.close()
