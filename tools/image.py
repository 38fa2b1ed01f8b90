#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Bootable images of a configuration, for BIOS and UEFI machines: what `make iso` and `make disk` run.

    tools/image.py check --config FILE             say every mistake, write nothing
    tools/image.py iso|disk --config FILE          check, then write build/NAME.iso or build/NAME.img
    tools/image.py text IMAGE                      print the configuration that is in an image
    tools/image.py set IMAGE FILE                  check FILE against the image and put it in the place of the old one

Job: the configuration is read by build/mgmt/check, which is the manager's own parser, so nothing is accepted here that
the manager would refuse. The files that it names are looked for in the configuration's folder, then in those of --files.
Invariant: --output either keeps what it had or becomes a whole image; every mistake is one line on stderr.
An image holds /boot/grub/grub.cfg, /signalbox (hypervisor and manager) and /domains (the text and its files).
Exit codes: 0; 1: mistakes in what was given; 2: wrong usage, or something is missing here; 130: interrupted.
"""
import argparse
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import emu_iso  # pylint: disable=wrong-import-position
import image_disk  # pylint: disable=wrong-import-position

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
MIB = 1 << 20
MODULES_MAX = 32            # BOOT_MODULE_MAX of boot/boot_info.h, the manager's image and the text included
NAME_MAX = 63               # MODULES_NAME_SIZE of mgmt/shell/modules.h without the NUL
TOTAL_MAX = 2048 * MIB      # GRUB puts modules below 4 GiB, where devices and the hypervisor are, too
NAME = re.compile(r"[A-Za-z0-9._+-]+")
PLAIN = re.compile(r"[A-Za-z0-9._+/=,:@%-]+")
GRUB_CFG = "/boot/grub/grub.cfg"
ISO_SECTOR = 2048           # ECMA-119 section 6.1.2
ISO_ROOM = 32768            # for a longer text, later


class Mistakes(Exception):
    """What was given is wrong; one line each."""


@dataclass
class Domains:
    """A configuration that has been checked."""
    config: str             # its path
    name: str               # its name in an image
    files: dict             # name in the image -> path
    count: int              # domains
    memory: int             # bytes that the domains want that start by themselves


def mib(size):
    return f"{size / MIB:.1f} MiB" if size >= MIB // 10 else f"{max(1, round(size / 1024))} KiB"


# ---- what the configuration names ----------------------------------------------------------------------------------

def _run_checker(checker, arguments):
    """Lines of build/mgmt/check; raises what it complains about."""
    if not os.access(checker, os.X_OK):
        raise emu_iso.IsoError(f"{checker} is missing: make it first (make build/mgmt/check)")
    done = subprocess.run([checker] + arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    out, err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    if done.returncode != 0:
        raise Mistakes((out + err).strip() or f"{checker} ended with {done.returncode}")
    return out.splitlines()


def _look_at(path):
    """Size of a file that can become a boot module; raises OSError or Mistakes with the second half of a sentence."""
    info = os.stat(path)
    if not stat.S_ISREG(info.st_mode):
        raise Mistakes("is not a file; name a file")
    with open(path, "rb"):
        pass
    if info.st_size == 0:
        raise Mistakes("is empty; put the real file there")
    if info.st_size > TOTAL_MAX:
        raise Mistakes(f"is too large, {mib(info.st_size)}: all files together may have {mib(TOTAL_MAX)}; use a smaller one")
    return info.st_size


def _look_at_config(path):
    if not os.path.exists(path):
        raise Mistakes(f"{path}: there is no such file; say which configuration by CONFIG=path")
    try:
        _look_at(path)
    except Mistakes as error:
        raise Mistakes(f"{path}: the configuration {error}") from error
    except OSError as error:
        raise Mistakes(f"{path}: cannot be read: {error.strerror}; change its permissions") from error
    if not NAME.fullmatch(os.path.basename(path)) or len(os.path.basename(path)) > NAME_MAX:
        raise Mistakes(f"{path}: its name in the image must be 1 to {NAME_MAX} letters, digits or ._+-; rename it")


class Files:
    """Collects the files of a configuration, and all mistakes at once."""

    def __init__(self, config, folders, flat):
        self.config, self.folders, self.flat = config, folders, flat
        self.paths, self.lines, self.mistakes = {}, {}, []
        self.names = {os.path.basename(config).lower(): (os.path.basename(config), 0)}  # FAT knows no case
        self.total = 0

    def add(self, line, key, value):
        word = value.split()[0]
        name = os.path.basename(word)
        try:
            path = self._find(word, name)
            if path:
                self._take(name, path, line)
        except Mistakes as error:
            self.mistakes.append(f"{self.config}:{line}: {key} = {value}: {error}")

    def _find(self, word, name):
        if not NAME.fullmatch(name) or len(name) > NAME_MAX:
            raise Mistakes(f"a file's name has 1 to {NAME_MAX} letters, digits or ._+-; rename it")
        places = [os.path.join(folder, name if self.flat else word) for folder in self.folders]
        path = next((place for place in places if os.path.lexists(place)), None)
        if path is None:
            remedy = "name one that is there" if self.flat else f"write its path as seen from {os.path.basename(self.config)}"
            raise Mistakes(f"there is no file {' nor '.join(places)}; put it there, or {remedy}")
        return path

    def _take(self, name, path, line):
        taken, where = self.names.setdefault(name.lower(), (name, line))
        if name in self.paths and os.path.samefile(self.paths[name], path):
            return
        if (taken, where) != (name, line) or where == 0:
            other = f"in line {where}" if where else "the configuration itself"
            raise Mistakes(f"another file has the name {taken} already, {other}, and boot modules go by their names alone; "
                           "rename one of them")
        try:
            self.total += _look_at(path)
        except OSError as error:
            raise Mistakes(f"{path} cannot be read: {error.strerror}; change its permissions or its path") from error
        except Mistakes as error:
            raise Mistakes(f"{path} {error}") from error
        if self.total > TOTAL_MAX:
            raise Mistakes(f"too large: the files up to here have {mib(self.total)} together, and {mib(TOTAL_MAX)} fit below "
                           "4 GiB; leave some out")
        self.paths[name] = path
        if len(self.paths) == MODULES_MAX - 1:
            raise Mistakes(f"more than {MODULES_MAX - 2} files; the machine takes {MODULES_MAX} boot modules, the manager and "
                           "the configuration included")


def examine(config, folders, checker, flat=False):
    """Domains, or Mistakes with every one of them. `flat`: files are beside the configuration, whatever folders it names."""
    config = os.path.expanduser(config)
    _look_at_config(config)
    own = os.path.dirname(config) or "."
    files = Files(config, [own] + [os.path.normpath(f) for f in folders], flat)
    domains, memory = set(), 0
    for row in _run_checker(checker, ["--files", config]):
        line, domain, key, value = row.split("\t", 3)
        domains.add(domain)
        if key == "memory":
            memory += int(value)
        else:
            files.add(int(line), key, value)
    if not domains:
        files.mistakes.append(f"{config}: no domain is in it; begin one with [name] and kernel = file")
    if files.mistakes:
        raise Mistakes("\n".join(files.mistakes))
    _run_checker(checker, ["--load", config] + [f"{name}={path}" for name, path in files.paths.items()])
    return Domains(config, os.path.basename(config), files.paths, len(domains), memory)


# ---- what goes into an image ---------------------------------------------------------------------------------------

def _word(word):
    return word if PLAIN.fullmatch(word) else "'" + word.replace("'", "'\\''") + "'"


def grub_config(domains, append, timeout):
    """Text of grub.cfg. GRUB talks on the screen and, where there is one, on the first serial port."""
    lines = ["# Signalbox. ESC or Shift while nothing is shown yet opens the menu; there, e changes a line for one start.",
             f"set timeout={timeout}", "set timeout_style=hidden",
             "if serial --unit=0 --speed=115200; then", "    terminal_input console serial", "    terminal_output console serial",
             "fi", 'menuentry "Signalbox" {',
             "    multiboot2 /signalbox/signalbox.elf " + " ".join(_word(w) for w in append.split()),
             f"    module2 /signalbox/manager.bin manager config={domains.name}",
             f"    module2 /domains/{domains.name} {domains.name}"]
    lines += [f"    module2 /domains/{name} {name}" for name in domains.files]
    return "\n".join(lines + ["}", ""])


def contents(domains, build):
    """[(path in the image, file)] without grub.cfg."""
    own = [("/signalbox/signalbox.elf", os.path.join(build, "signalbox.elf")),
           ("/signalbox/manager.bin", os.path.join(build, "mgmt", "manager.bin"))]
    for _, path in own:
        if not os.path.isfile(path):
            raise emu_iso.IsoError(f"{path} is missing: make it first (make)")
    text = [(f"/domains/{domains.name}", domains.config)]
    return own + text + [(f"/domains/{name}", path) for name, path in domains.files.items()]


def _check_output(output, ending):
    folder = os.path.dirname(output) or "."
    if not output.endswith(ending):
        raise Mistakes(f"{output}: the image's name must end in {ending}; write OUT=name{ending}")
    if os.path.exists(output) and not os.path.isfile(output):
        raise Mistakes(f"{output}: not a file; write an image to a file first, and then to a device with dd")
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK | os.X_OK):
        raise Mistakes(f"{output}: there is no folder {folder} that can be written to; make it, or write another OUT=")


def check_space(folder, needed):
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise Mistakes(f"{folder}: no space: the image needs {mib(needed)} there, and {mib(free)} are free; make room, or write "
                       "OUT= somewhere else")


def _report(kind, output, domains):
    size = os.path.getsize(output)
    files = sum(os.path.getsize(path) for path in domains.files.values())
    memory = -(-(domains.memory + 2 * files + 128 * MIB) // (256 * MIB)) * 256
    drive = f"-cdrom {output}" if kind == "iso" else f"-drive file={output},format=raw"
    print(f"{output} is ready, {mib(size)}, for BIOS and UEFI; next: qemu-system-x86_64 -machine q35,accel=kvm -cpu host -smp 2 -m {memory} "
          f"-nographic {drive} (without VT-x: make run BOOT={output}), or for a real machine: "
          f"sudo dd if={output} of=/dev/sdX bs=4M conv=fsync")


def build(kind, args):
    domains = examine(args.config, args.files, args.checker)
    ending = ".iso" if kind == "iso" else ".img"
    stem = domains.name[:-5] if domains.name.endswith(".conf") else domains.name
    output = args.output or os.path.join(args.build, stem + ending)
    if not args.output:
        os.makedirs(args.build, exist_ok=True)
    _check_output(output, ending)
    emu_iso.platforms(True)
    parts = contents(domains, args.build)
    size = sum(os.path.getsize(path) for _, path in parts)
    check_space(os.path.dirname(output) or ".", image_disk.size_for(parts) if kind == "disk" else size + 16 * MIB)
    for place, path in parts:
        print(f"  {place:32} {mib(os.path.getsize(path)):>10}  {path}", flush=True)
    print(f"  {kind.upper():7} {output}", flush=True)
    config = grub_config(domains, args.append, args.timeout)
    with Replacement(output) as temporary:
        if kind == "iso":
            write_iso(temporary, config, parts, domains)
        else:
            image_disk.write(temporary, config, parts)
    _report(kind, output, domains)


def write_iso(path, config, parts, domains):
    with tempfile.TemporaryDirectory(prefix="sbx-iso-text-") as folder:
        with open(domains.config, "rb") as source, open(os.path.join(folder, "text"), "wb") as text:
            data = source.read()
            text.write(padded(data, (len(data) // ISO_SECTOR + 1) * ISO_SECTOR + ISO_ROOM))
        files = [(place, text.name if source == domains.config else os.path.abspath(source)) for place, source in parts]
        emu_iso.rescue_iso(path, config, [f"{place}={source}" for place, source in files], True)


class Replacement:
    """A file beside `output` that takes its place when nothing has gone wrong."""

    def __init__(self, output):
        self.output, self.temporary = output, output + ".part"

    def __enter__(self):
        return self.temporary

    def __exit__(self, kind, *_):
        if kind is None:
            os.replace(self.temporary, self.output)
        elif os.path.exists(self.temporary):
            os.unlink(self.temporary)


# ---- the text in an image ------------------------------------------------------------------------------------------

class IsoImage:
    """An ISO: nothing in it can grow, so the text has empty lines behind it, and a new one is written over both."""

    def __init__(self, path):
        self.path = path

    def extract(self, place, target):
        self._xorriso("-osirrox", "on", "-extract", place, target)
        subprocess.run(["chmod", "-R", "u+rwX", target], check=True)

    def replace(self, place, source):
        layout = re.search(r"^File data lba: *\d+ , *(\d+) , *\d+ , *(\d+) , ", self._xorriso("-find", place, "-exec", "report_lba", "--"), re.M)
        with open(source, "rb") as file:
            text = file.read()
        if not layout or len(text) > int(layout.group(2)):
            raise Mistakes(f"{self.path}: the text has {len(text)} bytes, and there is room for {layout.group(2) if layout else 0}; make the "
                           "image anew, or make disk instead, where there is more")
        with open(self.path, "r+b") as file:
            file.seek(int(layout.group(1)) * ISO_SECTOR)
            file.write(padded(text, int(layout.group(2))))

    def _xorriso(self, *arguments):
        if not shutil.which("xorriso"):
            raise emu_iso.IsoError("xorriso is missing (Debian package xorriso)")
        done = subprocess.run(["xorriso", "-indev", self.path, *arguments, "-rollback_end"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, errors="replace", check=False)
        if done.returncode != 0:
            raise emu_iso.IsoError(f"xorriso failed: {done.stderr[-400:]}")
        return done.stdout


def padded(text, size):
    return text + b"\n" * (size - len(text))


def _open_image(path):
    if not os.path.exists(path):
        raise Mistakes(f"{path}: there is no such image; make one by make iso or make disk")
    with open(path, "rb") as file:
        file.seek(16 * ISO_SECTOR)
        iso = file.read(6)[1:] == b"CD001"  # ISO 9660 volume descriptor, section 8.1
    return IsoImage(path) if iso else image_disk.DiskImage(path)


def _unpack(image, folder):
    """Path of the configuration within what was in the image's /domains."""
    image.extract(GRUB_CFG, os.path.join(folder, "grub.cfg"))
    with open(os.path.join(folder, "grub.cfg"), encoding="utf-8", errors="replace") as file:
        name = re.search(r"\bconfig=([A-Za-z0-9._+-]+)", file.read())
    if not name:
        raise Mistakes(f"{image.path}: its grub.cfg names no configuration (config=NAME behind the manager)")
    image.extract("/domains", os.path.join(folder, "domains"))
    return os.path.join(folder, "domains", name.group(1))


