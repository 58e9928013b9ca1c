"""The check of one run of entries, by itself: what a verifier does many times, in one process or in several.

A block knows nothing of what stands before it but the number of its first entry. What it found is put together by
`audit.Audit`: the subtrees over its leaves, the times at its two ends, and entries by which a key took over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from countenance.domain.errors import LedgerBroken
from countenance.ledger import entry, merkle, rotation

HASH = merkle.HASH


@dataclass(frozen=True, slots=True)
class Gap:
    """The longest time between an entry and the one before it: `seconds`, before entry `seq` (None: there is none)."""

    seconds: float = 0.0
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Entries `first` up to `first` + `count`, each in its one form and (where given) with its listed leaf.

    `subtrees` cover their leaves (`merkle.subtrees`); `leaves` are these themselves, 32 bytes each, or nothing when
    nobody needs them. `opens_at` and `opens_back` are what the first says of the clock, `ends_at` the time of the last.
    `backs` are entries after the first before which the clock was set back, with seconds; `handovers` the lines that
    tell of a new key.
    """

    first: int
    count: int
    subtrees: tuple[tuple[int, bytes], ...]
    leaves: bytes
    opens_at: str
    opens_back: float | None
    ends_at: str
    gap: Gap
    backs: tuple[tuple[int, float], ...]
    handovers: tuple[tuple[int, bytes], ...]


def check(first: int, lines: Sequence[bytes], listed: bytes | None = None, *, keep: bool = False) -> Block:
    """Check one or more entries. `listed` are the leaves that they should have; `keep` asks for the leaves in any case.

    Raises LedgerBroken, naming the entry, at the first that is not right.
    """
    load, kinds = entry.load, rotation.KINDS
    leaves: list[bytes] = []
    backs: list[tuple[int, float]] = []
    handovers: list[tuple[int, bytes]] = []
    opens_at, opens_back, before = "", None, ""
    then: datetime | None = None
    longest, gap_at = 0.0, None
    for seq, raw in enumerate(lines, first):
        leaf = sha256(b"\x00" + raw).digest()
        leaves.append(leaf)
        found = load(raw, seq)
        at, back = found["at"], found.get("clock_back_seconds")
        if listed is not None:
            place = (seq - first) * HASH
            if leaf != listed[place : place + HASH]:
                raise LedgerBroken(f"entry {seq} is not the one whose leaf is listed", details={"entry": seq})
        if seq == first:
            opens_at, opens_back = at, back
        elif back is not None or at < before:
            entry.check_time(seq, at, back, before)
            if back is not None:
                backs.append((seq, back))
        if at != before:
            now = datetime.fromisoformat(at)
            if then is not None and (passed := (now - then).total_seconds()) > longest:
                longest, gap_at = passed, seq
            then, before = now, at
        if found["type"] in kinds:
            handovers.append((seq, raw))
    return Block(
        first=first,
        count=len(leaves),
        subtrees=tuple(merkle.subtrees(first, leaves)),
        leaves=b"".join(leaves) if keep or handovers else b"",
        opens_at=opens_at,
        opens_back=opens_back,
        ends_at=before,
        gap=Gap(longest, gap_at),
        backs=tuple(backs),
        handovers=tuple(handovers),
    )
