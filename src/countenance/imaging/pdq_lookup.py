"""Near pictures among many hashes.

Rows that came lately are compared one and all, by half of their bits first, which for 100,000 takes about a tenth of a
millisecond; the others are found by their parts. Two hashes at most 31 bits apart, cut into 16 parts of 16 bits, agree
in one part up to one bit: otherwise each part would hold two of the differences, 32 in all. So only rows that share a
part up to one bit are compared, about one in 240, and none that is near is missed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from countenance.imaging.pdq import SAME_PICTURE_BITS, PictureHash, distances

_PARTS = 16
_VALUES = 1 << 16
_TURNED = np.array([0, *(1 << bit for bit in range(16))], np.uint16)
"""What a part is changed by to give those that agree with it up to one bit."""

_PLAIN = 4_096
"""So few rows are compared one and all: finding them by their parts would take as long."""

_GROWTH = 16
"""The table of parts is made anew when there are a sixteenth more rows."""


@dataclass(frozen=True, slots=True)
class Near:
    """A hash that is near: its position in order of appending, and how many bits it is away."""

    position: int
    distance: int


class PictureHashes:
    """A growing list of hashes, 32 bytes each, that can be asked for near ones.

    Add only hashes whose quality reaches `pdq.SAME_PICTURE_QUALITY`: the others are near to anything flat. One
    thread at a time.
    """

    __slots__ = ("_count", "_halves", "_parts", "_rows")

    def __init__(self, rows: NDArray[np.uint8] | None = None) -> None:
        """`rows` is (n, 32) uint8, copied."""
        self._rows: NDArray[np.uint8] = np.empty((0, 32), dtype=np.uint8)
        self._halves: NDArray[np.uint64] = np.empty((2, 0), dtype=np.uint64)
        self._count = 0
        self._parts: _Parts | None = None
        if rows is not None:
            self.extend(rows)

    def __len__(self) -> int:
        return self._count

    def append(self, one: PictureHash) -> int:
        """Add one and return its position."""
        self.extend(np.frombuffer(one.bits, dtype=np.uint8).reshape(1, 32))
        return self._count - 1

    def extend(self, rows: NDArray[np.uint8]) -> None:
        """Add (n, 32) uint8 rows."""
        if rows.ndim != 2 or rows.shape[1] != 32 or rows.dtype != np.uint8:
            raise ValueError("hashes come as (n, 32) uint8")
        end = self._count + len(rows)
        if end > len(self._rows):
            grown = np.empty((max(end, 2 * len(self._rows), 1024), 32), dtype=np.uint8)
            grown[: self._count] = self._rows[: self._count]
            halves = np.empty((2, len(grown)), dtype=np.uint64)
            halves[:, : self._count] = self._halves[:, : self._count]
            self._rows, self._halves = grown, halves
        self._rows[self._count : end] = rows
        self._halves[:, self._count : end] = np.ascontiguousarray(rows[:, :16]).view(np.uint64).T
        self._count = end

    def nearest(self, hashes: PictureHash | Iterable[PictureHash], limit: int = SAME_PICTURE_BITS) -> list[Near]:
        """Every hash at most `limit` bits away, the nearest first, ties by position.

        Given several (the variants of `pdq_dihedral`), each stored hash counts with the nearest of them.
        """
        variants = [hashes] if isinstance(hashes, PictureHash) else list(hashes)
        places = self._candidates(variants, limit)
        if len(places) == 0:
            return []
        held = self._rows[places]
        best = np.full(len(held), 257, dtype=np.uint16)
        for one in variants:
            np.minimum(best, distances(one, held), out=best)
        near = np.flatnonzero(best <= limit)
        order = near[np.argsort(best[near], kind="stable")]
        return [Near(int(position), int(bits)) for position, bits in zip(places[order], best[order], strict=True)]

    def _candidates(self, variants: list[PictureHash], limit: int) -> NDArray[np.intp]:
        """Positions, ascending, among which is every one up to `limit` bits away."""
        if limit >= 2 * _PARTS:
            found = [self._half_near(one, 0, limit) for one in variants]
        else:
            known = 0 if self._parts is None else self._parts.count
            if self._count - known > max(_PLAIN, known // _GROWTH):
                self._parts = _Parts(self._rows[: self._count])
                known = self._count
            found = [self._half_near(one, known, limit) for one in variants]
            if self._parts is not None:
                found += [self._parts.sharing(one) for one in variants]
        found = [one for one in found if len(one)]
        return np.unique(np.concatenate(found)) if found else np.empty(0, np.intp)

    def _half_near(self, one: PictureHash, begin: int, limit: int) -> NDArray[np.intp]:
        """Positions from `begin` on whose first half differs in at most `limit` bits: hardly any but those sought."""
        probe = np.frombuffer(one.bits, dtype=np.uint64, count=2)
        bits = np.bitwise_count(self._halves[0, begin : self._count] ^ probe[0])
        bits += np.bitwise_count(self._halves[1, begin : self._count] ^ probe[1])
        return np.asarray(np.flatnonzero(bits <= limit) + begin, dtype=np.intp)


class _Parts:
    """For each part of a hash and each of its values, the rows that have it there."""

    __slots__ = ("_ends", "_rows", "count")

    def __init__(self, rows: NDArray[np.uint8]) -> None:
        self.count = len(rows)
        words = np.ascontiguousarray(rows).view(np.uint16)
        self._rows: NDArray[np.uint32] = np.empty((_PARTS, self.count), np.uint32)
        self._ends: NDArray[np.int64] = np.zeros((_PARTS, _VALUES + 1), np.int64)
        for part in range(_PARTS):
            column = np.ascontiguousarray(words[:, part])
            self._rows[part] = np.argsort(column, kind="stable")
            np.cumsum(np.bincount(column, minlength=_VALUES), out=self._ends[part, 1:])

    def sharing(self, one: PictureHash) -> NDArray[np.intp]:
        """Rows that agree with this hash in a part up to one bit; those that agree in several come several times."""
        values = (np.frombuffer(one.bits, np.uint16)[:, None] ^ _TURNED).astype(np.intp)
        part = np.arange(_PARTS)[:, None]
        begins = self._ends[part, values].ravel()
        lengths = self._ends[part, values + 1].ravel() - begins
        begins += (part * self.count).repeat(len(_TURNED))
        # The places of all these stretches in one array: each stretch's beginning, and how far into it.
        places = np.arange(int(lengths.sum())) + np.repeat(begins - (np.cumsum(lengths) - lengths), lengths)
        found: NDArray[np.intp] = self._rows.ravel()[places].astype(np.intp)
        return found
