"""4-bit codes by turbovec: a quarter of a gigabyte a million 512-d templates, scanned in milliseconds.

A base of codes, which is costly to change by one row, and a tail of recent templates in float32, which is not. What is
removed from the base is masked until `settle` really takes it out. turbovec is given one thread of ours at a time: its
own locks and the interpreter's can wait for each other for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from countenance.domain.faces import Vector, Vectors
from countenance.index.codes import Allowed, Scores, best
from countenance.index.exact import ExactCodes
from countenance.index.vectors import CHUNK, Slots, unit

BITS = 4
TAIL = 8_192
"""Recent templates kept in float32 before they become codes."""

CALIBRATION = 4_096
"""Templates that the quantiser's calibration is fitted on."""

SPARSE = 64
"""turbovec 1.1 takes seconds, not milliseconds, when asked for between a 32nd and a 16th of what it holds, and is quick
again when asked for all. So it is asked for at most one in so many, or for all."""

_SAMPLE, _PROBES, _MIX = 2_048, 32, 4
"""Templates and probes whose approximate scores are held against the exact ones; templates mixed into a probe."""


@dataclass(frozen=True, slots=True)
class Error:
    """Approximate minus exact cosine, measured on `pairs` pairs when there were `count` templates."""

    sigma: float
    largest: float
    pairs: int
    count: int

    @property
    def margin(self) -> float:
        """Eight standard deviations, and twice the largest error seen."""
        return max(8 * self.sigma, 2 * self.largest, 1e-4)


