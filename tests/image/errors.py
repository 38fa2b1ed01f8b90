#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What make iso and make disk refuse, and what they leave behind: each mistake is one line that names file, line and remedy.

The cases run tools/image.py as the Makefile does. None may leave a file in the folder of the image, and an image that was
there before stays as it was. Files are sparse, and nothing is booted here: tests/image/boot.py does that.
"""
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
IMAGE = os.path.join(ROOT, "tools", "image.py")
GOOD = "[a]\nkernel = k.bin\ntype = flat32\nmemory = 2M\n"
MIB = 1 << 20
NO_LIMIT = resource.RLIM_INFINITY


class Failure(Exception):
    """A case did not end as it should."""


class Folder:
    """A configuration with its files, and a folder of its own for the image."""

    def __init__(self, place):
        self.place = place
        os.mkdir(self.path("out"))
        self.write("k.bin", b"\xf4\xeb\xfd")

    def path(self, name):
        return os.path.join(self.place, name)

    def write(self, name, data, size=None):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(data)
            file.truncate(size if size is not None else len(data))

    def run(self, *arguments, limit=NO_LIMIT, prefix=()):
        """(exit code, lines on stderr)"""
        def before():
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, NO_LIMIT))
        done = subprocess.run([*prefix, sys.executable, IMAGE, *arguments], cwd=self.place, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, preexec_fn=before, check=False,  # pylint: disable=subprocess-popen-preexec-fn
                              env=dict(os.environ, BUILD=os.path.join(ROOT, "build")))
        return done.returncode, done.stderr.splitlines()

    def make(self, kind, config, **options):
        return self.run(kind, "--config", config, "--output", "out/x" + (".iso" if kind == "iso" else ".img"), **options)

    def refused(self, *patterns, text=GOOD, kind="iso", config="c.conf", code=1, **options):
        """The configuration `text` is refused with these lines, in this order, and no others."""
        if text is not None:
            self.write("c.conf", text.encode("utf-8", "surrogateescape"))
        self.expect(self.make(kind, config, **options), code, patterns)

    def expect(self, result, code, patterns):
        if result[0] != code or len(result[1]) != len(patterns):
            raise Failure(f"exit code {code} and {len(patterns)} lines expected: {result}")
        for pattern, line in zip(patterns, result[1]):
            if not re.search(pattern, line):
                raise Failure(f"{pattern!r} expected: {line!r}")
        left = os.listdir(self.path("out"))
        if left:
            raise Failure(f"left behind: {left}")


def files_that_are_wrong(f):
    f.refused(r"^c\.conf:2: kernel = none\.bin: there is no file \./none\.bin; put it there, or write its path as seen from c\.conf$",
              text="[a]\nkernel = none.bin\n")
    f.refused(r"^c\.conf:5: module = gone/m\.img words: there is no file", r"^c\.conf:6: disk = d\.img: there is no file",
              text=GOOD + "module = gone/m.img words\ndisk = d.img,cow\nirqchip = full\n")
    os.mkdir(f.path("folder"))
    f.refused(r"^c\.conf:2: kernel = folder: \./folder is not a file", text="[a]\nkernel = folder\n")
    os.symlink("nowhere", f.path("dangling"))
    f.refused(r"^c\.conf:2: kernel = dangling: \./dangling cannot be read: No such file", text="[a]\nkernel = dangling\n")
    f.write("empty", b"")
    f.refused(r"^c\.conf:2: kernel = empty: \./empty is empty", text="[a]\nkernel = empty\n")
    f.write("large", b"x", 3 << 30)
    f.refused(r"^c\.conf:5: module = large: \./large is too large, 3072\.0 MiB: .* 2048\.0 MiB", text=GOOD + "module = large\n")
    f.write("half", b"x", 1200 * MIB)
    f.write("half2", b"x", 1200 * MIB)
    f.refused(r"^c\.conf:6: module = half2: too large: .* 2400\.0 MiB together", text=GOOD + "module = half\nmodule = half2\n")
    f.write("name=odd", b"x")
    f.refused(r"^c\.conf:2: kernel = name=odd: a file's name has", text="[a]\nkernel = name=odd\n")


def names_that_are_taken(f):
    f.write("one/k.bin", b"\xf4\xeb\xfd")
    f.write("K.BIN", b"\xf4\xeb\xfd")
    f.refused(r"^c\.conf:5: module = one/k\.bin: another file has the name k\.bin already, in line 2,.* rename one", text=GOOD + "module = one/k.bin\n")
    f.refused(r"^c\.conf:5: module = K\.BIN: another file has the name k\.bin already, in line 2", text=GOOD + "module = K.BIN\n")
    f.refused(r"^c\.conf:5: module = c\.conf: another file has the name c\.conf already, the configuration itself", text=GOOD + "module = c.conf\n")
    many = [f"m{i}" for i in range(32)]
    for name in many:
        f.write(name, b"x")
    text = GOOD + "".join(f"[d{i}]\nkernel = k.bin\ntype = flat32\nmodule = {n}\n" for i, n in enumerate(many))
    f.refused(r"^c\.conf:124: module = m29: more than 30 files; the machine takes 32 boot modules", text=text)


def texts_that_are_wrong(f):
    f.refused(r"^c\.conf:3: kernal = x: there is no such key; the keys are: kernel, type", r"^c\.conf:5: vcpus = 0: write a number",
              text="[a]\nkernel = k.bin\nkernal = x\ntype = flat32\nvcpus = 0\n")
    f.refused(r"^c\.conf: no domain is in it; begin one with \[name\]", text="on_end = shell\n")
    f.refused(r"^c\.conf:2: byte 0 is not text|^c\.conf:2: byte 0x?0", text="[a]\n\0\n")
    f.refused(r"^c\.conf: the configuration is empty", text="")
    f.refused(r"^nowhere\.conf: there is no such file; say which configuration by CONFIG=path$", config="nowhere.conf")
    os.mkdir(f.path("folder"))
    f.refused(r"^folder: the configuration is not a file", config="folder")
    f.write("my own.conf", GOOD.encode())
    f.refused(r"^my own\.conf: its name in the image must be", config="my own.conf")
    f.write("huge.conf", b"#", 2 << 20)
    f.refused(r"^huge\.conf: cannot be read, or is larger than 1048576 bytes", config="huge.conf")


def kernels_that_cannot_be_loaded(f):
    f.refused(r"^c\.conf:2: \[a\] cannot be loaded: k\.bin has no PVH note, no Multiboot header and no Linux header; say type",
              text="[a]\nkernel = k.bin\n")
    f.write("big.bin", b"\xf4", 3 * MIB)
    f.refused(r"^c\.conf:2: \[a\] cannot be loaded: ", text="[a]\nkernel = big.bin\ntype = flat32\nmemory = 2M\n")
    f.write("one/two.bin", b"\xf4")
    f.refused(r"^c\.conf:6: \[b\] cannot be loaded: ", text=GOOD + "[b]\nkernel = one/two.bin\ntype = linux\n")


def unreadable(f):
    """root reads everything, so somebody else tries."""
    f.write("secret", b"x")
    f.write("c.conf", (GOOD + "module = secret\n").encode())
    os.chmod(f.path("secret"), 0)
    os.chmod(f.place, 0o755)
    other = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--") if os.getuid() == 0 else ()
    if other and subprocess.run([*other, "test", "-x", os.path.join(ROOT, "build", "mgmt", "check"), "-a", "-r", IMAGE], check=False).returncode:
        print("errors: this tree is closed to other users: what is unreadable is not tested")
        return
    f.refused(r"^c\.conf:5: module = secret: \./secret cannot be read: Permission denied; change its permissions", text=None, prefix=other)
    os.chmod(f.path("c.conf"), 0)
    f.refused(r"^c\.conf: cannot be read: Permission denied", text=None, prefix=other)


def places_that_are_wrong(f):
    f.write("c.conf", GOOD.encode())
    for output, pattern in (("out/x.img", r"^out/x\.img: the image's name must end in \.iso"), ("out", r"^out: the image's name must end"),
                            ("nowhere/x.iso", r"^nowhere/x\.iso: there is no folder nowhere"), ("folder.iso", r"^folder\.iso: not a file")):
        os.makedirs(f.path("folder.iso"), exist_ok=True)
        f.expect(f.run("iso", "--config", "c.conf", "--output", output), 1, [pattern])


def no_space(f):
    """The file system's own answer in the middle, and the look before."""
    for kind in ("iso", "disk"):
        f.refused(r"^image: .*(File too large|failed|writing)", kind=kind, code=2, limit=MIB)
    sys.path.insert(0, os.path.join(ROOT, "tools"))
    import image  # pylint: disable=import-outside-toplevel,import-error
    try:
        image.check_space(f.place, 1 << 60)
        raise Failure("an image of 2^60 bytes fits")
    except image.Mistakes as error:
        if not re.search(r": no space: the image needs .* MiB there, and .* are free; make room", str(error)):
            raise Failure(str(error)) from error


