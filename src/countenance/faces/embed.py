"""Aligned crops to templates: each embedder's unit vectors side by side, brought to unit length again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from countenance.domain.errors import WeightsRefused
from countenance.domain.faces import Pixels, Vectors
from countenance.faces.packs import EmbedderSpec
from countenance.faces.runtime import Model

BATCH = 8
"""Crops that go through a model at once; what is left over goes singly: two fixed shapes beat a free one."""


class Embedder:
    """The embedders of a pack as one. `dimension` is the length of a template."""

    def __init__(self, parts: Sequence[tuple[EmbedderSpec, Model]]) -> None:
        self._parts = tuple(parts)
        self.dimension = sum(spec.dimension for spec, _ in parts)

    def templates(self, crops: Sequence[Pixels]) -> Vectors:
        """Templates (n, dimension) of n aligned crops (112, 112, 3), RGB uint8.

        Raises WeightsRefused when a model gives something that cannot be a template.
        """
        if not crops:
            return np.zeros((0, self.dimension), np.float32)
        images = np.stack(crops)
        together = np.concatenate([_unit(_vectors(spec, model, images)) for spec, model in self._parts], axis=1)
        return _unit(together).astype(np.float32)


def _vectors(spec: EmbedderSpec, model: Model, images: Pixels) -> Vectors:
    step = BATCH if spec.model.batch != "one" else 1
    whole = len(images) - len(images) % step
    starts = [*range(0, whole, step)]
    batches = [images[start : start + step] for start in starts]
    batches += [images[number : number + 1] for number in range(whole, len(images))]
    parts = [model.run(np.ascontiguousarray(batch))[0] for batch in batches]
    vectors = np.concatenate(parts).reshape(len(images), -1)
    if vectors.shape[1] != spec.dimension:
        raise WeightsRefused(f"{spec.model.file} gives {vectors.shape[1]} numbers, not {spec.dimension}")
    return vectors


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    if not np.all(np.isfinite(lengths)) or np.any(lengths < 1e-6):
        raise WeightsRefused("a model gave a vector without length", advice="Run `countenance models verify`.")
    return np.asarray(vectors / lengths)
