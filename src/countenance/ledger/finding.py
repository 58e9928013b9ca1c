"""Where in the ledger something is mentioned, so that a reader of a long one reads only what it needs.

The folder ``finding`` beside the entries holds a part for each 8,192 of them: for each pair of a member's name and an
id or a type (``"authority":"A-…"``, ``"type":"people.…"``) the numbers of the entries in which it stands. A part says
nothing but what its entries say, and these never change, so it is never out of date: it is there or it is made again.

A part is believed only when its code fits, HMAC-SHA-256 under a key that lies in the key folder, over everything in it
and over the hash of the subtree of exactly its entries, which leads to the root that is signed. So nobody hides an
entry by editing, cutting, exchanging or bringing back a part; they only make the next reader read the entries. What a
part leads to is read from the ledger itself and checked there.

    countenance finding 1 little\\n   code (32)   keys, numbers (uint32 each)
    keys: hashes of the pairs, sorted (uint64)   ends: where each one's numbers end (uint32)   numbers (uint16)
"""

from __future__ import annotations

import hmac
import os
import re
import struct
import sys
import threading
import time
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from contextlib import suppress
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path

from countenance.ledger.believed import Believed
from countenance.ledger.disk import Disk
from countenance.ledger.merkle import Frontier

LEVEL = 13
"""A part covers a complete subtree of this level: 8,192 entries."""

FOLDER = "finding"
MOST_PARTS = 1024
"""So many parts are kept in memory, some 130 kB each: those of eight million entries. With more, each look-up reads
all of them anew."""

_TEXT = re.compile(rb'"(?:\w+":"[A-Z]-(?:[0-9a-f]+")?|type":"[a-z0-9]+(?:\.|[a-z0-9.-]*"))', re.ASCII)
_ID = re.compile(rb"[0-9a-f]+", re.ASCII)
_NAME = re.compile(rb"\w+", re.ASCII)
_FORM = f"countenance finding 1 {sys.byteorder}\n".encode()
_CODE = 32
_HOUR = 3600.0


def findable(text: bytes) -> bool:
    """Whether a part says where this text stands: ``"NAME":"X-`` with or without all of the id and its closing quote,
    or ``"type":"`` with a whole type and its closing quote, or with its first word and the dot."""
    return _TEXT.fullmatch(text) is not None


def texts_in(raw: bytes) -> set[bytes]:
    """Every `findable` text that stands in a line, or would if something else followed it."""
    found: set[bytes] = set()
    # In canonical JSON a quote within a text has a backslash before it, so this parts names from values and no words.
    pieces = raw.split(b'":"')
    for before, value in pairwise(pieces):
        if value[1:2] == b"-" and value[:1].isupper():
            name = before.rpartition(b'"')[2]
            if _NAME.fullmatch(name):
                begin = b'"%b":"%b' % (name, value[:2])
                found.add(begin)
                id = value[2:].partition(b'"')[0]
                if _ID.fullmatch(id):
                    found.add(b'%b%b"' % (begin, id))
        elif before.endswith(b'"type'):
            kind = value.partition(b'"')[0]
            found.add(b'"type":"%b"' % kind)
            first, dot, _ = kind.partition(b".")
            if dot:
                found.add(b'"type":"%b.' % first)
    return found


