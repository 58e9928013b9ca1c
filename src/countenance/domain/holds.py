"""Legal holds: what may not be destroyed for now, for which reason and until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Scope:
    """What is held: sources by number, collections by name, authorities, searches and analyses of proxy logs by id.

    An authority holds the searches made under it; a search holds what it was asked with, what was noted of it, and the
    sightings that it showed.
    """

    sources: tuple[int, ...] = ()
    collections: tuple[str, ...] = ()
    authorities: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    analyses: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any((self.sources, self.collections, self.authorities, self.searches, self.analyses))

    def as_json(self) -> dict[str, list[Any]]:
        """As entries have it."""
        return {name: list(getattr(self, name)) for name in _PARTS}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Scope:
        """The way back."""
        return cls(**{name: tuple(value.get(name, ())) for name in _PARTS})


_PARTS = ("sources", "collections", "authorities", "searches", "analyses")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a hold ended: "released" by somebody, or "lapsed" at its date. `entry` says so."""

    how: str
    at: datetime
    by: str
    entry: int


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold, as the ledger tells it. Its reason is sealed, and read apart. Times are aware UTC."""

    id: str
    scope: Scope
    until: datetime
    case: str
    by: str
    at: datetime
    entry: int
    ended: Ended | None = None

    def state(self, now: datetime) -> str:
        """in force, released or lapsed. At its date a hold is over, whether or not anybody has entered that yet."""
        if self.ended is not None:
            return self.ended.how
        return "in force" if now < self.until else "lapsed"

    def as_json(self, now: datetime) -> dict[str, Any]:
        """For output, without the reason."""
        return {
            "id": self.id,
            "state": self.state(now),
            "of": self.scope.as_json(),
            "case": self.case or None,
            "placed": self.at.isoformat(),
            "by": self.by,
            "until": self.until.isoformat(),
            "ended": self.ended.at.isoformat() if self.ended else None,
            "entry": self.entry,
        }


@dataclass(frozen=True, slots=True)
class Waiting:
    """An erasure that was asked for and waits for holds to end. Until then nobody is shown these sightings."""

    id: str
    sightings: tuple[int, ...]
    holds: tuple[str, ...]
    by: str
    at: datetime
    entry: int
    done: int | None = None
    """The entry that says it was carried out."""

    def as_json(self) -> dict[str, Any]:
        """For output."""
        return {
            "id": self.id,
            "at": self.at.isoformat(),
            "sightings": len(self.sightings),
            "holds": list(self.holds),
            "entry": self.entry,
            "done": self.done,
        }


@dataclass(frozen=True, slots=True)
class Shield:
    """What the holds in force protect at one moment: each thing with the holds that are on it."""

    sources: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    searches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sightings: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    analyses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    items: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What is sealed in the ledger, beside that of searches and sightings."""

    def __bool__(self) -> bool:
        return any((self.sources, self.searches, self.sightings, self.analyses, self.items))