def old_image_stays(f):
    for name in ("x.iso", "x.img"):
        f.write("kept/" + name, b"old")
    f.write("c.conf", GOOD.encode())
    for kind, name in (("iso", "x.iso"), ("disk", "x.img")):
        if f.run(kind, "--config", "c.conf", "--output", "kept/" + name, limit=MIB)[0] != 2:
            raise Failure(f"{kind}: it was written in spite of the limit")
        with open(f.path("kept/" + name), "rb") as file:
            if file.read() != b"old" or sorted(os.listdir(f.path("kept"))) != ["x.img", "x.iso"]:
                raise Failure(f"{kind}: a failure changed the old image: {os.listdir(f.path('kept'))}")


def by_make(_):
    for kind in ("iso", "disk"):
        for words, pattern in (([], rf"^say which configuration: make {kind} CONFIG=path"),
                               (["CONFIG=nowhere.conf"], r"^nowhere\.conf: there is no such file; say which configuration")):
            done = subprocess.run(["make", "-s", "--no-print-directory", kind] + words, cwd=ROOT, stdout=subprocess.PIPE, check=False,
                                  stderr=subprocess.STDOUT, text=True, env={k: v for k, v in os.environ.items() if k != "CONFIG"})
            lines = [line for line in done.stdout.splitlines() if not line.startswith("make: ***")]
            if done.returncode == 0 or len(lines) != 1 or not re.search(pattern, lines[0]):
                raise Failure(f"make {kind} {words}: {done.stdout}")


def main():
    subprocess.run(["make", "-s", "--no-print-directory", "build/mgmt/check"], cwd=ROOT, check=True)
    failures = 0
    for case in (files_that_are_wrong, names_that_are_taken, texts_that_are_wrong, kernels_that_cannot_be_loaded, unreadable,
                 places_that_are_wrong, no_space, old_image_stays, by_make):
        place = tempfile.mkdtemp(prefix="sbx-errors-")
        try:
            case(Folder(place))
            print(f"ok   {case.__name__}")
        except Failure as failure:
            failures += 1
            print(f"FAIL {case.__name__}: {failure}")
        finally:
            shutil.rmtree(place, ignore_errors=True)
    print(f"errors: {failures} cases failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
