"""Two files beside the entries that make reading fast, and can be made again from the entries at any time.

`nodes` holds the tree's hashes in the order in which appends complete them (`merkle.position`), 32 bytes each;
`offsets` holds, for each entry, where the next one begins in `entries.jsonl`, 8 bytes little-endian each. Nothing is
believed because it stands here: the frontier must lead to the root that the checkpoint signs, and so must every proof.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from countenance.domain.errors import LedgerBroken
from countenance.ledger.disk import Disk, open_existing
from countenance.ledger.merkle import HASH, Frontier, frontier_of, position

_OFFSET = struct.Struct("<Q")


class TreeFiles:
    """`nodes` and `offsets` of one ledger."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder = folder
        self._disk = disk
        self._fds: tuple[int, int] | None = None

    def _open(self) -> tuple[int, int]:
        if self._fds is None:
            nodes = open_existing(self._disk, self._folder / "nodes", create=True)
            try:
                self._fds = (nodes, open_existing(self._disk, self._folder / "offsets", create=True))
            except OSError:
                self._disk.close(nodes)
                raise
        return self._fds

    def close(self) -> None:
        fds, self._fds = self._fds, None
        for fd in fds or ():
            self._disk.close(fd)

    def node(self, level: int, index: int) -> bytes:
        """The subtree's hash. Raises LedgerBroken when the file does not reach there."""
        fds = self._open()
        found = self._disk.read(fds[0], HASH, position(level, index) * HASH)
        if len(found) != HASH:
            raise LedgerBroken("the file of tree hashes is too short")
        return found

    def end(self, seq: int) -> int:
        """Where the entry after `seq` begins; 0 for seq −1."""
        if seq < 0:
            return 0
        found = self._disk.read(self._open()[1], 8, seq * 8)
        if len(found) != 8:
            raise LedgerBroken("the file of offsets is too short")
        return int(_OFFSET.unpack(found)[0])

    def leaves(self, start: int, stop: int) -> list[bytes]:
        """The leaf hashes of these entries, in one reading. Raises LedgerBroken when the file does not reach there."""
        places = [position(0, seq) * HASH for seq in range(start, stop)]
        if not places:
            return []
        found = self._disk.read(self._open()[0], places[-1] + HASH - places[0], places[0])
        if len(found) != places[-1] + HASH - places[0]:
            raise LedgerBroken("the file of tree hashes is too short")
        return [found[place - places[0] : place - places[0] + HASH] for place in places]

    def ends(self, start: int, stop: int) -> list[int]:
        """Where these entries end, in one reading. Raises LedgerBroken when the file does not reach there."""
        found = self._disk.read(self._open()[1], (stop - start) * 8, start * 8)
        if len(found) != (stop - start) * 8:
            raise LedgerBroken("the file of offsets is too short")
        return [end for (end,) in _OFFSET.iter_unpack(found)]

    def frontier(self, size: int) -> Frontier:
        """The frontier of the first `size` leaves, as the file tells it."""
        return frontier_of(size, self.node)

    def extend(self, frontier: Frontier, leaves: Sequence[bytes], ends: Sequence[int]) -> None:
        """Push `leaves` onto `frontier` and write the hashes and offsets that this adds."""
        first = frontier.size
        start = position(0, first) * HASH
        done = b"".join(b"".join(frontier.push(leaf)) for leaf in leaves)
        nodes, offsets = self._open()
        self._disk.write(nodes, done, start)
        self._disk.write(offsets, b"".join(map(_OFFSET.pack, ends)), first * 8)

    def clear(self) -> None:
        """Forget everything, before it is made again."""
        for fd in self._open():
            self._disk.truncate(fd, 0)
