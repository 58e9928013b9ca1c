"""Pictures given to somebody else than those on them: all but one face made unrecognisable, or the whole of it.

Nothing is detected for this, so that nothing can be missed: what stays sharp is the one face's own place, and whatever
lies around it goes through eight by eight pixels, from which nobody comes back.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from countenance.domain.faces import Box
from countenance.imaging.thumbnail import encoded, inside

if TYPE_CHECKING:
    from PIL import Image

_GRAIN = 8
_EDGE = 0.04
"""How soft the edge of the face's place is, as a part of the crop's side."""


def face_alone(crop: bytes, box: Box, size: tuple[int, int], *, margin: float = 0.4) -> bytes | None:
    """The crop (JPEG) that `thumbnail.crop` made of the face in `box`, of a picture of this (width, height), with all
    but the face unrecognisable. None for bytes that are no picture."""
    from PIL import Image, ImageDraw, ImageFilter

    image = _opened(crop)
    if image is None:
        return None
    side = max(box.w, box.h) * (1 + 2 * margin)
    left, right = inside(box.x + box.w / 2, side, size[0])
    top, bottom = inside(box.y + box.h / 2, side, size[1])
    across, down = image.width / (right - left), image.height / (bottom - top)
    mask = Image.new("L", image.size, 0)
    place = ((box.x - left) * across, (box.y - top) * down)
    ends = ((box.x + box.w - left) * across, (box.y + box.h - top) * down)
    ImageDraw.Draw(mask).ellipse((*place, *ends), fill=255)
    mask = mask.filter(ImageFilter.GaussianBlur(_EDGE * max(image.size)))
    return encoded(Image.composite(image, _coarse(image), mask))


def unrecognisable(crop: bytes) -> bytes | None:
    """The picture (JPEG) with nobody to be recognised on it. None for bytes that are no picture."""
    image = _opened(crop)
    return encoded(_coarse(image)) if image is not None else None


def _coarse(image: Image.Image) -> Image.Image:
    from PIL import Image

    small = image.resize((_GRAIN, _GRAIN), Image.Resampling.BOX)
    return small.resize(image.size, Image.Resampling.BICUBIC)


def _opened(content: bytes) -> Image.Image | None:
    """A crop of our own as an image. Not for bytes from strangers: those go through `imaging.decode`."""
    from PIL import Image

    try:
        with Image.open(BytesIO(content), formats=["JPEG"]) as image:
            return image.convert("RGB")
    except (OSError, ValueError, SyntaxError):
        return None
