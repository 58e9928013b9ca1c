"""The candidate stage: which templates may reach a score, found quickly; the exact cosine comes after it.

Three engines stand behind one seam. Each is filled from the vector file, holds nothing that cannot be made again, and
says by how much its approximate scores may be wrong.
"""

from __future__ import annotations

import importlib.util
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from countenance.domain.errors import Unavailable
from countenance.domain.faces import Vector, Vectors
from countenance.index.vectors import Slots

Engine: TypeAlias = Literal["turbovec", "faiss", "exact"]
Allowed: TypeAlias = NDArray[np.bool_]
"""By slot: whether the filter lets it through."""

Scores: TypeAlias = NDArray[np.float32]

FLOAT32_ERROR = 1e-5
"""More than float32 sums over 1,024 products of unit vectors can be off by."""


class Codes(Protocol):
    """Templates by slot, in a form that is quick to scan. Not safe for several threads."""

    @property
    def engine(self) -> str: ...

    @property
    def margin(self) -> float:
        """No true cosine is taken to exceed its approximate score by more than this."""
        ...

    def __len__(self) -> int: ...

    def add(self, slots: Slots, vectors: Vectors) -> None:
        """Add slots that are not there."""
        ...

    def remove(self, slots: Slots) -> None:
        """Forget slots; unknown ones are ignored."""
        ...

    def candidates(self, probe: Vector, k: int, allowed: Allowed | None) -> tuple[Scores, Slots]:
        """At least the `k` best approximate scores, descending, and their slots; all allowed ones if they are fewer."""
        ...

    def slots(self) -> Slots:
        """What it holds, ascending."""
        ...


def installed(dimension: int) -> Engine:
    """The best engine that this machine has for these templates."""
    if dimension % 8 == 0 and importlib.util.find_spec("turbovec") is not None:
        return "turbovec"
    if importlib.util.find_spec("faiss") is not None:
        return "faiss"
    return "exact"


def empty(engine: Engine, dimension: int) -> Codes:
    """Codes without templates. Raises Unavailable when the engine is not installed."""
    try:
        if engine == "turbovec":
            from countenance.index.turbo import TurboCodes

            return TurboCodes(dimension)
        if engine == "faiss":
            from countenance.index.faiss_flat import FaissCodes

            return FaissCodes(dimension)
    except ImportError:
        raise Unavailable(
            f"the engine {engine} is not installed", advice=f"pip install 'countenance[{engine}]'"
        ) from None
    from countenance.index.exact import ExactCodes

    return ExactCodes(dimension)


def best(scores: Scores, slots: Slots, k: int) -> tuple[Scores, Slots]:
    """The k highest, descending."""
    if k < len(scores):
        chosen = np.argpartition(-scores, k - 1)[:k]
        scores, slots = scores[chosen], slots[chosen]
    order = np.argsort(-scores, kind="stable")
    return scores[order], slots[order]
