"""Only the one face stays; what lies around it is gone from the pixels."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from countenance.domain.faces import Box
from countenance.imaging.blur import face_alone, unrecognisable
from countenance.imaging.thumbnail import crop

STRIPES = (np.indices((400, 600)).sum(axis=0) // 4 % 2 * 255).astype(np.uint8)
"""A pattern of four pixels: where it can be seen, something can be recognised."""


def contrast(content: bytes, x: float, y: float) -> float:
    """How much of the pattern is left around a place, in parts of the width and height."""
    with Image.open(io.BytesIO(content)) as image:
        grey = np.asarray(image.convert("L"), np.float64)
    row, column = int(y * grey.shape[0]), int(x * grey.shape[1])
    return float(grey[max(0, row - 8) : row + 8, max(0, column - 8) : column + 8].std())


def test_the_face_stays_and_all_around_it_goes() -> None:
    pixels = np.dstack([STRIPES] * 3)
    for box, centre in ((Box(250, 150, 100, 100), (0.5, 0.5)), (Box(0, 0, 100, 100), (0.28, 0.28))):
        content = crop(pixels, box)
        alone = face_alone(content, box, (600, 400))
        assert alone is not None
        assert contrast(content, 0.92, 0.92) > 50
        assert contrast(alone, *centre) > 50, "the face itself"
        for corner in ((0.95, 0.95), (0.92, 0.05), (0.05, 0.95)):
            assert contrast(alone, *corner) < 12, (box, corner)
        gone = unrecognisable(content)
        assert gone is not None
        assert contrast(gone, *centre) < 12


def test_what_is_no_picture_is_none() -> None:
    for content in (b"", b"\xff\xd8\xff no more", b"GIF89a"):
        assert face_alone(content, Box(0, 0, 9, 9), (9, 9)) is None
        assert unrecognisable(content) is None
