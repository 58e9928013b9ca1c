"""Pieces of a file → blocks of whole lines, each with the point from which reading can go on after it.

A line that is longer than a block is passed over and counted as one. Where blocks end is of no meaning: the same lines
in other blocks give the same result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from countenance.proxylog.inputs import Unread
from countenance.proxylog.unpack import Raw, log_bytes

BLOCK = 4 * 2**20
"""Bytes of a block, about."""
MOST_LINES = 2**17
"""Lines of a block: short lines cost more memory than their bytes."""


@dataclass(frozen=True, slots=True)
class Point:
    """How far a file was read: bytes and lines of the log; the raw bytes that had been read then, and their SHA-256."""

    offset: int = 0
    lines: int = 0
    raw: int = 0
    digest: str = ""

    def as_json(self) -> dict[str, Any]:
        """Its four members."""
        return {"offset": self.offset, "lines": self.lines, "raw": self.raw, "digest": self.digest}


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines. `first` is the number of the first (from 1), `lines` how many, `end` the point after them.

    `flaw` is "" or the reason why this, a block of one line, cannot be read: `too-long`, or `cut-off` by damage.
    """

    data: bytes
    first: int
    lines: int
    end: Point
    flaw: str = ""


class OtherFile(Exception):
    """A file does not begin with the bytes that it began with when reading was broken off."""


def read_blocks(raw: Raw, since: Point | None = None) -> Iterator[Block]:
    """Blocks of the lines after `since`. Raises Unread after the last whole line of a damaged file, and OtherFile."""
    return _Cutter(raw, since or Point()).blocks()


def count_lines(data: bytes) -> int:
    """Lines in some bytes, the last with or without its end. Five times as fast as `bytes.count`."""
    import numpy as np

    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == 10)) + (not data.endswith(b"\n"))


class _Cutter:
    def __init__(self, raw: Raw, since: Point) -> None:
        self._raw, self._since = raw, since
        self._at, self._line = since.offset, since.lines
        self._buffer: list[bytes] = []
        self._held = 0
        self._passing = 0
        self._checked = not since.raw

    def blocks(self) -> Iterator[Block]:
        broken: Unread | None = None
        try:
            for piece in self._pieces():
                yield from self._add(piece)
        except Unread as error:
            broken = error
        if not self._checked:
            raise OtherFile
        yield from self._rest(broken is not None)
        if broken:
            raise broken

    def _pieces(self) -> Iterator[bytes]:
        """What comes after the point, once the bytes before it are known to be the same."""
        missing = self._since.offset
        for piece in log_bytes(self._raw_pieces()):
            if missing >= len(piece):
                missing -= len(piece)
            else:
                yield piece[missing:]
                missing = 0
        if missing:
            raise OtherFile

    def _raw_pieces(self) -> Iterator[bytes]:
        for piece in self._raw.pieces():
            if not self._checked and self._raw.at >= self._since.raw:
                if (self._raw.at, self._raw.digest()) != (self._since.raw, self._since.digest):
                    raise OtherFile
                self._checked = True
            yield piece

    def _add(self, piece: bytes) -> Iterator[Block]:
        if self._passing:
            end = piece.find(b"\n") + 1
            self._passing += end or len(piece)
            if not end:
                return
            yield self._flawed(self._passing, "too-long")
            self._passing, piece = 0, piece[end:]
        self._buffer.append(piece)
        self._held += len(piece)
        if self._held < BLOCK:
            return
        if not self._checked:
            # The first run had no block here, or the point would lie further on.
            if self._held > 2 * BLOCK + len(piece):
                raise OtherFile
            return
        data = b"".join(self._buffer)
        end = data.rfind(b"\n") + 1
        if end:
            yield from self._cut(data[:end])
            rest = data[end:]
            self._buffer, self._held = [rest], len(rest)
        else:
            self._buffer, self._held, self._passing = [], 0, len(data)

    def _rest(self, damaged: bool) -> Iterator[Block]:
        data = b"".join(self._buffer)
        if self._passing:
            yield self._flawed(self._passing, "cut-off" if damaged else "too-long")
            return
        end = data.rfind(b"\n") + 1 if damaged else len(data)
        if end:
            yield from self._cut(data[:end])
        if end < len(data):
            yield self._flawed(len(data) - end, "cut-off")

    def _cut(self, data: bytes) -> Iterator[Block]:
        lines = count_lines(data)
        if lines > MOST_LINES:
            half = data.find(b"\n", len(data) // 2) + 1
            half = half if 0 < half < len(data) else data.find(b"\n") + 1
            yield from self._cut(data[:half])
            yield from self._cut(data[half:])
            return
        first = self._line + 1
        yield Block(data, first, lines, self._move(len(data), lines))

    def _flawed(self, size: int, reason: str) -> Block:
        first = self._line + 1
        return Block(b"", first, 1, self._move(size, 1), reason)

    def _move(self, size: int, lines: int) -> Point:
        self._at += size
        self._line += lines
        return Point(self._at, self._line, self._raw.at, self._raw.digest())
