"""The tree as static files that any client of C2SP *tlog-tiles* reads (https://c2sp.org/tlog-tiles).

::

    checkpoint
    tile/L/N          256 hashes of level 8·L, from number 256·N on; N in threes of digits, as x001/x234/067
    tile/L/N.p/W      the last, as long as it has W < 256
    tile/entries/N    entries, each after its length in two bytes

A full tile never changes, so that an update writes only what is new, and the checkpoint last. `node_from` is the other
side: it gives the proof functions of `merkle` what they need from tiles alone.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from countenance.domain.errors import LedgerBroken, Refused
from countenance.ledger import checkpoint, merkle
from countenance.ledger.checkpoint import TreeHead
from countenance.ledger.disk import Disk, write_file
from countenance.ledger.merkle import HASH, Node

WIDTH = 256
HEIGHT = 8
_MODE = 0o644
_LONGEST = 0xFFFF


@dataclass(frozen=True, slots=True)
class Written:
    """What an update wrote: files, and entries too long for the format, whose bundles are left out."""

    size: int
    before: int
    files: int
    too_long: tuple[int, ...]


def place(level: int | str, number: int, width: int = WIDTH) -> str:
    """The path of a tile, or with level ``entries`` of a bundle."""
    parts = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        parts.append(f"x{number % 1000:03d}")
    path = f"tile/{level}/{'/'.join(reversed(parts))}"
    return path if width == WIDTH else f"{path}.p/{width}"


def tiles_of(size: int) -> Iterator[tuple[int, int, int]]:
    """Level, number and width of every tile of a tree of `size` leaves."""
    level = 0
    while size:
        for number in range(size // WIDTH):
            yield level, number, WIDTH
        if size % WIDTH:
            yield level, size // WIDTH, size % WIDTH
        size //= WIDTH
        level += 1


def node_from(read: Callable[[str], bytes], size: int) -> Node:
    """The hashes of the complete subtrees of a tree of `size` leaves, from its tiles. `read` gives a file by its path.

    The function that is returned raises LedgerBroken when a tile has not its length.
    """

    def node(level: int, index: int) -> bytes:
        tile, rise = divmod(level, HEIGHT)
        first = index << rise
        number, width = first // WIDTH, min(WIDTH, (size >> HEIGHT * tile) - first // WIDTH * WIDTH)
        raw = read(place(tile, number, width))
        if len(raw) != width * HASH:
            raise LedgerBroken(f"{place(tile, number, width)} has not the length of a tile")
        begin = first % WIDTH
        row = [raw[n * HASH : (n + 1) * HASH] for n in range(begin, begin + (1 << rise))]
        return merkle.root_of(row)

    return node


class Tree:
    """A folder of tiles."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self._folder = folder
        self._disk = disk or Disk()
        self._files = 0

    def update(
        self, head: TreeHead, text: str, node: Node, entries: Callable[[int, int], list[bytes]] | None
    ) -> Written:
        """Let the folder hold the tree of `head`, whose checkpoint is `text`; bundles too, when `entries` gives them.

        Raises LedgerBroken when the folder holds another log, or a longer one, or when `node` does not lead to the
        root; Refused when it holds something else; OSError.
        """
        before = self._before(head)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._files, too_long = 0, []
        for level, number, width in tiles_of(head.size):
            path = self._folder / place(level, number, width)
            if path.is_file() and path.stat().st_size == width * HASH:
                continue
            first = number * WIDTH
            raw = b"".join(node(level * HEIGHT, n) for n in range(first, first + width))
            if width == WIDTH and merkle.root_of(_each(raw)) != node((level + 1) * HEIGHT, number):
                raise LedgerBroken("the file of tree hashes is damaged", advice="Run: countenance ledger verify")
            self._write(path, raw)
        read = self._read
        if merkle.frontier_of(head.size, node_from(read, head.size)).root() != head.root:
            raise LedgerBroken("the tiles do not lead to the root that the checkpoint signs")
        if before.size and merkle.frontier_of(before.size, node_from(read, head.size)).root() != before.root:
            raise LedgerBroken("the folder holds tiles of another history of this ledger")
        if entries is not None:
            too_long = self._bundles(head.size, entries)
        write_file(self._disk, self._folder / "checkpoint", text.encode(), _MODE)
        self._sweep(head.size)
        return Written(head.size, before.size, self._files, tuple(too_long))

    def _before(self, head: TreeHead) -> TreeHead:
        path = self._folder / "checkpoint"
        if not path.exists():
            if self._folder.exists() and any(self._folder.iterdir()) and not (self._folder / "tile").is_dir():
                raise Refused(f"the folder holds something else: {self._folder}", advice="Choose an empty one.")
            return TreeHead(head.origin, 0, merkle.EMPTY_ROOT)
        before = checkpoint.parse(path.read_bytes(), foreign=True).head
        if before.origin != head.origin:
            raise LedgerBroken(f"the folder holds tiles of {before.origin}, not of {head.origin}")
        if before.size > head.size:
            raise LedgerBroken(
                f"the folder holds {before.size} entries, and the ledger has {head.size}: it was rolled back",
                advice="Keep the folder: it is evidence.",
            )
        return before

    def _read(self, path: str) -> bytes:
        return (self._folder / path).read_bytes()

    def _write(self, path: Path, raw: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(self._disk, path, raw, _MODE)
        self._files += 1

    def _bundles(self, size: int, entries: Callable[[int, int], list[bytes]]) -> list[int]:
        too_long: list[int] = []
        for number in range((size + WIDTH - 1) // WIDTH):
            first, width = number * WIDTH, min(WIDTH, size - number * WIDTH)
            path = self._folder / place("entries", number, width)
            if path.is_file():
                continue
            raws = entries(first, first + width)
            long = [first + n for n, raw in enumerate(raws) if len(raw) > _LONGEST]
            too_long += long
            if not long:
                self._write(path, b"".join(len(raw).to_bytes(2, "big") + raw for raw in raws))
        return too_long

    def _sweep(self, size: int) -> None:
        """Partial tiles go when the full one is there."""
        for partial in sorted(self._folder.glob("tile/**/*.p")):
            if partial.with_suffix("").is_file():
                shutil.rmtree(partial)


def _each(raw: bytes) -> list[bytes]:
    return [raw[n : n + HASH] for n in range(0, len(raw), HASH)]
