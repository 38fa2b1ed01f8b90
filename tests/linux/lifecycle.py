#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A Linux domain at the multiplexed console: a shell prompt, pause and resume, and what on_exit makes of reboot, poweroff and panic.

    tests/linux/lifecycle.py 6.1|6.12
"""
import json
import os
import re
import sys
import tempfile
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests", "shell"))
from machine import BUILD, Failure, Machine  # pylint: disable=wrong-import-position

DOMAIN = """[{name}]
kernel = vmlinuz
module = initramfs.cpio
memory = 160M
vcpus = 2
irqchip = full
on_exit = {on_exit}
cmdline = console=ttyS0,115200 quiet sbx.test=modules sbx.end=shell
"""
GUEST_PROMPT = r"linux:[^\n]*# "


def check(condition, what):
    if not condition:
        raise Failure(what)


def row(machine, name):
    return next(row for row in json.loads(machine.command("list --json")) if row["name"] == name)


def start(machine, name):
    machine.command(f"start {name}")
    machine.expect(rf"\[{name}\] sbx: shell", 400)


def type_in(machine, name, command):
    """A command at the guest's prompt; the console stays attached."""
    machine.type(f"console {name}\r")
    machine.expect("Ctrl-] leaves it")
    machine.type("\r")
    machine.expect(GUEST_PROMPT)
    machine.type(command + "\r")


def detach(machine):
    machine.type("\x1d")
    machine.expect("signalbox> ")


def soon(machine, name, command):
    """A command that ends the domain, when nobody is attached any more."""
    type_in(machine, name, f"(sleep 3; {command}) &")
    detach(machine)


def ticks(machine, seconds):
    """How many lines the guest's loop prints meanwhile."""
    before = len(re.findall(rb"tick-\d", machine.log))
    time.sleep(seconds)
    return len(re.findall(rb"tick-\d", machine.log)) - before


def pause_and_resume(machine):
    start(machine, "again")
    type_in(machine, "again", "while usleep 200000; do echo tick-$((40+2)); done &")
    machine.expect(r"^tick-42")
    detach(machine)
    machine.expect(r"\[again\] tick-42")
    machine.command("pause again")
    check(row(machine, "again")["state"] == "paused", "list does not show the pause")
    # Its clock goes on, here up to 25 times as fast as ours, and after 21 s Linux would complain of a stall.
    check(ticks(machine, 0.4) == 0, "a paused domain prints")
    machine.command("resume again")
    check(row(machine, "again")["state"] == "running", "list does not show that it runs")
    machine.expect(r"\[again\] tick-42")
    type_in(machine, "again", "kill %1; taskset 2 sh -c 'echo second-$((6*7))'; dmesg | grep -cE 'soft lockup|BUG:|Oops|stall'")
    machine.expect(r"^second-42")
    machine.expect(r"^0\r*$")
    detach(machine)


def restarts(machine):
    for command, what in (("reboot -f", "reset"), ("poweroff -f", "powered off")):
        soon(machine, "again", command)
        machine.expect(rf"\(again\): {what}", 300)
        machine.expect(r"\[again\] sbx: shell", 400)
        now = row(machine, "again")
        check(now["state"] == "running", f"after {command}: {now}")
    machine.command("destroy again")


def ends(machine):
    """on_exit = keep and destroy; a panic is told as such."""
    panic = "echo c >/proc/sysrq-trigger"
    for name, state, command, what in (("kept", "ended", "reboot -f", "reset"), ("gone", "off", "poweroff -f", "powered off"),
                                       ("kept", "ended", panic, "panicked"), ("gone", "off", panic, "panicked")):
        start(machine, name)
        soon(machine, name, command)
        machine.expect(rf"\({name}\): {what}", 300)
        now = row(machine, name)
        check(now["state"] == state and now["last_result"] == what, f"{name}, after {command}: {now}")
        if state == "ended":
            machine.command(f"destroy {name}")


def session(machine):
    machine.expect("free for domains")
    machine.type("\r")
    machine.expect("signalbox> ")
    pause_and_resume(machine)
    restarts(machine)
    ends(machine)


def main():
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    kernel = sys.argv[1]
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as config:
        for name, on_exit in (("again", "restart"), ("kept", "keep"), ("gone", "destroy")):
            config.write(DOMAIN.format(name=name, on_exit=on_exit))
        config.flush()
        modules = [f"{config.name} linux.conf", f"{BUILD}/linux/vmlinuz-{kernel} vmlinuz", f"{BUILD}/linux/initramfs-{kernel}.cpio initramfs.cpio"]
        with Machine(modules, cpus=2, memory=512, manager="config=linux.conf") as machine:
            try:
                session(machine)
            except Failure as failure:
                print(machine.log.decode("utf-8", "replace").replace("\r", ""))
                print(f"lifecycle: FAILED: {failure}")
                return 1
    print("lifecycle: as it should be")
    return 0


if __name__ == "__main__":
    sys.exit(main())
