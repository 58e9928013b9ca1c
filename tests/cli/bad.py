"""Hostile and useless pictures."""

from __future__ import annotations

import struct
import zlib


def _png(width: int, height: int, rows: bytes) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def flat(width: int, height: int) -> bytes:
    """A picture of one colour."""
    return _png(width, height, zlib.compress((b"\0" + b"\x60\x80\xa0" * width) * height))


def bomb() -> bytes:
    """A few kilobytes that want to be 30,000 × 30,000 pixels, and would be."""
    pack = zlib.compressobj(9)
    row = b"\0" + bytes(3 * 30_000)
    # A part of the rows is enough: nobody should come as far as to miss the others.
    return _png(30_000, 30_000, b"".join(pack.compress(row) for _ in range(200)) + pack.flush())


def lying_header() -> bytes:
    """A header of 60,000 × 60,000 pixels over the data of one of 8 × 8."""
    return _png(60_000, 60_000, zlib.compress((b"\0" + bytes(24)) * 8))
