#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Linux without a hypervisor on the emulated machine: the baseline, and the proof that /init and its checks work there.

    tests/linux/native.py                         both kernels, 1, 2 and 4 CPUs: ticks to /init
    tests/linux/native.py --kernel 6.1 --cpus 2 --append "sbx.test=smp" --live

Each run boots a CD with GRUB, the kernel and its initial RAM disk, and ends the emulator from inside (sbx.end=shutdown). The figure is
the time stamp counter at the first line of /init less that at the kernel's entry, where every kernel reads IA32_MISC_ENABLE, which
most CPU models of the emulator do not have and put on record.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tools"))
import emu  # pylint: disable=wrong-import-position

# CPUID of some models claims another frequency than the emulator has. Domains have no MWAIT, and the emulator counts the ticks of
# CPUs that wait by it otherwise than those of halted ones: with four CPUs a third less.
CMDLINE = "console=ttyS0,115200 quiet tsc_early_khz=20000 idle=halt"


def make_iso(kernel, disk, cmdline, output):
    config = f"set timeout=0\nlinux /boot/kernel {cmdline}\ninitrd /boot/disk\nboot\n"
    with tempfile.TemporaryDirectory(prefix="sbx-iso-") as tree:
        os.makedirs(tree + "/iso/boot/grub")
        with open(tree + "/iso/boot/grub/grub.cfg", "w", encoding="utf-8") as file:
            file.write(config)
        command = ["grub-mkrescue", "--install-modules=normal iso9660 linux", "--fonts=", "--locales=", "--themes=", "-o", output,
                   "-d", "/usr/lib/grub/i386-pc", tree + "/iso", "/boot/kernel=" + kernel, "/boot/disk=" + disk]
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


def entry_tick(log):
    """When the kernel read IA32_MISC_ENABLE for the first time: within its first hundred instructions."""
    with open(log, encoding="utf-8", errors="replace") as file:
        found = re.search(r"^(\d+)e\[CPU0.*RDMSR: Unknown register 0x1a0", file.read(), re.M)
    return int(found.group(1)) if found else 0


def run(args, kernel, cpus, folder):
    build = os.path.join(args.build, "linux")
    iso = os.path.join(folder, "native.iso")
    make_iso(f"{build}/vmlinuz-{kernel}", f"{build}/initramfs-{kernel}.cpio", f"{CMDLINE} {args.append} sbx.end={args.end}", iso)
    log = args.log or os.path.join(folder, "log")
    spec = emu.RunSpec(image=iso, machine="bochs", cpu_model=args.cpu_model, cpus=cpus, memory=args.memory, timeout=args.timeout,
                       live=args.live, serial=args.serial, verbose=args.verbose, log=log, nic="none", bochs_options=["cpu: ignore_bad_msrs=1"],
                       fail_patterns=["Kernel panic"])
    return emu.run(spec), entry_tick(log)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernel", nargs="*", default=["6.1", "6.12"])
    parser.add_argument("--cpus", nargs="*", type=int, default=[1, 2, 4])
    parser.add_argument("--cpu-model", default="corei7_skylake_x")
    parser.add_argument("--memory", type=int, default=512)
    parser.add_argument("--append", default="")
    parser.add_argument("--end", default="shutdown")
    parser.add_argument("--timeout", type=float, default=120)
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--serial", default="")
    parser.add_argument("--log", default="")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--live", action="store_true")
    args = parser.parse_args()
    failed = 0
    for kernel in args.kernel:
        for cpus in args.cpus:
            with tempfile.TemporaryDirectory(prefix="sbx-native-") as folder:
                result, entry = run(args, kernel, cpus, folder)
            seen = re.search(r"sbx: /init, tsc (\d+)", result.serial_text)
            bad = result.status != "pass" or not seen or "sbx: FAIL" in result.serial_text
            failed += bad
            took = f"{(int(seen.group(1)) - entry) / 1e6:.0f} M ticks to /init" if seen else "no /init"
            print(f"{kernel}, {cpus} CPUs: {result.status}, {took} (entry at {entry / 1e6:.0f} M), end at "
                  f"{(result.ticks or 0) / 1e6:.0f} M, {result.seconds:.1f} s {result.detail if bad else ''}", flush=True)
            if bad:
                print("".join(f"    {line}\n" for line in result.serial_text.splitlines()[-15:]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
