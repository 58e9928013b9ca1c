"""The one form of zip file that a bundle has: nothing in it is free, so every byte can be checked.

Members are stored without compression, in a fixed order, with names and no other property, at a fixed time, always
with the 64-bit fields; then the directory; then nothing. Common zip programs read it. `Reader` knows what each byte
of the structure must be and refuses any other.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from countenance.domain.errors import LedgerBroken

CHUNK = 1 << 20

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_EXTRA_LOCAL = struct.Struct("<2H2Q")
_EXTRA_CENTRAL = struct.Struct("<2H3Q")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_END = struct.Struct("<4s4H2IH")

_VERSION = 45
_DATE = (1 << 5) | 1  # 1 January 1980, the first day that a zip file knows
_FULL32 = 0xFFFFFFFF
_FULL16 = 0xFFFF


@dataclass(frozen=True, slots=True)
class Member:
    """A member's name, where its header begins in the file, its length and its CRC-32."""

    name: str
    start: int
    size: int
    crc: int

    def header(self) -> bytes:
        """The bytes before the content."""
        name = self.name.encode()
        fixed = (b"PK\x03\x04", _VERSION, 0, 0, 0, _DATE, self.crc, _FULL32, _FULL32, len(name), _EXTRA_LOCAL.size)
        return _LOCAL.pack(*fixed) + name + _EXTRA_LOCAL.pack(1, 16, self.size, self.size)

    @property
    def content(self) -> int:
        """Where the content begins in the file."""
        return self.start + _LOCAL.size + len(self.name.encode()) + _EXTRA_LOCAL.size

    def directory_line(self) -> bytes:
        name = self.name.encode()
        fixed = (b"PK\x01\x02", _VERSION, _VERSION, 0, 0, 0, _DATE, self.crc, _FULL32, _FULL32)
        more = (len(name), _EXTRA_CENTRAL.size, 0, 0, 0, 0, _FULL32)
        return _CENTRAL.pack(*fixed, *more) + name + _EXTRA_CENTRAL.pack(1, 24, self.size, self.size, self.start)


def directory(members: Sequence[Member]) -> bytes:
    """Everything after the last member's content."""
    lines = b"".join(member.directory_line() for member in members)
    start = members[-1].content + members[-1].size if members else 0
    count = len(members)
    end = _END64.pack(b"PK\x06\x06", _END64.size - 12, _VERSION, _VERSION, 0, 0, count, count, len(lines), start)
    locator = _LOCATOR.pack(b"PK\x06\x07", 0, start + len(lines), 1)
    return lines + end + locator + _END.pack(b"PK\x05\x06", 0, 0, _FULL16, _FULL16, _FULL32, _FULL32, 0)


class Writer:
    """Writes members one after another into a seekable file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._members: list[Member] = []
        self._at = 0

    def add(self, name: str, chunks: Iterator[bytes]) -> None:
        """Write one member; its length and checksum are filled in afterwards."""
        draft = Member(name, self._at, 0, 0)
        self._file.seek(draft.content)
        size = crc = 0
        for chunk in chunks:
            self._file.write(chunk)
            size, crc = size + len(chunk), zlib.crc32(chunk, crc)
        member = Member(name, self._at, size, crc)
        self._file.seek(member.start)
        self._file.write(member.header())
        self._members.append(member)
        self._at = member.content + size

    def finish(self) -> None:
        """Write the directory."""
        self._file.seek(self._at)
        self._file.write(directory(self._members))


class Reader:
    """Finds the members of a seekable file, by name in the order given, and refuses a file that holds anything else.

    The checksums are those that the headers state: a caller compares each with the content that it reads.
    """

    def __init__(self, file: IO[bytes], names: Sequence[str], optional: Collection[str] = ()) -> None:
        """Those of `names` that are `optional` may be missing. Raises LedgerBroken when a byte of the structure is not
        what it must be."""
        self._file = file
        self.members: dict[str, Member] = {}
        end = file.seek(0, 2)
        at = 0
        for name in names:
            try:
                member = self._member(name, at, end)
            except LedgerBroken:
                if name in optional:
                    continue
                raise
            self.members[name] = member
            at = member.content + member.size
        file.seek(at)
        expected = directory(list(self.members.values()))
        if end - at != len(expected) or file.read(len(expected)) != expected:
            raise LedgerBroken("the bundle holds something other than its members and their directory")

    def _member(self, name: str, at: int, end: int) -> Member:
        length = Member(name, at, 0, 0).content - at
        self._file.seek(at)
        raw = self._file.read(length)
        if len(raw) == length:
            crc, size = _LOCAL.unpack_from(raw)[6], _EXTRA_LOCAL.unpack_from(raw, length - _EXTRA_LOCAL.size)[2]
            member = Member(name, at, size, crc)
            if member.header() == raw and member.content + size <= end:
                return member
        raise LedgerBroken(f"the bundle does not hold {name} where it belongs")

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of a member. Raises LedgerBroken at the end when the stated checksum is not that of it."""
        member = self.members[name]
        at, left, crc = member.content, member.size, 0
        while left:
            self._file.seek(at)
            chunk = self._file.read(min(CHUNK, left))
            if not chunk:
                raise LedgerBroken("the bundle was cut off while it was read")
            at, left, crc = at + len(chunk), left - len(chunk), zlib.crc32(chunk, crc)
            yield chunk
        if crc != member.crc:
            raise LedgerBroken(f"{name} does not have the checksum that the bundle states")

    def read(self, name: str, limit: int) -> bytes:
        """The whole content of a member that is no longer than `limit`. Raises LedgerBroken when it is."""
        if self.members[name].size > limit:
            raise LedgerBroken(f"{name} is longer than it can be")
        return b"".join(self.chunks(name))
