"""Any of Pillow's modes → 8-bit RGB, upright, as an array; in strips, so that no second full-size copy is made.

ICC profiles are ignored: a wide-gamut picture looks a little dull, which neither detection nor PDQ minds, and a
stranger's profile is one thing less to interpret. Transparent pixels become white: that is what most pages show
behind a picture, so that a cut-out and its flattened copy give the same pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from countenance.domain.faces import Pixels

if TYPE_CHECKING:
    from PIL import Image

_STRIP_PIXELS = 1 << 18
_WHITE = (255, 255, 255)

_TO_GREY = "I;16", "I;16B", "I;16L", "I;16N", "I", "F"


def to_rgb(image: Image.Image, shrink: int) -> Image.Image:
    """A loaded picture in mode RGB, its sides divided by `shrink` (a box filter; the last row and column average
    what is left).

    More than 8 bits a pixel are scaled, not clipped: 16-bit integers (or as many bits as a TIFF says) from
    their whole range; 32-bit integers and floats, which have no agreed range, from 0–1 (floats), 0–255 or 0–65535,
    whichever is the first to hold every value, else from the least to the greatest value. What is no number is 0.
    """
    from PIL import Image

    if image.mode == "RGB" and shrink == 1 and not image.has_transparency_data:
        return image
    convert = _grey_converter(image) if image.mode in _TO_GREY else _flatten
    width, height = image.size
    result = Image.new("RGB", (-(-width // shrink), -(-height // shrink)))
    for top, bottom in _strips(width, height, step=shrink):
        strip = convert(image.crop((0, top, width, bottom)))
        result.paste(strip.reduce(shrink) if shrink > 1 else strip, (0, top // shrink))
    return result


def to_array(image: Image.Image) -> Pixels:
    """Height × width × 3 uint8 of an RGB picture.

    In strips, because Pillow's own conversion goes through two more full-size copies, whose fresh pages cost more
    than the copying (4 megapixels: 24 ms whole, 4 ms in strips).
    """
    width, height = image.size
    pixels = np.empty((height, width, 3), dtype=np.uint8)
    for top, bottom in _strips(width, height, step=1):
        whole = bottom - top == height
        pixels[top:bottom] = np.asarray(image if whole else image.crop((0, top, width, bottom)))
    return pixels


def turn_upright(image: Image.Image, orientation: int) -> Image.Image:
    """Undo EXIF's orientation (1–8, TIFF 6.0 tag 274)."""
    from PIL.Image import Transpose

    operation = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(orientation)
    return image if operation is None else image.transpose(operation)


def _strips(width: int, height: int, *, step: int) -> Iterator[tuple[int, int]]:
    """Top and bottom of strips of about :data:`_STRIP_PIXELS`, each but the last a multiple of `step` high."""
    rows = max(1, _STRIP_PIXELS // (width * step)) * step
    for top in range(0, height, rows):
        yield top, min(height, top + rows)


def _flatten(strip: Image.Image) -> Image.Image:
    from PIL import Image

    if not strip.has_transparency_data:
        return strip.convert("RGB")
    layer = strip.convert("RGBA")
    ground = Image.new("RGB", strip.size, _WHITE)
    ground.paste(layer, mask=layer.getchannel("A"))
    return ground


def _grey_converter(image: Image.Image) -> Callable[[Image.Image], Image.Image]:
    from PIL import Image

    low, high = _range(image)

    def convert(strip: Image.Image) -> Image.Image:
        values = _numbers(strip)
        values -= low
        values *= 255 / (high - low)
        np.rint(values, out=values)
        return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).convert("RGB")

    return convert


def _numbers(strip: Image.Image) -> NDArray[np.float64]:
    values: NDArray[np.float64] = np.asarray(strip).astype(np.float64)
    values[np.isnan(values)] = 0.0
    most = float(np.finfo(np.float32).max)
    return np.clip(values, -most, most, out=values)


def _range(image: Image.Image) -> tuple[float, float]:
    """The values that become black and white."""
    if image.mode.startswith("I;16"):
        return 0.0, float((1 << _bits(image)) - 1)
    low, high = np.inf, -np.inf
    for top, bottom in _strips(*image.size, step=1):
        values = _numbers(image.crop((0, top, image.width, bottom)))
        low, high = min(low, float(values.min())), max(high, float(values.max()))
    if low >= 0:
        for usual in (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0):
            if high <= usual:
                return 0.0, usual
    return (low, high) if high > low else (low, low + 1)


def _bits(image: Image.Image) -> int:
    """Bits that a 16-bit picture uses; only a TIFF says (BitsPerSample, tag 258), others use all."""
    stated = getattr(image, "tag_v2", {}).get(258)
    bits = stated[0] if isinstance(stated, tuple) and stated else stated
    return bits if isinstance(bits, int) and 8 < bits <= 16 else 16
