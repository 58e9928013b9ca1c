"""A detection, and the choice among overlapping ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Detections:
    """n detections, side by side: `boxes` (n, 4) left, top, right, bottom; `landmarks` (n, 5, 2); `scores` (n,).
    All float32, in pixels of the picture that was looked at."""

    boxes: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.scores)

    def only(self, which: NDArray[np.intp] | NDArray[np.bool_]) -> Detections:
        """Some of them."""
        return Detections(self.boxes[which], self.landmarks[which], self.scores[which])

    def moved(self, factor: float, left: float, top: float) -> Detections:
        """The same in another frame: (x, y) becomes (x × factor + left, y × factor + top)."""
        if (factor, left, top) == (1, 0, 0) or len(self) == 0:
            return self
        shift = np.array([left, top], np.float32)
        return Detections(
            self.boxes * np.float32(factor) + np.tile(shift, 2),
            self.landmarks * np.float32(factor) + shift,
            self.scores,
        )


def none() -> Detections:
    """No detection."""
    return Detections(np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32), np.zeros(0, np.float32))


def joined(parts: list[Detections]) -> Detections:
    """All of them in one."""
    if not parts:
        return none()
    if len(parts) == 1:
        return parts[0]
    return Detections(
        np.concatenate([one.boxes for one in parts]),
        np.concatenate([one.landmarks for one in parts]),
        np.concatenate([one.scores for one in parts]),
    )


def suppressed(found: Detections, overlap: float, within: float = 1.01) -> Detections:
    """The best of each heap, best first: a box goes when its intersection with a better one is at least `overlap` of
    their union, or at least `within` of the smaller of the two (greedy non-maximum suppression)."""
    if len(found) < 2:
        return found
    order = np.argsort(-found.scores, kind="stable")
    boxes = found.boxes[order].astype(np.float64)
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    areas = sides[:, 0] * sides[:, 1]
    alive = np.ones(len(order), bool)
    for first in range(len(order)):
        if not alive[first]:
            continue
        rest = slice(first + 1, None)
        low = np.maximum(boxes[first, :2], boxes[rest, :2])
        high = np.minimum(boxes[first, 2:], boxes[rest, 2:])
        shared = np.maximum(high - low, 0)
        common = shared[:, 0] * shared[:, 1]
        union = areas[first] + areas[rest] - common
        smaller = np.minimum(areas[first], areas[rest])
        alive[rest] &= (common < overlap * union) & (common < within * smaller)
    return found.only(order[alive])
