#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Images as people make and change them, started on emulated machines: boot.py iso | disk

The image comes from `make iso` or `make disk`. QEMU starts it by BIOS, with the command that make names, and by UEFI: all modules arrive, and without VT-x the
hypervisor says so and stops. Bochs starts it by BIOS: the guest of the configuration runs, and the shell answers. Then the text
in the image is changed, and the machine that starts from it obeys the new one. The ISO starts from a disk, too.
"""
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
import emu  # pylint: disable=wrong-import-position

GUEST = os.path.join(ROOT, "build", "guest", "hello32.elf")
MTOOLS = dict(os.environ, MTOOLSRC="/dev/null")
TEXT = """[{name}]
kernel = guests/hello32.elf
memory = 4M
cmdline = {words}
autostart = yes
"""


class Failure(Exception):
    """Something was not as it should be."""


def tool(*command, env=None):
    """Output of a program that must end well."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env, check=False)
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)}: exit code {done.returncode}:\n{done.stdout}")
    return done.stdout


def start(what, **spec):
    result = emu.run(emu.RunSpec(expect_in_order=True, timeout=150, nic="none", **spec))
    print(f"{'ok  ' if result.code == emu.PASS else 'FAIL'} {what}: {result.detail} ({result.seconds:.1f} s)", flush=True)
    if result.code != emu.PASS:
        raise Failure(f"{what}: {result.status}: {result.detail}\n{result.serial_text[-3000:]}")


def start_qemu(image, what, uefi):
    start(f"{what}, QEMU by {'UEFI' if uefi else 'BIOS'}", image=image, machine="qemu", tcg=True, uefi=uefi, memory=256,
          expect=[r"started by GRUB .*, protocol Multiboot2", r"command line: com1=115200,8n1 loglevel=debug$",
                  r"module 0: .* manager config=first\.conf$", r"module 1: .* first\.conf$", r"module 2: .* hello32\.elf$",
                  r"no VT-x", r"Signalbox cannot go on"])


def start_bochs(image, what, name, words):
    """Somebody types at the shell."""
    start(f"{what}, Bochs by BIOS", image=image, machine="bochs", memory=128, cpus=2,
          input=[(f"domain 1 \\({name}\\): ended", "\r"), ("signalbox> ", "list\r")],
          expect=[r"protocol Multiboot2", rf"\[{name}\] .*{words}", rf"domain 1 \({name}\): ended, code 33", r"signalbox> list",
                  rf" {name} +off .* code 33"])


