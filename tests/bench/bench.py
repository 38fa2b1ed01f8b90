#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Counts root-mode instructions per operation and compares them with the figures that the repository keeps.

Order: for each CPU model, boot with 1, 2 and 8 CPUs in the counting emulator (tests/bochs/README.md, variant "bench");
the run with 2 CPUs does all rows (tests/bench/manager.c), that with 8 the rows of interrupts that need so many, that with 1
only boots. Then the rows of interrupts again with less acceleration of local APICs (vapic=). The report becomes rows:

  exits, median, worst, vmcs, locks    per operation, on all CPUs that take part in it, VM entry included
  ipi_*, *_sender, *_target            both sides of an IPI or MSI, and each alone; a target's EOI is not counted (eoi_edge)
  resample                             a level interrupt: the manager's calls until it knows of the end, and the guest's EOI
  device_edge                          an interrupt of the machine's clock, until the guest's handler has it
  device_level                         a deadline that has passed: told to the manager of a domain without local APICs, until the
                                       guest goes on
  ipi_broadcast_per_target             what one more target costs both sides: the slope from 2 to 8 vCPUs
  NAME.vid, NAME.tpr, NAME.none        with that acceleration; without suffix: with the most that the CPU model has
  boot_*                               instructions of CPU 0 from the image's first instruction to "ready"
  boot_to_guest_*                      ... to the first instruction of domain 0
  bytes_*                              sizes in bytes, in `median`

Cycles are a model, exits * X + instructions / 2.2 with X = 500 (2024 processors) and 900 (Skylake server), and not
measured. build/bench.json holds the rows. The command fails when a run fails, a row is missing, a row of interrupts has
another number of operations or exits than it must have, or a count has risen by more than 5 % over
tests/bench/baseline.json. The emulator is deterministic, so one run is enough.
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
# CPUs, word for the manager, vapic= (None: not said)
RUNS = ((1, "boot", None), (2, "all", None), (8, "apic", None))
BEST = {"sapphire_rapids": "pi", "corei7_haswell_4770": "vid"}
LEVELS = {"sapphire_rapids": ("vid", "tpr", "none")}  # regs: as tpr, for all that is counted here
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
# The exits of an operation, on all CPUs, with each acceleration.
APICV_LEVELS = ("none", "tpr", "regs", "vid", "pi")
EXITS = {
    "tpr": (1, 0, 0, 0, 0), "tpr_cr8": (1, 0, 0, 0, 0), "eoi_edge": (1, 1, 1, 0, 0), "self_ipi": (1, 1, 1, 0, 0),
    "ipi_running": (2, 2, 2, 2, 1), "ipi_running_logical": (2, 2, 2, 2, 1), "ipi_running_of_8": (2, 2, 2, 2, 1),
    "ipi_same_cpu": (1, 1, 1, 1, 1), "ipi_halted": (2, 2, 2, 2, 2),
    "ipi_broadcast_2": (2, 2, 2, 2, 1), "ipi_broadcast_4": (4, 4, 4, 4, 1), "ipi_broadcast_8": (8, 8, 8, 8, 1),
    "deadline_arm": (1, 1, 1, 1, 1), "deadline_fire": (2, 2, 2, 2, 2), "deadline_hlt_fire": (2, 2, 2, 2, 2),
    "msi_inject": (2, 2, 2, 2, 1), "msi_inject_halted": (2, 2, 2, 2, 2), "eoi_level": (1, 1, 1, 1, 1),
    "irq_line": (2, 2, 2, 2, 1), "notifier_signal": (2, 2, 2, 2, 1), "resample": (3, 3, 3, 3, 3),
    "device_edge": (1, 1, 1, 1, 1),
    "tpr_xapic": (1, 0, 0, 0, 0), "eoi_edge_xapic": (1, 1, 1, 0, 0), "self_ipi_xapic": (1, 1, 1, 0, 0),
    "ipi_running_xapic": (3, 3, 2, 2, 1),
}
# The same for rows that no acceleration changes.
EXITS_ALWAYS = {"cpuid": 1, "hypercall_null": 1, "pio_hv": 1, "pio_manager": 3, "pio_manager_other_cpu": 3, "mmio_manager": 3,
                "device_level": 3,
                "hlt_wake_other_cpu": 2, "route_replace_10": 1, "route_replace_1000": 1, "route_replace_100000": 1,
                "doorbell_pio": 1, "doorbell_mmio": 1, "doorbell_manager": 2}
# CPUs that take part, where it is not one: the sender, which is CPU 0 (of MSIs the manager), and its targets.
PARTIES = {"ipi_running": 2, "ipi_running_logical": 2, "ipi_running_xapic": 2, "ipi_halted": 2, "ipi_running_of_8": 2,
           "msi_inject": 2, "msi_inject_halted": 2, "irq_line": 2, "notifier_signal": 2, "resample": 2,
           "ipi_broadcast_2": 2, "ipi_broadcast_4": 4, "ipi_broadcast_8": 8}
