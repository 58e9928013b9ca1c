"""Where the faces are, at several scales.

- *Whole*: the picture as it is, or with its longer side at 640 pixels if it is larger. Nothing is enlarged.
- *Near*: a picture of more than 320 pixels is looked at again at 256. Detectors are trained on faces that leave
  room around them; of one that fills a 640-pixel look, YuNet is unsure and SCRFD sees nothing. At 256 both see it.
- *Bordered*: if nothing was found, once more at half that size in the middle of a black canvas.
- *Tiled*: in a large picture small faces drown when it is scaled down to 640. If the whole look shows small faces,
  or none, the picture is looked at in overlapping tiles at a finer scale. If they are very small and the picture was
  decoded scaled down, it is asked for again, finer.

An ordinary small photograph costs one look, an ordinary large one two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from countenance.domain.faces import Pixels
from countenance.faces import scrfd, yunet
from countenance.faces.detections import Detections, joined, suppressed
from countenance.faces.packs import DetectorSpec
from countenance.faces.runtime import Images, Model
from countenance.imaging.picture import Drawing, as_image
from countenance.imaging.resample import resized

if TYPE_CHECKING:
    from PIL.Image import Image

WANTED_SIDE = 1200
"""Longer side, in pixels, that a picture should have when it comes here; decoders need not give more at first."""

WHOLE = 640
NEAR = 256
_SMALL_PICTURE = 320
"""A picture up to this side is looked at once."""

_NEAR_LEAST = 48
"""Pixels of a face in the near look below which the whole look, 2.5 times finer, is the one to ask."""

_TILED_FROM = 960
"""Longer side from which tiles can show more than the whole look."""

_FINEST = 1728
"""Longer side of the tiled look: three tiles across. What a finer picture that is asked for should have at least."""

_OVERLAP = 96
_SMALL_FACE = 40
"""A face with a shorter side below this, in pixels of the whole look, means that there may be smaller ones."""

_TINY_FACE = 20
"""The same, but too small for pictures that were decoded scaled down: some 16 pixels between the eyes at 1,200."""

_HINT = 0.3
"""Score from which a detection counts as such a sign."""

_SAME = 0.4
"""Intersection over union from which two boxes are one face."""

_WITHIN = 0.55
"""Part of the smaller box that lies in the larger one, from which two looks have seen one face at two sizes."""

_CANVASES = ((256, 256), (320, 320), (480, 640), (640, 480), (640, 640))
"""Heights and widths that models are run at, by area: few, because each is compiled once."""

_DECODERS: dict[str, Callable[[list[NDArray[np.float32]], int, int, float], Detections]] = {
    "yunet": yunet.decode,
    "scrfd": scrfd.decode,
}


Finer: TypeAlias = "Callable[[int], Image | None]"
"""Gives a picture again with the longer side at least so many pixels; None when there is no finer one to be had."""


def _no_finer(_: int) -> None:
    return None


class _Region(NamedTuple):
    """A part of a picture, in its pixels."""

    left: int
    top: int
    right: int
    bottom: int


class Glance(NamedTuple):
    """A picture at the size of the whole look, that size in parts of its own, and what the look showed."""

    pixels: Pixels
    shrunk: float
    found: Detections


class Detector:
    """A pack's detector."""

    def __init__(self, spec: DetectorSpec, model: Model) -> None:
        self._model = model
        self._decode = _DECODERS[spec.decoder]
        self._least = spec.min_score

    def warm(self) -> None:
        """Make the model ready for a small picture and for the near look of a large one."""
        self._model.warm((1, NEAR, NEAR, 3))

    def detect(self, pixels: Drawing) -> Detections:
        """The faces in an upright RGB picture, best score first, in its own pixels."""
        return self.sight(as_image(pixels))[0]

    def glances(self, pictures: Sequence[Image]) -> list[Glance]:
        """The first look at each: one run of the model after the other, while the caches hold what it needs."""
        shrunk = [_shrunk(picture, WHOLE) for picture in pictures]
        return [Glance(*one, look) for one, look in zip(shrunk, self._looks([one for one, _ in shrunk]), strict=True)]

    def sight(self, picture: Image, finer: Finer = _no_finer, glance: Glance | None = None) -> tuple[Detections, Image]:
        """The same, and the picture that it is about: the given one, or the finer one if there was need of it.

        `finer` is asked at most once, for the whole picture with the longer side of at least the given pixels.
        """
        side = max(picture.size)
        small, shrunk, first = glance or self.glances([picture])[0]
        whole = first.moved(1 / shrunk, 0, 0)
        parts = [whole]
        if side > _SMALL_PICTURE:
            near = self._look(small, _all_of(small), NEAR / max(small.shape)).moved(1 / shrunk, 0, 0)
            parts.append(near.only(np.flatnonzero(_short_sides(near) >= _NEAR_LEAST * side / NEAR)))
        if side > _TILED_FROM and _shows_below(_SMALL_FACE, [whole], side):
            tiled: list[Detections] = []
            if side >= _FINEST or not _shows_below(_TINY_FACE, parts, side):
                tiled = self._look_in_tiles(picture)
            if side < _FINEST and (not tiled or _shows_below(_TINY_FACE, parts + tiled, side)):
                fine = finer(_FINEST)
                if fine is not None:
                    grown = max(fine.size) / side
                    parts = [one.moved(grown, 0, 0) for one in parts]
                    picture, shrunk = fine, shrunk / grown
                    tiled = []
            parts += tiled or self._look_in_tiles(picture)
        found = self._sure(parts)
        if len(found) == 0:
            factor = 0.5 * min(1.0, NEAR / max(small.shape))
            last = self._look(small, _all_of(small), factor, bordered=True)
            found = self._sure([last.moved(1 / shrunk, 0, 0)])
        return found, picture

    def _look_in_tiles(self, picture: Image) -> list[Detections]:
        fine, factor = _shrunk(picture, _FINEST)
        height, width = fine.shape[:2]
        return [self._look_in_tile(fine, tile).moved(1 / factor, 0, 0) for tile in _tiles((width, height))]

    def _sure(self, parts: list[Detections]) -> Detections:
        found = joined(parts)
        found = found.only(np.flatnonzero(found.scores >= self._least))
        return suppressed(found, _SAME, _WITHIN) if len(parts) > 1 else found

    def _look_in_tile(self, pixels: Pixels, tile: _Region) -> Detections:
        """Detections in a tile, without those that one of its inner edges cuts: the next tile has them whole."""
        found = self._look(pixels, tile, 1.0)
        edge = np.array(
            [
                tile.left + 1 if tile.left > 0 else -np.inf,
                tile.top + 1 if tile.top > 0 else -np.inf,
                tile.right - 1 if tile.right < pixels.shape[1] else np.inf,
                tile.bottom - 1 if tile.bottom < pixels.shape[0] else np.inf,
            ]
        )
        inside = (found.boxes[:, :2] >= edge[:2]).all(axis=1) & (found.boxes[:, 2:] <= edge[2:]).all(axis=1)
        return found.only(np.flatnonzero(inside))

    def _look(self, pixels: Pixels, region: _Region, factor: float, *, bordered: bool = False) -> Detections:
        """Run the model on `region`, scaled by `factor`, in the corner of a canvas, or in the middle if `bordered`.

        Returns detections from the score `_HINT` up, in pixels of the picture.
        """
        canvas, top, left = _canvas(pixels, region, factor, bordered)
        found = self._read(canvas, self._model.run(canvas))
        return found.moved(1 / factor, region.left - left / factor, region.top - top / factor)

    def _looks(self, pictures: Sequence[Pixels]) -> list[Detections]:
        """The same for several whole pictures as they are."""
        canvases = [_canvas(pixels, _all_of(pixels), 1.0, False)[0] for pixels in pictures]
        outputs = [self._model.run(canvas) for canvas in canvases]
        return [self._read(*one) for one in zip(canvases, outputs, strict=True)]

    def _read(self, canvas: Images, outputs: list[NDArray[np.float32]]) -> Detections:
        _, rows, columns, _ = canvas.shape
        return suppressed(self._decode(outputs, rows, columns, min(_HINT, self._least)), _SAME)


