# SPDX-License-Identifier: BSD-2-Clause
"""QEMU as a test machine: command line and what its end says.

Job: turn a RunSpec into a QEMU command. KVM with nested VMX is used when this host has both, else TCG, which has no
VMX and serves for boot paths and devices. A 32-bit ELF starts by -kernel (Multiboot 1); everything else by ISO or disk.
How the guest ends: isa-debug-exit at port 0xF4 (32 bits): QEMU's exit code is (value << 1) | 1; the values 0 and 0x10
mean success, every other value failure. -no-reboot turns a reset of the machine into an end with exit code 0.
"""
import os
import shutil

OVMF_CODE = "/usr/share/OVMF/OVMF_CODE.fd"
OVMF_VARS = "/usr/share/OVMF/OVMF_VARS.fd"
SUCCESS_VALUES = (0, 0x10)
MULTIBOOT1_MAGIC = (0x1BADB002).to_bytes(4, "little")
AOUT_KLUDGE = 1 << 16
PVH_NOTE = bytes.fromhex("04000000 04000000 12000000") + b"Xen\0"  # ELF note XEN_ELFNOTE_PHYS32_ENTRY, 4 bytes


class QemuError(Exception):
    """QEMU or a file that it needs is missing; the text says which."""


def kvm_has_vmx():
    """True when this host can run guests that use VT-x: /dev/kvm, an Intel CPU with VMX, nesting switched on."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as info:
            vmx = any(line.startswith("flags") and " vmx" in line for line in info)
        with open("/sys/module/kvm_intel/parameters/nested", encoding="ascii") as nested:
            return vmx and nested.read().strip() in ("Y", "1")
    except OSError:
        return False


def direct_kernel(path):
    """True when -kernel takes this ELF: Multiboot 1 header, and ELF32 or load addresses in the header; without such a
    header: a PVH note."""
    with open(path, "rb") as file:
        data = file.read()
    head = data[:8192]
    at = head.find(MULTIBOOT1_MAGIC)
    if head[:4] != b"\x7fELF":
        return False
    if at < 0 or at % 4:
        return PVH_NOTE in data
    return head[4] == 1 or bool(int.from_bytes(head[at + 4:at + 8], "little") & AOUT_KLUDGE)


def _boot(spec, image, folder):
    args = []
    if spec.uefi:
        for path in (OVMF_CODE, OVMF_VARS):
            if not os.path.exists(path):
                raise QemuError(f"{path} is missing (Debian package ovmf)")
        shutil.copyfile(OVMF_VARS, os.path.join(folder, "vars.fd"))
        args += ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={OVMF_CODE}",
                 "-drive", f"if=pflash,format=raw,unit=1,file={folder}/vars.fd"]
    if image.endswith(".iso"):
        return args + ["-cdrom", image, "-boot", "d"]
    if image.endswith(".img"):
        return args + ["-drive", f"file={image},format=raw,snapshot=on"]
    args += ["-kernel", image, "-append", spec.append]
    if spec.modules:
        args += ["-initrd", ",".join(m.replace(",", ",,") for m in spec.modules)]
    return args


def command(spec, folder, image, serial_path, port):
    name = "qemu-system-x86_64"
    if not shutil.which(name):
        raise QemuError(f"{name} is missing (Debian package qemu-system-x86)")
    if port:
        serial = f"socket,id=serial0,host=127.0.0.1,port={port}"
    else:
        serial = f"file,id=serial0,path={os.path.abspath(serial_path)}"
    if kvm_has_vmx() and not spec.tcg:
        accel = ["-accel", "kvm", "-cpu", spec.qemu_cpu or "host,+vmx"]
    else:
        accel = ["-accel", "tcg", "-cpu", spec.qemu_cpu or "max"]
    return ([name, "-machine", "q35"] + accel +
            ["-smp", str(spec.cpus), "-m", str(spec.memory), "-nodefaults", "-vga", "std", "-display", "none",
             "-no-reboot", "-nic", "none", "-chardev", serial, "-serial", "chardev:serial0",
             "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
             "-debugcon", f"file:{folder}/e9", "-global", "isa-debugcon.iobase=0xe9",
             "-d", "cpu_reset", "-D", f"{folder}/qemu.log"] +
            _boot(spec, os.path.abspath(image), folder) + list(spec.qemu_args))


def judge(folder, code, log_copy=None):
    """(kind of end, text): kind is 'shutdown', 'failure', 'panic' or 'unknown'."""
    log, output = _read(folder, "qemu.log"), _read(folder, "output")
    if log_copy:
        with open(log_copy, "w", encoding="utf-8") as copy:
            copy.write(output + log)
    if "Triple fault" in log:
        return "panic", "triple fault"
    if code is not None and code < 0:
        return "panic", f"QEMU died by signal {-code}: {output[-500:]}"
    if code == 1 and "qemu-system" in output:
        return "unknown", output[-1000:]
    if code is not None and code & 1:
        value = code >> 1
        return ("shutdown", "") if value in SUCCESS_VALUES else ("failure", f"guest ended with value {value:#x}")
    if code == 0:
        return "shutdown", ""
    return "unknown", output[-1000:]


def _read(folder, name):
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        return ""
    with open(path, "r", encoding="utf-8", errors="replace") as file:
        return file.read()
