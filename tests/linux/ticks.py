#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Ticks from the kernel's entry to /init: without a hypervisor, and in a domain that has the machine for itself.

    tests/linux/ticks.py --kernel 6.1 --cpus 1 2 4 [--same-strings]

Both on the same emulator and CPU model, with as much memory, the same initial RAM disk and command line. Natively as in native.py.
Most CPU models of the emulator have no IA32_MISC_ENABLE, so the kernel alone believes that fast strings are off and copies by eight bytes;
in a domain it copies by single bytes, which the emulator counts one by one. --same-strings tells the domain's kernel not to. In a domain the
start is the first VM entry of its first vCPU, which the emulator puts on record because a VMRESUME fails before it, and the end is the tick
at which the first line of /init was seen (late by at most a hundredth of a second of the machine that runs this).
"""
import argparse
import os
import re
import sys
import tempfile

import native

CONFIG = """[linux]
kernel = vmlinuz
module = initramfs.cpio
memory = {memory}M
vcpus = {cpus}
irqchip = full
cmdline = console=ttyS0,115200 quiet {append}
autostart = yes
"""


def in_domain(args, kernel, cpus, folder):
    build = args.build
    conf, log = os.path.join(folder, "linux.conf"), os.path.join(folder, "log")
    with open(conf, "w", encoding="utf-8") as file:
        file.write(CONFIG.format(memory=args.memory, cpus=cpus, append=args.append + (" clearcpuid=erms,rep_good" if args.same_strings else "")))
    result = native.emu.run(native.emu.RunSpec(
        image=f"{build}/signalbox.elf", machine="bochs", cpu_model=args.cpu_model, cpus=cpus, memory=2 * args.memory, timeout=args.timeout,
        append="exit=shutdown-port", log=log, pass_patterns=[r"sbx: /init"], fail_patterns=["panic"],
        modules=[f"{build}/mgmt/manager.bin config=linux.conf", f"{conf} linux.conf", f"{build}/linux/vmlinuz-{kernel} vmlinuz",
                 f"{build}/linux/initramfs-{kernel}.cpio initramfs.cpio"]))
    with open(log, encoding="utf-8", errors="replace") as file:
        launches = re.findall(r"^(\d+)e\[CPU\d+.*VMRESUME with non-launched", file.read(), re.M)
    if result.status != "pass" or len(launches) < 2:
        return None
    return result.ticks - int(launches[1])  # the first one is the manager's


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernel", nargs="*", default=["6.1", "6.12"])
    parser.add_argument("--cpus", nargs="*", type=int, default=[1, 2, 4])
    parser.add_argument("--cpu-model", default="corei7_skylake_x")
    parser.add_argument("--memory", type=int, default=256)
    parser.add_argument("--same-strings", action="store_true")
    parser.add_argument("--append", default="")
    parser.add_argument("--timeout", type=float, default=400)
    parser.add_argument("--build", default=os.path.join(native.ROOT, "build"))
    args = parser.parse_args()
    args.end, args.serial, args.log, args.live, args.verbose = "shutdown", "", "", False, False
    failed = 0
    for kernel in args.kernel:
        for cpus in args.cpus:
            with tempfile.TemporaryDirectory(prefix="sbx-ticks-") as folder:
                result, entry = native.run(args, kernel, cpus, folder)
                seen = re.search(r"sbx: /init, tsc (\d+)", result.serial_text)
                domain = in_domain(args, kernel, cpus, folder)
            if not seen or domain is None:
                failed += 1
                print(f"{kernel}, {cpus} CPUs: {'native' if not seen else 'the domain'} did not come to /init", flush=True)
                continue
            alone = int(seen.group(1)) - entry
            print(f"{kernel}, {cpus} CPUs, {args.cpu_model}: native {alone / 1e6:.0f} M, domain {domain / 1e6:.0f} M ticks "
                  f"({100 * (domain - alone) / alone:+.1f} %)", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