class TurboCodes:
    """Half a byte a dimension a template, and a few bytes more."""

    engine = "turbovec"

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._base = _quantiser()(dimension, bit_width=BITS)
        self._slot_at: Slots = np.zeros(0, np.int64)
        self._place_of: Slots = np.zeros(0, np.int64)
        self._live: Allowed = np.zeros(0, np.bool_)
        self._dead = 0
        self._tail = ExactCodes(dimension)
        self._seen: tuple[Allowed, Allowed] | None = None
        self.error = Error(0.0, 0.0, 0, 0)

    @property
    def margin(self) -> float:
        return self.error.margin

    def __len__(self) -> int:
        return len(self._slot_at) - self._dead + len(self._tail)

    def calibrate(self, sample: Vectors) -> None:
        """Fit the quantiser to a random draw of what will be added, before anything is."""
        self._base.calibrate(np.ascontiguousarray(sample, np.float32))

    def add(self, slots: Slots, vectors: Vectors) -> None:
        if len(self._tail) + len(slots) <= TAIL:
            self._tail.add(slots, vectors)
            return
        self._merge()
        for begin in range(0, len(slots), CHUNK):
            self._encode(slots[begin : begin + CHUNK], vectors[begin : begin + CHUNK])

    def remove(self, slots: Slots) -> None:
        self._tail.remove(slots)
        known = slots[slots < len(self._place_of)]
        places = self._place_of[known]
        places = places[places >= 0]
        self._place_of[known] = -1
        self._live[places] = False
        self._dead += len(places)
        self._seen = None

    def candidates(self, probe: Vector, k: int, allowed: Allowed | None) -> tuple[Scores, Slots]:
        scores, slots = self._tail.candidates(probe, len(self._tail), allowed)
        mask, through = self._mask(allowed)
        if through:
            asked = k if k * SPARSE <= through else through
            found = self._base.search(probe[None, :], asked, mask=mask)
            scores = np.concatenate([found[0][0], scores])
            slots = np.concatenate([self._slot_at[found[1][0]], slots])
            if asked < through:
                # Below the base's last score there may be more that was not asked for.
                complete = scores >= scores[asked - 1]
                scores, slots = scores[complete], slots[complete]
        return best(scores, slots, len(scores))

    def slots(self) -> Slots:
        return np.sort(np.concatenate([self._slot_at[self._live], self._tail.slots()]))

    def settle(self) -> None:
        """Turn the tail into codes, and take what was removed out of the base, so that a dump does not hold it."""
        self._merge()
        for place in np.flatnonzero(~self._live)[::-1].tolist():
            last = len(self._slot_at) - 1
            moved = self._base.swap_remove(place)
            if moved != last:
                raise RuntimeError("turbovec moved another row than the last")
            if place != last:
                slot = int(self._slot_at[last])
                self._slot_at[place], self._live[place] = slot, self._live[last]
                if self._live[place]:
                    self._place_of[slot] = place
            self._slot_at, self._live = self._slot_at[:last], self._live[:last]
        self._dead = 0
        self._seen = None

    def dump(self) -> tuple[Slots, bytes]:
        """The slots in order, and turbovec's own bytes."""
        self.settle()
        return self._slot_at.copy(), self._base.to_bytes()

    @classmethod
    def loaded(cls, dimension: int, slots: Slots, codes: bytes, error: Error) -> TurboCodes:
        """From a dump. Raises ValueError when it is not one."""
        self = cls(dimension)
        self._base = _quantiser().from_bytes(codes)
        if len(self._base) != len(slots) or self._base.dim != dimension:
            raise ValueError("slots and codes do not fit")
        self._note(slots)
        self.error = error
        return self

    def measure(self, read: Any) -> None:
        """Hold approximate scores against exact ones and set the margin from it. `read` gives templates by slot.

        The probes are means of a few stored templates, so that high scores are among the pairs as well as low ones.
        """
        places = np.flatnonzero(self._live)
        if len(places) == 0:
            return
        rng = np.random.default_rng(len(places))
        chosen = np.sort(rng.choice(places, min(_SAMPLE, len(places)), replace=False))
        vectors = read(self._slot_at[chosen])
        probes = unit(vectors[rng.integers(len(chosen), size=(_PROBES, _MIX))].mean(axis=1))
        mask = np.zeros(len(self._slot_at), np.bool_)
        mask[chosen] = True
        scores, found = self._base.search(probes, len(chosen), mask=mask)
        rows = np.searchsorted(chosen, found)
        exact = np.take_along_axis(probes @ vectors.T, rows, axis=1)
        # A template that was erased in this very moment reads as zeros and says nothing about the codes.
        kept = (scores - exact)[vectors.any(axis=1)[rows]]
        if kept.size:
            self.error = Error(float(kept.std()), float(np.abs(kept).max()), int(kept.size), len(places))

    def _merge(self) -> None:
        slots, vectors = self._tail.everything()
        if len(slots):
            self._encode(slots, vectors)
            self._tail = ExactCodes(self._dimension)

    def _encode(self, slots: Slots, vectors: Vectors) -> None:
        self._base.add(np.ascontiguousarray(vectors, np.float32))
        self._note(slots)

    def _note(self, slots: Slots) -> None:
        begin = len(self._slot_at)
        if len(slots) and (room := int(slots.max()) + 1) > len(self._place_of):
            room = max(room, len(self._place_of) + len(self._place_of) // 2)
            self._place_of = np.concatenate([self._place_of, np.full(room - len(self._place_of), -1, np.int64)])
        self._slot_at = np.concatenate([self._slot_at, slots])
        self._live = np.concatenate([self._live, np.ones(len(slots), np.bool_)])
        self._place_of[slots] = np.arange(begin, begin + len(slots))
        self._seen = None

    def _mask(self, allowed: Allowed | None) -> tuple[Allowed | None, int]:
        """What turbovec may look at, by place, and how many that is; None stands for all."""
        if allowed is None:
            return (self._live if self._dead else None), len(self._slot_at) - self._dead
        if self._seen is None or self._seen[0] is not allowed:
            self._seen = (allowed, allowed[self._slot_at] & self._live)
        return self._seen[1], int(self._seen[1].sum())


def _quantiser() -> Any:
    # Imported late, so that a machine without it can still use the other engines.
    from turbovec import TurboQuantIndex

    return TurboQuantIndex
