"""The code sidecar: a cache of the codes beside the vector file, so that opening does not encode a million templates.

Disposable. It says which file, key and generation it was made from and carries a checksum over all of it; whatever
does not fit is deleted and made again. Only a holder of the writer's lock writes it, so that codes of an erased
template cannot come back by a late write.
"""

from __future__ import annotations

import json
import mmap
import struct
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from countenance.index.turbo import Error, TurboCodes
from countenance.index.vectors import clear_errors, remove, replacing

MAGIC = b"countenance tvc\n"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a sidecar was made from."""

    file_id: str
    key_id: str
    dimension: int
    generation: int


class Sidecar:
    """The sidecar's file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def stamp(self) -> Stamp | None:
        """What it was made from, without reading the codes; None when there is none or it is damaged."""
        try:
            with self.path.open("rb") as file:
                head = file.read(len(MAGIC) + 8)
                return _head(head, file.read(struct.unpack_from("<I", head, len(MAGIC))[0]))[0]
        except (OSError, ValueError, KeyError, TypeError, struct.error):
            return None

    def load(self, stamp: Stamp) -> tuple[TurboCodes, int] | None:
        """The codes and their generation, if they were made from this file and key at or before that generation."""
        try:
            with self.path.open("rb") as file:
                data = memoryview(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ))
        except (OSError, ValueError):
            return None
        try:
            start = len(MAGIC) + 8
            size, crc = struct.unpack_from("<II", data, len(MAGIC))
            found, error, count = _head(bytes(data[:start]), bytes(data[start : start + size]))
            if zlib.crc32(data[start:]) != crc:
                return None
            if (found.file_id, found.key_id, found.dimension) != (stamp.file_id, stamp.key_id, stamp.dimension):
                return None
            if found.generation > stamp.generation:
                return None
            body = data[start + size :]
            slots = np.frombuffer(body[: 8 * count], "<i8").astype(np.int64)
            return TurboCodes.loaded(stamp.dimension, slots, bytes(body[8 * count :]), error), found.generation
        except (ValueError, KeyError, TypeError, struct.error):
            return None

    def save(self, codes: TurboCodes, stamp: Stamp) -> None:
        """Write it whole, durable when this returns. Raises Unavailable, and an older one stays."""
        slots, body = codes.dump()
        fields = {
            "version": VERSION,
            "stamp": asdict(stamp),
            "error": asdict(codes.error),
            "count": len(slots),
        }
        head = json.dumps(fields, sort_keys=True).encode()
        places = slots.astype("<i8").tobytes()
        crc = zlib.crc32(body, zlib.crc32(places, zlib.crc32(head)))
        with clear_errors(), replacing(self.path) as beside, beside.open("r+b") as out:
            for piece in (MAGIC, struct.pack("<II", len(head), crc), head, places, body):
                out.write(piece)

    def remove(self) -> None:
        """Unlink it; nothing happens when there is none."""
        if self.path.exists():
            remove(self.path)


def _head(start: bytes, body: bytes) -> tuple[Stamp, Error, int]:
    if start[: len(MAGIC)] != MAGIC:
        raise ValueError("not a sidecar")
    fields = json.loads(body)
    if fields["version"] != VERSION:
        raise ValueError("another version")
    return Stamp(**fields["stamp"]), Error(**fields["error"]), int(fields["count"])
