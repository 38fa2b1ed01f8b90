#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Starts a bootable image on a test machine (Bochs or QEMU) without a display and judges what the guest prints.

As a program: see --help. As a module: emu.run(emu.RunSpec(image=..., pass_patterns=[...])) -> RunResult.
Order of a run: temporary folder, ISO around an ELF, emulator's configuration, emulator until a verdict, temporary
folder removed. The verdict comes from complete lines on the guest's first serial port.
How a guest ends its machine: Bochs: write the eight characters of "Shutdown" to port 0x8900, after the transmitter
of the serial port is empty (LSR bit 6), else the last characters are lost; QEMU: write 0x10 (success) or any other
value but 0 (failure) to port 0xF4, 32 bits wide. A guest may do both in this order on either machine.
"""
import argparse
import os
import shutil
import signal
import sys
import tempfile
from dataclasses import dataclass, field

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import emu_bochs  # pylint: disable=wrong-import-position
import emu_iso  # pylint: disable=wrong-import-position
import emu_qemu  # pylint: disable=wrong-import-position
import emu_session  # pylint: disable=wrong-import-position

PASS, FAIL, USAGE, TIMEOUT, CRASH, ENDED, LEFT, INTERRUPTED = 0, 1, 2, 3, 4, 5, 6, 130
STATUS_NAMES = {PASS: "pass", FAIL: "fail", USAGE: "usage", TIMEOUT: "timeout", CRASH: "crash", ENDED: "ended",
                LEFT: "left", INTERRUPTED: "interrupted"}
EPILOG = """exit codes:
  0    passed: a --pass line, or all --expect lines when there is no --pass, or, when neither was
       given, the guest ended its machine itself with success
  1    failed: a --fail line, an --expect line missing at the --pass line, or a failure value at
       QEMU's exit port
  2    wrong usage, a tool or file is missing, or GRUB refused the image
  3    timeout (wall clock)
  4    the emulator panicked, crashed or saw a triple fault
  5    the guest ended its machine, but a --pass or --expect line never came
  6    left by Ctrl-a x
  130  interrupted
