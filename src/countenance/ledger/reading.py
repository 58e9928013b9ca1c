"""How a verifier goes through the entries: in one process, in several, or a selection against the leaves of all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from countenance.domain.errors import LedgerBroken
from countenance.ledger import block, entry
from countenance.ledger.audit import MAX_LINE, Audit, lines, runs
from countenance.ledger.crew import STRETCH, Crew
from countenance.ledger.merkle import HASH

_AT_ONCE = 4096


class Leaves:
    """A stream of listed leaves, handed out as many at a time as there are entries to compare."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._have = b""

    def take(self, count: int) -> bytes:
        """The next `count` leaves, fewer when there are no more. Raises LedgerBroken when one is cut off."""
        while len(self._have) < count * HASH and (chunk := next(self._chunks, None)) is not None:
            self._have += chunk
        taken, self._have = self._have[: count * HASH], self._have[count * HASH :]
        if len(taken) % HASH:
            raise LedgerBroken("the list of leaves is cut off")
        return taken


def alone(audit: Audit, chunks: Iterable[bytes], leaves: Leaves | None, limit: int | None = None) -> None:
    """Check a stream of entries, `limit` at most, in this process. Raises LedgerBroken."""
    first = 0
    for some in runs(chunks, limit):
        listed = leaves.take(len(some)) if leaves is not None else None
        audit.take(block.check(first, some, listed, keep=audit.wants(first, len(some))))
        first += len(some)
    if leaves is not None and leaves.take(1):
        raise LedgerBroken(f"entry {first} is missing: its leaf is listed", details={"entry": first})


def together(
    audit: Audit,
    chunks: Iterable[bytes],
    path: Path,
    *,
    start: int,
    leaves: tuple[int, int] | None,
    limit: int | None,
    hands: int,
) -> None:
    """The same by `hands` processes. `chunks` are the bytes from `start` on of the file at `path`, in which the listed
    `leaves` begin at a byte and are so many. Raises LedgerBroken and LedgerUnavailable."""
    with Crew(path, leaves[0] if leaves else None, hands) as crew:
        first = 0
        try:
            for begin, length, count in _stretches(chunks, start, limit):
                if leaves is not None and first + count > leaves[1]:
                    lacking = leaves[1]
                    raise LedgerBroken(
                        f"entry {lacking} is not the one whose leaf is listed", details={"entry": lacking}
                    )
                for ready in crew.ask(begin, length, first, count, keep=audit.wants(first, count)):
                    audit.take(ready)
                first += count
        except LedgerBroken as error:
            if not error.details:
                # The stream itself is at fault, a checksum perhaps: what the helpers still have may say which entry.
                _take_rest(audit, crew)
            raise
        _take_rest(audit, crew)
    if leaves is not None and first < leaves[1]:
        raise LedgerBroken(f"entry {first} is missing: its leaf is listed", details={"entry": first})


def _take_rest(audit: Audit, crew: Crew) -> None:
    for ready in crew.rest():
        audit.take(ready)


def _stretches(chunks: Iterable[bytes], start: int, limit: int | None) -> Iterator[tuple[int, int, int]]:
    """Where stretches of whole lines begin, how long they are, and how many lines are in them."""
    length = whole = count = 0
    for chunk in chunks:
        found = chunk.count(b"\n")
        if limit is not None and count + found >= limit:
            # The last wanted line ends in here.
            place = -1
            for _ in range(limit - count):
                place = chunk.index(b"\n", place + 1)
            if limit:
                yield start, length + place + 1, limit
            return
        if found:
            whole, count = length + chunk.rindex(b"\n") + 1, count + found
        length += len(chunk)
        if length - whole > MAX_LINE:
            raise LedgerBroken("an entry is longer than any entry can be")
        if whole >= STRETCH:
            yield start, whole, count
            if limit is not None:
                limit -= count
            start, length, whole, count = start + whole, length - whole, 0, 0
    if length != whole and limit is None:
        raise LedgerBroken("the last entry is cut off")
    if count:
        yield start, whole, count


def chosen(audit: Audit, entries: Iterable[bytes], leaves: Leaves) -> None:
    """Check a selection of entries against the leaves of all. Raises LedgerBroken."""
    given = _numbered(lines(entries))
    waiting = next(given, None)
    first = 0
    while listed := leaves.take(_AT_ONCE):
        count, done = len(listed) // HASH, 0
        while waiting is not None and waiting[0] < first + count:
            seq, raw = waiting
            place = seq - first
            audit.skip(listed[done * HASH : place * HASH])
            audit.take(block.check(seq, [raw], listed[place * HASH : (place + 1) * HASH], keep=True))
            done = place + 1
            waiting = next(given, None)
        audit.skip(listed[done * HASH :])
        first += count
    if waiting is not None:
        raise LedgerBroken(f"entry {waiting[0]} has no leaf: there are {first}", details={"entry": waiting[0]})


def _numbered(raws: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    seq = -1
    for raw in raws:
        seq = entry.next_in(raw, seq)
        yield seq, raw
