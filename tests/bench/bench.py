#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Counts root-mode instructions per operation and compares them with the figures that the repository keeps.

Order: for each CPU model, boot with 1, 2 and 8 CPUs in the counting emulator (tests/bochs/README.md, variant "bench");
the run with 2 CPUs does all rows (tests/bench/manager.c), the others only boot. The emulator's report becomes rows:

  exits, median, worst, vmcs, locks    per operation, on all CPUs that take part in it, VM entry included
  boot_*                               instructions of CPU 0 from the image's first instruction to "ready"
  boot_to_guest_*                      ... to the first instruction of domain 0
  bytes_*                              sizes in bytes, in `median`

Cycles are a model, exits * X + instructions / 2.2 with X = 500 (2024 processors) and 900 (Skylake server), and not
measured. build/bench.json holds the rows. The command fails when a run fails, a row is missing or a count has risen by
more than 5 % over tests/bench/baseline.json. The emulator is deterministic, so one run is enough.
"""
import argparse
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tools"))
import emu  # pylint: disable=wrong-import-position

BASELINE = os.path.join(HERE, "baseline.json")
MODELS = ("sapphire_rapids", "corei7_haswell_4770")
RUNS = ((1, "boot"), (2, "all"), (8, "boot"))  # CPUs, word for the manager
MEMORY_MIB = 256
TIMEOUT_SECONDS = 120
MARK_READY = 1                                 # BENCH_MARK_READY of arch/cpu/insn.h
TOLERANCE = 1.05
CYCLES_PER_EXIT = (500, 900)
INSTRUCTIONS_PER_CYCLE = 2.2
COUNTED = ("exits", "median", "worst", "vmcs", "locks")
COMPARED = ("exits", "median", "vmcs", "locks")  # the worst depends on which operation a timer interrupt falls into

# From the end of one operation to the end of the next nothing is set; these are counted per exit of one reason.
BY_EXIT_REASON = {"vcpu_switch": 1}
LINES = {"cpuid": 80, "hypercall_null": 60, "pio_manager": 600}  # to be reached: median


class BenchError(Exception):
    """A run that did not end well, or a row without figures."""


def labels():
    """{id: number} from labels.h."""
    with open(os.path.join(HERE, "labels.h"), encoding="ascii") as file:
        found = re.findall(r"^#define LABEL_([A-Z_]+) +(\d+)$", file.read(), re.MULTILINE)
    return {name.lower(): int(number) for name, number in found if int(number)}


def run(build, model, cpus, word):
    """One machine. Returns the emulator's report and what the manager printed."""
    report = os.path.join(build, "bench", f"{model}-{cpus}.json")
    result = emu.run(emu.RunSpec(
        image=os.path.join(build, "signalbox.elf"), machine="bochs", variant="bench", cpu_model=model, cpus=cpus,
        memory=MEMORY_MIB, append="exit=shutdown-port", timeout=TIMEOUT_SECONDS,
        modules=[f"{os.path.join(build, 'bench', 'manager.bin')} {word}"], bench_out=report,
        fail_patterns=["bench: FAIL", r"^\[E"]))  # without a pass pattern: the report is written at the machine's own end
    if result.code != emu.PASS or "\nbench: end" not in result.serial_text:
        raise BenchError(f"{model}, {cpus} CPUs: {result.status}: {result.detail}\n{result.serial_text[-2000:]}")
    with open(report, encoding="ascii") as file:
        return json.load(file), result.serial_text


def row(name, model, cpus, **figures):
    return {"id": name, "cpu_model": model, "cpus": cpus, **{key: figures.get(key, 0) for key in COUNTED}}


def boot_rows(report, model, cpus):
    ready = [m for m in report["marks"] if m["name"] == "mark" and m["label"] == MARK_READY]
    guest = [m for m in report["marks"] if m["name"] == "first_guest" and m["cpu"] == 0]
    if len(ready) != 1 or len(guest) != 1:
        raise BenchError(f"{model}, {cpus} CPUs: the marks are missing")
    for name, mark in ((f"boot_{cpus}cpu", ready[0]), (f"boot_to_guest_{cpus}cpu", guest[0])):
        yield row(name, model, cpus, median=mark["icount"], worst=mark["icount"])


def operation_row(report, name, label, model, cpus):
    if name in BY_EXIT_REASON:
        found = [dict(e, exits=1) for e in report["exits"]
                 if e["label"] == label and e["reason"] == BY_EXIT_REASON[name]]
    else:
        found = [o for o in report["operations"] if o["label"] == label]
    if not found:
        raise BenchError(f"{model}: row {name} has no figures")
    return row(name, model, cpus, **{key: sum(f[key] for f in found) for key in COUNTED})


