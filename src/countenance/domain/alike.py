"""Which of many probes show one face, in labels and nothing finer.

Two thresholds, both from the pack's measured strangers and not from a cosine somebody liked. A pair is *alike* when
among all these probes fewer than `strangers` would look that alike by chance. A pair is *apart* when strangers look
that alike as often as `common`: photographs of one person hardly ever fall so low. In between nobody can tell, and
neither label says anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from countenance.domain.acts import FaceLabels
from countenance.domain.faces import Vectors
from countenance.domain.strangers import COHORT, Background, Calibration, background_of

_BLOCK = 512

TOO_MANY = "there are more probes than the pack's measured strangers can tell apart; ask for a shorter time"
NOT_MEASURED = "how alike strangers look to this pack was never measured (countenance calibrate)"


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

    Alike probes are joined in chains, and so are probes of one case that are not surely of two people. A pair is read
    against the backgrounds of both (its scores with at most COHORT others), and has to be alike against both; it is
    apart only when it is so against both.
    """
    if len(ids) == 0:
        return FaceLabels()
    if calibration.pairs == 0:
        return FaceLabels(why_none=NOT_MEASURED)
    backgrounds = _backgrounds(templates)

    def cosines(z: float) -> NDArray[np.float64]:
        return np.array([_cosine(calibration, background, z) for background in backgrounds])

    usual = cosines(_least(calibration, lambda z: (calibration.rate(z)[0] or 0.0) < limits.common))
    by_case: dict[str, list[int]] = {}
    for n, id in enumerate(ids):
        by_case.setdefault(cases[id], []).append(n)
    apart: dict[str, int] = {}
    for members in by_case.values():
        labels = _chains(templates[members], usual[members], np.minimum)
        apart |= {ids[n]: int(label) for n, label in zip(members, labels, strict=True)}
    if calibration.high[-1] * len(ids) > limits.strangers:
        return FaceLabels(apart=apart, why_none=TOO_MANY)
    rare = cosines(_least(calibration, lambda z: calibration.rate(z)[2] * len(ids) <= limits.strangers))
    labels = _chains(templates, rare, np.maximum)
    return FaceLabels(alike={id: int(label) for id, label in zip(ids, labels, strict=True)}, apart=apart)


def _chains(
    templates: Vectors, least: NDArray[np.float64], of_both: Callable[..., NDArray[np.float64]]
) -> NDArray[np.int64]:
    """A label for each row: rows are joined, in chains, whose cosine is at least what `of_both` makes of their two
    `least`. One row is compared with all at a time, so that memory stays small."""
    labels = np.full(len(templates), -1, np.int64)
    label = 0
    for first in range(len(templates)):
        if labels[first] >= 0:
            continue
        labels[first] = label
        waiting = [first]
        while waiting:
            n = waiting.pop()
            near = (templates @ templates[n] >= of_both(least, least[n])) & (labels < 0)
            labels[near] = label
            waiting.extend(np.flatnonzero(near).tolist())
        label += 1
    return labels


def _least(calibration: Calibration, rare: Callable[[float], bool]) -> float:
    """The least standardised score that is rare enough, by halving, because rates fall; when none is, the highest."""
    low, high = calibration.z[0], calibration.z[-1]
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if rare(middle) else (middle, high)
    return high


def _cosine(calibration: Calibration, background: Background, z: float) -> float:
    """The cosine that stands `z` above a background: the way back of `Calibration.standardised`."""
    zero, one = (calibration.standardised(score, background) for score in (0.0, 1.0))
    return (z - zero) / (one - zero) if one > zero else float("inf")


def _backgrounds(templates: Vectors) -> list[Background]:
    others = templates[:: max(1, len(templates) // COHORT)]
    found: list[Background] = []
    for first in range(0, len(templates), _BLOCK):
        scores: NDArray[np.float32] = templates[first : first + _BLOCK] @ others.T
        found.extend(background_of(row[row < 0.9999]) for row in scores)
    return found
