"""From approximate scores to exact ones, and to the certainty that nothing above the threshold was left behind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from countenance.domain.faces import Vector
from countenance.index.codes import Allowed, Codes
from countenance.index.vectors import Slots, VectorFile

FIRST = 256
GROWTH = 8
"""How many candidates are asked for at first, and by how much more each time that this was too few."""

FIRST_OF_FEW = 1_024
FEW = 50_000
"""Among so few, more candidates cost less than asking twice."""


@dataclass(frozen=True, slots=True)
class Found:
    """Slots whose exact cosine reaches the threshold, best first, at least `limit + 1` of them if there are so many."""

    slots: Slots
    scores: NDArray[np.float64]


def scan(
    codes: Codes,
    file: VectorFile,
    probe: Vector,
    *,
    min_score: float,
    limit: int,
    allowed: Allowed | None,
    total: int,
) -> Found:
    """Ask for more and more candidates until the approximate tail is below what could still matter by `codes.margin`.

    What could matter: a score of at least `min_score`, and more than the `limit + 1` best found so far.
    """
    k = FIRST if total > FEW else FIRST_OF_FEW
    while True:
        approximate, slots = codes.candidates(probe, min(k, total), allowed)
        worth = approximate >= min_score - codes.margin
        scores, there = exact(file, slots[worth], probe)
        reached = there & (scores >= min_score)
        kept, final = slots[worth][reached], scores[reached]
        order = np.argsort(-final, kind="stable")
        kept, final = kept[order], final[order]
        bar = max(min_score, float(final[limit])) if len(final) > limit else min_score
        if len(approximate) >= total or k >= total or approximate[-1] < bar - codes.margin:
            return Found(kept, final)
        k *= GROWTH


def exact(file: VectorFile, slots: Slots, probe: Vector) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Cosines of the probe with stored templates, in float64 from the float16 values, and which slots are not empty."""
    scores = np.zeros(len(slots), np.float64)
    there = np.zeros(len(slots), np.bool_)
    wide = probe.astype(np.float64)
    wide /= np.linalg.norm(wide)
    for begin in range(0, len(slots), 4_096):
        part = slice(begin, begin + 4_096)
        rows = file.records(slots[part])["vector"].astype(np.float64)
        norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        there[part] = norms > 0
        scores[part] = np.einsum("ij,j->i", rows, wide) / np.where(norms > 0, norms, 1.0)
    return scores, there