class Growing:
    """A part that is being made, entry after entry; also that of the newest entries, which is kept in memory only."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.frontier = Frontier()
        self.found: dict[bytes, array[int]] = {}

    @property
    def upto(self) -> int:
        """The number of the entry that comes next."""
        return (self.number << LEVEL) + self.frontier.size

    @property
    def complete(self) -> bool:
        """Whether it has all its entries."""
        return self.frontier.size == 1 << LEVEL

    def take(self, lines: Iterable[tuple[bytes, bytes]]) -> None:
        """Go on with these (leaf hash, line)."""
        for leaf, raw in lines:
            seq = self.frontier.size
            for text in texts_in(raw):
                self.found.setdefault(text, array("H")).append(seq)
            self.frontier.push(leaf)

    def fits(self, believed: Believed) -> bool:
        """Whether what it has taken is the beginning of this subtree, as the ledger is now."""
        start, hashes = self.number << LEVEL, iter(self.frontier.hashes)
        for level in range(self.frontier.size.bit_length() - 1, -1, -1):
            if self.frontier.size >> level & 1:
                if (start >> level) + 1 << level > believed.frontier.size:
                    return False
                if believed.node(level, start >> level) != next(hashes):
                    return False
                start += 1 << level
        return True

    def numbers(self, text: bytes) -> list[int]:
        """The entries so far that hold this text."""
        first = self.number << LEVEL
        return [first + seq for seq in self.found.get(text, ())]


class Part:
    """A part as it is kept: `root` is the hash of the subtree that it is about."""

    def __init__(self, number: int, root: bytes, body: bytes) -> None:
        self.number, self.root, self.body = number, root, body
        keys, numbers = struct.unpack_from("=II", body)
        at = struct.calcsize("=II")
        self._keys, self._ends, self._numbers = array("Q"), array("I"), array("H")
        for column, count in ((self._keys, keys), (self._ends, keys), (self._numbers, numbers)):
            column.frombytes(body[at : at + count * column.itemsize])
            at += count * column.itemsize

    def numbers(self, key: int) -> list[int]:
        """The entries that hold the text of this key, and, very rarely, others."""
        at = bisect_left(self._keys, key)
        if at == len(self._keys) or self._keys[at] != key:
            return []
        first = self.number << LEVEL
        return [first + seq for seq in self._numbers[self._ends[at - 1] if at else 0 : self._ends[at]]]


class Finder:
    """The parts of one ledger. Not for several threads at once: `log.Ledger` sees to that."""

    def __init__(self, folder: Path, disk: Disk, key: bytes, origin: str) -> None:
        self._folder, self._disk = folder / FOLDER, disk
        self._key, self._origin = key, origin.encode()
        self._parts: dict[int, Part] = {}
        self._growing: dict[int, Growing] = {}

    def part(self, number: int, believed: Believed) -> Part | None:
        """The part of this number, if it is there and fits the ledger. Raises LedgerBroken where the tree does not."""
        root = believed.node(LEVEL, number)
        part = self._parts.pop(number, None)
        if part is None or part.root != root:
            part = self._read(number, root)
        return self._remember(part) if part is not None else None

    def growing(self, number: int, believed: Believed) -> Growing:
        """What there is of a part that is not complete, or not kept."""
        growing = self._growing.get(number)
        if growing is None or not growing.fits(believed):
            growing = self._growing[number] = Growing(number)
        return growing

    def keep(self, growing: Growing) -> None:
        """Keep a complete part, beside the ledger too where that can be written."""
        self._growing.pop(growing.number, None)
        found: dict[int, array[int]] = {}
        for text, numbers in growing.found.items():
            key = self.key(text)
            found[key] = array("H", sorted({*found[key], *numbers})) if key in found else numbers
        keys, ends, every = array("Q", sorted(found)), array("I"), array("H")
        for key in keys:
            every.extend(found[key])
            ends.append(len(every))
        body = struct.pack("=II", len(keys), len(every)) + keys.tobytes() + ends.tobytes() + every.tobytes()
        root = growing.frontier.root()
        self._remember(Part(growing.number, root, body))
        with suppress(OSError):
            self._write(growing.number, _FORM + self._code(growing.number, root, body) + body)

    def key(self, text: bytes) -> int:
        """Under which key a part has this text. Keyed: the file tells nobody what stands in the ledger."""
        return int.from_bytes(blake2b(text, digest_size=8, key=self._key).digest(), "big")

    def _remember(self, part: Part) -> Part:
        self._parts[part.number] = part
        while len(self._parts) > MOST_PARTS:
            del self._parts[next(iter(self._parts))]
        return part

    def _code(self, number: int, root: bytes, body: bytes) -> bytes:
        about = _FORM + self._origin + b"\n" + struct.pack(">Q", number) + root
        return hmac.digest(self._key, about + body, "sha256")

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:08x}"

    def _read(self, number: int, root: bytes) -> Part | None:
        try:
            fd = self._disk.open(self._path(number), os.O_RDONLY | os.O_NOFOLLOW)
            try:
                data = self._disk.read(fd, self._disk.size(fd), 0)
            finally:
                self._disk.close(fd)
        except OSError:
            return None
        code, body = data[len(_FORM) : len(_FORM) + _CODE], data[len(_FORM) + _CODE :]
        if not data.startswith(_FORM) or not hmac.compare_digest(code, self._code(number, root, body)):
            return None
        return Part(number, root, body)

    def _write(self, number: int, data: bytes) -> None:
        """Not synced: what a crash leaves half is not believed."""
        self._disk.make_folder(self._folder)
        for left in self._folder.glob("*.new"):
            with suppress(FileNotFoundError):
                if time.time() - left.stat().st_mtime > _HOUR:
                    left.unlink()
        fresh = self._folder / f"{number:08x}-{os.getpid()}-{threading.get_ident()}.new"
        fd = self._disk.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            self._disk.write(fd, data, 0)
        finally:
            self._disk.close(fd)
        self._disk.replace(fresh, self._path(number))
