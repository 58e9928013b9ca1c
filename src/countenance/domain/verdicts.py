"""What verdicts of people say of a calibration: they can show that it promises too much, never that it promises enough.

Pairs that were judged are no random sample: somebody sent them to review, because they looked alike, because a case
needed it, because a second look was due. Of what was never judged nothing is known. One thing follows all the same. If
each search expects at most t strangers who look as alike as that, then among S searches at most S × t such strangers
are expected in all, whether anybody looked at them or not. Those that two people judged to be somebody else are some of
them. When even those few are surely more than S × t, the calibration is too hopeful. When they are fewer, nothing
follows, and no bound is ever lowered for it.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from countenance.domain.reviews import wilson
from countenance.domain.strangers import Calibration

BANDS = (0.001, 0.01, 0.1, 1.0, 10.0)
"""Expected strangers, at most, that judged pairs are counted up to."""

Z = 1.96
"""Of a two-sided interval of 95 %."""


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """A pair on which two people agreed. `most` is the upper bound of its expected strangers, `z` how many standard
    deviations its likeness stood above the background (at the end of the curve when beyond it)."""

    different: bool
    likeness: float
    most: float
    z: float


@dataclass(frozen=True, slots=True)
class Sample:
    """Judged pairs, out of how many searches, which made how many comparisons with other people in all."""

    pack: str
    searches: int
    comparisons: int
    pairs: tuple[JudgedPair, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """Pairs whose expected strangers were at most `most`. `expected` is how many strangers all searches together may
    have shown there; `least` is the lower 95 % limit of how many there are, from those judged to be somebody else."""

    most: float
    judged: int
    different: int
    expected: float
    least: float

    @property
    def too_hopeful(self) -> bool:
        """Whether there surely are more strangers than the calibration has one expect."""
        return self.least > self.expected

    def as_json(self) -> dict[str, Any]:
        """For output; `share` is that of the judged, with its 95 % interval, and describes no search but those."""
        low, high = wilson(self.different, self.judged)
        share = [round(one, 4) for one in (self.different / self.judged, low, high)] if self.judged else None
        return {
            "expected_strangers_at_most": self.most,
            "judged": self.judged,
            "different": self.different,
            "share": share,
            "strangers_expected": float(f"{self.expected:.3g}"),
            "strangers_at_least": float(f"{self.least:.3g}"),
            "too_hopeful": self.too_hopeful,
        }


def bands(sample: Sample) -> tuple[Band, ...]:
    """The sample up to each bound of :data:`BANDS`."""
    found = []
    for most in BANDS:
        inside = [pair for pair in sample.pairs if pair.most <= most]
        different = sum(pair.different for pair in inside)
        found.append(Band(most, len(inside), different, sample.searches * most, poisson_least(different)))
    return tuple(found)


def z_of(calibration: Calibration, rate: float | None) -> float:
    """The standardised score at which a calibration gives this rate; the end of its curve for None, which is beyond."""
    if rate is None:
        return calibration.z[-1]
    falling = [-one for one in calibration.fmr]
    at = min(len(falling) - 1, bisect.bisect_left(falling, -rate))
    if at == 0 or calibration.fmr[at] == rate:
        return calibration.z[at]
    above, below = calibration.fmr[at - 1], calibration.fmr[at]
    part = (above - rate) / (above - below) if above > below else 0.0
    return calibration.z[at - 1] + min(1.0, part) * (calibration.z[at] - calibration.z[at - 1])


def raised(curve: Sequence[Sequence[float]], hard: Sequence[float], comparisons: int) -> tuple[list[list[float]], int]:
    """A curve (rows of z, FMR, low, high; z ascending) with upper bounds that hard impostors prove too low, raised; and
    how many were. `hard` are standardised scores of pairs judged to be two people, out of so many comparisons.

    They are some of the false ones, so that their number bounds the rate from below alone: an upper bound under that is
    wrong, and takes the upper limit of theirs. No rate and no lower bound is touched.
    """
    rows = [list(row) for row in curve]
    if comparisons <= 0:
        return rows, 0
    count = 0
    for row in rows:
        there = sum(z >= row[0] for z in hard)
        if poisson_least(there) / comparisons > row[3]:
            row[3] = float(f"{min(1.0, poisson_most(there) / comparisons):.4g}")
            count += 1
    for further, nearer in zip(reversed(rows[1:]), reversed(rows[:-1]), strict=True):
        nearer[3] = max(nearer[3], further[3])
    return rows, count


def poisson_least(count: int) -> float:
    """The lower 95 % limit of a Poisson mean (Byar's approximation; Breslow and Day, 1987)."""
    return count * max(0.0, 1 - 1 / (9 * count) - Z / (3 * count**0.5)) ** 3 if count else 0.0


def poisson_most(count: int) -> float:
    """The upper one."""
    more = count + 1
    return float(more * (1 - 1 / (9 * more) + Z / (3 * more**0.5)) ** 3)
