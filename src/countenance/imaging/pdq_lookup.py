"""Near pictures among many hashes: every row is compared, which for 100,000 takes about a millisecond."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from countenance.imaging.pdq import SAME_PICTURE_BITS, PictureHash, distances


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

    __slots__ = ("_count", "_rows")

    def __init__(self, rows: NDArray[np.uint8] | None = None) -> None:
        """`rows` is (n, 32) uint8, copied."""
        self._rows: NDArray[np.uint8] = np.empty((0, 32), dtype=np.uint8)
        self._count = 0
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
            self._rows = grown
        self._rows[self._count : end] = rows
        self._count = end

    def nearest(self, hashes: PictureHash | Iterable[PictureHash], limit: int = SAME_PICTURE_BITS) -> list[Near]:
        """Every hash at most `limit` bits away, the nearest first, ties by position.

        Given several (the variants of `pdq_dihedral`), each stored hash counts with the nearest of them.
        """
        if isinstance(hashes, PictureHash):
            hashes = (hashes,)
        held = self._rows[: self._count]
        best = np.full(self._count, 257, dtype=np.uint16)
        for one in hashes:
            np.minimum(best, distances(one, held), out=best)
        near = np.flatnonzero(best <= limit)
        order = near[np.argsort(best[near], kind="stable")]
        return [Near(int(position), int(best[position])) for position in order]