def _canvas(pixels: Pixels, region: _Region, factor: float, bordered: bool) -> tuple[Images, int, int]:
    """What the model is given of a look, and where on it the region begins: (pixels, top, left)."""
    width = max(1, round((region.right - region.left) * factor))
    height = max(1, round((region.bottom - region.top) * factor))
    part = pixels[region.top : region.bottom, region.left : region.right]
    if factor != 1 and part.shape[:2] != (height, width):
        part = resized(part, width, height)
    rows, columns = next(one for one in _CANVASES if one[0] >= height and one[1] >= width)
    top, left = ((rows - height) // 2, (columns - width) // 2) if bordered else (0, 0)
    canvas = np.zeros((1, rows, columns, 3), np.uint8)
    canvas[0, top : top + height, left : left + width] = part
    return canvas, top, left


def _all_of(pixels: Pixels) -> _Region:
    return _Region(0, 0, pixels.shape[1], pixels.shape[0])


def _shrunk(picture: Image, side: int) -> tuple[Pixels, float]:
    """The picture with its longer side at most `side`, and its size in parts of the original's."""
    factor = min(1.0, side / max(picture.size))
    if factor == 1:
        return np.asarray(picture), factor
    return resized(picture, max(1, round(picture.width * factor)), max(1, round(picture.height * factor))), factor


def _short_sides(found: Detections) -> NDArray[np.float32]:
    sides = found.boxes[:, 2:] - found.boxes[:, :2]
    return np.asarray(sides.min(axis=1, initial=np.inf), np.float32)


def _shows_below(least: float, parts: list[Detections], side: int) -> bool:
    """Whether there are faces with a shorter side below `least`, in pixels of the whole look of a picture with the
    longer side `side`, so that there may be smaller ones; or none at all."""
    shown = [_short_sides(one) * (WHOLE / side) for one in parts if len(one)]
    return not shown or any(bool((sides < least).any()) for sides in shown)


def _tiles(size: tuple[int, int]) -> Iterator[_Region]:
    """Tiles of at most WHOLE × WHOLE pixels that overlap by at least _OVERLAP."""
    for top in _starts(size[1]):
        for left in _starts(size[0]):
            yield _Region(left, top, min(left + WHOLE, size[0]), min(top + WHOLE, size[1]))


def _starts(length: int) -> list[int]:
    if length <= WHOLE:
        return [0]
    count = math.ceil((length - _OVERLAP) / (WHOLE - _OVERLAP))
    return [number * (length - WHOLE) // (count - 1) for number in range(count)]
