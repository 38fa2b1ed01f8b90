# SPDX-License-Identifier: BSD-2-Clause
"""Reads a linked ELF64 file: segments, notes and symbols, nothing more.

Job: the little of the ELF format that the link checks and the symbol table need, without other packages.
Every reader checks its bounds, so a damaged file ends in ElfError with a reason and never in a traceback.
Specification: ELF-64 Object File Format 1.5, sections 3 (header), 5 (sections), 6 (symbols), 8 (segments).
"""
import collections
import struct

PT_LOAD, PT_NOTE = 1, 4
PF_X, PF_W, PF_R = 1, 2, 4
STT_OBJECT, STT_FUNC = 1, 2
STB_LOCAL, STB_GLOBAL = 0, 1
SHT_SYMTAB = 2
SHN_UNDEF, SHN_ABS = 0, 0xfff1
EM_X86_64 = 62

Segment = collections.namedtuple("Segment", "type flags offset vaddr paddr filesz memsz align")
Section = collections.namedtuple("Section", "name type flags addr offset size link info align entsize")
Symbol = collections.namedtuple("Symbol", "name type bind section value size")
Note = collections.namedtuple("Note", "name type desc")


class ElfError(Exception):
    """The file is not a little-endian ELF64 file for x86-64, or it is damaged."""


class Elf:
    """One file in memory; the lists are read at once."""

    def __init__(self, path):
        with open(path, "rb") as stream:
            self.data = stream.read()
        if self.data[:6] != b"\x7fELF\x02\x01":
            raise ElfError(path + ": not a little-endian ELF64 file")
        header = self._unpack("<HHIQQQIHHHHHH", 16)
        machine, self.entry, phoff, shoff = header[1], header[3], header[4], header[5]
        phentsize, phnum, shentsize, shnum, shstrndx = header[8:13]
        if machine != EM_X86_64:
            raise ElfError(path + ": not for x86-64")
        self.segments = [self._segment(phoff + i * phentsize) for i in range(phnum)]
        self.sections = self._sections(shoff, shentsize, shnum, shstrndx)
        self.symbols = self._symbols()

    def _unpack(self, form, offset):
        try:
            return struct.unpack_from(form, self.data, offset)
        except struct.error:
            raise ElfError("the file ends at %d, too early for an item at %d" % (len(self.data), offset))

    def _string(self, offset):
        end = self.data.find(b"\0", offset)
        if end < 0:
            raise ElfError("a name at %d has no end" % offset)
        return self.data[offset:end].decode("utf-8", "replace")

    def _segment(self, offset):
        kind, flags, *rest = self._unpack("<IIQQQQQQ", offset)
        return Segment(kind, flags, *rest)

    def _sections(self, offset, size, count, names):
        rows = [Section(*self._unpack("<IIQQQQIIQQ", offset + i * size)) for i in range(count)]
        if not rows:
            return []
        if names >= count:
            raise ElfError("the section names are missing")
        base = rows[names].offset
        return [row._replace(name=self._string(base + row.name)) for row in rows]

    def _symbols(self):
        found = []
        for table in self.sections:
            if table.type != SHT_SYMTAB or table.link >= len(self.sections):
                continue
            names = self.sections[table.link].offset
            for offset in range(table.offset, table.offset + table.size, 24):
                name, info, _, section, value, size = self._unpack("<IBBHQQ", offset)
                found.append(Symbol(self._string(names + name), info & 15, info >> 4, section, value, size))
        return found

    def loads(self):
        """Loadable segments in the order of their physical addresses."""
        return sorted((s for s in self.segments if s.type == PT_LOAD), key=lambda s: s.paddr)

    def notes(self):
        """All notes of the PT_NOTE segments; names and contents are padded to 4 bytes each."""
        for segment in self.segments:
            if segment.type != PT_NOTE:
                continue
            at, end = segment.offset, segment.offset + segment.filesz
            while at + 12 <= end:
                namesz, descsz, kind = self._unpack("<III", at)
                name = self.data[at + 12:at + 12 + namesz].rstrip(b"\0").decode("latin-1")
                desc_at = at + 12 + (namesz + 3) // 4 * 4
                at = desc_at + (descsz + 3) // 4 * 4
                if at > end + 3:
                    raise ElfError("a note reaches beyond its segment")
                yield Note(name, kind, self.data[desc_at:desc_at + descsz])

    def symbol(self, name):
        """Value of the defined symbol, or None."""
        for symbol in self.symbols:
            if symbol.name == name and symbol.section != SHN_UNDEF:
                return symbol.value
        return None

    def read(self, vaddr, size):
        """Bytes at a virtual address; they must be in the file."""
        for segment in self.segments:
            if segment.type == PT_LOAD and segment.vaddr <= vaddr <= segment.vaddr + segment.filesz - size:
                offset = segment.offset + vaddr - segment.vaddr
                return self.data[offset:offset + size]
        raise ElfError("no file content at %#x" % vaddr)