LINES = {"cpuid": 80, "hypercall_null": 60, "pio_manager": 600, "tpr": 0, "eoi_edge": 0, "self_ipi": 0,
         "ipi_running": 110, "ipi_broadcast_per_target": 25, "ipi_halted": 400, "deadline_arm": 90,
         "deadline_fire": 180, "msi_inject": 100, "doorbell_pio": 110, "doorbell_mmio": 110, "route_replace_10": 200,
         "route_replace_1000": 200, "route_replace_100000": 200, "deadline_hlt_fire": 500}  # to be reached: median


class BenchError(Exception):
    """A run that did not end well, or a row without figures."""


def labels():
    """{id: number} from labels.h."""
    with open(os.path.join(HERE, "labels.h"), encoding="ascii") as file:
        found = re.findall(r"^#define LABEL_([A-Z0-9_]+) +(\d+)$", file.read(), re.MULTILINE)
    return {name.lower(): int(number) for name, number in found if int(number)}


def run(build, model, cpus, word, level=None):
    """One machine. Returns the emulator's report and what the manager printed."""
    report = os.path.join(build, "bench", f"{model}-{cpus}{'-' + level if level else ''}.json")
    result = emu.run(emu.RunSpec(
        image=os.path.join(build, "signalbox.elf"), machine="bochs", variant="bench", cpu_model=model, cpus=cpus,
        memory=MEMORY_MIB, append="exit=shutdown-port" + (f" vapic={level}" if level else ""), timeout=TIMEOUT_SECONDS,
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
    return total(name, model, cpus, found)


def total(name, model, cpus, found):
    return row(name, model, cpus, **{key: sum(f[key] for f in found) for key in COUNTED})


def interrupt_rows(report, text, model, cpus, level):
    """The rows that tests/bench/manager_apic.c says it has done."""
    suffix, level = "." + level if level else "", level or BEST[model]
    if f"virtual local APICs: level {level}\n" not in text.replace("\r", ""):
        raise BenchError(f"{model}: the level of local APICs is not {level}")
    names = {label: name for name, label in labels().items()}
    rows = {}
    for label, count in re.findall(r"^bench: operations (\d+) (\d+)", text, re.MULTILINE):
        name = names[int(label)]
        found = [o for o in report["operations"] if o["label"] == int(label)]
        if len(found) != PARTIES.get(name, 1) or any(o["count"] != int(count) for o in found):
            raise BenchError(f"{model}: row {name}{suffix} was not done {count} times on each of its CPUs: {found}")
        rows[name] = total(name + suffix, model, cpus, found)
        exits = EXITS[name][APICV_LEVELS.index(level)]
        if rows[name]["exits"] != exits:
            raise BenchError(f"{model}: row {name}{suffix} has {rows[name]['exits']} exits, not {exits}")
        if PARTIES.get(name) == cpus == 2:
            rows[name + "_sender"] = total(f"{name}_sender{suffix}", model, cpus, [o for o in found if not o["cpu"]])
            rows[name + "_target"] = total(f"{name}_target{suffix}", model, cpus, [o for o in found if o["cpu"]])
    if cpus == 8:
        few, many = rows["ipi_broadcast_2"], rows["ipi_broadcast_8"]
        rows["slope"] = row("ipi_broadcast_per_target" + suffix, model, cpus,
                            **{key: round((many[key] - few[key]) / 6) for key in COUNTED})
    missing = {name for name in EXITS if (cpus == 8) == bool(re.search("_[248]$", name))} - set(rows)
    if missing:
        raise BenchError(f"{model}: rows {', '.join(sorted(missing))} were not run")
    return list(rows.values())


def operation_rows(report, text, model, cpus):
    done = {int(n) for n in re.findall(r"^bench: done (\d+)", text, re.MULTILINE)}
    for name, label in labels().items():
        if name in EXITS:
            continue
        if label not in done:
            raise BenchError(f"{model}: row {name} was not run")
        counted = operation_row(report, name, label, model, cpus)
        if counted["exits"] != EXITS_ALWAYS.get(name, counted["exits"]):
            raise BenchError(f"{model}: row {name} has {counted['exits']} exits, not {EXITS_ALWAYS[name]}")
        yield counted
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
        levels = [(cpus, "apic", level) for level in LEVELS.get(model, ()) for cpus in (2, 8)]
        for cpus, word, level in (*RUNS, *levels):
            print(f"running {model} with {cpus} CPUs{', vapic=' + level if level else ''}", file=sys.stderr, flush=True)
            report, text = run(build, model, cpus, word, level)
            if not level:
                rows += boot_rows(report, model, cpus)
            if word == "all":
                rows += operation_rows(report, text, model, cpus)
            if word != "boot":
                rows += interrupt_rows(report, text, model, cpus, level)
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
    parser.add_argument("--only", metavar="REGEX", help="of which rows, by id; the other figures stay as they are")
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
        accepted = {key_of(e): e for e in rows if not options.only or re.search(options.only, e["id"])}
        kept = {key_of(e): e for e in baseline} if options.only else {}
        write(BASELINE, [accepted.get(key_of(e)) or kept[key_of(e)] for e in rows if key_of(e) in {**kept, **accepted}])
        return 0
    problems = list(worse(rows, [e for e in baseline if e["cpu_model"] in (*models, "any")]))
    for problem in problems:
        print(f"bench: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
