"""The background of a probe: its scores with a sample of what a search looks through (`domain.strangers`)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import numpy as np

from countenance.domain.faces import Vector, Vectors
from countenance.domain.index import Filter
from countenance.domain.strangers import COHORT, Background, background_of
from countenance.index.vectors import Slots

KEPT = 4
"""Samples that are kept, one a filter."""


class Backgrounds:
    """Samples of the filters that were searched last. Not safe for several threads."""

    def __init__(self) -> None:
        self._samples: OrderedDict[Filter | None, tuple[int, Vectors]] = OrderedDict()

    def of(
        self,
        probe: Vector,
        where: Filter | None,
        generation: int,
        slots: Callable[[], Slots],
        read: Callable[[Slots], Vectors],
    ) -> Background:
        """The background of a probe in what `where` lets through at this generation.

        `slots` are all of them; at most COHORT, evenly spread, are read. The same collection gives the same sample.
        """
        known = self._samples.get(where)
        if known is None or known[0] != generation:
            there = slots()
            if len(there) > COHORT:
                there = there[np.linspace(0, len(there) - 1, COHORT).astype(np.int64)]
            known = (generation, read(there))
        self._samples[where] = known
        self._samples.move_to_end(where)
        if len(self._samples) > KEPT:
            self._samples.popitem(last=False)
        return background_of(known[1] @ probe)

    def forget(self) -> None:
        """Drop every sample: what was erased must not stay in memory either."""
        self._samples.clear()
