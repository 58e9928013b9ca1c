"""PDQ, the picture hash that StopNCII, NCMEC and ThreatExchange's HMA exchange: two pictures up to re-encoding,
scaling and small crops have hashes few bits apart.

Written in NumPy from the published description (Facebook, *The TMK+PDQF video-hashing algorithm and the PDQ
image-hashing algorithm*, 2019): luminance; two passes of a box filter of 1/128 of each side; 64 × 64 samples of
the result; a cosine transform of which frequencies 1–16 by 1–16 are kept; one bit each, set when the coefficient
is above the median of the 256.

Filter and sampling are linear and separable, so both are one 64 × n matrix for each side: no full-size buffer is
ever filtered. Larger pictures are shrunk by whole factors to 512 pixels or more a side first; the matrix is the
full-size one summed over the pixels that became one, so that the hash stays the one that tools without shrinking
(such as HMA) give, and a copy of another size is not compared with a shifted sampling.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from countenance.imaging.picture import Drawing, as_image

if TYPE_CHECKING:
    from PIL.Image import Image

SAME_PICTURE_BITS = 31
"""Hashes at most this many bits apart are of one picture: the confident-match threshold of ThreatExchange
(`PDQ_CONFIDENT_MATCH_THRESHOLD` in python-threatexchange, and the PDQ paper's recommendation of about 30)."""

SAME_PICTURE_QUALITY = 50
"""Hashes of lower quality (flat pictures) say nothing: ThreatExchange discards what is at or below 49."""

DIHEDRAL = (
    "upright",
    "mirrored",
    "flipped",
    "half-turn",
    "transposed",
    "quarter-left",
    "quarter-right",
    "antitransposed",
)
"""What :func:`pdq_dihedral` returns, in order. `mirrored` has left and right exchanged, `flipped` top and bottom,
`quarter-left` is turned by 90° against the clock."""

_SIDE = 64
_KEPT = 16
_SHRINK_TO = 512
_SIGN = np.where(np.arange(_KEPT) % 2 == 0, -1.0, 1.0)  # index 0 is frequency 1, which is odd
_STRIP_PIXELS = 1 << 18
_LEAST_SIDE = 5  # the reference gives smaller pictures an empty hash of quality 0


@dataclass(frozen=True, slots=True)
class PictureHash:
    """`bits` is 32 bytes, in the order of the hexadecimal form that others exchange; `quality` 0–100 says how much
    structure the picture had."""

    bits: bytes
    quality: int

    def __post_init__(self) -> None:
        if len(self.bits) != 32:
            raise ValueError("a PDQ hash has 32 bytes")

    @property
    def hex(self) -> str:
        """64 hexadecimal digits, as in other PDQ tools."""
        return self.bits.hex()


def pdq(pixels: Drawing) -> PictureHash:
    """The hash of an RGB picture.

    A picture of fewer than 5 pixels a side has an empty hash of quality 0. Agrees with the reference to a few bits;
    the differences come from shrinking first and from rounding.
    """
    grid = _grid(pixels)
    if grid is None:
        return PictureHash(bytes(32), 0)
    return PictureHash(_bits(_transform(grid)), _quality(grid))


def pdq_mirrored(pixels: Drawing) -> tuple[PictureHash, PictureHash]:
    """The hashes of the picture and of its mirror image: the first two of `pdq_dihedral`, for one transform."""
    grid = _grid(pixels)
    if grid is None:
        return (PictureHash(bytes(32), 0),) * 2
    kept = _transform(grid)
    quality = _quality(grid)
    return PictureHash(_bits(kept), quality), PictureHash(_bits(kept * _SIGN), quality)


def pdq_dihedral(pixels: Drawing) -> tuple[PictureHash, ...]:
    """The hashes of the picture's eight turned and mirrored copies, in the order of :data:`DIHEDRAL`.

    They cost one transform: mirroring changes the sign of the odd frequencies, transposing exchanges the axes.
    """
    grid = _grid(pixels)
    if grid is None:
        return (PictureHash(bytes(32), 0),) * len(DIHEDRAL)
    kept = _transform(grid)
    quality = _quality(grid)
    across, down = _SIGN[None, :], _SIGN[:, None]
    turned = kept.T
    variants = (
        kept,
        kept * across,
        kept * down,
        kept * across * down,
        turned,
        turned * down,
        turned * across,
        turned * across * down,
    )
    return tuple(PictureHash(_bits(variant), quality) for variant in variants)


def distance(a: PictureHash, b: PictureHash) -> int:
    """How many of the 256 bits differ. Pictures that have nothing in common are about 128 apart."""
    return (int.from_bytes(a.bits) ^ int.from_bytes(b.bits)).bit_count()


def distances(one: PictureHash, many: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Bits between one hash and each row of an (n, 32) uint8 array: (n,) uint16."""
    words = np.ascontiguousarray(many).view(np.uint64).reshape(-1, 4)
    probe = np.frombuffer(one.bits, dtype=np.uint64)
    counts = np.bitwise_count(words ^ probe)  # (n, 4) uint8, at most 64 each: two of them still fit in 8 bits
    halves = counts[:, :2] + counts[:, 2:]
    return np.asarray(np.add(halves[:, 0], halves[:, 1], dtype=np.uint16), dtype=np.uint16)


def same_picture(a: PictureHash, b: PictureHash, *, digests: tuple[bytes, bytes] | None = None) -> bool:
    """Whether two files show one picture.

    Yes when their bytes are the same (pass both files' SHA-256 as `digests`), or when the hashes are at most
    :data:`SAME_PICTURE_BITS` apart and both pictures had structure enough (:data:`SAME_PICTURE_QUALITY`) for the
    hashes to mean anything. For mirrored or turned copies compare `a` with each of :func:`pdq_dihedral` of the other.
    """
    if digests is not None and digests[0] == digests[1]:
        return True
    return min(a.quality, b.quality) >= SAME_PICTURE_QUALITY and distance(a, b) <= SAME_PICTURE_BITS


def same_picture_any(a: PictureHash, variants: Iterable[PictureHash]) -> bool:
    """Whether `a` shows the picture of any of these variants, such as those of :func:`pdq_dihedral`."""
    return any(same_picture(a, variant) for variant in variants)


def _grid(pixels: Drawing) -> NDArray[np.float32] | None:
    """64 × 64 filtered luminance 0–255, or None when the picture is too small."""
    width, height = pixels.shape[1::-1] if isinstance(pixels, np.ndarray) else pixels.size
    if min(height, width) < _LEAST_SIDE:
        return None
    across, down = max(1, width // _SHRINK_TO), max(1, height // _SHRINK_TO)
    luma = _luma(pixels, across, down)
    if luma.shape == (_SIDE, _SIDE):  # the reference takes a picture of this size as it is
        return luma
    return _sampled(_sampled(luma, height, down).T, width, across).T


def _luma(pixels: Drawing, across: int, down: int) -> NDArray[np.float32]:
    """Luminance 0–255, each value the mean of `down` × `across` pixels (fewer at the lower and right edges).

    Pillow's luminance has the reference's weights (ITU-R BT.601) and is rounded to whole grey levels. An array is taken
    in strips, whose memory is used again: for large pictures that is most of the speed.
    """
    if not isinstance(pixels, np.ndarray):
        return _shrunk(pixels, across, down)
    height, width = pixels.shape[:2]
    rows = max(1, _STRIP_PIXELS // (width * down)) * down
    return np.concatenate([_shrunk(as_image(pixels[top : top + rows]), across, down) for top in range(0, height, rows)])


def _shrunk(image: Image, across: int, down: int) -> NDArray[np.float32]:
    grey = image.convert("L")
    if (across, down) != (1, 1):
        grey = grey.reduce((across, down))
    return np.asarray(grey, dtype=np.float32)


@lru_cache(maxsize=32)
def _sampling(length: int, factor: int) -> NDArray[np.float32]:
    """The matrix that box-filters a line of this length twice and takes 64 samples, for a line shrunk by `factor`.

    64 × ⌈length / factor⌉ float32. Each row sums to one.
    """
    window = (length + 2 * _SIDE - 1) // (2 * _SIDE)
    ahead = (window + 2) // 2  # an even window reaches one further ahead than behind
    behind = window - ahead
    at = np.arange(length)
    low = np.maximum(at - behind, 0)
    high = np.minimum(at + ahead, length)  # a window is cut at the ends and averages what is left of it
    share = 1.0 / (high - low)
    steps = np.zeros((_SIDE, length + 1))
    for row in range(_SIDE):
        centre = math.floor((row + 0.5) * length / _SIDE)
        inner = slice(low[centre], high[centre])
        weight = share[inner] * share[centre]
        np.add.at(steps[row], low[inner], weight)
        np.subtract.at(steps[row], high[inner], weight)
    weights = np.cumsum(steps, axis=1)[:, :length]
    return np.asarray(np.add.reduceat(weights, np.arange(0, length, factor), axis=1), dtype=np.float32)


def _sampled(lines: NDArray[np.float32], length: int, factor: int) -> NDArray[np.float32]:
    """64 filtered samples down each column: the sampling matrix times `lines`, without most of its zeros."""
    return np.concatenate([part @ lines[inner] for inner, part in _parts(length, factor)])


@lru_cache(maxsize=32)
def _parts(length: int, factor: int) -> list[tuple[slice, NDArray[np.float32]]]:
    """The sampling matrix, eight rows at a time: the columns that they need, and what stands there."""
    parts = []
    for rows in np.split(_sampling(length, factor), 8):
        used = np.flatnonzero(rows.any(axis=0))
        inner = slice(int(used[0]), int(used[-1]) + 1)
        parts.append((inner, np.ascontiguousarray(rows[:, inner])))
    return parts


@lru_cache(maxsize=1)
def _cosines() -> NDArray[np.float32]:
    """The 16 × 64 part of the orthonormal cosine transform (DCT-II) for frequencies 1 to 16."""
    frequency = np.arange(1, _KEPT + 1)[:, None]
    place = 2 * np.arange(_SIDE)[None, :] + 1
    matrix: NDArray[np.float64] = math.sqrt(2 / _SIDE) * np.cos(math.pi / (2 * _SIDE) * frequency * place)
    return matrix.astype(np.float32)


def _transform(grid: NDArray[np.float32]) -> NDArray[np.float32]:
    cosines = _cosines()
    return np.asarray(cosines @ grid @ cosines.T, dtype=np.float32)


def _bits(kept: NDArray[np.floating]) -> bytes:
    flat = kept.ravel()
    lower_median = np.partition(flat, flat.size // 2 - 1)[flat.size // 2 - 1]
    return np.packbits(flat[::-1] > lower_median).tobytes()


def _quality(grid: NDArray[np.float32]) -> int:
    """Sum of the significant steps between neighbouring samples (in whole hundredths of the range), over 90."""
    total = 0
    for axis in (0, 1):
        total += int(np.abs(np.trunc(np.diff(grid, axis=axis) * (100 / 255))).sum())
    return min(100, total // 90)
