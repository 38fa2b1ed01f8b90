# SPDX-License-Identifier: BSD-2-Clause
"""Bochs as a test machine: configuration file, command line, and what its log says about the end of a run.

Job: turn a RunSpec into a bochsrc inside the run's temporary folder and read the tick count and the panic from the log.
One tick is one instruction of one CPU; with several CPUs it is the sum of all of them divided by their number.
Facts that shape the configuration: sapphire_rapids panics at RSM with LA57, so that feature goes; unknown MSRs fault
as on real machines (ignore_bad_msrs=0); a triple fault outside a guest ends the run; idle time is skipped (sync=none).
"""
import os
import re
import shutil
import subprocess
import sys

BUILD_SH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "bochs", "build.sh")
BIOS = "/usr/share/bochs/BIOS-bochs-latest"
VGA_BIOS = "/usr/share/vgabios/vgabios.bin"
EXCLUDED_FEATURES = {"sapphire_rapids": "la57"}
CPU_MODELS = ("corei7_sandy_bridge_2600k", "corei7_ivy_bridge_3770k", "corei7_haswell_4770", "broadwell_ult",
              "corei7_skylake_x", "corei7_icelake_u", "tigerlake", "sapphire_rapids", "arrow_lake")
HOST_MEMORY_LIMIT = 2048  # MiB; the emulator takes no more and swaps blocks to a file beyond
GUEST_MEMORY_LIMIT = 16384  # MiB; beyond, the firmware alone takes minutes
SHUTDOWN_TEXT = "Shutdown port: shutdown requested"
DIVIDER = "=" * 72
LAST_WORDS = "Bochs is exiting"
SIGNAL_TEXT = "SIGNAL 2 caught"


class BochsError(Exception):
    """The emulator or a file that it needs is missing; the text says which."""


def binary(variant):
    """Path of the emulator; builds it when it is not there yet."""
    done = subprocess.run([BUILD_SH, "--variant", variant, "--print"], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == 0:
        return done.stdout.strip()
    print(f"emu: building Bochs ({variant}), some minutes, once", file=sys.stderr)
    done = subprocess.run([BUILD_SH, "--variant", variant], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise BochsError(f"tests/bochs/build.sh --variant {variant} failed")
    return done.stdout.strip().splitlines()[-1]


def _drives(image):
    """A disk is copied on write into the run's folder, so the image stays as it is."""
    if image.endswith(".iso"):
        return [f'ata0-master: type=cdrom, path="{image}", status=inserted', "boot: cdrom"]
    return [f'ata0-master: type=disk, path="{image}", mode=volatile, journal="disk.redolog"', "boot: disk"]


def _features(spec):
    words = [EXCLUDED_FEATURES.get(spec.cpu_model, ""), spec.exclude_features]
    excluded = " ".join(w for w in words if w)
    lines = [f'cpu: exclude_features="{excluded}"'] if excluded else []
    if spec.add_features:
        lines.append(f'cpu: add_features="{spec.add_features}"')
    return lines


def _network(spec):
    """NIC is 'none', or a model with an optional packet mover: 'e1000', 'e1000:vnet', 'ne2k', ..."""
    model, _, mover = spec.nic.partition(":")
    if model == "none":
        return ["pci: enabled=1, chipset=i440fx"]
    line = f"{model}: enabled=1, mac=52:54:00:12:34:56, ethmod={mover or 'null'}"
    if mover == "vnet":
        line += ', ethdev="."'
    return [f"pci: enabled=1, chipset=i440fx, slot1={model}", line]


def _serial(spec, serial_path, port):
    if port:
        return [f"com1: enabled=1, mode=socket-client, dev=127.0.0.1:{port}"]
    return [f'com1: enabled=1, mode=file, dev="{serial_path}"']


def configuration(spec, image, serial_path, port):
    lines = [
        "display_library: nogui",
        f"romimage: file={BIOS}, options=fastboot",
        f"vgaromimage: file={VGA_BIOS}",
        "vga: extension=vbe, update_freq=1",
        f"memory: guest={spec.memory}, host={min(spec.memory, HOST_MEMORY_LIMIT)}, block_size=512",
        f"cpu: model={spec.cpu_model}, count={spec.cpus}, ips={spec.ips}, quantum={spec.quantum}",
        f"cpu: reset_on_triple_fault=0, ignore_bad_msrs=0, mwait_is_nop=0",
        f"clock: sync={spec.clock}, time0=1735689600",
        "log: bochs.log", "logprefix: %t%e%d",
        "panic: action=fatal", "error: action=report",
        f"info: action={'report' if spec.verbose else 'ignore'}", "debug: action=ignore",
        "port_e9_hack: enabled=1", "speaker: enabled=0", "parport1: enabled=0", "mouse: enabled=0",
        "floppy_bootsig_check: disabled=1", "ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14",
    ]
    lines += _features(spec) + _network(spec) + _drives(image) + _serial(spec, serial_path, port)
    return "\n".join(lines + list(spec.bochs_options)) + "\n"


def command(spec, folder, image, serial_path, port):
    """Command line; writes folder/bochsrc. The emulator runs inside `folder`."""
    for path, package in ((BIOS, "bochsbios"), (VGA_BIOS, "vgabios")):
        if not os.path.exists(path):
            raise BochsError(f"{path} is missing (Debian package {package})")
    with open(os.path.join(folder, "bochsrc"), "w", encoding="utf-8") as rc:
        rc.write(configuration(spec, os.path.abspath(image), os.path.abspath(serial_path), port))
    return [binary(spec.variant), "-q", "-f", "bochsrc"]


def judge(folder, log_copy=None):
    """(ticks or None, kind of end, text): kind is 'shutdown', 'signal', 'panic' or 'unknown'."""
    path = os.path.join(folder, "bochs.log")
    if not os.path.exists(path):
        return None, "unknown", _start_failure(folder)
    if log_copy:
        shutil.copyfile(path, log_copy)
    with open(path, "rb") as log:
        log.seek(max(0, os.path.getsize(path) - 100000))
        lines = log.read().decode("utf-8", "replace").splitlines()
    stamps = [m for m in (re.match(r"(\d{11,})[a-z]", line) for line in lines) if m]
    ticks = int(stamps[-1].group(1)) if stamps else None
    text = "\n".join(lines)
    if SHUTDOWN_TEXT in text:
        return ticks, "shutdown", ""
    panics = [line for line in lines if re.match(r"\d{11,}p", line)]
    if any(SIGNAL_TEXT in line for line in panics):
        return ticks, "signal", ""
    if panics:
        return ticks, "panic", "\n".join([panics[0]] + [line for line in lines if re.match(r"\d{11,}e", line)][-5:])
    return ticks, "unknown", "\n".join(lines[-5:])


def e9_text(folder):
    """What the guest wrote to port 0xE9: the emulator's standard output without its banner and its last words."""
    parts = _read(os.path.join(folder, "output")).split(DIVIDER + "\n", 2)
    if len(parts) < 3:
        return ""
    return parts[2].split(DIVIDER + "\n" + LAST_WORDS)[0]


def _start_failure(folder):
    """Why the emulator ended before it opened its log."""
    banner = (DIVIDER, "Bochs x86 Emulator", "Built from", "Timestamp:")
    lines = _read(os.path.join(folder, "output")).splitlines()
    return "\n".join(line for line in lines if line and not any(b in line for b in banner))[-1000:]


def _read(path):
    if not os.path.exists(path):
        return ""
    with open(path, "r", encoding="utf-8", errors="replace") as file:
        return file.read()
