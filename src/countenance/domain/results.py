"""What a search answers: candidates in groups, never identities."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ExpectedStrangers:
    """How many other people in an index of this size would look at least this alike.

    `value` is None beyond what was measured: then only `high` is known ("fewer than …"). `low` and `high` bound it
    at 95 %.
    """

    value: float | None
    low: float
    high: float

    def as_json(self) -> dict[str, Any]:
        """{"value", "low", "high"}."""
        return {"value": self.value, "low": self.low, "high": self.high}

    def in_words(self) -> str:
        """For people. Small numbers are told as one in so many searches: 0.00004 strangers says nothing to most."""
        if self.high <= 0:
            return "nobody else is indexed"
        if self.high < 0.1:
            if self.value is None:
                return f"a stranger this alike in fewer than 1 of {_round(1 / self.high)} such searches (not measured)"
            return f"a stranger this alike in about 1 of {_round(1 / self.value)} such searches"
        if self.value is None:
            return f"fewer than {_round(self.high)} strangers expected (beyond what was measured)"
        return f"about {_round(self.value)} strangers expected ({_round(self.low)} to {_round(self.high)})"


def _round(value: float) -> str:
    """Two digits that count."""
    return f"{float(f'{value:.2g}'):,.0f}" if value >= 10 else f"{value:.2g}"


@dataclass(frozen=True, slots=True)
class SightingShown:
    """One face in one image on one page, as a search shows it. `box` is [x, y, w, h] in pixels of the upright image.

    `dated` is when the picture was made, as what lies beside it says or else the camera; nobody vouches for it.
    """

    id: int
    source: str
    page: str
    image: str
    box: tuple[int, int, int, int]
    likeness: float
    title: str | None
    alt: str | None
    caption: str | None
    first_seen: datetime
    last_seen: datetime
    vanished: datetime | None
    dated: datetime | None
    warnings: tuple[str, ...]
    width: int
    height: int
    has_crop: bool
    judged_different: datetime | None = None
    """When two people judged this face and the one looked for to be of two people, if they did before."""

    def as_json(self) -> dict[str, Any]:
        """As the JSON contract has it."""
        return {
            "id": f"sighting-{self.id}",
            "source": self.source,
            "page": self.page,
            "image": self.image,
            "box": list(self.box),
            "likeness": self.likeness,
            "title": self.title,
            "alt": self.alt,
            "caption": self.caption,
            "first_seen": self.first_seen.isoformat(),
            "last_seen": self.last_seen.isoformat(),
            "vanished": self.vanished.isoformat() if self.vanished else None,
            "dated": self.dated.isoformat() if self.dated else None,
            "warnings": list(self.warnings),
            "size": [self.width, self.height],
            "has_crop": self.has_crop,
            "judged_different": self.judged_different.isoformat() if self.judged_different else None,
        }


@dataclass(frozen=True, slots=True)
class Group:
    """One picture, with every page it was on. `likeness` is the exact cosine of its best sighting."""

    rank: int
    likeness: float
    expected_strangers: ExpectedStrangers
    sightings: tuple[SightingShown, ...]

    def as_json(self) -> dict[str, Any]:
        """As the JSON contract has it."""
        return {
            "rank": self.rank,
            "likeness": self.likeness,
            "expected_strangers": self.expected_strangers.as_json(),
            "expected_strangers_in_words": self.expected_strangers.in_words(),
            "sightings": [s.as_json() for s in self.sightings],
        }


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search shows, after its receipt was made durable.

    `handle` opens its crops and pictures until `handle_until`.
    """

    search: str
    authority: str
    self_approved: bool
    photographs: int
    probe_faces: int
    probe_warnings: tuple[str, ...]
    collections: tuple[str, ...]
    index_faces: int
    pack: str
    reliable: bool
    groups: tuple[Group, ...]
    truncated: bool
    receipt: dict[str, Any]
    handle: str
    handle_until: datetime
    demo: bool = False
    seconds: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The JSON contract of `search`; the handle is left to the caller."""
        return {
            "search": self.search,
            "authority": self.authority,
            "self_approved": self.self_approved,
            "demo": self.demo,
            "probe": {
                "photographs": self.photographs,
                "faces": self.probe_faces,
                "warnings": list(self.probe_warnings),
            },
            "index": {"collections": list(self.collections), "faces": self.index_faces, "pack": self.pack},
            "reliable": self.reliable,
            "verdict": "a person decides" if self.reliable else "no reliable candidate",
            "groups": [g.as_json() for g in self.groups],
            "truncated": self.truncated,
            "receipt": self.receipt,
            "seconds": self.seconds,
        }

    def opened_json(self) -> dict[str, Any]:
        """The same with the handle, for whoever searched."""
        return self.as_json() | {"handle": self.handle, "handle_until": self.handle_until.isoformat()}
