"""Every template in memory as float32, compared by one matrix product: the simplest engine, and the best for few."""

from __future__ import annotations

import numpy as np

from countenance.domain.faces import Vector, Vectors
from countenance.index.codes import FLOAT32_ERROR, Allowed, Scores, best
from countenance.index.vectors import Slots


class ExactCodes:
    """4 bytes a dimension a template, in memory only."""

    engine = "exact"
    margin = FLOAT32_ERROR

    def __init__(self, dimension: int) -> None:
        self._vectors: Vectors = np.zeros((0, dimension), np.float32)
        self._slots: Slots = np.zeros(0, np.int64)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, slots: Slots, vectors: Vectors) -> None:
        end = self._count + len(slots)
        if end > len(self._slots):
            room = max(end, len(self._slots) + len(self._slots) // 2)
            grown = np.zeros((room, self._vectors.shape[1]), np.float32)
            grown[: self._count] = self._vectors[: self._count]
            self._vectors = grown
            self._slots = np.concatenate([self._slots[: self._count], np.zeros(room - self._count, np.int64)])
        self._vectors[self._count : end] = vectors
        self._slots[self._count : end] = slots
        self._count = end

    def remove(self, slots: Slots) -> None:
        keep = ~np.isin(self._slots[: self._count], slots)
        left = int(keep.sum())
        if left == self._count:
            return
        self._vectors[:left] = self._vectors[: self._count][keep]
        self._vectors[left : self._count] = 0
        self._slots[:left] = self._slots[: self._count][keep]
        self._count = left

    def candidates(self, probe: Vector, k: int, allowed: Allowed | None) -> tuple[Scores, Slots]:
        scores: Scores = self._vectors[: self._count] @ probe
        slots = self._slots[: self._count]
        if allowed is not None:
            through = allowed[slots]
            scores, slots = scores[through], slots[through]
        return best(scores, slots, k)

    def slots(self) -> Slots:
        return np.sort(self._slots[: self._count])

    def everything(self) -> tuple[Slots, Vectors]:
        """What it holds, with the templates."""
        return self._slots[: self._count], self._vectors[: self._count]
