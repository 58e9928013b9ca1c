"""The vector file: one a pack, memory-mapped, float16, overwritten in place.

A page of header, then slots of equal size. A slot is a template's float16 values, its id (int64), a CRC-32 of both
seeded with the slot's number, and four zero bytes; all little-endian. A slot of zeros is empty. Reads go through the
map; writes go through the file descriptor, so that a full disk is an error and not a signal, and room is allocated
before it is mapped.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import mmap
import os
import shutil
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from countenance.domain.errors import IndexBroken, KeyTrouble, Unavailable
from countenance.domain.faces import Vectors

Slots: TypeAlias = NDArray[np.int64]
"""Slot numbers, from 0: shape (n,)."""

MAGIC = b"countenance vec\n"
VERSION = 1
HEADER_BYTES = 4096
CHUNK = 16_384
"""Slots handled at a time where all are read: 16 MiB of 512 dimensions."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the file says of itself. `key_id` is the digest of the rotation key that its templates went through;
    `file_id` ties it to its database; `copy` is set in a snapshot, whose slots must be held against the rows again."""

    version: int
    pack: str
    pipeline: int
    dimension: int
    key_id: str
    file_id: str
    copy: bool = False

    def packed(self) -> bytes:
        """The header's page."""
        body = json.dumps(asdict(self), sort_keys=True).encode()
        return (MAGIC + struct.pack("<II", len(body), zlib.crc32(body)) + body).ljust(HEADER_BYTES, b"\0")


