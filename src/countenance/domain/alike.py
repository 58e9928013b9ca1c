"""Which of many probes show one face, in labels and nothing finer.

Two thresholds, both from the pack's measured strangers and not from a cosine somebody liked. A pair is *alike* when
among all these probes fewer than `strangers` would look that alike by chance. A pair is *apart* when strangers look
that alike as often as `common`: photographs of one person hardly ever fall so low. In between nobody can tell, and
neither label says anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from countenance.domain.acts import FaceLabels
from countenance.domain.faces import Vectors
from countenance.domain.strangers import COHORT, Background, Calibration, background_of

_BLOCK = 512

TOO_MANY = "there are more probes than the pack's measured strangers can tell apart; ask for a shorter time"


@dataclass(frozen=True, slots=True)
class Sameness:
    """`strangers`: most expected strangers among all probes for a pair to count as one face. `common`: least share of
    pairs of strangers that look at least that alike for a pair to count as two."""

    strangers: float = 0.01
    common: float = 0.005


def label_faces(
    ids: Sequence[str], templates: Vectors, cases: Mapping[str, str], calibration: Calibration, limits: Sameness
) -> FaceLabels:
    """Labels for probes: `templates` are (n, dimension) float32 unit rows, one an id; `cases` says each one's case.

    Alike probes are joined in chains. The background of each probe is its scores with the others (at most COHORT).
    """
    if len(ids) == 0:
        return FaceLabels()
    backgrounds = _backgrounds(templates)
    apart = _apart(ids, templates, cases, calibration, backgrounds, limits.common)
    if calibration.high[-1] * len(ids) > limits.strangers:
        return FaceLabels(apart=apart, why_none=TOO_MANY)
    alike = _Sets(len(ids))
    for first in range(0, len(ids), _BLOCK):
        scores = templates[first : first + _BLOCK] @ templates.T
        # Whatever the background, a pair below this cosine is not worth the interpolation.
        rows, columns = np.nonzero(scores >= _worth(backgrounds, calibration, limits.strangers, len(ids)))
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            i, score = first + row, float(scores[row, column])
            if (
                i < column
                and _rate(calibration, score, backgrounds, i, column, high=True) * len(ids) <= limits.strangers
            ):
                alike.join(i, column)
    return FaceLabels(
        alike={id: alike.label(n) for n, id in enumerate(ids)},
        apart=apart,
    )


def _apart(
    ids: Sequence[str],
    templates: Vectors,
    cases: Mapping[str, str],
    calibration: Calibration,
    backgrounds: Sequence[Background],
    common: float,
) -> dict[str, int]:
    """Within each case, probes that are not surely of two people share a label: there are at least so many people as
    labels."""
    by_case: dict[str, list[int]] = {}
    for n, id in enumerate(ids):
        by_case.setdefault(cases[id], []).append(n)
    labels: dict[str, int] = {}
    for members in by_case.values():
        scores = templates[members] @ templates[members].T
        sets = _Sets(len(members))
        for i in range(len(members)):
            for j in range(i + 1, len(members)):
                rate = _rate(calibration, float(scores[i, j]), backgrounds, members[i], members[j], high=False)
                if rate < common:
                    sets.join(i, j)
        labels |= {ids[n]: sets.label(i) for i, n in enumerate(members)}
    return labels


def _rate(
    calibration: Calibration, score: float, backgrounds: Sequence[Background], i: int, j: int, *, high: bool
) -> float:
    """How often strangers look this alike, read against whichever background makes them more (`high`) or less so."""
    standards = [calibration.standardised(score, backgrounds[n]) for n in (i, j)]
    value, _, top = calibration.rate(min(standards) if high else max(standards))
    return top if high or value is None else value


def _backgrounds(templates: Vectors) -> list[Background]:
    step = max(1, len(templates) // COHORT)
    others = templates[::step]
    found: list[Background] = []
    for first in range(0, len(templates), _BLOCK):
        scores: NDArray[np.float32] = templates[first : first + _BLOCK] @ others.T
        found.extend(background_of(row[row < 0.9999]) for row in scores)
    return found


def _worth(backgrounds: Sequence[Background], calibration: Calibration, strangers: float, people: int) -> float:
    """A cosine below which no pair can count as alike: the least, over backgrounds, whose rate is low enough."""
    least = next(
        (z for z, high in zip(calibration.z, calibration.high, strict=True) if high * people <= strangers), None
    )
    if least is None:
        return float("inf")
    return min(_cosine(calibration, background, least) for background in backgrounds) - 0.05


def _cosine(calibration: Calibration, background: Background, z: float) -> float:
    """The cosine that stands `z` above a background: the way back of `Calibration.standardised`."""
    zero, one = (calibration.standardised(score, background) for score in (0.0, 1.0))
    return (z - zero) / (one - zero) if one > zero else float("inf")


class _Sets:
    """Disjoint sets of numbers, joined pair by pair."""

    def __init__(self, count: int) -> None:
        self._above = list(range(count))
        self._labels: dict[int, int] = {}

    def find(self, n: int) -> int:
        while self._above[n] != n:
            self._above[n] = self._above[self._above[n]]
            n = self._above[n]
        return n

    def join(self, a: int, b: int) -> None:
        self._above[self.find(a)] = self.find(b)

    def label(self, n: int) -> int:
        return self._labels.setdefault(self.find(n), len(self._labels))
