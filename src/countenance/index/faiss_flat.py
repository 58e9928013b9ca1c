"""FAISS Flat: float32 inner products by a well-known library. The fallback, and the oracle in tests."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from countenance.domain.faces import Vector, Vectors
from countenance.index.codes import FLOAT32_ERROR, Allowed, Scores
from countenance.index.vectors import Slots

# Its types do not know its own keyword arguments.
faiss: Any = importlib.import_module("faiss")


class FaissCodes:
    """4 bytes a dimension a template, in memory only. Needs the extra `faiss`."""

    engine = "faiss"
    margin = FLOAT32_ERROR

    def __init__(self, dimension: int) -> None:
        self._index = faiss.IndexIDMap(faiss.IndexFlatIP(dimension))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def add(self, slots: Slots, vectors: Vectors) -> None:
        if len(slots):
            self._index.add_with_ids(np.ascontiguousarray(vectors, np.float32), slots)

    def remove(self, slots: Slots) -> None:
        if len(slots):
            self._index.remove_ids(np.ascontiguousarray(slots))

    def candidates(self, probe: Vector, k: int, allowed: Allowed | None) -> tuple[Scores, Slots]:
        if len(self) == 0:
            return np.zeros(0, np.float32), np.zeros(0, np.int64)
        params = None
        if allowed is not None:
            # The selector keeps a pointer to these bits, so they have to outlive the call.
            bits = np.packbits(allowed, bitorder="little")
            params = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(len(allowed), faiss.swig_ptr(bits)))
        scores, slots = self._index.search(probe[None, :], min(k, len(self)), params=params)
        found = slots[0] >= 0
        return scores[0][found], slots[0][found]

    def slots(self) -> Slots:
        return np.sort(faiss.vector_to_array(self._index.id_map).astype(np.int64))
