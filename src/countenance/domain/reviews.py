"""What people say of a probe and a candidate side by side, and what follows from it.

Two people judge each pair, the second blind to the first; if they disagree a third decides (EU AI Act art. 14(5): two
people verify before anything is acted on). Among the pairs are some whose answer is known, so that it can be told how
often each reviewer errs.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

SAME, DIFFERENT, UNSURE = "same", "different", "cannot-tell"
VERDICTS = {
    SAME: "The same person.",
    DIFFERENT: "Different people.",
    UNSURE: "It cannot be told from these pictures.",
}
"""What may be said of a pair, in plain words."""

PEOPLE = 2
MOST = 3
"""How many judge a pair, and how many when the first two disagree."""

ENOUGH = 20
"""Fewer verdicts say nothing about a reviewer."""

ALWAYS = 0.95
"""Share of "same" from which somebody accepts everything."""

HASTY = 3.0
"""Median seconds a pair below which nobody has looked."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One person's word on a pair. `seconds` from when the pair was shown until it was judged."""

    by: str
    verdict: str
    seconds: float
    at: datetime
    entry: int

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "by": self.by,
            "verdict": self.verdict,
            "seconds": round(self.seconds, 1),
            "at": self.at.isoformat(),
            "entry": self.entry,
        }


@dataclass(frozen=True, slots=True)
class Review:
    """A pair to be judged. Of a control (`control`) the answer is known and the other fields are empty."""

    id: str
    entry: int
    opened_by: str
    opened_at: datetime
    control: bool
    search: str = ""
    authority: str = ""
    sighting: int = 0
    verdicts: tuple[Verdict, ...] = ()
    looking: tuple[tuple[str, datetime], ...] = ()
    """Who has been shown the pair and has not judged it, and since when."""

    @property
    def outcome(self) -> str | None:
        """same, different or cannot-tell once it is decided; None before, and always of a control."""
        return None if self.control else outcome_of([one.verdict for one in self.verdicts])

    def may_judge(self, names: Iterable[str], *, alone: bool = False) -> bool:
        """Whether somebody with these names is still to be asked: nobody twice, and whoever searched only where they
        are `alone`."""
        mine = set(names)
        if any(one.by in mine for one in self.verdicts):
            return False
        if self.control:
            return True
        return self.outcome is None and (alone or self.opened_by not in mine)

    def as_json(self) -> dict[str, Any]:
        """For output, to whoever may see what others said."""
        return {
            "id": self.id,
            "search": self.search,
            "authority": self.authority,
            "sighting": f"sighting-{self.sighting}",
            "opened_by": self.opened_by,
            "opened_at": self.opened_at.isoformat(),
            "outcome": self.outcome,
            "verdicts": [one.as_json() for one in self.verdicts],
            "entry": self.entry,
        }


def outcome_of(verdicts: Sequence[str]) -> str | None:
    """What verdicts come to: what two agree on, "cannot-tell" when three differ, None while one is missing."""
    counts = Counter(verdicts[:MOST])
    if len(verdicts) < PEOPLE:
        return None
    best, number = counts.most_common(1)[0]
    if number >= PEOPLE:
        return best
    return UNSURE if len(verdicts) >= MOST else None


@dataclass(frozen=True, slots=True)
class Reviewer:
    """How one person judges. `errors` of `controls` known pairs were judged wrongly; "cannot-tell" is no error."""

    by: str
    verdicts: int
    same: int
    controls: int
    errors: int
    seconds: float

    @property
    def error_rate(self) -> tuple[float, float, float] | None:
        """(share, low, high) of controls judged wrongly, at 95 %; None when there were none."""
        return (self.errors / self.controls, *wilson(self.errors, self.controls)) if self.controls else None

    def notices(self) -> list[str]:
        """What the overseer should look at, in words."""
        found = []
        if self.verdicts >= ENOUGH and self.same / self.verdicts >= ALWAYS:
            found.append(f"accepts everything: said “same” of {self.same} of {self.verdicts} pairs")
        if self.verdicts >= ENOUGH and self.seconds < HASTY:
            found.append(f"hasty: half of the pairs took less than {self.seconds:.1f} seconds")
        rate = self.error_rate
        if rate is not None and rate[1] > 0.1:
            found.append(f"errs: {self.errors} of {self.controls} known pairs were judged wrongly")
        return found

    def as_json(self) -> dict[str, Any]:
        """For output."""
        rate = self.error_rate
        return {
            "by": self.by,
            "verdicts": self.verdicts,
            "same": self.same,
            "controls": self.controls,
            "errors": self.errors,
            "error_rate": [round(one, 4) for one in rate] if rate else None,
            "median_seconds": round(self.seconds, 1),
            "notices": self.notices(),
        }


def reviewers(reviews: Iterable[Review], truths: dict[str, str]) -> list[Reviewer]:
    """How each person judges, the busiest first. `truths` is the known answer of each control that is still known."""
    said: dict[str, list[tuple[Verdict, str | None]]] = {}
    for review in reviews:
        for one in review.verdicts:
            said.setdefault(one.by, []).append((one, truths.get(review.id) if review.control else None))
    found = [
        Reviewer(
            by=by,
            verdicts=len(mine),
            same=sum(one.verdict == SAME for one, _ in mine),
            controls=sum(truth is not None for _, truth in mine),
            errors=sum(truth is not None and one.verdict not in (truth, UNSURE) for one, truth in mine),
            seconds=median(one.seconds for one, _ in mine),
        )
        for by, mine in said.items()
    ]
    return sorted(found, key=lambda one: (-one.verdicts, one.by))


def wilson(count: int, of: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, "Probable inference, the law of succession, and statistical inference",
    1927). (0, 1) when there was nothing."""
    if of == 0:
        return 0.0, 1.0
    share = count / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return max(0.0, middle - half), min(1.0, middle + half)