def show_text(args):
    with tempfile.TemporaryDirectory(prefix="sbx-image-") as folder:
        with open(_unpack(_open_image(args.image), folder), encoding="utf-8", errors="replace") as file:
            sys.stdout.write(file.read().rstrip("\n") + "\n")


def set_text(args):
    _look_at_config(args.config)
    image = _open_image(args.image)
    with tempfile.TemporaryDirectory(prefix="sbx-image-") as folder:
        text = _unpack(image, folder)
        shutil.copyfile(args.config, text)
        try:
            domains = examine(text, [], args.checker, flat=True)
        except Mistakes as error:
            raise Mistakes(str(error).replace(text, args.config).replace(os.path.dirname(text), f"{args.image}:/domains")) from error
        named = _modules_of(os.path.join(folder, "grub.cfg"))
        for name in domains.files:
            if name not in named:
                raise Mistakes(f"{args.config}: {name} is in the image, but its grub.cfg does not load it; add the line: "
                               f"module2 /domains/{name} {name}")
        image.replace(f"/domains/{domains.name}", text)
    print(f"{args.image} has the configuration of {args.config} now ({domains.count} domains), as {domains.name}")


def _modules_of(grub_cfg):
    with open(grub_cfg, encoding="utf-8", errors="replace") as file:
        return set(re.findall(r"^\s*module2 /domains/(\S+)", file.read(), re.M))


