"""A face turned upright and brought to 112 × 112 pixels, its five landmarks where the embedders expect them."""

from __future__ import annotations

import cmath
import math

import numpy as np
from numpy.typing import NDArray

from countenance.domain.faces import Pixels
from countenance.imaging.picture import Drawing, as_image
from countenance.imaging.resample import warped

SIZE = 112

TEMPLATE = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)], np.float64
)
"""The ArcFace template: right eye, left eye, nose, right and left mouth corner, (x, y) with pixel centres at whole
numbers."""

_POINTS = [complex(x, y) for x, y in TEMPLATE.tolist()]
_CENTRE = sum(_POINTS) / len(_POINTS)
_CENTRED = [point - _CENTRE for point in _POINTS]


def similarity(landmarks: NDArray[np.float32]) -> NDArray[np.float64]:
    """The (2, 3) similarity transform from TEMPLATE to `landmarks` (5, 2) with the least squared error in the template.

    Umeyama (1991), in the plane and without reflection, where the solution is closed: with centred points as complex
    numbers z (picture) and w (template), the factor is sum(conj(z) w) / sum(|z|²). Returned is its inverse, because a
    picture is warped by asking for each pixel of the result where it comes from.
    Raises ValueError when the landmarks lie in one point.
    """
    points = [complex(x, y) for x, y in landmarks.tolist()]
    mean = sum(points) / len(points)
    z = [point - mean for point in points]
    spread = sum(abs(one) ** 2 for one in z)
    factor = sum(one.conjugate() * w for one, w in zip(z, _CENTRED, strict=True)) / spread if spread > 0 else 0j
    if abs(factor) < 1e-9 or not cmath.isfinite(factor):
        raise ValueError("the landmarks lie in one point")
    back = 1 / factor
    shift = mean - back * _CENTRE
    return np.array([[back.real, -back.imag, shift.real], [back.imag, back.real, shift.imag]])


def aligned(pixels: Drawing, landmarks: NDArray[np.float32]) -> Pixels:
    """The aligned crop, (112, 112, 3) uint8 RGB; black where it reaches beyond the picture.

    `landmarks` (5, 2) are in pixels of `pixels`. A face much larger than the crop is first averaged down by a whole
    factor, so that nothing aliases. Raises ValueError when the landmarks lie in one point.
    """
    width, height = pixels.shape[1::-1] if isinstance(pixels, np.ndarray) else pixels.size
    (a, b, x), (c, d, y) = similarity(landmarks).tolist()
    factor = max(1, int(math.hypot(a, c)))
    across = sorted((0, a * SIZE, b * SIZE, (a + b) * SIZE))
    down = sorted((0, c * SIZE, d * SIZE, (c + d) * SIZE))
    left, right = _span(x + across[0], x + across[3], 2 * factor, width)
    top, bottom = _span(y + down[0], y + down[3], 2 * factor, height)
    part = pixels[top:bottom, left:right] if isinstance(pixels, np.ndarray) else pixels.crop((left, top, right, bottom))
    if factor > 1:
        part = as_image(part).reduce(factor)
    # Centre i of what was averaged lies in the middle of its `factor` pixels.
    middle = (factor - 1) / 2
    back = np.array([[a, b, x - left - middle], [c, d, y - top - middle]]) / factor
    return warped(np.asarray(part), back, SIZE)


def _span(low: float, high: float, margin: int, length: int) -> tuple[int, int]:
    """Whole pixels of a line of this length that hold what lies between `low` and `high`, at least one."""
    start = min(max(math.floor(low) - margin, 0), length - 1)
    return start, min(max(math.ceil(high) + margin, start + 1), length)
