"""A face in a picture, and the template made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]
"""Height × width × 3, RGB, row 0 at the top."""

Vector: TypeAlias = NDArray[np.float32]
"""One template: shape (dimension,), float32, unit length."""

Vectors: TypeAlias = NDArray[np.float32]
"""Several templates: shape (n, dimension), float32, each row of unit length."""

PIPELINE_VERSION = 1
"""Raised whenever detection, alignment or preprocessing change a template; templates of two versions are not mixed."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the upright, full-size picture: left, top, width, height."""

    x: float
    y: float
    w: float
    h: float

    @property
    def area(self) -> float:
        """Square pixels."""
        return max(0.0, self.w) * max(0.0, self.h)

    def as_list(self) -> list[int]:
        """[x, y, w, h], rounded to whole pixels, as JSON output shows it."""
        return [round(self.x), round(self.y), round(self.w), round(self.h)]


@dataclass(frozen=True, slots=True)
class Quality:
    """What can be said of a face's picture before anyone trusts a likeness.

    `inter_eye` is in pixels of the full-size picture, but of a face that is too small in those of the picture that
    was decoded, which may be smaller if the full one is beyond the limits; `sharpness` is the variance of the
    Laplacian of the aligned grey crop (grey levels squared); `exposure` the mean grey level 0–1; `yaw` and `roll` are
    degrees, estimated from the five landmarks (`yaw` coarsely); `detector` is the detector's score 0–1. `floor` names
    why the face is kept for the record but not indexed, or is None.
    """

    inter_eye: float
    sharpness: float
    exposure: float
    yaw: float
    roll: float
    detector: float
    floor: str | None = None


@dataclass(frozen=True, slots=True)
class Face:
    """One detected face. `landmarks` is (5, 2) float32: right eye, left eye, nose, right and left mouth corner,
    as they appear from the subject's side (the viewer's left eye first), in pixels of the full-size picture.
    `template` is None when the quality is below the floor."""

    box: Box
    landmarks: NDArray[np.float32]
    quality: Quality
    template: Vector | None