def operation_rows(report, text, model, cpus):
    done = {int(n) for n in re.findall(r"^bench: done (\d+)", text, re.MULTILINE)}
    for name, label in labels().items():
        if label not in done:
            raise BenchError(f"{model}: row {name} was not run")
        yield operation_row(report, name, label, model, cpus)
    for name, value in re.findall(r"^bench: value (\w+) (\d+)", text, re.MULTILINE):
        yield row(name, model, cpus, median=int(value), worst=int(value))
    off = max(e["worst"] for e in report["interrupts_off"])
    yield row("interrupts_off", model, cpus, median=off, worst=off)


def image_rows(build):
    """Sizes of the image's segments, from its program headers."""
    with open(os.path.join(build, "signalbox.elf"), "rb") as file:
        elf = file.read()
    at, size, count = (int.from_bytes(elf[o:o + n], "little") for o, n in ((32, 8), (54, 2), (56, 2)))
    bytes_of = {"bytes_text": 0, "bytes_rodata": 0, "bytes_data": 0}
    for i in range(count):
        header = elf[at + i * size:at + (i + 1) * size]
        kind, flags = (int.from_bytes(header[o:o + 4], "little") for o in (0, 4))
        memory = int.from_bytes(header[40:48], "little")
        if kind == 1:
            bytes_of["bytes_text" if flags & 1 else "bytes_data" if flags & 2 else "bytes_rodata"] += memory
    return [row(name, "any", 0, median=value, worst=value) for name, value in bytes_of.items()]


def measure(build, models):
    rows = image_rows(build)
    for model in models:
        for cpus, word in RUNS:
            print(f"running {model} with {cpus} CPUs", file=sys.stderr, flush=True)
            report, text = run(build, model, cpus, word)
            rows += boot_rows(report, model, cpus)
            if word == "all":
                rows += operation_rows(report, text, model, cpus)
    return rows


def key_of(entry):
    return entry["id"], entry["cpu_model"], entry["cpus"]


def worse(rows, baseline):
    """Lines about the counts that rose."""
    known = {key_of(entry): entry for entry in baseline}
    for entry in rows:
        before = known.get(key_of(entry), {})
        for name in COMPARED:
            if name in before and entry[name] > before[name] * TOLERANCE:
                yield (f"{entry['id']} on {entry['cpu_model']}, {entry['cpus']} CPUs: {name} rose "
                       f"from {before[name]} to {entry[name]}")
    for key in sorted(set(known) - {key_of(entry) for entry in rows}):
        yield f"{key[0]} on {key[1]}, {key[2]} CPUs: the row is gone"


def cycles(entry, per_exit):
    if not entry["exits"]:
        return "-"
    return str(round(entry["exits"] * per_exit + entry["median"] / INSTRUCTIONS_PER_CYCLE))


def print_table(rows, baseline):
    known = {key_of(entry): entry for entry in baseline}
    head = ("id", "CPU model", "CPUs", "exits", "median", "worst", "vmcs", "locks", "model X=500", "model X=900",
            "line", "baseline")
    lines = [head]
    for e in rows:
        before = known.get(key_of(e))
        lines.append((e["id"], e["cpu_model"], str(e["cpus"]), *(str(e[c]) for c in COUNTED),
                      *(cycles(e, x) for x in CYCLES_PER_EXIT), str(LINES.get(e["id"], "")),
                      str(before["median"]) if before else "new"))
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        print("  ".join(cell.ljust(w) if i < 2 else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths))))
    print("median, worst: root-mode instructions. model X: cycles as exits * X + instructions / 2.2, a model only.")


def write(path, rows):
    with open(path, "w", encoding="ascii") as file:
        file.write("[\n" + ",\n".join(" " + json.dumps(entry) for entry in rows) + "\n]\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--accept", action="store_true", help="the result becomes the baseline")
    parser.add_argument("--model", action="append", help="only this CPU model")
    options = parser.parse_args()
    baseline = []
    if os.path.exists(BASELINE):
        with open(BASELINE, encoding="ascii") as file:
            baseline = json.load(file)
    models = options.model or MODELS
    try:
        rows = measure(options.build, models)
    except (BenchError, emu.EmuError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    write(os.path.join(options.build, "bench.json"), rows)
    print_table(rows, baseline)
    if options.accept:
        if set(models) != set(MODELS):
            print("bench: only all CPU models together make a baseline", file=sys.stderr)
            return 2
        write(BASELINE, rows)
        return 0
    problems = list(worse(rows, [e for e in baseline if e["cpu_model"] in (*models, "any")]))
    for problem in problems:
        print(f"bench: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
