"""Hashes of the tree that are believed: because they lead to the root that the checkpoint signs, never because they
stand in the file of hashes."""

from __future__ import annotations

from countenance.domain.errors import LedgerBroken
from countenance.ledger.merkle import Frontier, Node, node_hash

_MOST = 100_000
"""So many are remembered; then it is begun anew."""


class Believed:
    """What the file of hashes says of the complete subtrees under `frontier`, each checked from the top down."""

    def __init__(self, frontier: Frontier, read: Node) -> None:
        self.frontier = frontier
        self._read = read
        self._known: dict[tuple[int, int], bytes] = {}
        self._begin()

    def _begin(self) -> None:
        self._known.clear()
        start, hashes = 0, iter(self.frontier.hashes)
        for level in range(self.frontier.size.bit_length() - 1, -1, -1):
            if self.frontier.size >> level & 1:
                self._known[level, start >> level] = next(hashes)
                start += 1 << level

    def node(self, level: int, index: int) -> bytes:
        """The hash of the complete subtree over the leaves ``index << level`` up to ``(index + 1) << level``.

        Raises IndexError where there are not so many leaves, LedgerBroken where the file says something else than what
        was signed.
        """
        if not 0 <= index << level < (index + 1) << level <= self.frontier.size:
            raise IndexError("the tree has no such subtree")
        if len(self._known) > _MOST:
            self._begin()
        down: list[tuple[int, int]] = []
        at = (level, index)
        while at not in self._known:
            down.append(at)
            at = (at[0] + 1, at[1] >> 1)
        for below, which in reversed(down):
            left, right = self._read(below, which & ~1), self._read(below, which | 1)
            if node_hash(left, right) != self._known[below + 1, which >> 1]:
                raise LedgerBroken("the file of tree hashes is damaged")
            self._known[below, which & ~1], self._known[below, which | 1] = left, right
        return self._known[level, index]
