# SPDX-License-Identifier: BSD-2-Clause
"""Records of tests/tests.cfg: read, checked, expanded to single tests.

A section is one record; a key unknown to KEYS is an error, so that a typing mistake cannot weaken a test. Keys in AXES
hold lists: a record with lists of several values becomes one test for each combination, and the values become parts of
its name (boot.bochs + tigerlake + 8cpu). `item_command` fills the axis `item` with the words that a command prints.
Placeholders in text: {cpus} {cpu_model} {memory} {start} {item} {build} {root}; other braces stay as they are, since regular
expressions use them.
"""
import configparser
import itertools
import os
import re
import shlex
import subprocess
from dataclasses import dataclass, field

AXES = ("cpu_model", "start", "memory", "cpus", "item")
LINES = ("modules", "expect", "forbid", "bochs_options", "emulator_log")  # one value per line
KEYS = {
    "group": "other", "about": "", "after": "", "timeout": "60", "weight": "1",
    "command": "", "item": "", "item_command": "", "needs": "",
    "image": "", "machine": "", "cpu_model": "", "cpus": "1", "memory": "64", "start": "", "firmware": "",
    "append": "", "modules": "", "variant": "patched", "accel": "tcg", "qemu_cpu": "", "qemu_args": "",
    "bochs_options": "", "emulator_log": "", "expect": "", "forbid": "", "end": "", "hook": "", "silent": "no",
}
MACHINES = ("bochs", "qemu")
STARTS = ("", "kernel", "multiboot", "multiboot2")


class RecordError(Exception):
    """tests.cfg is wrong; the text says where."""


@dataclass
class Test:
    """One test: a record with one value on each axis."""
    name: str
    record: str
    values: dict = field(default_factory=dict)

    def __getitem__(self, key):
        return self.values[key]

    def lines(self, key):
        return [line for line in self.values[key].splitlines() if line]

    @property
    def weight(self):
        return int(self.values["weight"])

    @property
    def timeout(self):
        return float(self.values["timeout"])


def _part(axis, value):
    """How an axis value reads in a name: corei7_sandy_bridge_2600k -> sandy_bridge, 8 -> 8cpu, 16 -> 16mib."""
    if axis == "cpu_model":
        return re.sub(r"_\d+k?$", "", re.sub(r"^corei7_", "", value))
    return value + {"cpus": "cpu", "memory": "mib"}.get(axis, "")


def _fill(text, values, root, build):
    for key in AXES:
        text = text.replace("{%s}" % key, values.get(key, ""))
    return text.replace("{build}", build).replace("{root}", root)


def _check(name, values):
    kinds = bool(values["command"]) + bool(values["machine"])
    if kinds != 1:
        raise RecordError(f"[{name}]: needs either command or machine")
    if values["machine"] and values["machine"] not in MACHINES:
        raise RecordError(f"[{name}]: machine = {values['machine']}")
    if any(start not in STARTS for start in values["start"].split()):
        raise RecordError(f"[{name}]: start = {values['start']}")
    if values["machine"] and not values["expect"] and values["silent"] != "yes":
        raise RecordError(f"[{name}]: a boot test must expect something, or say silent = yes")
    if values["machine"] and not values["end"]:
        raise RecordError(f"[{name}]: a boot test must say how the machine ends")
    for pattern in "\n".join(values[key] for key in ("expect", "forbid", "emulator_log")).splitlines():
        try:
            re.compile(pattern)
        except re.error as error:
            raise RecordError(f"[{name}]: {pattern}: {error}") from error


def _items(name, values, root):
    """The words that item_command prints: at least one, or the record would vanish in silence."""
    done = subprocess.run(["bash", "-c", values["item_command"]], cwd=root, stdin=subprocess.DEVNULL, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    words = done.stdout.split()
    if done.returncode or not words:
        raise RecordError(f"[{name}]: item_command gave nothing: {done.stderr.strip()[-300:]}")
    return words


def _expand(name, values, root, build):
    axes = {axis: shlex.split(values[axis]) or [""] for axis in AXES}
    for combination in itertools.product(*axes.values()):
        chosen = dict(zip(axes, combination))
        parts = [name] + [_part(axis, chosen[axis]) for axis in AXES if len(axes[axis]) > 1 or (axis == "item" and chosen[axis])]
        filled = {key: _fill(text, chosen, root, build) for key, text in values.items()}
        yield Test(".".join(parts), name, {**filled, **chosen})


def load(path, root, build, wanted):
    """All tests of the records for which wanted(record name, group) holds, in the order of the file."""
    parser = configparser.ConfigParser(interpolation=None, comment_prefixes=("#",), inline_comment_prefixes=None)
    with open(path, encoding="utf-8") as file:
        parser.read_file(file)
    tests = []
    for name in parser.sections():
        values = dict(KEYS)
        for key, text in parser[name].items():
            if key not in KEYS:
                raise RecordError(f"[{name}]: unknown key {key}")
            values[key] = text.strip()
        _check(name, values)
        for dependency in values["after"].split():
            if dependency not in parser:
                raise RecordError(f"[{name}]: after = {dependency}: no such record")
        if not wanted(name, values["group"]):
            continue
        if values["item_command"]:
            values["item"] = " ".join(_items(name, values, root))
        tests += _expand(name, values, root, build)
    if len({test.name for test in tests}) != len(tests):
        raise RecordError("two tests have the same name")
    return tests


def dependencies(path):
    """Record name -> names of the records that must have passed before."""
    parser = configparser.ConfigParser(interpolation=None, comment_prefixes=("#",), inline_comment_prefixes=None)
    parser.read(path, encoding="utf-8")
    return {name: parser[name].get("after", "").split() for name in parser.sections()}


def root_of_tree():
    """Where the tree begins; the runner's own test has another one."""
    return os.environ.get("SBX_TEST_ROOT") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