"""


class EmuError(Exception):
    """Wrong usage or something missing: exit code 2."""


@dataclass
class RunSpec:
    """What to run. Only `image` is required."""
    image: str                                          # .iso, .img (disk) or an ELF with a Multiboot header
    machine: str = "auto"                               # bochs, qemu, auto (KVM with VMX, else Bochs)
    cpu_model: str = "corei7_skylake_x"                 # Bochs only
    cpus: int = 1
    memory: int = 512                                   # MiB
    timeout: float = 120                                # seconds of wall clock; 0: none
    serial: str = ""                                    # file that receives the guest's serial output
    terminal: bool = False                              # stdin and stdout are the guest's serial port
    live: bool = False                                  # copy serial output to stdout while it comes
    input: list = field(default_factory=list)           # [(regex or None, bytes or str)] typed when regex was printed
    append: str = ""                                    # command line of an ELF
    modules: list = field(default_factory=list)         # ["FILE args"]
    protocol: str = "multiboot2"                        # of the ISO that is made around an ELF
    iso: bool = False                                   # QEMU: start an ELF by an ISO even if -kernel would do
    uefi: bool = False                                  # QEMU only
    tcg: bool = False                                   # QEMU: no KVM even if there is one
    qemu_cpu: str = ""
    qemu_args: list = field(default_factory=list)
    pass_patterns: list = field(default_factory=list)   # regular expressions, searched in each complete line
    fail_patterns: list = field(default_factory=list)
    expect: list = field(default_factory=list)
    expect_in_order: bool = False                       # each on a line behind the one before
    variant: str = "patched"                            # of Bochs: patched, unpatched, bench
    quantum: int = 0                                    # 0: 16, or 5 with more than four CPUs
    ips: int = 20000000                                 # Bochs: instructions per emulated second
    clock: str = "none"                                 # Bochs: none, slowdown (not faster than real time)
    nic: str = "e1000"                                  # Bochs: none, e1000, ne2k, also with mover: e1000:vnet
    exclude_features: str = ""
    add_features: str = ""
    bochs_options: list = field(default_factory=list)   # further lines of bochsrc
    bench_out: str = ""                                 # variant bench: file of the report
    bench_entry: str = ""                               # hexadecimal; default: entry point of the ELF
    log: str = ""                                       # copy of the emulator's log
    e9: str = ""                                        # file that receives what the guest writes to port 0xE9
    verbose: bool = False                               # Bochs: its informational messages too


@dataclass
class RunResult:
    """What happened. `status` is a name of STATUS_NAMES, `code` the exit code of the command line."""
    code: int
    serial_text: str = ""
    seconds: float = 0.0
    ticks: int = None
    detail: str = ""
    e9_text: str = ""
    exit_code: int = None  # of the emulator

    @property
    def status(self):
        return STATUS_NAMES[self.code]


def run(spec):
    """Run one machine to its end. Raises EmuError for wrong usage and missing tools."""
    machine = _check(spec)
    folder = tempfile.mkdtemp(prefix="sbx-emu-")
    try:
        return _run_in(spec, machine, folder)
    except (emu_bochs.BochsError, emu_qemu.QemuError, emu_iso.IsoError) as error:
        raise EmuError(str(error)) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _check(spec):
    machine = spec.machine
    if machine == "auto":
        machine = "qemu" if emu_qemu.kvm_has_vmx() or spec.uefi else "bochs"
    if not os.path.isfile(spec.image):
        raise EmuError(f"no such image: {spec.image}")
    if machine == "bochs" and spec.uefi:
        raise EmuError("Bochs has no UEFI; use --machine qemu")
    if machine == "bochs" and not 1 <= spec.memory <= emu_bochs.GUEST_MEMORY_LIMIT:
        raise EmuError(f"Bochs runs with 1 to {emu_bochs.GUEST_MEMORY_LIMIT} MiB")
    if spec.terminal and spec.input:
        raise EmuError("terminal and prepared input exclude each other")
    if not spec.quantum:
        spec.quantum = 16 if spec.cpus <= 4 else 5
    return machine


def _bootable(spec, machine, folder):
    """The image itself, or an ISO around an ELF."""
    if spec.image.endswith((".iso", ".img")):
        if spec.modules or spec.append:
            raise EmuError("--append and --module need an ELF image")
        return spec.image
    if machine == "qemu" and not (spec.uefi or spec.iso) and emu_qemu.direct_kernel(spec.image):
        return spec.image
    output = os.path.join(folder, "image.iso")
    emu_iso.make_iso(spec.image, output, spec.append, spec.modules, spec.protocol, uefi_too=spec.uefi)
    return output


def _run_in(spec, machine, folder):
    image = _bootable(spec, machine, folder)
    serial_path = os.path.abspath(spec.serial or os.path.join(folder, "serial"))
    if os.path.exists(serial_path):
        os.unlink(serial_path)  # a stale file must not be taken for this run's output
    with_input = spec.terminal or spec.input
    serial = emu_session.SerialSocket(serial_path) if with_input else emu_session.SerialFile(serial_path)
    backend = emu_bochs if machine == "bochs" else emu_qemu
    try:
        command = backend.command(spec, folder, image, serial_path, getattr(serial, "port", None))
    except Exception:
        serial.close()
        raise
    watcher = emu_session.Watcher(spec.pass_patterns, spec.fail_patterns + [emu_iso.GRUB_FAILED], spec.expect,
                                  spec.expect_in_order)
    env = _bench_environment(spec) if spec.bench_out else None
    session = emu_session.Session(command, serial, watcher, timeout=spec.timeout, live=spec.live,
                                  terminal=spec.terminal, script=spec.input, cwd=folder, env=env,
                                  output=os.path.join(folder, "output"))
    session.run()
    return _result(spec, machine, folder, session, serial_path)


def _bench_environment(spec):
    """What the counting module of the variant bench reads; it starts to count at the image's entry point."""
    env = dict(os.environ, SBX_BENCH_OUT=os.path.abspath(spec.bench_out))
    entry = spec.bench_entry or f"{emu_iso.elf_entry(spec.image) or 0:x}"
    env["SBX_BENCH_ENTRY"] = entry
    return env


def _result(spec, machine, folder, session, serial_path):
    ticks = None
    if machine == "bochs":
        ticks, end, text = emu_bochs.judge(folder, spec.log)
    else:
        end, text = emu_qemu.judge(folder, session.code, spec.log)
    code, detail = _verdict(spec, session, end, text)
    e9_text = emu_bochs.e9_text(folder) if machine == "bochs" else _text(os.path.join(folder, "e9"))
    if spec.e9:
        with open(spec.e9, "w", encoding="utf-8") as copy:
            copy.write(e9_text)
    return RunResult(code, _text(serial_path), session.seconds, ticks, detail, e9_text, session.code)


def _verdict(spec, session, end, text):
    watcher = session.watcher
    if emu_iso.GRUB_FAILED in watcher.detail:
        return USAGE, f"{emu_iso.GRUB_FAILED}: see the serial output"
    if watcher.verdict:
        return (PASS if watcher.verdict == "pass" else FAIL), watcher.detail
    if session.reason == "timeout":
        return TIMEOUT, f"no verdict within {spec.timeout:g} s"
    if session.reason == "left":
        return LEFT, "left by Ctrl-a x"
    if end == "failure":
        return FAIL, text
    if end != "shutdown":
        return CRASH, text or f"emulator ended with {session.code}"
    if watcher.missing or spec.pass_patterns:
        return ENDED, "ended without verdict" + ("; " + watcher.missing_text() if watcher.missing else "")
    return PASS, "guest ended its machine"


