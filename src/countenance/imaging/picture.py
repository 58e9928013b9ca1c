"""A decoded picture."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from countenance.domain.faces import Pixels
from countenance.imaging.colour import to_array
from countenance.imaging.sniff import Format

if TYPE_CHECKING:
    from PIL.Image import Image

Drawing: TypeAlias = "Pixels | Image"
"""Upright RGB, height × width × 3 uint8 or as Pillow holds it. Turning one into the other copies it."""


def as_image(drawing: Drawing) -> Image:
    """The same as Pillow holds it."""
    from PIL import Image

    return drawing if isinstance(drawing, Image.Image) else Image.fromarray(drawing)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """The first frame of a file.

    `drawing` is upright RGB with nothing of the file beside its pixels, and may be smaller than the picture: `scale`
    (≥ 1) full-size pixels are one of its own on each axis. `width` and `height` are those of the full-size upright
    picture. `taken` is aware UTC (see `exif.orientation_and_time` for cameras that write no zone), `frames` how many
    the file holds.
    """

    drawing: Drawing
    width: int
    height: int
    scale: float
    format: Format
    taken: datetime | None
    frames: int

    @property
    def pixels(self) -> Pixels:
        """Height × width × 3 uint8; a new array each time unless the picture came as one."""
        return self.drawing if isinstance(self.drawing, np.ndarray) else to_array(self.drawing)