def start_as_told(command):
    """The command that the last line names, without its KVM."""
    words = shlex.split(command.replace("accel=kvm -cpu host", "accel=tcg -cpu max"))
    process = subprocess.Popen(["timeout", "-k", "1", "150", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,  # pylint: disable=consider-using-with
                               stderr=subprocess.STDOUT, text=True, errors="replace")
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Signalbox cannot go on" in line:
            break
    process.terminate()
    process.wait()
    if "accel=tcg" not in " ".join(words) or not any("module 2: " in line for line in lines) or "cannot go on" not in lines[-1]:
        raise Failure(f"{command}: {''.join(lines)[-2000:]}")
    print(f"ok   {command}")


def make_image(kind, folder):
    """`make iso` or `make disk`; the image and the text."""
    os.mkdir(os.path.join(folder, "guests"))
    shutil.copy(GUEST, os.path.join(folder, "guests"))
    config, image = os.path.join(folder, "first.conf"), os.path.join(folder, "x.iso" if kind == "iso" else "x.img")
    with open(config, "w", encoding="ascii") as file:
        file.write(TEXT.format(name="first", words="the first text"))
    said = tool("make", "--no-print-directory", kind, f"CONFIG={config}", f"OUT={image}", "APPEND=com1=115200,8n1 loglevel=debug")
    last = said.strip().splitlines()[-1]
    for part in (f"{image} is ready, ", "qemu-system-x86_64 ", f"dd if={image} of=/dev/sdX"):
        if part not in last:
            raise Failure(f"{part!r} is not in the last line: {last!r}")
    start_as_told(last.split("next: ")[1].split(" (")[0])
    return image


def set_text(image, folder, name, words):
    """By tools/image.py, which refuses what the image could not start."""
    config = os.path.join(folder, "new.conf")
    wrong = TEXT.format(name=name, words=words)
    for text, why in ((wrong.replace("guests/hello32", "absent"), "new.conf:2: kernel = absent.elf: there is no file"),
                      (wrong.replace("memory = 4M", "memory = 4X"), "new.conf:3: memory = 4X: write a size")):
        with open(config, "w", encoding="ascii") as file:
            file.write(text)
        before = os.stat(image).st_mtime_ns
        done = subprocess.run(["tools/image.py", "set", image, config], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False)
        if done.returncode != 1 or why not in done.stdout or len(done.stdout.splitlines()) != 1 or os.stat(image).st_mtime_ns != before:
            raise Failure(f"image.py set should have said {why!r}: {done.returncode}, {done.stdout!r}")
    with open(config, "w", encoding="ascii") as file:
        file.write(wrong)
    tool("tools/image.py", "set", image, config)
    if tool("tools/image.py", "text", image) != wrong:
        raise Failure("the text that was put into the image does not come out")


def set_too_long(image, folder):
    """An ISO has room for a text of some more lines, and says so when it has not."""
    config = os.path.join(folder, "long.conf")
    text = TEXT.format(name="long", words="of a text that grows")
    for lines, code in ((800, 0), (2000, 1)):
        with open(config, "w", encoding="ascii") as file:
            file.write(text + "; a line of a comment, 32 bytes\n" * lines)
        done = subprocess.run(["tools/image.py", "set", image, config], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False)
        if done.returncode != code or ("there is room for" in done.stdout) != (code == 1):
            raise Failure(f"a text with {lines} lines more: {done.returncode}, {done.stdout!r}")
    if not tool("tools/image.py", "text", image).startswith(text):
        raise Failure("the text that did not fit is in the image")


def set_by_mtools(image, folder, name, words):
    """As README.md says: copy it out, change it, copy it in."""
    config = os.path.join(folder, "out.conf")
    place = ["-i", f"{image}@@1M", "-o"]
    tool("mcopy", *place, "::domains/first.conf", config, env=MTOOLS)
    with open(config, encoding="ascii") as file:
        text = file.read()
    with open(config, "w", encoding="ascii") as file:
        file.write(text.replace("second", name).replace("words of another one", words))
    tool("mcopy", *place, config, "::domains/first.conf", env=MTOOLS)


def test_iso(folder):
    image = make_image("iso", folder)
    stick = os.path.join(folder, "stick.img")
    os.symlink(image, stick)
    start_qemu(image, "ISO", True)
    for uefi in (False, True):
        start_qemu(stick, "ISO on a disk", uefi)
    start_bochs(image, "ISO", "first", "the first text")
    set_text(image, folder, "second", "words of another one")
    start_bochs(image, "ISO with another text", "second", "words of another one")
    set_too_long(image, folder)


def test_disk(folder):
    image = make_image("disk", folder)
    start_qemu(image, "disk", True)
    start_bochs(image, "disk", "first", "the first text")
    set_text(image, folder, "second", "words of another one")
    start_bochs(image, "disk with another text", "second", "words of another one")
    set_by_mtools(image, folder, "third", "words by mtools")
    start_bochs(image, "disk changed by mtools", "third", "words by mtools")


def main():
    tests = {"iso": test_iso, "disk": test_disk}
    if len(sys.argv) != 2 or sys.argv[1] not in tests:
        print(f"usage: boot.py {' | '.join(tests)}")
        return 2
    try:
        with tempfile.TemporaryDirectory(prefix="sbx-image-test-") as folder:
            tests[sys.argv[1]](folder)
    except Failure as failure:
        print(f"FAIL {failure}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