# ---- command line --------------------------------------------------------------------------------------------------

def _parser():
    parser = argparse.ArgumentParser(prog="image.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    build_folder = os.environ.get("BUILD") or os.path.relpath(os.path.join(ROOT, "build"))
    sub = parser.add_subparsers(dest="action", required=True)
    for name in ("check", "iso", "disk", "text", "set"):
        one = sub.add_parser(name)
        one.add_argument("--build", default=build_folder)
        one.add_argument("--checker", default="", help="default: BUILD/mgmt/check")
        if name in ("check", "iso", "disk"):
            one.add_argument("--config", required=True)
            one.add_argument("--files", default=[], action="append", metavar="FOLDER", help="where its files are, too")
        if name in ("iso", "disk"):
            one.add_argument("--output", default="")
            one.add_argument("--append", default="com1=115200,8n1", help="command line of the hypervisor")
            one.add_argument("--timeout", type=int, default=2, metavar="SECONDS", help="of GRUB's hidden menu")
        if name in ("text", "set"):
            one.add_argument("image")
        if name == "set":
            one.add_argument("config")
    return parser


def _check_only(args):
    domains = examine(args.config, args.files, args.checker)
    print(f"{args.config}: {domains.count} domains, {len(domains.files)} files, no mistakes", flush=True)


def _interrupt(*_):
    raise KeyboardInterrupt


def main():
    args = _parser().parse_args()
    args.checker = args.checker or os.path.join(args.build, "mgmt", "check")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    actions = {"check": _check_only, "iso": lambda a: build("iso", a), "disk": lambda a: build("disk", a), "text": show_text,
               "set": set_text}
    try:
        actions[args.action](args)
        return 0
    except KeyboardInterrupt:
        return 130
    except Mistakes as error:
        print(error, file=sys.stderr)
        return 1
    except (emu_iso.IsoError, image_disk.DiskError) as error:
        print(f"image: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"image: {error.filename or 'writing the image'}: {error.strerror}; nothing was written", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
