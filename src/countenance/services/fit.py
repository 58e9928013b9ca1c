"""Does what somebody did on another site fit a search that this organisation authorised?

Only times and names are compared. A search under an authority here is no leave to search elsewhere; that one happened
at the same time, by the same person, is something that a reviewer wants to know, and that none did, even more.

Everything is read from the ledger, never from rows that an administrator could edit.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from countenance.domain.proxy import Session
from countenance.services.authorise import GRANTED, REVOKED
from countenance.services.record import Record

STARTED = "search.started"
WITHIN = 1800.0
"""Seconds before a session's start and after its end in which an authorised search still fits it."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How a session lies beside the ledger. `entry` is the entry it fits; it names a person, so it is told to those
    only who may know who it was."""

    fit: str
    words: str
    entry: int | None = None

    def as_json(self) -> dict[str, Any]:
        """What may be shown under a pseudonym."""
        return {"fit": self.fit, "words": self.words}


@dataclass(frozen=True, slots=True)
class _Leave:
    seq: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Calendar:
    """When each person searched here, and when each held an authority."""

    searches: dict[str, list[tuple[float, int]]] = field(default_factory=dict)
    leaves: dict[str, list[_Leave]] = field(default_factory=dict)

    def fit(self, session: Session) -> Fit:
        """How this session lies beside the ledger."""
        if session.by != "user":
            return Fit("unknown", "The log does not say who it was, so no authority can be laid beside it.")
        name = bare(session.who)
        start, end = session.start - WITHIN, session.end + WITHIN
        searched = self.searches.get(name, [])
        at = bisect.bisect_left(searched, (start, -1))
        if at < len(searched) and searched[at][0] <= end:
            return Fit(
                "search",
                "The same person made an authorised search in this product within 30 minutes of it.",
                searched[at][1],
            )
        for leave in self.leaves.get(name, []):
            if leave.start <= session.end and session.start < leave.end:
                return Fit(
                    "authority",
                    "The same person held a live authority at the time, and made no search under it within 30 minutes.",
                    leave.seq,
                )
        return Fit("none", "The same person held no authority at the time.")


def calendar(record: Record, people: Iterable[str]) -> Calendar:
    """What the ledger says of these people (names as logs have them)."""
    wanted = {bare(who) for who in people}
    searches: dict[str, list[tuple[float, int]]] = defaultdict(list)
    granted: dict[str, tuple[str, _Leave]] = {}
    if not wanted:
        return Calendar()
    for entry in record.ledger.entries(0, record.ledger.size):
        if entry.kind == STARTED and (name := bare(entry.actor["authenticated"])) in wanted:
            searches[name].append((_seconds(entry.at), entry.seq))
        elif entry.kind == GRANTED and (name := bare(entry.body["holder"])) in wanted:
            granted[entry.body["authority"]] = (
                name,
                _Leave(entry.seq, _seconds(entry.at), _seconds(entry.body["expires"])),
            )
        elif entry.kind == REVOKED and (known := granted.get(entry.body["authority"])) is not None:
            name, leave = known
            ended = _Leave(leave.seq, leave.start, min(leave.end, _seconds(entry.at)))
            granted[entry.body["authority"]] = (name, ended)
    leaves: dict[str, list[_Leave]] = defaultdict(list)
    for name, leave in granted.values():
        leaves[name].append(leave)
    return Calendar({name: sorted(times) for name, times in searches.items()}, dict(leaves))


def bare(name: str) -> str:
    r"""A user's own name, as both an operating system and a proxy may write it: `os:eva`, `CORP\eva`, `eva@corp`."""
    name = name.strip().removeprefix("os:")
    name = name.rsplit("\\", 1)[-1].rsplit("/", 1)[-1]
    return name.split("@", 1)[0].casefold()


def _seconds(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()