class VectorFile:
    """An open vector file. One writer at a time is the caller's care; readers need none."""

    def __init__(self, path: Path, header: Header, descriptor: int) -> None:
        self.path = path
        self.header = header
        self._fd = descriptor
        self._type = record_type(header.dimension)
        self._records: NDArray[Any] = np.zeros(0, self._type)

    @classmethod
    def create(cls, path: Path, header: Header) -> None:
        """Write an empty file, durable under its name when this returns. Raises Unavailable."""
        with clear_errors(), replacing(path) as beside:
            beside.write_bytes(header.packed())

    @classmethod
    def open(cls, path: Path, *, writable: bool = True) -> VectorFile:
        """Open a file whose header was read and found right. Raises IndexBroken, Unavailable."""
        with clear_errors():
            fd = os.open(path, (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC)
        try:
            return cls(path, _parsed(os.pread(fd, HEADER_BYTES, 0), path), fd)
        except BaseException:
            os.close(fd)
            raise

    @property
    def capacity(self) -> int:
        """Slots that there is room for."""
        return max(0, os.fstat(self._fd).st_size - HEADER_BYTES) // self._type.itemsize

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._fd < 0

    @property
    def slot_bytes(self) -> int:
        """Bytes a slot takes."""
        return int(self._type.itemsize)

    def check_current(self) -> None:
        """Raises KeyTrouble when the file under this name is another one by now: its key was rotated."""
        with clear_errors():
            named = self.path.stat()
        mine = os.fstat(self._fd)
        if (named.st_dev, named.st_ino) != (mine.st_dev, mine.st_ino):
            raise rotated()

    def grow(self, slots: int) -> None:
        """Make room for so many slots, really allocated. Raises Unavailable and changes nothing on a full disk."""
        have = self.capacity
        if slots <= have:
            return
        step = min(max(have // 8, 256), 1 + (64 << 20) // self.slot_bytes)
        for wanted in (max(slots, have + step), slots):
            with contextlib.suppress(OSError):
                os.posix_fallocate(self._fd, 0, HEADER_BYTES + wanted * self.slot_bytes)
                return
        with clear_errors():
            os.posix_fallocate(self._fd, 0, HEADER_BYTES + slots * self.slot_bytes)

    def write(self, slots: Slots, ids: Sequence[int], vectors: Vectors) -> None:
        """Fill slots (ascending, with room), durable when this returns. Raises Unavailable, with some written."""
        records = np.zeros(len(slots), self._type)
        records["vector"] = vectors
        records["id"] = ids
        seal(records, slots)
        self._put(slots, records)

    def zero(self, slots: Slots) -> None:
        """Overwrite slots with zeros, durable when this returns. Slots that there is no room for hold nothing."""
        there = np.sort(slots[slots < self.capacity])
        for begin in range(0, len(there), CHUNK):
            part = there[begin : begin + CHUNK]
            self._put(part, np.zeros(len(part), self._type))

    def _put(self, slots: Slots, records: NDArray[Any]) -> None:
        with clear_errors():
            for begin, end in _runs(slots):
                data = memoryview(records[begin:end].tobytes())
                at = HEADER_BYTES + int(slots[begin]) * self.slot_bytes
                while data:
                    done = os.pwrite(self._fd, data, at)
                    data, at = data[done:], at + done
            os.fdatasync(self._fd)

    def records(self, slots: Slots) -> NDArray[Any]:
        """Copies of slots as they are: `vector` float16, `id`, `crc`. Raises IndexBroken beyond the file's end."""
        if len(slots) and int(slots.max()) >= len(self._records):
            self._map()
            if int(slots.max()) >= len(self._records):
                raise IndexBroken(
                    "the vector file is shorter than its rows say", advice="restore the home from a backup"
                )
        found: NDArray[Any] = self._records[slots]
        return found

    def read(self, slots: Slots) -> Vectors:
        """Templates, (n, dimension) float32, unit rows; a row of zeros for an empty slot."""
        return unit(self.records(slots)["vector"])

    def chunks(self, begin: int = 0) -> Iterator[tuple[Slots, NDArray[Any]]]:
        """All slots with their records, in order, a chunk at a time."""
        for at in range(begin, self.capacity, CHUNK):
            slots = np.arange(at, min(at + CHUNK, self.capacity), dtype=np.int64)
            yield slots, self.records(slots)

    def settle(self) -> None:
        """The slots were held against the rows: this is no longer a copy."""
        self.header = replace(self.header, copy=False)
        with clear_errors():
            os.pwrite(self._fd, self.header.packed(), 0)
            os.fsync(self._fd)

    def copy_to(self, path: Path) -> None:
        """A durable copy of the file as it is, marked as one. Raises Unavailable."""
        with clear_errors(), replacing(path) as beside:
            shutil.copyfile(self.path, beside)
            with beside.open("r+b") as out:
                out.write(replace(self.header, copy=True).packed())

    def rewrite(self, transform: Callable[[Vectors], Vectors], key_id: str) -> None:
        """Every template through `transform`, into a new file that takes this one's name at once and durably.

        The open file is the old one afterwards. Raises Unavailable, and the old file stays.
        """
        header = replace(self.header, key_id=key_id)
        with clear_errors(), replacing(self.path) as beside, beside.open("r+b") as out:
            out.write(header.packed())
            for slots, records in self.chunks():
                full = records["vector"].any(axis=1)
                fresh = records.copy()
                if full.any():
                    fresh["vector"][full] = unit(transform(unit(records["vector"][full])))
                seal(fresh, slots)
                fresh[~full] = np.zeros((), self._type)
                out.write(fresh.tobytes())

    def close(self) -> None:
        """Let go of the file."""
        self._records = np.zeros(0, self._type)
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def _map(self) -> None:
        count = self.capacity
        if count == 0:
            return
        # Older maps live for as long as an array looks into them.
        mapped = mmap.mmap(self._fd, HEADER_BYTES + count * self.slot_bytes, prot=mmap.PROT_READ)
        self._records = np.frombuffer(mapped, self._type, count=count, offset=HEADER_BYTES)


def record_type(dimension: int) -> np.dtype[Any]:
    """One slot."""
    return np.dtype([("vector", "<f2", (dimension,)), ("id", "<i8"), ("crc", "<u4"), ("_", "<u4")])


def seal(records: NDArray[Any], slots: Slots) -> None:
    """Set each record's checksum."""
    records["crc"] = checksums(records, slots)


def checksums(records: NDArray[Any], slots: Slots) -> NDArray[np.uint32]:
    """CRC-32 of each record's values and id, seeded with its slot: a record in another's place does not fit."""
    size = records.dtype.itemsize
    raw = memoryview(np.ascontiguousarray(records).tobytes())
    return np.array(
        [zlib.crc32(raw[i * size : (i + 1) * size - 8], slot & 0xFFFFFFFF) for i, slot in enumerate(map(int, slots))],
        np.uint32,
    )


def unit(values: NDArray[Any]) -> Vectors:
    """Rows as float32 of unit length; zeros stay zeros."""
    rows = values.astype(np.float32)
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    rows /= np.where(norms > 0, norms, np.float32(1))[:, None]
    return rows


def header_of(path: Path) -> Header | None:
    """What a vector file says of itself, without opening it for use; None when there is none. Raises IndexBroken."""
    try:
        with path.open("rb") as file:
            return _parsed(file.read(HEADER_BYTES), path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unavailable(f"{path.name} cannot be read: {error.strerror}", advice="run `countenance doctor`") from None


@contextlib.contextmanager
def clear_errors() -> Iterator[None]:
    """The system's errors, in our words."""
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"the index cannot be written: {error.strerror or error}",
            advice="free some room, or mend the disk or its permissions, then try again",
        ) from None


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A private file beside `path`, which takes its name when the block ends: durable, all of it or none."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))
        yield beside
        _sync(beside)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def remove(path: Path) -> None:
    """Unlink a file durably; nothing happens when there is none."""
    with clear_errors():
        path.unlink(missing_ok=True)
        _sync(path.parent)


def rotated() -> KeyTrouble:
    """Another process re-keyed the file since this one opened it."""
    return KeyTrouble("the rotation key was changed while this was running", advice="start the command again")


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _runs(slots: Slots) -> list[tuple[int, int]]:
    """Half-open ranges of positions whose slots follow one another."""
    if len(slots) == 0:
        return []
    edges = [0, *(np.flatnonzero(np.diff(slots) != 1) + 1).tolist(), len(slots)]
    return list(itertools.pairwise(edges))


def _parsed(page: bytes, path: Path) -> Header:
    start = len(MAGIC) + 8
    try:
        if page[: len(MAGIC)] != MAGIC:
            raise ValueError
        size, crc = struct.unpack_from("<II", page, len(MAGIC))
        body = page[start : start + size]
        if zlib.crc32(body) != crc:
            raise ValueError
        fields = json.loads(body)
        if fields["version"] != VERSION:
            raise IndexBroken(f"{path.name} has version {fields['version']}, this program knows {VERSION}")
        return Header(**fields)
    except (ValueError, KeyError, TypeError, struct.error):
        raise IndexBroken(f"{path.name} is no vector file, or its header is damaged") from None
