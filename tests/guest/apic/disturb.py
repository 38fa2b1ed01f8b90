#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A storm of IPIs in a domain that is paused and resumed all the time, between vCPUs that share CPUs: nothing may be lost.

    disturb.py [CPUS [PAUSES]]     default: 2 CPUs for 4 vCPUs, 10 pauses
"""
import os
import re
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "shell"))
from machine import BUILD, Failure, Machine  # pylint: disable=wrong-import-position

COUNT = 800  # sends of each vCPU in each part: lasts longer than the pauses
GUESTS = os.path.join(ROOT, "build", "tests", "guest")


def configuration(folder):
    with open(os.path.join(GUESTS, "apic_storm-4s.conf"), encoding="utf-8") as file:
        text = re.sub(r"count=\d+", f"count={COUNT}", file.read())
    path = os.path.join(folder, "disturb.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def run(cpus, pauses, folder):
    modules = [f"{configuration(folder)} disturb.conf", f"{os.path.join(GUESTS, 'apic_storm.elf')} apic_storm.elf",
               f"{os.path.join(GUESTS, 'canary.elf')} canary.elf"]
    done = 0
    with Machine(modules, cpus=cpus, memory=256, manager="config=disturb.conf") as machine:
        try:
            machine.expect("apic_storm: xAPIC, 4 processors")
            machine.type("\r")
            while done < pauses and b"(test): ended" not in machine.log:
                machine.command("pause test")
                machine.command("resume test")
                done += 1
            machine.at = 0
            machine.expect(r"apic_storm: [1-9]\d* passed, 0 failed", 300)
            machine.expect(r"\(test\): ended, code 33")
            if done < pauses:
                raise Failure(f"the storm was over after {done} pauses")
        except (Failure, OSError) as failure:
            print(machine.log.decode(errors="replace")[-6000:])
            print(f"FAIL after {done} pauses: {failure}")
            return 1
    print(f"{done} pauses in a storm of 4 x {COUNT} IPIs in each part: nothing lost")
    return 0


def main():
    cpus = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    pauses = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    os.makedirs(BUILD, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sbx-disturb-") as folder:
        return run(cpus, pauses, folder)


if __name__ == "__main__":
    sys.exit(main())
