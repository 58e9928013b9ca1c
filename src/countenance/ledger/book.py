"""The state of an open ledger: what the checkpoint on disk says, kept true while others append too.

Callers hold the thread lock. Nothing here is public; `log.Ledger` is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from countenance.domain.errors import KeyTrouble, LedgerBroken
from countenance.ledger import checkpoint, entry, kept, keys, manifest, merkle
from countenance.ledger.believed import Believed
from countenance.ledger.checkpoint import TreeHead
from countenance.ledger.draft import Draft, Ready
from countenance.ledger.entry import Entry
from countenance.ledger.folder import MAX_LINE, RESTORE, Folder, disk_errors
from countenance.ledger.merkle import Frontier
from countenance.ledger.note import Signer, VerifierKey
from countenance.ledger.receipt import Receipt

_BLOCK = 1 << 20
"""Bytes of entries that are read at once, unless one is longer."""

ITSELF: Mapping[str, Any] = {"authenticated": "ledger", "stated": None}
"""The actor of entries that the ledger makes about itself."""


class Book:
    """`text` is the checkpoint in force, `frontier` and `root` its tree, `end` where its entries end in the file."""

    def __init__(self, folder: Folder, signer: Signer, origin: str, clock: Callable[[], datetime]) -> None:
        self.folder = folder
        self.signer = signer
        self.origin = origin
        self.text = ""
        self.frontier = Frontier()
        self.root = merkle.EMPTY_ROOT
        self.end = 0
        self._clock = clock
        self._last_at: str | None = None
        self._doubtful = True
        self._believed: Believed | None = None

    @property
    def believed(self) -> Believed:
        """The hashes of the tree, as far as they lead to the root in force."""
        if self._believed is None or self._believed.frontier is not self.frontier:
            self._believed = Believed(self.frontier, self.folder.tree.node)
        return self._believed

    @property
    def head(self) -> TreeHead:
        return TreeHead(self.origin, self.frontier.size, self.root)

    # Following the disk

    def create(self) -> None:
        """Make an empty ledger, unless somebody was quicker. Under the lock."""
        if self.folder.exists():
            return
        self.folder.create()
        self.folder.write_key(self.signer.verifier.text)
        self.folder.write_checkpoint(checkpoint.sign(TreeHead(self.origin, 0, merkle.EMPTY_ROOT), [self.signer]))

    def refresh(self) -> None:
        """Take over what the checkpoint on disk says, if that is not what this book holds."""
        raw = self.folder.read_checkpoint()
        if raw != self.text.encode() or self._doubtful:
            self.load(raw)

    def load(self, raw: bytes, trusted: VerifierKey | None = None) -> None:
        """Read everything anew under the checkpoint `raw`, signed by this book's key or by `trusted`.

        Raises KeyTrouble or LedgerBroken when key, origin, tree or entries do not fit it.
        """
        parsed = checkpoint.parse(raw)
        if trusted is None:
            self._follow_key(parsed)
        elif not parsed.note.signed_by(trusted):
            raise KeyTrouble("the ledger's checkpoint is not signed by the key that was given as lost")
        head = parsed.head
        if head.origin != self.origin:
            raise LedgerBroken(f"this is the ledger of {head.origin}, not of {self.origin}", advice=RESTORE)
        size, root = head.size, head.root
        try:
            frontier = self.folder.tree.frontier(size)
            if frontier.root() != root:
                raise LedgerBroken("the file of tree hashes is damaged")
            end = self.folder.tree.end(size - 1)
            last = self._last(size, end)
        except LedgerBroken:
            frontier = self.rebuild(size, root)
            end = self.folder.tree.end(size - 1)
            last = self._last(size, end)
        self.text, self.frontier, self.root, self.end = raw.decode(), frontier, root, end
        self._last_at = last.at if last else None
        self._doubtful = False

    def _last(self, size: int, end: int) -> Entry | None:
        if size == 0:
            return None
        raw = self.folder.line(size - 1)
        if merkle.leaf_hash(raw) != self.folder.tree.node(0, size - 1) or self.folder.read(end - 1, 1) != b"\n":
            raise LedgerBroken(f"entry {size - 1} is not what was signed", advice=RESTORE)
        return entry.parse(raw, size - 1)

    def _follow_key(self, parsed: checkpoint.Checkpoint) -> None:
        """Make sure that the last signature is by our key, taking over a newer one if the key folder has it."""
        if self._signed_last_by(parsed, self.signer):
            return
        path = self.signer.path
        if path is not None:
            with self.folder.locked():
                for candidate in (keys.load(path), keys.waiting(path)):
                    if candidate is not None and self._signed_last_by(parsed, candidate):
                        self.adopt(candidate)
                        return
        signature = parsed.note.signatures[-1]
        raise KeyTrouble(
            f"the ledger is signed by the key {signature.name}+{signature.id.hex()}, "
            f"and the signing key at hand is {self.signer.name}+{self.signer.verifier.id.hex()}",
            advice="Put the right key into the key folder; docs/ledger.md says what to do when it is lost.",
        )

    @staticmethod
    def _signed_last_by(parsed: checkpoint.Checkpoint, signer: Signer) -> bool:
        key, last = signer.verifier, parsed.note.signatures[-1]
        return (last.name, last.id) == (key.name, key.id) and parsed.note.signed_by(key)

    def adopt(self, signer: Signer) -> None:
        """Go on with another key, one that the ledger has announced."""
        if signer.path is not None:
            waiting = keys.waiting(signer.path)
            if waiting is not None and waiting.verifier == signer.verifier:
                keys.promote(signer.path, self.folder.disk)
        self.folder.write_key(signer.verifier.text)
        self.signer = signer

    def rebuild(self, size: int, root: bytes) -> Frontier:
        """Make `nodes` and `offsets` again from the entries. Raises LedgerBroken when these are not what was signed."""
        with self.folder.locked():
            self.folder.tree.clear()
            frontier = Frontier()
            leaves: list[bytes] = []
            ends: list[int] = []
            for raw, end in self.lines(0):
                if frontier.size + len(leaves) == size:
                    break
                leaves.append(merkle.leaf_hash(raw))
                ends.append(end)
                if len(leaves) == 4096:
                    self.folder.tree.extend(frontier, leaves, ends)
                    leaves, ends = [], []
            self.folder.tree.extend(frontier, leaves, ends)
        if frontier.size != size:
            raise LedgerBroken(
                f"entry {frontier.size} is missing or torn, and the checkpoint covers {size} entries",
                advice=RESTORE,
                details={"entry": frontier.size},
            )
        if frontier.root() != root:
            raise LedgerBroken("the entries are not those that the checkpoint signs", advice=RESTORE)
        return frontier

    def lines(self, start: int) -> Iterator[tuple[bytes, int]]:
        """Whole lines from byte `start` on, each with where the next begins. What follows the last newline is left."""
        rest = b""
        while chunk := self.folder.read(start, 1 << 20):
            begin = start - len(rest)
            start += len(chunk)
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                begin += len(line) + 1
                yield line, begin
            if len(rest) > MAX_LINE:
                return

    # Reading

    def line(self, seq: int) -> bytes:
        """The bytes of entry `seq`, checked against its leaf hash, and that against the root that is signed. Raises
        LedgerBroken when they differ."""
        try:
            raw = self.folder.line(seq)
            if merkle.leaf_hash(raw) == self.believed.node(0, seq):
                return raw
        except (LedgerBroken, IndexError):
            pass
        return self.proven(seq)[0]

    def mentioning(self, texts: Sequence[bytes], start: int, stop: int) -> list[tuple[int, bytes]]:
        """Those lines from `start` up to `stop` that hold one of `texts`, with their numbers; every line is checked as
        `line` does, but many are read at once. Raises as `line` does."""
        found = self.checked(start, stop)
        return [(start + n, raw) for n, (_, raw) in enumerate(found) if any(text in raw for text in texts)]

    def checked(self, start: int, stop: int) -> list[tuple[bytes, bytes]]:
        """The leaf hash and the bytes of each entry from `start` up to `stop`, as `line` checks them. Raises as it."""
        try:
            ends = [self.folder.tree.end(start - 1), *self.folder.tree.ends(start, stop)]
            leaves = self._believed_leaves(start, stop)
        except LedgerBroken:
            lines = [self.line(seq) for seq in range(start, stop)]
            return [(merkle.leaf_hash(raw), raw) for raw in lines]
        found: list[tuple[bytes, bytes]] = []
        first, count = 0, stop - start
        while first < count:
            last = first + 1
            while last < count and ends[last + 1] - ends[first] <= _BLOCK:
                last += 1
            data = self.folder.read(ends[first], min(ends[last] - ends[first], MAX_LINE))
            for n in range(first, last):
                raw = data[ends[n] - ends[first] : ends[n + 1] - ends[first] - 1]
                if merkle.leaf_hash(raw) != leaves[n]:
                    raw = self.line(start + n)
                found.append((leaves[n], raw))
            first = last
        return found

    def _believed_leaves(self, start: int, stop: int) -> list[bytes]:
        """The leaf hashes of these entries. Raises LedgerBroken where they do not lead to the root in force."""
        leaves, at = self.folder.tree.leaves(start, stop), start
        for level, found in merkle.subtrees(start, leaves):
            if self.believed.node(level, at >> level) != found:
                raise LedgerBroken("the file of tree hashes is damaged")
            at += 1 << level
        return leaves

    def proven(self, seq: int) -> tuple[bytes, list[bytes]]:
        """Entry `seq` and its audit path, which leads to the root that is signed.

        Raises IndexError when there is none yet, LedgerBroken when what stands there is not what was signed.
        """
        size = self.frontier.size
        if not 0 <= seq < size:
            raise IndexError(f"the ledger has {size} entries, and no number {seq}")
        try:
            return self._prove(seq, size)
        except LedgerBroken:
            self.rebuild(size, self.root)
            return self._prove(seq, size)

    def _prove(self, seq: int, size: int) -> tuple[bytes, list[bytes]]:
        raw = self.folder.line(seq)
        path = merkle.inclusion_proof(seq, size, self.folder.tree.node)
        if not merkle.verify_inclusion(seq, size, merkle.leaf_hash(raw), path, self.root):
            raise LedgerBroken(f"entry {seq} is not what was signed", advice=RESTORE, details={"entry": seq})
        return raw, path

    def consistent(self, old: int, head: TreeHead) -> list[bytes]:
        """The proof that the tree of `head` continues that of the first `old` entries.

        Raises ValueError when there are fewer, LedgerBroken when the entries are not those that were signed.
        """
        if head.size > self.frontier.size:
            raise ValueError("the ledger has fewer entries")
        try:
            return self._consistent(old, head)
        except LedgerBroken:
            self.rebuild(self.frontier.size, self.root)
            return self._consistent(old, head)

    def _consistent(self, old: int, head: TreeHead) -> list[bytes]:
        node = self.folder.tree.node
        path = merkle.consistency_proof(old, head.size, node)
        if not merkle.verify_consistency(old, head.size, merkle.frontier_of(old, node).root(), head.root, path):
            raise LedgerBroken("the checkpoint is not one of this ledger's", advice=RESTORE)
        return path

    def receipt_cosigned(self, seq: int) -> Receipt | None:
        """A receipt for entry `seq` under the checkpoint that witnesses have co-signed.

        None when there is none that covers it and is signed by the key in force. Raises as `proven`.
        """
        raw = kept.of(self.folder.path).get(manifest.COSIGNED)
        if raw is None:
            return None
        try:
            found, node = checkpoint.parse(raw), self.folder.tree.node
            head = found.head
            if not seq < head.size <= self.frontier.size or not found.note.signed_by(self.signer.verifier):
                return None
            path = merkle.inclusion_proof(seq, head.size, node)
        except (LedgerBroken, ValueError):
            return None
        line = self.proven(seq)[0]
        leaf = merkle.leaf_hash(line)
        if not merkle.verify_inclusion(seq, head.size, leaf, path, head.root):
            return None
        return Receipt(seq, leaf, line.decode(), tuple(path), raw.decode())

    def receipt(self, seq: int) -> Receipt:
        """A receipt for entry `seq` under the checkpoint in force. Raises as `proven`."""
        raw, path = self.proven(seq)
        return Receipt(seq, merkle.leaf_hash(raw), raw.decode(), tuple(path), self.text)

    # Writing

    def cut_uncovered(self) -> None:
        """Cut off what no checkpoint covers, without keeping any of it."""
        if self.folder.entries_size() > self.end:
            self.folder.cut(self.end)

    def settle(self) -> None:
        """Before an append, under the lock: be up to date, and take care of what a crash left behind."""
        self.refresh()
        size = self.folder.entries_size()
        if size < self.end:
            self._doubtful = True
            self.load(self.folder.read_checkpoint())
            raise LedgerBroken("entries that the checkpoint covers were missing a moment ago", advice=RESTORE)
        if size > self.end:
            self._recover(size)

    def _recover(self, size: int) -> None:
        """Keep the whole entries after the covered ones, cut off what is torn, and say so in an entry."""
        kept: list[Entry] = []
        leaves: list[bytes] = []
        ends: list[int] = []
        at, number = self._last_at, self.frontier.size
        for raw, end in self.lines(self.end):
            try:
                found = entry.parse(raw, number + len(kept))
                entry.check_time(found.seq, found.at, found.clock_back_seconds, at)
            except LedgerBroken:
                break
            if found.kind == entry.LOST:
                break
            at = found.at
            kept.append(found)
            leaves.append(merkle.leaf_hash(raw))
            ends.append(end)
        whole = ends[-1] if ends else self.end
        if whole < size:
            self.folder.cut(whole)
        if kept:
            # Written once more: after a sync that failed, the system may take the lines for clean that are not on disk.
            self.folder.write(b"".join(found.raw + b"\n" for found in kept), self.end)
            signers = self._signers_for(kept)
            self._cover(leaves, ends, at, signers)
            if signers[-1] is not self.signer:
                self.adopt(signers[-1])
        note = {"kept_from": number, "kept": len(kept), "dropped_bytes": size - whole}
        self.commit([Draft(entry.RECOVERED, ITSELF, note)], [self.signer])

    def _signers_for(self, kept: Sequence[Entry]) -> list[Signer]:
        """Who signs over `kept`: the waiting key too, when one of them hands over to it."""
        for found in kept:
            if found.kind != entry.ROTATED:
                continue
            following = keys.waiting(self.signer.path) if self.signer.path else None
            if following is None or following.verifier.text != found.body.get("new"):
                raise KeyTrouble(
                    f"entry {found.seq} hands over to a key that is not in the key folder",
                    advice="Restore the key folder; docs/ledger.md says what to do when the key is lost.",
                )
            return [self.signer, following]
        return [self.signer]

    def commit(self, drafts: Sequence[Draft | Ready], signers: Sequence[Signer]) -> None:
        """Append `drafts`, durably, and sign. Raises OSError, after cutting back what was not yet durable."""
        at = entry.time_text(self._clock())
        previous = self._last_at
        lines: list[bytes] = []
        for draft in drafts:
            line = draft.encode(self.frontier.size + len(lines), at, previous)
            previous = at
            lines.append(line)
        self._doubtful = True
        start = self.end
        ends: list[int] = []
        for line in lines:
            ends.append((ends[-1] if ends else start) + len(line) + 1)
        try:
            self.folder.write(b"\n".join(lines) + b"\n", start)
        except OSError:
            with disk_errors():
                self.folder.cut(start)
            self._doubtful = False
            raise
        self._cover([merkle.leaf_hash(line) for line in lines], ends, at, signers)

    def _cover(self, leaves: Sequence[bytes], ends: Sequence[int], at: str | None, signers: Sequence[Signer]) -> None:
        """Let the tree grow over entries that are durable, and put the new checkpoint in force."""
        self._doubtful = True
        grown = self.frontier.copy()
        self.folder.tree.extend(grown, leaves, ends)
        root = grown.root()
        text = checkpoint.sign(TreeHead(self.origin, grown.size, root), signers)
        self.folder.write_checkpoint(text)
        self.text, self.frontier, self.root, self.end, self._last_at = text, grown, root, ends[-1], at
        self._doubtful = False
