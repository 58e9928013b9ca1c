from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from countenance.domain.faces import Box
from countenance.imaging.decode import decode
from countenance.imaging.limits import Limits
from countenance.imaging.thumbnail import crop, thumbnail

MakePattern = Callable[..., NDArray[np.uint8]]


def opened(data: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "JPEG"
        return np.asarray(image)


def marked(width: int, height: int, box: Box) -> NDArray[np.uint8]:
    pixels = np.full((height, width, 3), 40, dtype=np.uint8)
    pixels[int(box.y) : int(box.y + box.h), int(box.x) : int(box.x + box.w)] = 220
    return pixels


def test_the_face_is_in_the_middle_with_its_margin() -> None:
    box = Box(300, 200, 80, 100)
    face = opened(crop(marked(800, 600, box), box, margin=0.5, size=200))
    assert face.shape == (200, 200, 3)
    light = face.mean(axis=2) > 130
    assert np.flatnonzero(light.any(axis=0))[[0, -1]].tolist() == pytest.approx([60, 139], abs=2)
    assert np.flatnonzero(light.any(axis=1))[[0, -1]].tolist() == pytest.approx([50, 149], abs=2)


def test_the_box_is_of_the_full_size_picture() -> None:
    box = Box(300, 200, 100, 100)
    large = marked(800, 600, box)
    small = np.asarray(Image.fromarray(large).reduce(2))
    a, b = opened(crop(large, box, size=80)), opened(crop(small, box, size=80, scale=2.0))
    assert a.shape == b.shape == (80, 80, 3)
    assert np.abs(a.astype(int) - b.astype(int)).mean() < 6


def test_it_is_shrunk_but_never_enlarged(make_pattern: MakePattern) -> None:
    pixels = make_pattern(400, 400)
    assert opened(crop(pixels, Box(150, 150, 100, 100), margin=0.25, size=64)).shape == (64, 64, 3)
    assert opened(crop(pixels, Box(150, 150, 100, 100), margin=0.25, size=999)).shape == (150, 150, 3)


@pytest.mark.parametrize("box", [Box(-20, -20, 60, 60), Box(370, 270, 60, 60), Box(0, 250, 50, 50)])
def test_at_the_edge_the_square_is_moved_inside(box: Box, make_pattern: MakePattern) -> None:
    face = opened(crop(make_pattern(400, 300), box, margin=0.5, size=500))
    assert face.shape[0] == face.shape[1]


def test_a_face_that_fills_the_picture_is_cut_at_its_edges(make_pattern: MakePattern) -> None:
    assert opened(crop(make_pattern(100, 80), Box(0, 0, 100, 80))).shape == (80, 100, 3)


@pytest.mark.parametrize("box", [Box(500, 10, 20, 20), Box(10, -200, 20, 20)])
def test_a_box_outside_is_an_error(box: Box, make_pattern: MakePattern) -> None:
    with pytest.raises(ValueError, match="outside"):
        crop(make_pattern(100, 80), box)


def test_a_thumbnail_keeps_the_proportions(make_pattern: MakePattern) -> None:
    assert opened(thumbnail(make_pattern(1600, 900), 160)).shape == (90, 160, 3)
    assert opened(thumbnail(make_pattern(90, 160), 640)).shape == (160, 90, 3)
    assert opened(thumbnail(make_pattern(2000, 10), 100)).shape == (1, 100, 3)
    small = np.asarray(Image.fromarray(make_pattern(1600, 900)).resize((160, 90)))
    assert np.abs(opened(thumbnail(make_pattern(1600, 900), 160)).astype(int) - small.astype(int)).mean() < 3


def test_the_same_pixels_give_the_same_bytes(make_pattern: MakePattern) -> None:
    assert thumbnail(make_pattern(), 64) == thumbnail(make_pattern(), 64)
    assert crop(make_pattern(), Box(20, 20, 40, 40)) == crop(make_pattern(), Box(20, 20, 40, 40))


def test_nothing_of_the_original_but_its_pixels_is_in_it(
    make_pattern: MakePattern, make_file: Callable[..., bytes]
) -> None:
    exif = Image.Exif()
    exif[0x010F] = "MakerOfTheCamera"
    original = make_file(make_pattern(), "JPEG", exif=exif.tobytes(), comment=b"SecretComment")
    assert b"MakerOfTheCamera" in original
    drawing = decode(original, Limits()).drawing
    assert getattr(drawing, "info", {}) == {}, "a comment would go with every part that is cut out"
    with Image.open(io.BytesIO(original)) as raw:
        raw.load()
        assert "comment" in raw.info
        # What is cut out is clean even of a picture that is not.
        made = [cut for one in (drawing, raw) for cut in (thumbnail(one, 64), crop(one, Box(20, 20, 40, 40)))]
    for data in made:
        with Image.open(io.BytesIO(data)) as image:
            assert dict(image.getexif()) == {}
            assert not {"exif", "comment", "icc_profile", "xmp", "photoshop"} & set(image.info)
        assert b"Exif" not in data
        assert b"Secret" not in data
