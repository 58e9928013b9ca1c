"""The ledger itself: a folder of append-only files. *No receipt, no result* rests on this module.

``entries.jsonl`` and ``checkpoint`` are the truth; ``nodes`` and ``offsets`` can be made again from them
(`tree_files`); ``key`` is the current public key, for people. Life of an append, under the lock of the folder:

1. the lines are written after the last covered entry, and synced: from here on they are never taken back;
2. the tree grows, the new checkpoint is signed, written beside the old one, synced, renamed over it, and synced;
3. only now is there a receipt.

Threads that append at the same time share one such life (`group`): one of them writes for all.

A failure in 1 cuts the file back. A failure or a crash after it leaves whole entries that no checkpoint covers and for
which nobody has a receipt. The next to append keeps them (they may tell of something that was begun), signs
them, and adds an entry ``ledger.recovered`` that names them. A torn line there was never answered for, and is cut off.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from countenance.domain.errors import BadInput, KeyTrouble, LedgerBroken, LedgerUnavailable, Unavailable
from countenance.ledger import bundle, entry, finding, kept, keys, rotation
from countenance.ledger.book import Book
from countenance.ledger.bundle import Snapshot
from countenance.ledger.checkpoint import TreeHead
from countenance.ledger.disk import Disk
from countenance.ledger.draft import Draft, Ready
from countenance.ledger.entry import Entry
from countenance.ledger.extract import Extract
from countenance.ledger.finding import Finder, findable
from countenance.ledger.folder import Folder, disk_errors
from countenance.ledger.group import Line
from countenance.ledger.note import Signer, VerifierKey, valid_name
from countenance.ledger.receipt import Receipt
from countenance.ledger.tiles import Tree, Written

_AT_ONCE = 1024
"""Entries that a bulk reading looks at before it lets others in."""

_FEW = 64
"""So many entries are read rather than looked up."""


def _now() -> datetime:
    return datetime.now(UTC)


class Ledger:
    """One ledger, open. Threads may share it, and any number of processes may open the same folder."""

    def __init__(self, book: Book, finder: Finder | None = None) -> None:
        """Not for callers: `Ledger.open` makes these."""
        self._book = book
        self._finder = finder
        self._threads = threading.RLock()
        self._line: Line[Ready, Receipt] = Line(self._commit)

    @classmethod
    def open(
        cls,
        folder: Path,
        signer: Signer,
        *,
        origin: str,
        disk: Disk | None = None,
        clock: Callable[[], datetime] = _now,
        finding_key: bytes | None = None,
    ) -> Ledger:
        """Open the ledger in `folder`, making it if the folder holds none.

        `origin` names the ledger for ever, like ``countenance.example/ledger``; `signer` comes from `keys`. With a
        `finding_key`, 32 secret bytes, it keeps beside the entries where things are mentioned (`finding`).
        Raises LedgerBroken when entries that the checkpoint covers are missing or altered at the end, or when the
        ledger has another origin; KeyTrouble when `signer` is not its key; LedgerUnavailable when the disk refuses.
        """
        if not valid_name(origin):
            raise BadInput("a ledger's origin holds no white space and no plus sign")
        book = Book(Folder(folder, disk or Disk()), signer, origin, clock)
        finder = Finder(folder, book.folder.disk, finding_key, origin) if finding_key is not None else None
        ledger = cls(book, finder)
        try:
            with disk_errors():
                if not book.folder.exists():
                    with book.folder.locked():
                        book.create()
                book.refresh()
            ledger._recover_if_possible()
        except BaseException:
            ledger.close()
            raise
        return ledger

    def _recover_if_possible(self) -> None:
        """Settle what a crash left. A disk that cannot be written leaves a ledger that can still be read."""
        try:
            with disk_errors():
                self._book.folder.write_key(self._book.signer.verifier.text)
                if self._book.folder.entries_size() == self._book.end:
                    return
            with self._writing():
                pass
        except LedgerUnavailable:
            return

    def close(self) -> None:
        """Let go of the files. What was appended is durable already."""
        with self._threads:
            self._book.folder.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _current(self) -> Iterator[Book]:
        with self._threads, disk_errors():
            self._book.refresh()
            yield self._book

    @contextmanager
    def _writing(self) -> Iterator[Book]:
        with self._threads, disk_errors("the entry could not be made durable"), self._book.folder.locked():
            self._book.settle()
            yield self._book

    # Reading

    @property
    def origin(self) -> str:
        return self._book.origin

    @property
    def vkey(self) -> str:
        """The key that verifies the current checkpoint, as ``NAME+ID+BASE64``."""
        with self._current() as book:
            return book.signer.verifier.text

    @property
    def size(self) -> int:
        """How many entries the signed checkpoint covers."""
        with self._current() as book:
            return book.frontier.size

    @property
    def root(self) -> bytes:
        """The root that the signed checkpoint states, 32 bytes."""
        with self._current() as book:
            return book.root

    def checkpoint(self) -> str:
        """The latest signed checkpoint (C2SP tlog-checkpoint)."""
        with self._current() as book:
            return book.text

    def entry(self, seq: int) -> Entry:
        """Entry `seq`, proven to be in the tree that the checkpoint signs; O(log n).

        Raises IndexError when there is none yet, LedgerBroken when what stands there is not what was signed.
        """
        with self._current() as book:
            return entry.parse(book.proven(seq)[0], seq)

    def receipt(self, seq: int) -> Receipt:
        """A receipt for entry `seq`: under the checkpoint that witnesses have co-signed, if that covers it, otherwise
        under the latest. Raises as `entry` does."""
        with self._current() as book:
            return book.receipt_cosigned(seq) or book.receipt(seq)

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[Entry]:
        """The entries from `start` up to, not including, `stop`, in order; those there are when the iteration begins.

        Each is checked against the tree's leaf hashes. Raises LedgerBroken at one that differs.
        """
        size = self.size
        for seq in range(max(start, 0), size if stop is None else min(stop, size)):
            with self._threads, disk_errors():
                raw = self._book.line(seq)
            yield entry.parse(raw, seq)

    def mentioning(self, text: str | Sequence[str], start: int = 0, stop: int | None = None) -> Iterator[Entry]:
        """Those of `entries` whose canonical bytes hold `text`, or one of several; ASCII that JSON does not escape.

        Only these are parsed, so that it is several times faster. Of texts that `finding` knows only those are
        read, in a ledger that keeps it; otherwise every entry is, and checked. Raises as `entries` does.
        """
        size, wanted = self.size, [one.encode() for one in ((text,) if isinstance(text, str) else text)]
        start, until = max(start, 0), size if stop is None else min(stop, size)
        if self._finder is None or until - start <= _FEW or not all(map(findable, wanted)):
            yield from self._scanned(wanted, start, until)
            return
        for number in range(start >> finding.LEVEL, (until - 1 >> finding.LEVEL) + 1):
            first, last = max(start, number << finding.LEVEL), min(until, number + 1 << finding.LEVEL)
            several = (self._numbers(self._finder, number, one) for one in wanted)
            found = sorted({seq for one in several for seq in one if first <= seq < last})
            if 4 * len(found) > last - first:
                yield from self._scanned(wanted, first, last)
                continue
            for seq in found:
                with self._threads, disk_errors():
                    raw = self._book.line(seq)
                if any(one in raw for one in wanted):
                    yield entry.parse(raw, seq)

    def _scanned(self, texts: Sequence[bytes], start: int, until: int) -> Iterator[Entry]:
        """The entries from `start` up to `until` that hold one of `texts`, by reading all."""
        for first in range(start, until, _AT_ONCE):
            with self._threads, disk_errors():
                found = self._book.mentioning(texts, first, min(first + _AT_ONCE, until))
            for seq, raw in found:
                yield entry.parse(raw, seq)

    def _numbers(self, finder: Finder, number: int, text: bytes) -> list[int]:
        """The entries of a part that hold `text`, as far as there are entries. Where there is no such part it is made,
        and others are let in meanwhile."""
        made_again = False
        while True:
            with self._current() as book:
                size, end = book.frontier.size, number + 1 << finding.LEVEL
                try:
                    part = finder.part(number, book.believed) if end <= size else None
                    growing = finder.growing(number, book.believed) if part is None else None
                except LedgerBroken:
                    if made_again:
                        raise
                    book.rebuild(size, book.root)
                    made_again = True
                    continue
                if part is not None:
                    return part.numbers(finder.key(text))
                assert growing is not None
                stop = min(growing.upto + _AT_ONCE, end, size)
                if growing.upto < stop:
                    growing.take(book.checked(growing.upto, stop))
                    if growing.complete:
                        finder.keep(growing)
                if growing.upto >= min(end, size):
                    return growing.numbers(text)

    def export(self, target: Path, choice: Extract | None = None) -> TreeHead:
        """Write the ledger, as the latest checkpoint covers it, or an extract, into one file for outsiders
        (`bundle.write`), with the last checkpoint that witnesses have co-signed and the last time-stamp, if there are.

        Returns what it covers. Raises LedgerBroken and Unavailable as `bundle.write` does.
        """
        with disk_errors():
            # Before the checkpoint is read: what is kept must not be about a later one.
            extras = kept.of(self._book.folder.path)
        with self._current() as book:
            entries = book.folder.path / "entries.jsonl"
            snapshot = Snapshot(book.head, book.text, book.end, book.signer, entries, extras)
        with disk_errors():
            bundle.write(snapshot, target, choice)
        return snapshot.head

    def tiles(self, folder: Path, *, entries: bool = False) -> Written:
        """Let `folder` hold the tree as static tiles (`tiles`), with the entries too if wanted. Only what is new is
        written. Raises LedgerBroken and Refused as `tiles.Tree.update` does, Unavailable when it cannot be written."""
        with self._current() as book:
            head, text, node = book.head, book.text, book.folder.tree.node

        def some(start: int, stop: int) -> list[bytes]:
            with self._threads, disk_errors():
                return [self._book.line(seq) for seq in range(start, stop)]

        def hash_of(level: int, index: int) -> bytes:
            with self._threads, disk_errors():
                return node(level, index)

        try:
            return Tree(folder).update(head, text, hash_of, some if entries else None)
        except OSError as error:
            reason = error.strerror or "input/output error"
            raise Unavailable(f"the tiles cannot be written: {reason}", advice="Choose another place.") from None

    def consistency(self, old: int, head: TreeHead) -> list[bytes]:
        """The proof that `head`, which a checkpoint of this ledger states, continues its first `old` entries.

        Raises ValueError when there are fewer, LedgerBroken when the entries are not those that were signed.
        """
        with self._current() as book:
            return book.consistent(old, head)

    # Writing

    def append(
        self,
        kind: str,
        actor: Mapping[str, Any],
        body: Mapping[str, Any],
        sealed: Sequence[Mapping[str, Any]] = (),
    ) -> Receipt:
        """Add one entry and return its receipt, once both are durable.

        `kind` is the entry's type, like ``source.registered``; `actor` is ``{"authenticated": …, "stated": …}``.
        Raises LedgerUnavailable when the disk refuses (then there is no receipt, and nothing may be shown), BadInput
        when the entry cannot be written as canonical JSON, KeyTrouble and LedgerBroken as `open` does.
        """
        return self.append_many([Draft(kind, actor, body, sealed)])[0]

    def append_many(self, drafts: Sequence[Draft]) -> list[Receipt]:
        """Add several entries at once, for the price of one: either all have receipts or none. Raises as `append`."""
        if not drafts:
            return []
        if any(draft.kind in (entry.ROTATED, entry.LOST, entry.RECOVERED) for draft in drafts):
            raise BadInput("only the ledger itself makes entries of this type")
        return self._line.submit([draft.ready() for draft in drafts])

    def _commit(self, ready: Sequence[Ready]) -> list[Receipt]:
        """Write for all who wait: one sync, one checkpoint, and a receipt for each."""
        with self._writing() as book:
            first = book.frontier.size
            book.commit(ready, [book.signer])
            return [book.receipt(first + n) for n in range(len(ready))]

    def rotate_key(self, actor: Mapping[str, Any]) -> Receipt:
        """Let a new signing key take over: announced in an entry that the old key signs; the old one is then destroyed.

        The key must have come from a file. Raises as `append` does. A crash in between is settled at the next opening.
        """
        with self._writing() as book:
            old = book.signer
            if old.path is None:
                raise KeyTrouble("a key that lives in memory only cannot be rotated")
            new = keys.prepare(old.path, book.folder.disk)
            body = rotation.body(book.head, old.verifier, new, [old, new])
            book.commit([Draft(entry.ROTATED, actor, body)], [old, new])
            receipt = book.receipt(book.frontier.size - 1)
            book.adopt(new)
            return receipt

    @classmethod
    def replace_lost_key(
        cls,
        folder: Path,
        new: Signer,
        *,
        origin: str,
        lost: str,
        actor: Mapping[str, Any],
        disk: Disk | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> Ledger:
        """Open a ledger whose signing key is lost under a `new` one, and say so in an entry ``ledger.key-lost``.

        `lost` is the lost key's public half (it stands in the file ``key`` beside the entries); what it signed is
        checked first. Verifiers who trust it must be given the new key by the operator. Raises as `open` does.
        """
        try:
            old = VerifierKey.parse(lost)
        except ValueError as error:
            raise BadInput(str(error)) from error
        book = Book(Folder(folder, disk or Disk()), new, origin, clock)
        try:
            with disk_errors(), book.folder.locked():
                book.load(book.folder.read_checkpoint(), old)
                book.cut_uncovered()
                body = rotation.body(book.head, old, new, [new])
                book.commit([Draft(entry.LOST, actor, body)], [new])
                book.adopt(new)
        except BaseException:
            book.folder.close()
            raise
        return cls(book)
