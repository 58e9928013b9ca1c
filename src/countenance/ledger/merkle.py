"""The Merkle tree of RFC 6962 section 2.1 (the same as RFC 9162 section 2.1), as pure functions.

A hash is 32 bytes. A leaf is ``SHA-256(0x00 ‖ entry)``, an inner node ``SHA-256(0x01 ‖ left ‖ right)``.
Functions that build a proof take `node`, a callable ``(level, index) -> hash`` for the complete subtree that
covers the leaves ``index << level`` up to ``(index + 1) << level``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

HASH = 32
"""Length of a hash in bytes."""

EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves."""

Node = Callable[[int, int], bytes]


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 ‖ entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The roots of the complete subtrees of a growing tree, largest first: all that an append needs.

    `hashes` has one element for each bit that is set in `size`.
    """

    __slots__ = ("hashes", "size")

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.hashes = list(hashes)
        if len(self.hashes) != size.bit_count():
            raise ValueError("a frontier needs one hash for each bit of its size")

    def push(self, leaf: bytes) -> list[bytes]:
        """Add a leaf; returns the subtrees that it completes, the leaf first. O(log n), mostly O(1)."""
        done = [leaf]
        size, hashes = self.size, self.hashes
        while size & 1:
            leaf = sha256(b"\x01" + hashes.pop() + leaf).digest()
            done.append(leaf)
            size >>= 1
        hashes.append(leaf)
        self.size += 1
        return done

    def push_subtree(self, level: int, subtree: bytes) -> None:
        """Add the root of ``1 << level`` further leaves at once. Raises ValueError where no such subtree begins."""
        size = self.size >> level
        if size << level != self.size:
            raise ValueError("a subtree stands at a multiple of its leaves")
        while size & 1:
            subtree = sha256(b"\x01" + self.hashes.pop() + subtree).digest()
            size >>= 1
        self.hashes.append(subtree)
        self.size += 1 << level

    def root(self) -> bytes:
        """The tree's root; O(log n)."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root

    def copy(self) -> Frontier:
        return Frontier(self.size, self.hashes)


def subtrees(first: int, leaves: Sequence[bytes]) -> list[tuple[int, bytes]]:
    """The largest complete subtrees over the leaves from number `first` on, in order, as (level, hash)."""
    begin, end, level, row = [], [], 0, list(leaves)
    while row:
        if first & 1:
            begin.append((level, row.pop(0)))
            first += 1
        if len(row) & 1:
            end.append((level, row.pop()))
        row = [sha256(b"\x01" + row[n] + row[n + 1]).digest() for n in range(0, len(row), 2)]
        first >>= 1
        level += 1
    return begin + end[::-1]


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes in order."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.push(leaf)
    return frontier.root()


def nodes_of(leaves: Iterable[bytes]) -> Node:
    """All complete subtrees over `leaves`, in memory, as the `node` that the proof functions want."""
    levels: list[list[bytes]] = []
    frontier = Frontier()
    for leaf in leaves:
        for level, done in enumerate(frontier.push(leaf)):
            if level == len(levels):
                levels.append([])
            levels[level].append(done)
    return lambda level, index: levels[level][index]


def position(level: int, index: int) -> int:
    """Where a subtree stands in a list that is written in the order in which `Frontier.push` completes them."""
    last = ((index + 1) << level) - 1
    return 2 * last - last.bit_count() + level


def frontier_of(size: int, node: Node) -> Frontier:
    """The frontier of the first `size` leaves."""
    hashes, start = [], 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            hashes.append(node(level, start >> level))
            start += 1 << level
    return Frontier(size, hashes)


def _split(count: int) -> int:
    """The largest power of two smaller than `count`."""
    return 1 << (count - 1).bit_length() - 1


def _range_root(start: int, stop: int, node: Node) -> bytes:
    count = stop - start
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return node(level, start >> level)
    middle = start + _split(count)
    return node_hash(_range_root(start, middle, node), _range_root(middle, stop, node))


def inclusion_proof(seq: int, size: int, node: Node) -> list[bytes]:
    """The audit path of leaf `seq` in the tree of the first `size` leaves (RFC 6962 section 2.1.1)."""
    if not 0 <= seq < size:
        raise ValueError("the leaf is not in the tree")
    path, start, stop = [], 0, size
    while stop - start > 1:
        middle = start + _split(stop - start)
        if seq < middle:
            path.append(_range_root(middle, stop, node))
            stop = middle
        else:
            path.append(_range_root(start, middle, node))
            start = middle
    return path[::-1]


def root_from_inclusion(seq: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes | None:
    """The root that an inclusion proof leads to, None when its length is wrong (RFC 9162 section 2.1.3.2)."""
    if not 0 <= seq < size:
        return None
    at, last, root, left = seq, size - 1, leaf, len(proof)
    for other in proof:
        if last == 0:
            return None
        if at & 1 or at == last:
            root = node_hash(other, root)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            root = node_hash(root, other)
        at >>= 1
        last >>= 1
        left -= 1
    return root if last == 0 and left == 0 else None


def verify_inclusion(seq: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `leaf` is number `seq` of the tree with this size and root."""
    return root_from_inclusion(seq, size, leaf, proof) == root


def consistency_proof(old: int, new: int, node: Node) -> list[bytes]:
    """Proof that the tree of `old` leaves is a prefix of that of `new` (RFC 6962 section 2.1.2).

    It is empty when `old` is 0 or the same as `new`.
    """
    if not 0 <= old <= new:
        raise ValueError("the old tree is larger than the new one")
    if old in (0, new):
        return []
    path, start, stop, whole = [], 0, new, True
    while old != stop:
        middle = start + _split(stop - start)
        if old <= middle:
            path.append(_range_root(middle, stop, node))
            stop = middle
        else:
            path.append(_range_root(start, middle, node))
            start, whole = middle, False
    if not whole:
        path.append(_range_root(start, stop, node))
    return path[::-1]


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree (`old`, `old_root`) is a prefix of (`new`, `new_root`) (RFC 9162 section 2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    return _roots_from(old, new, path) == (old_root, new_root)


def old_root_of(old: int, new: int, new_root: bytes, proof: Sequence[bytes]) -> bytes | None:
    """The root at `old` of the tree (`new`, `new_root`), as a proof shows it whose holder knows that tree.

    None when the proof shows none: it does not lead to `new_root`, or `old` is a power of two, whose root stands in no
    proof, or not between 0 and `new`.
    """
    if not 0 < old < new or old & (old - 1) == 0:
        return None
    found = _roots_from(old, new, list(proof))
    return found[0] if found is not None and found[1] == new_root else None


def _roots_from(old: int, new: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """The two roots that a whole consistency path leads to, None when its length is wrong."""
    if not path:
        return None
    at, last = old - 1, new - 1
    while at & 1:
        at >>= 1
        last >>= 1
    before = after = path[0]
    for other in path[1:]:
        if last == 0:
            return None
        if at & 1 or at == last:
            before, after = node_hash(other, before), node_hash(other, after)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            after = node_hash(after, other)
        at >>= 1
        last >>= 1
    return (before, after) if last == 0 else None
