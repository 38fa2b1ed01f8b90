#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A storm of IPIs in a domain that is paused and resumed, and whose vCPUs move to other CPUs, all the time: nothing may be lost.

    disturb.py [CPUS [ROUNDS [SEED]]]     default: 4 CPUs for 4 vCPUs, 10 rounds of a pause and a move of each vCPU
"""
import os
import random
import re
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "shell"))
from machine import BUILD, Failure, Machine  # pylint: disable=wrong-import-position

COUNT = 3000  # sends of each vCPU in each part: lasts longer than the rounds
GUESTS = os.path.join(ROOT, "build", "tests", "guest")


def configuration(folder):
    with open(os.path.join(GUESTS, "apic_storm-4s.conf"), encoding="utf-8") as file:
        text = re.sub(r"count=\d+", f"count={COUNT}", file.read())
    path = os.path.join(folder, "disturb.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def run(cpus, rounds, seed, folder):
    modules = [f"{configuration(folder)} disturb.conf", f"{os.path.join(GUESTS, 'apic_storm.elf')} apic_storm.elf",
               f"{os.path.join(GUESTS, 'canary.elf')} canary.elf"]
    done = 0
    choice = random.Random(seed)
    with Machine(modules, cpus=cpus, memory=256, manager="config=disturb.conf") as machine:
        try:
            machine.expect("apic_storm: xAPIC, 4 processors")
            machine.type("\r")
            while done < rounds and b"(test): ended" not in machine.log:
                machine.command("pause test")
                machine.command("resume test")
                for vcpu in range(4):
                    answer = machine.command(f"vcpu-pin test {vcpu} {choice.randrange(cpus)}")
                    if not answer.strip().endswith("done") and b"(test): ended" not in machine.log:
                        raise Failure(f"not moved: {answer!r}")
                done += 1
            machine.at = 0
            machine.expect(r"\(test\): ended, code 33", 300)  # what the guest itself says is cut up by the prompt; 33: nothing failed
            if done < rounds:
                raise Failure(f"the storm was over after {done} rounds")
        except (Failure, OSError) as failure:
            print(machine.log.decode(errors="replace")[-6000:])
            print(f"FAIL after {done} rounds: {failure}")
            return 1
    print(f"{done} pauses and {4 * done} moves in a storm of 4 x {COUNT} IPIs in each part: nothing lost")
    return 0


def main():
    cpus = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    os.makedirs(BUILD, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sbx-disturb-") as folder:
        return run(cpus, rounds, seed, folder)


if __name__ == "__main__":
    sys.exit(main())
