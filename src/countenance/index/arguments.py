"""What is handed to an index is looked at before anything happens with it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from countenance.domain.errors import BadInput
from countenance.domain.faces import Vector, Vectors
from countenance.domain.index import Entry

TOLERANCE = 1e-3
"""How far from 1 the length of a template may be."""


def templates(entries: Sequence[Entry], values: Vectors, dimension: int) -> None:
    """One unit row for each entry, and each id once. Raises BadInput."""
    if values.shape != (len(entries), dimension):
        raise BadInput(f"templates must be {len(entries)} × {dimension}, not {values.shape}")
    if len({entry.id for entry in entries}) != len(entries):
        raise BadInput("an id is given twice")
    squares = np.einsum("ij,ij->i", values, values)
    if not np.all(np.abs(squares - 1) < 2 * TOLERANCE):
        raise BadInput("templates must have unit length")


def probe(probes: Vectors, dimension: int) -> Vector:
    """The one unit row of (1, dimension). Raises BadInput."""
    if probes.shape != (1, dimension):
        raise BadInput(f"a probe must be 1 × {dimension}, not {probes.shape}")
    norm = float(np.linalg.norm(probes.astype(np.float64)))
    if not abs(norm - 1) < TOLERANCE:
        raise BadInput("a probe must have unit length")
    return np.ascontiguousarray(probes[0], np.float32)
