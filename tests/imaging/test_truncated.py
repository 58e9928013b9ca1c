"""Half a picture is refused, not filled up with grey."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from countenance.domain.errors import UnreadableImage
from countenance.imaging.decode import decode
from countenance.imaging.limits import Limits

MakePattern = Callable[..., NDArray[np.uint8]]
MakeFile = Callable[..., bytes]


def test_a_file_cut_anywhere_is_refused_or_lacks_nothing(sample: tuple[str, bytes], limits: Limits) -> None:
    """What is cut behind the last pixel (a trailing marker, a second frame) may still be read, and is then the same."""
    name, data = sample
    whole = decode(data, limits).pixels
    reasons: Counter[str] = Counter()
    step = max(1, len(data) // 80)
    for end in sorted({*range(1, len(data), step), *range(len(data) - 20, len(data)), len(data) // 2}):
        try:
            picture = decode(data[:end], limits)
        except UnreadableImage as error:
            reasons[error.reason] += 1
        else:
            assert np.array_equal(picture.pixels, whole), end
    assert set(reasons) <= {"truncated", "not-an-image"}, name
    assert reasons["truncated"] > 5


@pytest.mark.parametrize("name", ["jpeg", "jpeg-progressive", "jpeg-grey", "jpeg-cmyk", "png", "webp", "gif", "avif"])
def test_half_a_file_is_truncated(name: str, samples: dict[str, bytes], limits: Limits) -> None:
    data = samples[name]
    with pytest.raises(UnreadableImage) as caught:
        decode(data[: len(data) // 2], limits)
    assert caught.value.reason == "truncated"


@pytest.mark.parametrize("name", ["jpeg", "jpeg-progressive", "jpeg-grey", "jpeg-cmyk"])
@pytest.mark.parametrize("side", [None, 64, 16])
@pytest.mark.parametrize("part", [0.4, 0.5, 0.7])
def test_half_a_jpeg_with_an_end_marker_put_on_is_refused(
    name: str, side: int | None, part: float, samples: dict[str, bytes], limits: Limits
) -> None:
    """libjpeg reads such a file to the end without an error, its lower part grey."""
    data = samples[name]
    begun = data.index(b"\xff\xda")
    cut = begun + int((len(data) - begun) * part)
    with pytest.raises(UnreadableImage) as caught:
        decode(data[:cut].rstrip(b"\xff") + b"\xff\xd9", limits, side=side)
    assert caught.value.reason == "truncated"


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("side", [None, 20])
def test_a_picture_that_is_grey_itself_is_not_taken_for_a_cut_one(
    mode: str, progressive: bool, side: int | None, limits: Limits, make_pattern: MakePattern, make_file: MakeFile
) -> None:
    pixels = make_pattern(160, 160)
    pixels[64:] = 128
    image = Image.fromarray(pixels).convert(mode)
    picture = decode(make_file(image, "JPEG", progressive=progressive), limits, side=side)
    assert picture.pixels[-1, -1].tolist() == [128, 128, 128]


def test_bytes_behind_the_end_do_no_harm(samples: dict[str, bytes], limits: Limits) -> None:
    """As in motion photographs, which carry a film behind the picture."""
    for name in ("jpeg", "jpeg-progressive", "png", "gif"):
        data = samples[name]
        longer = data + bytes(range(256)) * 40 + b"\xff\xda\xff\xd8"
        assert np.array_equal(decode(longer, limits).pixels, decode(data, limits).pixels)


def test_damage_inside_is_named_as_damage(samples: dict[str, bytes], limits: Limits) -> None:
    png = bytearray(samples["png"])
    at = png.index(b"IDAT") + 40
    png[at] ^= 0xFF
    with pytest.raises(UnreadableImage) as caught:
        decode(bytes(png), limits)
    assert caught.value.reason == "corrupt"
