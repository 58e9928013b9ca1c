"""The check of a whole ledger, block by block, in one pass and bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from countenance.domain.errors import LedgerBroken
from countenance.ledger import entry, merkle, rotation
from countenance.ledger.block import Block, Gap
from countenance.ledger.checkpoint import Checkpoint, TreeHead
from countenance.ledger.note import VerifierKey, without_cosignatures

MAX_LINE = 64 * 1024 * 1024
"""Longest entry in bytes."""


@dataclass(frozen=True, slots=True)
class Handover:
    """Entry `seq` let `new` take over from `old`; `lost` when the old key was not there to agree."""

    seq: int
    old: VerifierKey
    new: VerifierKey
    lost: bool


def runs(chunks: Iterable[bytes], limit: int | None = None) -> Iterator[list[bytes]]:
    """The lines in a stream of bytes, without their newlines, as many at a time as a chunk ends; `limit` in all.

    Raises LedgerBroken when the last has no newline.
    """
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) > MAX_LINE:
            raise LedgerBroken("an entry is longer than any entry can be")
        if limit is not None:
            whole, limit = whole[:limit], limit - min(limit, len(whole))
        if whole:
            yield whole
        if limit == 0:
            return
    if rest and limit is None:
        raise LedgerBroken("the last entry is cut off")


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines in a stream of bytes, one by one. Raises as `runs` does."""
    for whole in runs(chunks):
        yield from whole


class Audit:
    """Takes blocks of entries in order; afterwards says under which tree and keys they stand.

    `given` counts the entries that were there to be read, which is all of them but in an extract; `absent` are the runs
    of numbers, first and last, whose leaves alone were.
    """

    def __init__(self, origin: str, marks: Iterable[int] = ()) -> None:
        """`marks` are sizes at which the root is wanted (`marked`)."""
        self.origin = origin
        self.frontier = merkle.Frontier()
        self.handovers: list[Handover] = []
        self.first: str | None = None
        self.last: str | None = None
        self.given = 0
        self.absent: list[tuple[int, int]] = []
        self.gap = Gap()
        self.backs: list[tuple[int, float]] = []
        self.marks = frozenset(marks)
        self.marked: dict[int, bytes] = {0: merkle.EMPTY_ROOT}
        self._last_seq = -1

    def wants(self, first: int, count: int) -> bool:
        """Whether a root within these entries is wanted, so that their leaves must be kept."""
        return any(first < mark < first + count for mark in self.marks)

    def take(self, block: Block) -> None:
        """Put a block after those before it: its times, its subtrees, its handovers of keys.

        Raises LedgerBroken, naming the entry, when it does not go on from there.
        """
        self._clock(block)
        if block.handovers or self.wants(block.first, block.count):
            told = dict(block.handovers)
            for n in range(block.count):
                if (seq := block.first + n) in told:
                    self._handover(seq, told[seq])
                self.frontier.push(block.leaves[n * merkle.HASH : (n + 1) * merkle.HASH])
                self._mark()
        else:
            for level, subtree in block.subtrees:
                self.frontier.push_subtree(level, subtree)
            self._mark()
        self.given += block.count

    def skip(self, leaves: bytes) -> None:
        """Leaves whose entries are not given."""
        first, count = self.frontier.size, len(leaves) // merkle.HASH
        if not count:
            return
        each = [leaves[n : n + merkle.HASH] for n in range(0, len(leaves), merkle.HASH)]
        if self.wants(first, count):
            for leaf in each:
                self.frontier.push(leaf)
                self._mark()
        else:
            for level, subtree in merkle.subtrees(first, each):
                self.frontier.push_subtree(level, subtree)
            self._mark()
        if self.absent and self.absent[-1][1] == first - 1:
            self.absent[-1] = (self.absent[-1][0], first + count - 1)
        else:
            self.absent.append((first, first + count - 1))

    def _clock(self, block: Block) -> None:
        at, back, seq = block.opens_at, block.opens_back, block.first
        follows = seq == self._last_seq + 1
        if follows:
            entry.check_time(seq, at, back, self.last)
        if back is not None:
            self.backs.append((seq, back))
        self.backs += block.backs
        if follows and self.last is not None and at > self.last:
            passed = (entry.parse_time(at) - entry.parse_time(self.last)).total_seconds()
            if passed > self.gap.seconds:
                self.gap = Gap(passed, seq)
        if block.gap.seconds > self.gap.seconds:
            self.gap = block.gap
        if self.first is None:
            self.first = at
        self.last, self._last_seq = block.ends_at, block.first + block.count - 1

    def _handover(self, seq: int, raw: bytes) -> None:
        before = TreeHead(self.origin, seq, self.frontier.root())
        found = entry.parse(raw, seq)
        old, new = rotation.check(found, before)
        self.handovers.append(Handover(seq, old, new, lost=found.kind == entry.LOST))

    def _mark(self) -> None:
        if self.frontier.size in self.marks:
            self.marked[self.frontier.size] = self.frontier.root()

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

    def signed(self, given: Checkpoint, keys: list[VerifierKey], *, cosigned: bool = False) -> None:
        """Raises LedgerBroken unless `given` is signed, by nobody but keys that were in force at its size; and by
        witnesses, where `cosigned` says that they may."""
        if given.head.origin != self.origin:
            raise LedgerBroken(f"a checkpoint of {given.head.origin}, and the ledger is {self.origin}")
        size, last = given.head.size, len(keys) - 1
        allowed = []
        for number, key in enumerate(keys):
            begins = 0 if number == 0 else self.handovers[number - 1].seq + 1
            ends = size if number == last else self.handovers[number].seq + (not self.handovers[number].lost)
            if begins <= size <= ends:
                allowed.append(key)
        signed = without_cosignatures(given.note) if cosigned else given.note
        if not signed.signatures or not signed.signed_only_by(allowed):
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

    def follows(self, since: Checkpoint, keys: list[VerifierKey], what: str = "the earlier checkpoint") -> None:
        """Raises LedgerBroken unless the ledger is a continuation of the one that `since` states, which is `what`."""
        self.signed(since, keys, cosigned=True)
        if since.head.size > self.frontier.size:
            raise LedgerBroken(
                f"entry {self.frontier.size} is missing: {what} states {since.head.size} entries",
                details={"entry": self.frontier.size},
            )
        if since.head.root != self.marked.get(since.head.size):
            raise LedgerBroken(f"the first {since.head.size} entries are not those that {what} states")
