"""From measured impostor scores to the number of strangers that one should expect.

For one comparison of two different people, FMR(s) is the share of impostor pairs scoring at least s (ISO/IEC 19795-1).
Against N other people the expected number at or above s is N × FMR(s).

The same cosine means different things in different collections: two strangers in press photographs of one kind look
more alike to a model than a stranger in a snapshot and one in a press photograph do, and the rate at one cosine differs
tenfold. So a score is first read against its background: the scores of the same probe with the collection searched. How
many standard deviations z it stands above their mean is nearly the same measure everywhere ("Z-norm"; Auckenthaler,
Carey, Lloyd-Thomas, "Score normalization for text-independent speaker verification systems", 2000). The rates are
measured over z.

Beyond the measured pairs there is no digit, only a bound.
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countenance.domain.results import ExpectedStrangers

COHORT = 4096
"""How many templates of a collection are enough to know a probe's background."""

PRIOR = 20
"""A small collection says little of a background: the pack's typical one counts like this many templates."""

TRIM = 3.0
"""Scores this many (robust) standard deviations above the median are left out: the person looked for may be there."""


@dataclass(frozen=True, slots=True)
class Background:
    """The scores of a probe with (a sample of) a collection: mean, standard deviation, and how many there were."""

    mean: float
    deviation: float
    count: int


NO_BACKGROUND = Background(0.0, 0.0, 0)
"""Of an empty collection."""


def background_of(scores: NDArray[np.floating[Any]]) -> Background:
    """The background in (n,) cosines of one probe with a collection that may hold its mates.

    Scores above the median by more than TRIM robust standard deviations (1.4826 × the median absolute deviation) are
    left out.
    """
    if len(scores) == 0:
        return NO_BACKGROUND
    values = np.asarray(scores, dtype=np.float64)
    middle = float(np.median(values))
    robust = 1.4826 * float(np.median(np.abs(values - middle)))
    kept = values[values <= middle + TRIM * robust] if robust > 0 else values
    return Background(float(kept.mean()), float(kept.std()), len(kept))


@dataclass(frozen=True, slots=True)
class Calibration:
    """Measured impostor scores of one pack.

    `z` ascends; `low` ≤ `fmr` ≤ `high` are the rate at each, with its 95 % interval. `mean` and `deviation` are of the
    pack's typical background. `photographs`, `people`, `pairs` and `date` say what it rests on; `method` says how.
    """

    pack: str
    pipeline: int
    mean: float
    deviation: float
    z: tuple[float, ...]
    fmr: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    photographs: int
    people: int
    pairs: int
    date: str
    method: str

    def standardised(self, score: float, background: Background) -> float:
        """How many standard deviations a cosine stands above its background, steadied by the typical one."""
        n = background.count + PRIOR
        mean = (background.count * background.mean + PRIOR * self.mean) / n
        variance = (background.count * background.deviation**2 + PRIOR * self.deviation**2) / n
        return (score - mean) / math.sqrt(variance) if variance > 0 else math.inf

    def rate(self, z: float) -> tuple[float | None, float, float]:
        """(FMR, low, high); FMR is None beyond the highest measured score.

        Between two measured points the logarithm of the rate is interpolated; below the lowest it is bounded by 1.
        """
        if z > self.z[-1]:
            return None, 0.0, self.high[-1]
        if z <= self.z[0]:
            return (self.fmr[0], self.low[0], self.high[0]) if z == self.z[0] else (1.0, self.fmr[0], 1.0)
        right = bisect.bisect_left(self.z, z)
        left = right - 1
        t = (z - self.z[left]) / (self.z[right] - self.z[left])
        value, low, high = (_between(rates[left], rates[right], t) for rates in (self.fmr, self.low, self.high))
        return value, low, high

    def expected(self, score: float, people: int, background: Background) -> ExpectedStrangers:
        """Strangers to expect at or above a cosine among `people` others."""
        value, low, high = self.rate(self.standardised(score, background))
        return ExpectedStrangers(None if value is None else value * people, low * people, high * people)

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Calibration:
        """From the file that `countenance calibrate` writes."""
        curve = body["curve"]
        return cls(
            pack=body["pack"],
            pipeline=body["pipeline"],
            mean=body["background"]["mean"],
            deviation=body["background"]["deviation"],
            z=tuple(row[0] for row in curve),
            fmr=tuple(row[1] for row in curve),
            low=tuple(row[2] for row in curve),
            high=tuple(row[3] for row in curve),
            photographs=body["photographs"],
            people=body["people"],
            pairs=body["pairs"],
            date=body["date"],
            method=body["method"],
        )


NO_CALIBRATION = Calibration(
    "", 0, 0.0, 1.0, (-1e9, 1e9), (1.0, 1.0), (0.0, 0.0), (1.0, 1.0), 0, 0, 0, "", "not measured"
)
"""For a pack that was never measured: every bound is the whole index."""


def _between(a: float, b: float, t: float) -> float:
    if a <= 0 or b <= 0:
        return a + (b - a) * t
    return math.exp(math.log(a) + (math.log(b) - math.log(a)) * t)
