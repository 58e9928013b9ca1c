"""Pixels at another size or turned: bilinear, two pixels each way, several times faster than Pillow's filters.

Only ever by less than two at a time: what is larger is averaged down by a whole factor first, so that nothing aliases.
The library (kornia-rs, in Rust) takes no side below two pixels; there Pillow does it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from countenance.domain.faces import Pixels
from countenance.imaging.picture import Drawing, as_image

LEAST = 2
"""Sides shorter than this the library does not take."""


def resized(picture: Drawing, width: int, height: int) -> Pixels:
    """An upright RGB picture at another size: (height, width, 3) uint8."""
    from PIL import Image

    across, down = picture.size if isinstance(picture, Image.Image) else (picture.shape[1], picture.shape[0])
    whole = max(1, min(across // max(width, 1), down // max(height, 1)))
    pixels = np.asarray(as_image(picture).reduce(whole)) if whole > 1 else np.asarray(picture)
    if pixels.shape[:2] == (height, width):
        return pixels
    if min(*pixels.shape[:2], width, height) < LEAST:
        return np.asarray(as_image(pixels).resize((width, height), Image.Resampling.BILINEAR))
    from kornia_rs import imgproc

    return np.asarray(imgproc.resize(np.ascontiguousarray(pixels), (height, width), "bilinear"))


def warped(pixels: Pixels, back: NDArray[np.float64], side: int) -> Pixels:
    """(side, side, 3) uint8: each pixel from where `back` (2, 3) says that its centre comes from, both counted with
    centres at whole numbers; black from outside."""
    from PIL import Image

    if min(pixels.shape[:2]) < LEAST:
        (a, b, x), (c, d, y) = back.tolist()
        data = (a, b, x + 0.5 - (a + b) / 2, c, d, y + 0.5 - (c + d) / 2)
        turned = as_image(pixels).transform((side, side), Image.Transform.AFFINE, data, Image.Resampling.BILINEAR)
        return np.asarray(turned)
    from kornia_rs import imgproc

    matrix = _inverse(*back.reshape(-1).tolist())
    return np.asarray(imgproc.warp_affine(np.ascontiguousarray(pixels), matrix, (side, side), "bilinear"))


def _inverse(a: float, b: float, x: float, c: float, d: float, y: float) -> tuple[float, ...]:
    """Of an affine transform, row by row."""
    one = a * d - b * c
    return d / one, -b / one, (b * y - d * x) / one, -c / one, a / one, (c * x - a * y) / one
