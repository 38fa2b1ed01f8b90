# SPDX-License-Identifier: BSD-2-Clause
"""A disk with one FAT partition that starts by BIOS and by UEFI, written without root and without loop devices.

Job: sector 0 is GRUB's boot.img with a partition table, GRUB's core image follows up to the partition, and the partition is
an EFI system partition (FAT32, type 0xEF, marked as active) that holds GRUB's EFI program, grub.cfg and all files, so that
all of them can be changed with mtools or by mounting it. boot.img reads one sector from 1; the first sector of a core image
then reads the rest from sector 2 on: both are the defaults of GRUB 2's grub-core/boot/i386/pc/{boot,diskboot}.S.
Sizes: the partition begins at 1 MiB; the file is whole cylinders of 16 heads and 63 sectors, as an emulated disk wants.
Specifications: UEFI 2.10 section 5.2.2 "OS Types", section 13.3 "File System Format".
"""
import os
import shutil
import struct
import subprocess
import tempfile

SECTOR = 512
MIB = 1 << 20
START = MIB // SECTOR
CYLINDER = 16 * 63
GRUB_DIR = "/usr/lib/grub"
MODULES = "part_msdos fat normal multiboot2 serial terminal echo test halt reboot configfile ls cat search"
DRIVE_CHECK, KERNEL_SECTOR = 0x66, 0x5C  # GRUB_BOOT_MACHINE_DRIVE_CHECK, GRUB_BOOT_MACHINE_KERNEL_SECTOR
FREE = 32 * MIB                          # stays free for other files


class DiskError(Exception):
    """A tool failed; the text says which and what it said."""


def _cluster(size):
    """(bytes of a cluster, least partition of that) so that there are more than the 65,524 clusters that make it FAT32."""
    return (4096, 512 * MIB) if size >= 512 * MIB else (1024, 96 * MIB)


def _partition(parts):
    """Size of the partition in bytes, whole MiB."""
    content = sum(os.path.getsize(path) + 4096 for _, path in parts) + 2 * MIB
    wanted = content + max(FREE, content // 8)
    cluster, least = _cluster(wanted)
    return -(-max(wanted + 8 * (wanted // cluster), least) // MIB) * MIB


def size_for(parts):
    """Size of the whole disk in bytes."""
    sectors = START + _partition(parts) // SECTOR
    return -(-sectors // CYLINDER) * CYLINDER * SECTOR


def _run(*command):
    if not shutil.which(command[0]):
        raise DiskError(f"{command[0]} is missing (Debian packages grub-common, mtools)")
    env = dict(os.environ, MTOOLSRC="/dev/null", MTOOLS_SKIP_CHECK="1")
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)
    if done.returncode != 0:
        said = " ".join(done.stdout.split())[-400:]
        raise DiskError(f"{command[0]} failed{': ' + said if said else f' with {done.returncode}'}")
    return done.stdout


def _boot_sector(partition):
    with open(f"{GRUB_DIR}/i386-pc/boot.img", "rb") as file:
        sector = bytearray(file.read(SECTOR))
    if len(sector) != SECTOR or struct.unpack_from("<Q", sector, KERNEL_SECTOR)[0] != 1 or sector[DRIVE_CHECK] != 0xEB:
        raise DiskError(f"{GRUB_DIR}/i386-pc/boot.img is not as GRUB 2's used to be")
    sector[DRIVE_CHECK:DRIVE_CHECK + 2] = b"\x90\x90"  # as grub-bios-setup does for disks: a wrong drive number becomes 0x80
    sector[440:446] = b"SBOX\0\0"
    no_chs = b"\xfe\xff\xff"
    sector[446:510] = struct.pack("<B3sB3sII", 0x80, no_chs, 0xEF, no_chs, START, partition // SECTOR) + bytes(48)
    return bytes(sector)


def _grub(folder):
    """(core image for BIOS, path of the program for UEFI)"""
    core, efi = os.path.join(folder, "core.img"), os.path.join(folder, "bootx64.efi")
    _run("grub-mkimage", "-O", "i386-pc", "-p", "(,msdos1)/boot/grub", "-o", core, "biosdisk", *MODULES.split())
    _run("grub-mkimage", "-O", "x86_64-efi", "-p", "/boot/grub", "-o", efi, "part_gpt", "all_video", *MODULES.split())
    with open(core, "rb") as file:
        data = file.read()
    if len(data) > (START - 1) * SECTOR:
        raise DiskError("GRUB's core image does not fit in front of the partition")
    return data, efi


def write(path, grub_config, parts):
    """A new disk in the file `path`; parts: [(place in the partition, file)]."""
    partition = _partition(parts)
    with tempfile.TemporaryDirectory(prefix="sbx-disk-") as folder:
        core, efi = _grub(folder)
        with open(path, "wb") as file:
            file.write(_boot_sector(partition) + core)
            file.truncate(size_for(parts))
        image = DiskImage(path)
        _run("mformat", "-i", image.volume, "-F", "-T", str(partition // SECTOR), "-h", "64", "-s", "32",
             "-c", str(_cluster(partition)[0] // SECTOR), "-H", str(START), "-v", "SIGNALBOX", "-N", "5b0c0de5", "::")
        for place in ("/EFI", "/EFI/BOOT", "/boot", "/boot/grub", "/signalbox", "/domains"):
            _run("mmd", "-i", image.volume, "::" + place)
        config = os.path.join(folder, "grub.cfg")
        with open(config, "w", encoding="utf-8") as file:
            file.write(grub_config)
        for place, source in [("/EFI/BOOT/BOOTX64.EFI", efi), ("/boot/grub/grub.cfg", config)] + list(parts):
            image.add(place, source)


class DiskImage:
    """The FAT partition of a disk in a file, or of a device."""

    def __init__(self, path):
        self.path, self.volume = path, f"{path}@@{MIB}"

    def add(self, place, source):
        _run("mcopy", "-i", self.volume, "-o", source, "::" + place)

    def extract(self, place, target):
        _run("mcopy", "-i", self.volume, "-s", "-n", "::" + place, target)

    def replace(self, place, source):
        """The old file goes only when the new one is there."""
        new = place + ".new"
        try:
            self.add(new, source)
        except DiskError:
            subprocess.run(["mdel", "-i", self.volume, "::" + new], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            raise
        _run("mdel", "-i", self.volume, "::" + place)
        _run("mren", "-i", self.volume, "::" + new, os.path.basename(place))
