#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Proves that every patch of the emulator is needed and does what it says, and that the counting variant counts right.

Builds the small programs of this folder into build/tests/proof and runs each on Bochs as released and as patched.
A proof holds when the released one fails it (a FAIL line, a panic or silence) and the patched one passes it.
The program "counting" runs on the variant bench alone; the report must hold the figures that its source states.
Prints one line per proof; exit code 0 when all hold, 1 when not, 2 when something is missing.
"""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
BUILD = os.path.join(ROOT, "build", "tests", "proof")
sys.path.insert(0, os.path.join(ROOT, "tools"))
import emu  # pylint: disable=wrong-import-position

PROOFS = ("if0", "masked", "apicbase", "vectoring", "intx", "posted", "commit", "shadow")
CPUS = {"commit": 2, "shadow": 2}
COUNTED = {"label": 7, "reason": 18, "count": 100, "min": 12, "median": 12, "worst": 12, "vmcs": 3, "vmread": 2,
           "vmwrite": 1, "locks": 2, "rdmsr": 0, "wrmsr": 0}
TIMEOUT_SECONDS = 20
FLAGS = ("-std=c11 -O2 -Wall -Wextra -Werror -Wconversion -Wsign-conversion -Wshadow -Wmissing-prototypes"
         " -Wstrict-prototypes -ffreestanding -fno-pic -no-pie -fno-stack-protector -mgeneral-regs-only -mno-red-zone"
         " -mcmodel=small -fcf-protection=none -fno-asynchronous-unwind-tables -nostdlib -static"
         " -Wl,-Ttext-segment=0x100000,--build-id=none,-z,noexecstack,-z,noseparate-code,--no-warn-rwx-segments").split()


def build(name):
    output = os.path.join(BUILD, name + ".elf")
    sources = [os.path.join(HERE, f) for f in ("start.S", "machine.c", "vmx.c", name + ".c")]
    subprocess.run([os.environ.get("CC", "gcc"), "-m64", *FLAGS, "-o", output, *sources], check=True)
    return output


def run(name, image, variant, bench_out=""):
    passed = f"proof: PASS {name}"
    result = emu.run(emu.RunSpec(
        image=image, machine="bochs", variant=variant, protocol="multiboot", timeout=TIMEOUT_SECONDS, memory=64, cpus=CPUS.get(name, 1),
        bench_out=bench_out, fail_patterns=["proof: FAIL"],
        pass_patterns=[] if bench_out else [f"^{passed}$"]))  # the report is written at the machine's own end
    if bench_out and result.status == "pass" and passed not in result.serial_text:
        return "fail", "the program says nothing"
    return result.status, result.detail


def prove_patch(name):
    image = build(name)
    before, why = run(name, image, "unpatched")
    after, trouble = run(name, image, "patched")
    holds = before in ("fail", "crash", "timeout") and after == "pass"
    print(f"{'ok ' if holds else 'BAD'} {name}: unpatched {before} ({why}), patched {after}"
          + ("" if holds else f" ({trouble})"), flush=True)
    return holds


def prove_counting():
    report_path = os.path.join(BUILD, "counting.json")
    status, why = run("counting", build("counting"), "bench", report_path)
    trouble = [] if status == "pass" else [f"{status} ({why})"]
    if not trouble:
        with open(report_path, encoding="ascii") as file:
            report = json.load(file)
        found = [r for r in report["exits"] if r["label"] == COUNTED["label"]]
        if len(found) != 1 or any(found[0][k] != v for k, v in COUNTED.items()):
            trouble.append(f"counted {found}")
        names = [(m["name"], m["label"]) for m in report["marks"]]
        if names != [("entry", 0), ("mark", 9), ("first_guest", 0)]:
            trouble.append(f"marks {names}")
        elif report["marks"][2]["icount"] - report["marks"][1]["icount"] != 2:
            trouble.append("mark and first guest instruction must be two instructions apart")
    print("BAD counting: " + "; ".join(trouble) if trouble else "ok  counting: figures exact", flush=True)
    return not trouble


def main():
    os.makedirs(BUILD, exist_ok=True)
    bad = 0
    try:
        for name in sys.argv[1:] or PROOFS + ("counting",):
            bad += not (prove_counting() if name == "counting" else prove_patch(name))
    except (emu.EmuError, subprocess.CalledProcessError, OSError) as error:
        print(f"run.py: {error}", file=sys.stderr)
        return emu.USAGE
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
