"""The picture hash against figures of the reference implementation, and what it is for: copies near, others far."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from countenance.imaging.pdq import (
    DIHEDRAL,
    SAME_PICTURE_BITS,
    PictureHash,
    distance,
    distances,
    pdq,
    pdq_dihedral,
    same_picture,
    same_picture_any,
)

Pixels = NDArray[np.uint8]


@lru_cache
def blobs(seed: int, width: int, height: int, contrast: float = 1.0) -> Pixels:
    """Sixty light and dark spots whose places and sizes follow from the seed alone."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = x / width, y / height
    level = np.zeros_like(x)
    for n in range(1, 61):
        across, down, size = (
            1000 * np.sin(seed * a + n * b) % 1 for a, b in ((12.9, 78.2), (39.3, 11.1), (73.1, 52.2))
        )
        reach = 0.02 + 0.08 * size
        # A spot is the product of what it is across and down: cheap for large pictures.
        row = np.exp(-((x[0] - across) ** 2) / (2 * reach * reach))
        column = np.exp(-((y[:, 0] - down) ** 2) / (2 * reach * reach))
        level += (-1) ** n * np.outer(column, row)
    level = (level * contrast / 2 + 0.5).clip(0, 1)
    return np.stack([level * 255, level * 200 + 20, 255 - level * 60], axis=-1).round().astype(np.uint8)


# Made with pdqhash 0.2.8, which wraps ThreatExchange's C++: seed, width, height, contrast → hash,
# quality.
REFERENCE = [
    (1, 480, 360, 1.0, "020f8a9b95dda71e4b26675699932dda29d88f54bec69a2f64657ce4aa31b8a0", 100),
    (2, 360, 480, 0.3, "62c8c66526562133f3706d1b9f3ca1a7e6e63606619343eb21af731ea636de60", 69),
    (3, 1601, 1203, 0.2, "92756308d24e1cf76a51d34c6e922b737f70d6c808e7bb727770a23d604fa423", 30),
    (4, 1030, 2050, 0.1, "c61931e39cf61f4b30dccede60f60fda63608816f31603339923d48dd02e5eed", 4),
    (5, 96, 130, 1.0, "0beb666202f8c0b9073cc80dd058b8675dcd95273f096dd9b3f4682cebea8a9b", 100),
    (6, 64, 64, 0.4, "ee03c47ba6727543c0bf6e1f580946ec0b7b4c6757f81b8be0b40acd192fa11c", 98),
    (7, 250, 250, 0.15, "57267f932f5dc9595849db44aa69b2f00e4b261b7c21d5921dcab8c5a8b365a6", 16),
]


@pytest.mark.parametrize(("seed", "width", "height", "contrast", "expected", "quality"), REFERENCE)
def test_the_reference_gives_nearly_the_same_bits(
    seed: int, width: int, height: int, contrast: float, expected: str, quality: int
) -> None:
    """Nearly: luminance is rounded here, and large pictures are shrunk first."""
    ours = pdq(blobs(seed, width, height, contrast))
    assert distance(ours, PictureHash(bytes.fromhex(expected), quality)) <= 6
    assert abs(ours.quality - quality) <= 2
    assert ours.hex == ours.bits.hex()


def test_half_of_the_bits_are_set() -> None:
    assert sum(byte.bit_count() for byte in pdq(blobs(1, 300, 200)).bits) == 128


def jpeg(image: Image.Image, quality: int = 40) -> Image.Image:
    target = io.BytesIO()
    image.save(target, "JPEG", quality=quality)
    return Image.open(target)


EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "encoded again": jpeg,
    "smaller": lambda image: image.resize((image.width // 4, image.height // 4)),
    "larger": lambda image: image.resize((image.width * 2, image.height * 2)),
    "square": lambda image: image.resize((512, 512)),
    "cropped a little": lambda image: image.crop((3, 2, image.width - 2, image.height - 3)),
    "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(4)),
    "grey": lambda image: image.convert("L"),
    "darker": lambda image: image.point(lambda value: value * 0.7),
}


@pytest.mark.parametrize("edit", list(EDITS))
@pytest.mark.parametrize("seed", [1, 2])
def test_a_copy_is_near(edit: str, seed: int) -> None:
    pixels = blobs(seed, 480, 360)
    copy = np.asarray(EDITS[edit](Image.fromarray(pixels)).convert("RGB"))
    assert distance(pdq(pixels), pdq(copy)) <= SAME_PICTURE_BITS


def test_other_pictures_are_far() -> None:
    hashes = [pdq(blobs(seed, 320, 240)) for seed in range(1, 13)]
    assert min(distance(a, b) for n, a in enumerate(hashes) for b in hashes[:n]) > 60


def test_what_shows_nothing_has_no_quality() -> None:
    for value in (0, 128, 255):
        assert pdq(np.full((200, 300, 3), value, dtype=np.uint8)).quality == 0
    faint = (blobs(1, 300, 200) // 64 + 100).astype(np.uint8)
    assert pdq(faint).quality < 10 < 50 < pdq(blobs(1, 300, 200)).quality


def test_quality_stays_within_its_range() -> None:
    chequered = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    assert pdq(np.repeat(chequered[..., None], 3, axis=2)).quality == 100


@pytest.mark.parametrize("shape", [(4, 100, 3), (100, 4, 3), (1, 1, 3)])
def test_a_picture_of_a_few_pixels_has_an_empty_hash(shape: tuple[int, int, int]) -> None:
    assert pdq(np.zeros(shape, dtype=np.uint8)) == PictureHash(bytes(32), 0)
    assert set(pdq_dihedral(np.zeros(shape, dtype=np.uint8))) == {PictureHash(bytes(32), 0)}


@pytest.mark.parametrize("shape", [(5, 5), (10, 2000), (2000, 10), (64, 64), (63, 65), (1024, 513)])
def test_any_shape_is_hashed(shape: tuple[int, int]) -> None:
    assert len(pdq(blobs(3, shape[1], shape[0])).bits) == 32


TURNS: dict[str, Callable[[Pixels], Pixels]] = {
    "upright": lambda p: p,
    "mirrored": lambda p: p[:, ::-1],
    "flipped": lambda p: p[::-1],
    "half-turn": lambda p: p[::-1, ::-1],
    "transposed": lambda p: p.transpose(1, 0, 2),
    "quarter-left": lambda p: np.rot90(p, 1),
    "quarter-right": lambda p: np.rot90(p, -1),
    "antitransposed": lambda p: p.transpose(1, 0, 2)[::-1, ::-1],
}


@pytest.mark.parametrize("turn", list(TURNS))
@pytest.mark.parametrize("seed", [1, 2])
def test_a_turned_or_mirrored_copy_is_the_variant_of_that_name(turn: str, seed: int) -> None:
    pixels = blobs(seed, 512, 512)
    turned = pdq(np.ascontiguousarray(TURNS[turn](pixels)))
    away = [distance(turned, variant) for variant in pdq_dihedral(pixels)]
    assert DIHEDRAL[int(np.argmin(away))] == turn
    assert min(away) <= 24
    assert sorted(away)[1] > 60
    assert same_picture_any(turned, pdq_dihedral(pixels))
    assert same_picture(pdq(pixels), turned) == (turn == "upright")


def test_the_first_variant_is_the_hash_itself() -> None:
    assert pdq_dihedral(blobs(2, 300, 200))[0] == pdq(blobs(2, 300, 200))


def flipped(bits: bytes, how_many: int) -> bytes:
    return (int.from_bytes(bits) ^ ((1 << how_many) - 1)).to_bytes(32)


def test_one_picture_up_to_the_threshold_and_no_further() -> None:
    bits = pdq(blobs(1, 300, 200)).bits
    a = PictureHash(bits, 80)
    assert SAME_PICTURE_BITS == 31
    assert same_picture(a, PictureHash(flipped(bits, 31), 80))
    assert not same_picture(a, PictureHash(flipped(bits, 32), 80))


def test_flat_pictures_are_one_only_when_their_bytes_are() -> None:
    a, flat = PictureHash(bytes(32), 50), PictureHash(bytes(32), 49)
    assert same_picture(a, a)
    assert not same_picture(a, flat)
    assert not same_picture(flat, a)
    assert same_picture(flat, flat, digests=(b"one", b"one"))
    assert not same_picture(flat, flat, digests=(b"one", b"other"))


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_distance_is_a_distance(a: bytes, b: bytes, c: bytes) -> None:
    x, y, z = (PictureHash(bits, 100) for bits in (a, b, c))
    assert distance(x, x) == 0
    assert distance(x, y) == distance(y, x) == sum((m ^ n).bit_count() for m, n in zip(a, b, strict=True))
    assert distance(x, z) <= distance(x, y) + distance(y, z)
    rows = np.frombuffer(a + b + c, dtype=np.uint8).reshape(3, 32)
    assert distances(x, rows).tolist() == [0, distance(x, y), distance(x, z)]


def test_all_256_bits_count() -> None:
    rows = np.array([[0] * 32, [255] * 32], dtype=np.uint8)
    assert distances(PictureHash(bytes(32), 100), rows).tolist() == [0, 256]


def test_a_hash_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32"):
        PictureHash(bytes(31), 100)
