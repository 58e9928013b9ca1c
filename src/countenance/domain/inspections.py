"""Inspections: somebody with no part in a search looks at it afterwards and says whether it was in order.

Which searches are looked at is drawn: some at random, some by the weight of the signs of misuse that rest on them. The
random ones follow from the ledger's own root hash and, where the overseer gives one, a word of theirs: whoever has the
ledger can draw them again and sees whether they are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any

IN_ORDER, QUERY, IMPROPER = "in-order", "query", "improper"
FINDINGS = {
    IN_ORDER: "It was in order.",
    QUERY: "Something has to be explained.",
    IMPROPER: "It was improper.",
}
"""What may be found, in plain words."""

RANDOM, RISK = "random", "risk"
WEIGHTS = {"notice": 1, "look": 3, "urgent": 9}
"""What a sign of each severity adds to the weight of the searches that it rests on."""


def seed_of(root: bytes, word: str) -> bytes:
    """The seed of a draw: SHA-256 over the tree's root hash in hexadecimal digits and the overseer's word, each ended
    by a line feed."""
    return sha256(f"{root.hex()}\n{word}\n".encode()).digest()


def drawn(seed: bytes, searches: Iterable[str], count: int) -> list[str]:
    """The random ones: those whose SHA-256 over the seed and their id is the smallest."""
    return sorted(searches, key=lambda search: sha256(seed + search.encode()).digest())[:count]


@dataclass(frozen=True, slots=True)
class Finding:
    """What somebody found. The words are sealed, and read apart."""

    by: str
    finding: str
    at: datetime
    entry: int

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return {"by": self.by, "finding": self.finding, "at": self.at.isoformat(), "entry": self.entry}


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What has to come of a finding: `owner` sees to it by `due`; `done` and `done_entry` once it was recorded."""

    owner: str
    due: date
    entry: int
    done: datetime | None = None
    done_entry: int | None = None

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "owner": self.owner,
            "due": self.due.isoformat(),
            "entry": self.entry,
            "done": self.done.isoformat() if self.done else None,
            "done_entry": self.done_entry,
        }


@dataclass(frozen=True, slots=True)
class Inspection:
    """One search to be looked at. `weight` is that of the signs in `rules`; `assigned` is None while nobody is free."""

    id: str
    draw: str
    search: str
    kind: str
    entry: int
    drawn_at: datetime
    due: datetime
    assigned: str | None
    weight: int = 0
    rules: tuple[str, ...] = ()
    finding: Finding | None = None
    follow_up: FollowUp | None = None

    def overdue(self, now: datetime) -> bool:
        """Whether nobody has found anything in time."""
        return self.finding is None and now >= self.due

    def late(self, now: datetime) -> bool:
        """Whether a follow-up is over its time."""
        return self.follow_up is not None and self.follow_up.done is None and now.date() > self.follow_up.due

    @property
    def dangling(self) -> bool:
        """Whether something was found that nobody follows up."""
        return self.finding is not None and self.finding.finding != IN_ORDER and self.follow_up is None

    def state(self, now: datetime) -> str:
        """open, overdue, or what was found."""
        return self.finding.finding if self.finding else "overdue" if self.overdue(now) else "open"

    def owed(self, now: datetime) -> dict[str, Any]:
        """Its follow-up as its owner sees it, for output: not the signs, nor who looked. Raises ValueError without."""
        if self.follow_up is None or self.finding is None:
            raise ValueError(f"{self.id} has no follow-up")
        return {
            "inspection": self.id,
            "search": self.search,
            "finding": self.finding.finding,
            "late": self.late(now),
        } | self.follow_up.as_json()

    def as_json(self, now: datetime) -> dict[str, Any]:
        """For output."""
        return {
            "id": self.id,
            "draw": self.draw,
            "search": self.search,
            "kind": self.kind,
            "weight": self.weight,
            "rules": list(self.rules),
            "drawn_at": self.drawn_at.isoformat(),
            "due": self.due.isoformat(),
            "assigned": self.assigned,
            "state": self.state(now),
            "finding": self.finding.as_json() if self.finding else None,
            "follow_up": self.follow_up.as_json() if self.follow_up else None,
            "entry": self.entry,
        }


@dataclass(frozen=True, slots=True)
class Draw:
    """One drawing of searches from `since` up to `until`, under the tree of `size` entries with this `root`."""

    id: str
    entry: int
    at: datetime
    by: str
    since: datetime
    until: datetime
    size: int
    root: str
    word: str
    random: int
    risk: int
    population: int
    scheduled: bool = False
    """Whether the clock drew them."""

    def as_json(self) -> dict[str, Any]:
        """For output."""
        return {
            "id": self.id,
            "entry": self.entry,
            "at": self.at.isoformat(),
            "by": self.by,
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "size": self.size,
            "root": self.root,
            "word": self.word,
            "random": self.random,
            "risk": self.risk,
            "population": self.population,
            "scheduled": self.scheduled,
        }


@dataclass(frozen=True, slots=True)
class Inspected:
    """What the ledger tells of inspections: each by its id, and each drawing."""

    inspections: Mapping[str, Inspection]
    draws: Mapping[str, Draw]

    def counts(self, now: datetime) -> dict[str, int]:
        """In numbers, for the overseer's page."""
        every = self.inspections.values()
        found = {
            code: sum(one.finding is not None and one.finding.finding == code for one in every) for code in FINDINGS
        }
        return {
            "drawn": len(self.inspections),
            "open": sum(one.finding is None for one in every),
            "overdue": sum(one.overdue(now) for one in every),
            "unassigned": sum(one.finding is None and one.assigned is None for one in every),
            **{code.replace("-", "_"): count for code, count in found.items()},
            "without_follow_up": sum(one.dangling for one in every),
            "follow_ups_late": sum(one.late(now) for one in every),
        }