def _text(path):
    if not os.path.exists(path):
        return ""
    with open(path, "rb") as file:
        return file.read().decode("utf-8", "replace")


def _parser():
    parser = argparse.ArgumentParser(prog="emu.py", description=__doc__, epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = parser.add_subparsers(dest="action", required=True)
    _add_run(sub.add_parser("run", help="run an image", epilog=EPILOG,
                            formatter_class=argparse.RawDescriptionHelpFormatter))
    iso = sub.add_parser("iso", help="wrap an ELF into a bootable ISO")
    iso.add_argument("--elf", required=True)
    iso.add_argument("--output", required=True)
    iso.add_argument("--append", default="")
    iso.add_argument("--module", action="append", default=[], metavar='"FILE args"')
    iso.add_argument("--protocol", choices=sorted(emu_iso.COMMANDS), default="multiboot2")
    iso.add_argument("--uefi-too", action="store_true")
    return parser


def _add_run(run_parser):
    option = run_parser.add_argument
    default = RunSpec(image="")
    option("--image", required=True, help=".iso, .img (disk) or a Multiboot ELF")
    option("--machine", choices=("bochs", "qemu", "auto"), default=default.machine)
    option("--cpu-model", default=default.cpu_model, choices=emu_bochs.CPU_MODELS, help="Bochs only")
    option("--cpus", type=int, default=default.cpus)
    option("--memory", type=int, default=default.memory, metavar="MIB")
    option("--timeout", type=float, default=default.timeout, metavar="SECONDS", help="0: none")
    option("--serial", default="", metavar="FILE", help="keep the guest's serial output")
    option("--terminal", action="store_true", help="talk to the guest's serial port; Ctrl-a x leaves")
    option("--live", action="store_true", help="show serial output while it comes")
    option("--append", default="", help="command line of an ELF")
    option("--module", action="append", default=[], dest="modules", metavar='"FILE args"')
    option("--protocol", choices=sorted(emu_iso.COMMANDS), default=default.protocol)
    option("--iso", action="store_true", help="QEMU: start an ELF by GRUB, not by -kernel")
    firmware = run_parser.add_mutually_exclusive_group()
    firmware.add_argument("--uefi", action="store_true")
    firmware.add_argument("--bios", action="store_false", dest="uefi")
    option("--tcg", action="store_true", help="QEMU: never use KVM")
    option("--qemu-cpu", default="")
    option("--qemu-arg", action="append", default=[], dest="qemu_args", metavar="ARG")
    option("--pass", action="append", default=[], dest="pass_patterns", metavar="REGEX")
    option("--fail", action="append", default=[], dest="fail_patterns", metavar="REGEX")
    option("--expect", action="append", default=[], metavar="REGEX")
    option("--variant", choices=("patched", "unpatched", "bench"), default=default.variant)
    option("--quantum", type=int, default=0, help="Bochs: most instructions per turn of a CPU")
    option("--ips", type=int, default=default.ips)
    option("--clock", choices=("none", "slowdown"), default=default.clock)
    option("--nic", default=default.nic, help="Bochs: none, e1000, ne2k, or with a mover: e1000:vnet")
    option("--exclude-features", default="")
    option("--add-features", default="")
    option("--bochs-option", action="append", default=[], dest="bochs_options", metavar="LINE")
    option("--bench-out", default="", metavar="FILE", help="report of the variant bench")
    option("--bench-entry", default="", metavar="HEX", help="where the bench counts from; default: the ELF's entry")
    option("--log", default="", metavar="FILE", help="keep the emulator's log")
    option("--e9", default="", metavar="FILE", help="keep what the guest writes to port 0xE9")
    option("--verbose", action="store_true")


def _main_run(args):
    values = {k: v for k, v in vars(args).items() if k != "action"}
    result = run(RunSpec(**values))
    ticks = f", {result.ticks} ticks" if result.ticks is not None else ""
    status = "" if args.terminal and result.code in (PASS, LEFT) else f"{result.status}: "
    print(f"emu: {status}{result.detail} ({result.seconds:.1f} s{ticks})", file=sys.stderr)
    return result.code


def _interrupt(*_):
    raise KeyboardInterrupt


def main():
    args = _parser().parse_args()
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, _interrupt)
    try:
        if args.action == "iso":
            emu_iso.make_iso(args.elf, args.output, args.append, args.module, args.protocol, args.uefi_too)
            return PASS
        return _main_run(args)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (EmuError, emu_iso.IsoError) as error:
        print(f"emu: {error}", file=sys.stderr)
        return USAGE


if __name__ == "__main__":
    sys.exit(main())
