"""Small JPEGs for people to look at: no metadata, the same bytes from the same pixels."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from countenance.domain.faces import Box
from countenance.imaging.picture import Drawing, as_image

if TYPE_CHECKING:
    from PIL import Image

MEDIA_TYPE = "image/jpeg"
_QUALITY = 85


def crop(pixels: Drawing, box: Box, *, margin: float = 0.4, size: int = 256, scale: float = 1.0) -> bytes:
    """A square JPEG around a face, at most `size` pixels a side, never enlarged.

    `box` is in pixels of the full-size picture, which is `scale` times larger
    (`Picture.scale`). `margin` is added on each side, as a part of the box's longer side. A square that reaches over
    the picture's edge is moved inside, and cut where the picture is smaller than it. Raises ValueError when the box
    lies outside of the picture altogether.
    """
    image = as_image(pixels)
    width, height = image.size
    side = max(box.w, box.h) * (1 + 2 * margin) / scale
    left, right = inside((box.x + box.w / 2) / scale, side, width)
    top, bottom = inside((box.y + box.h / 2) / scale, side, height)
    return encoded(_shrink(image, size, (left, top, right, bottom)))


def thumbnail(pixels: Drawing, side: int) -> bytes:
    """The whole picture as a JPEG, its longer side at most `side`, never enlarged."""
    image = as_image(pixels)
    return encoded(_shrink(image, side, (0, 0, *image.size)))


def inside(centre: float, side: float, length: int) -> tuple[int, int]:
    """Where a crop of this side begins and ends along an edge of this length. Raises ValueError when outside of it."""
    if not (centre - side / 2 < length and centre + side / 2 > 0):
        raise ValueError("the box lies outside of the picture")
    whole = min(length, max(1, round(side)))
    start = min(max(0, round(centre - side / 2)), length - whole)
    return start, start + whole


def _shrink(image: Image.Image, side: int, box: tuple[int, int, int, int]) -> Image.Image:
    from PIL import Image

    lengths = box[2] - box[0], box[3] - box[1]
    if max(lengths) <= side:
        return image.crop(box)
    width, height = (max(1, round(length * side / max(lengths))) for length in lengths)
    return image.resize((width, height), Image.Resampling.BILINEAR, box, reducing_gap=1.0)


def encoded(image: Image.Image) -> bytes:
    """As a small JPEG without metadata."""
    from PIL import JpegImagePlugin  # noqa: F401  registers the encoder without Pillow's other plugins

    image.info = {}  # Pillow would write down a comment that it finds there
    target = BytesIO()
    image.save(target, "JPEG", quality=_QUALITY, subsampling="4:2:0")
    return target.getvalue()
