"""The check of a whole ledger, entry by entry, in one pass and bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from countenance.domain.errors import LedgerBroken
from countenance.ledger import entry, merkle, rotation
from countenance.ledger.checkpoint import Checkpoint, TreeHead
from countenance.ledger.note import VerifierKey

MAX_LINE = 64 * 1024 * 1024
"""Longest entry in bytes."""


@dataclass(frozen=True, slots=True)
class Handover:
    """Entry `seq` let `new` take over from `old`; `lost` when the old key was not there to agree."""

    seq: int
    old: VerifierKey
    new: VerifierKey
    lost: bool


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines in a stream of bytes, without their newlines. Raises LedgerBroken when the last has none."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
        if len(rest) > MAX_LINE:
            raise LedgerBroken("an entry is longer than any entry can be")
    if rest:
        raise LedgerBroken("the last entry is cut off")


class Audit:
    """Reads entries in order; afterwards says under which tree and keys they stand."""

    def __init__(self, origin: str, mark: int | None = None) -> None:
        """`mark` is a size at which the root is wanted (`marked`)."""
        self.origin = origin
        self.frontier = merkle.Frontier()
        self.handovers: list[Handover] = []
        self.first: str | None = None
        self.last: str | None = None
        self.marked: bytes | None = None
        self._mark = mark

    def read(self, entries: Iterable[bytes], leaves: Iterator[bytes] | None = None) -> None:
        """Check every entry: its form, its number, its time, its leaf if `leaves` are given, and handovers of keys.

        Raises LedgerBroken, naming the entry, at the first that is not right.
        """
        push, leaf_hash, load = self.frontier.push, merkle.leaf_hash, entry.load
        if self._mark == 0:
            self.marked = merkle.EMPTY_ROOT
        for seq, raw in enumerate(entries):
            leaf = leaf_hash(raw)
            found = load(raw, seq)
            at = found["at"]
            if leaves is not None and leaf != next(leaves, None):
                raise LedgerBroken(f"entry {seq} is not the one whose leaf is listed", details={"entry": seq})
            if "clock_back_seconds" in found or (self.last is not None and at < self.last):
                entry.check_time(seq, at, found.get("clock_back_seconds"), self.last)
            if found["type"] in rotation.KINDS:
                before = TreeHead(self.origin, seq, self.frontier.root())
                old, new = rotation.check(entry.parse(raw, seq), before)
                self.handovers.append(Handover(seq, old, new, lost=found["type"] == entry.LOST))
            self.last = at
            if seq == 0:
                self.first = at
            push(leaf)
            if seq + 1 == self._mark:
                self.marked = self.frontier.root()
        if leaves is not None and next(leaves, None) is not None:
            raise LedgerBroken(f"entry {self.frontier.size} is missing: its leaf is listed")

    def agree(self, head: TreeHead) -> None:
        """Raises LedgerBroken when the entries are not the tree that `head` states."""
        size = self.frontier.size
        if size < head.size:
            raise LedgerBroken(f"entry {size} is missing: the checkpoint states {head.size}", details={"entry": size})
        if size > head.size:
            raise LedgerBroken(
                f"entry {head.size} is one too many: no checkpoint covers it", details={"entry": head.size}
            )
        if self.frontier.root() != head.root:
            raise LedgerBroken("the entries are not those that the checkpoint signs")

    def chain(self, last: VerifierKey) -> list[VerifierKey]:
        """The keys that have signed this ledger, first to `last`. Raises LedgerBroken when they are no chain."""
        keys = [self.handovers[0].old if self.handovers else last]
        for handover in self.handovers:
            if handover.old != keys[-1]:
                raise LedgerBroken(
                    f"entry {handover.seq} hands over from a key that was not in force", details={"entry": handover.seq}
                )
            keys.append(handover.new)
        if keys[-1] != last:
            raise LedgerBroken("the ledger is signed by a key that no entry announces")
        return keys

    def signed(self, given: Checkpoint, keys: list[VerifierKey]) -> None:
        """Raises LedgerBroken unless `given` is signed, by nobody but keys that were in force at its size."""
        if given.head.origin != self.origin:
            raise LedgerBroken(f"a checkpoint of {given.head.origin}, and the ledger is {self.origin}")
        size, last = given.head.size, len(keys) - 1
        allowed = []
        for number, key in enumerate(keys):
            begins = 0 if number == 0 else self.handovers[number - 1].seq + 1
            ends = size if number == last else self.handovers[number].seq + (not self.handovers[number].lost)
            if begins <= size <= ends:
                allowed.append(key)
        if not given.note.signed_only_by(allowed):
            raise LedgerBroken("a checkpoint that is not signed by a key in force at its size")

    def trust(self, trusted: VerifierKey, keys: list[VerifierKey]) -> None:
        """Raises LedgerBroken unless `trusted` is the last of the ledger's keys or has handed over to it."""
        if trusted not in keys:
            raise LedgerBroken(
                f"the ledger is signed by another key than the one you gave: {keys[-1].text}",
                advice="Ask the operator, over another channel, which key is right.",
            )
        place = len(keys) - 1 - keys[::-1].index(trusted)
        for handover in self.handovers[place:]:
            if handover.lost:
                raise LedgerBroken(
                    f"entry {handover.seq} says that the key you gave, or one after it, was lost",
                    advice="Ask the operator, over another channel, for the new key.",
                    details={"entry": handover.seq},
                )

    def follows(self, since: Checkpoint, keys: list[VerifierKey]) -> None:
        """Raises LedgerBroken unless the ledger is a continuation of the one that `since` states."""
        self.signed(since, keys)
        if since.head.size > self.frontier.size:
            raise LedgerBroken(
                f"entry {self.frontier.size} is missing: the earlier checkpoint states {since.head.size} entries"
            )
        if since.head.root != self.marked:
            raise LedgerBroken(f"the first {since.head.size} entries are not those that the earlier checkpoint states")
