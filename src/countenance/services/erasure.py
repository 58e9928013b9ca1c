"""What is asked to be erased, what an erasure would take, what it took, and why it may not be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from countenance.domain.errors import OnHold
from countenance.services.shield import NOTHING, Kept

EXPIRED = "expired"
REAPPLIED = "reapplied"
"""What an erasure is called whose time was over, and one that is done again after a backup came back."""

WHOLE = frozenset({"source", "analysis", EXPIRED, REAPPLIED})
"""What is erased because its keeper wants it gone or its time is over; the other kinds are somebody's right."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked to be erased, in words that mean the same after others have read and written.

    `faces` are looked for in `sources`; otherwise `sources` go whole. `search` is the look-up that found the faces.
    `pending` is an erasure that waited for legal holds to end, and is carried out now.
    """

    kind: str
    sightings: tuple[int, ...] = ()
    image: str | None = None
    sources: tuple[int, ...] = ()
    analyses: tuple[str, ...] = ()
    faces: tuple[int, ...] = ()
    search: str | None = None
    authority: str | None = None
    pending: str | None = None

    @property
    def whole(self) -> tuple[int, ...]:
        """The sources that go whole."""
        return self.sources if self.search is None else ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked, and what an erasure would take if it were made at this moment."""

    asked: Asked
    scope: dict[str, Any]
    counts: dict[str, int]
    kept: Kept = NOTHING

    def as_json(self) -> dict[str, Any]:
        """Counts, for a question before; `held` says how many sightings legal holds keep."""
        held = {"held": len(self.kept.sightings), "holds": list(self.kept.holds)} if self.kept else {}
        return {"scope": self.scope} | self.counts | held


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased. `pending` says where bytes still lie and why; empty when there are none."""

    scope: dict[str, Any]
    counts: dict[str, int]
    receipt: dict[str, Any]
    pending: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return {"scope": self.scope} | self.counts | {"pending": list(self.pending), "receipt": self.receipt}


@dataclass(frozen=True, slots=True)
class Finished:
    """How many cut-off erasures an opening completed, and what is still pending."""

    erasures: int = 0
    pending: tuple[str, ...] = ()


def on_hold(kept: Kept, waiting: str | None, erased: Erased | None) -> OnHold:
    """The refusal, which names the holds, and what was done in spite of them."""
    which = ", ".join(kept.holds)
    details: dict[str, Any] = {"holds": list(kept.holds), "held": len(kept.sightings)}
    if waiting is None:
        return OnHold(
            f"a legal hold keeps this: {which}",
            advice="it can be erased when the hold has ended; whoever may read holds sees why: countenance hold show",
            details=details,
        )
    details |= {"pending": waiting, "erased": erased.as_json() if erased else None}
    done = "everything else was erased; " if erased else ""
    return OnHold(
        f"a legal hold keeps {len(kept.sightings)} of these sightings: {which}",
        advice=f"{done}what is held is shown to nobody, and is erased when the hold ends ({waiting})",
        details=details,
    )
