"""Every format, mode and orientation comes out as the same upright RGB."""

from __future__ import annotations

import importlib.util
import io
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from countenance.domain.errors import UnreadableImage
from countenance.imaging.decode import decode
from countenance.imaging.limits import Limits
from countenance.imaging.sniff import Format

MakePattern = Callable[..., NDArray[np.uint8]]
MakeFile = Callable[..., bytes]

FRAMES = {"png-animated": 3, "webp-animated": 3, "gif-animated": 3, "tiff-pages": 3}


def difference(a: NDArray[Any], b: NDArray[Any]) -> float:
    return float(np.abs(a.astype(float) - b.astype(float)).mean())


def test_every_format_gives_the_picture_back(
    sample: tuple[str, bytes], limits: Limits, make_pattern: MakePattern
) -> None:
    name, data = sample
    picture = decode(data, limits)
    expected = make_pattern()
    if name == "png-16":
        expected = np.repeat(expected[..., :1], 3, axis=2)
    elif name == "jpeg-grey":
        expected = np.repeat(np.asarray(Image.fromarray(expected).convert("L"))[..., None], 3, axis=2)
    elif name == "png-alpha":
        expected = np.rint(expected * (200 / 255) + 255 * (55 / 255)).astype(np.uint8)
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.flags.writeable
    assert picture.pixels.flags.c_contiguous
    assert (picture.width, picture.height, picture.scale) == (128, 96, 1.0)
    assert picture.format is Format[name.split("-")[0].upper()]
    assert picture.frames == FRAMES.get(name, 1)
    assert picture.taken is None
    if "palette" in name or name.startswith("gif"):
        allowed = 12.0  # 64 colours
    elif name.startswith(("jpeg", "webp", "avif")) and "lossless" not in name:
        allowed = 6.0
    else:
        allowed = 0.6
    assert difference(picture.pixels, expected) <= allowed


TURNED: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    # How a picture is stored whose EXIF says this orientation: row 0 and column 0 per TIFF 6.0, tag 274.
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.transpose(1, 0, 2),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: upright.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda upright: np.rot90(upright, -1),
}


@pytest.mark.parametrize("orientation", sorted(TURNED))
@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP", "JPEG"])
@pytest.mark.parametrize("side", [None, 20])
def test_orientation_is_applied(
    orientation: int,
    format: str,
    side: int | None,
    limits: Limits,
    make_pattern: MakePattern,
    make_file: MakeFile,
) -> None:
    upright = make_pattern(80, 48)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 98, "subsampling": 0}}.get(format, {})
    stored = np.ascontiguousarray(TURNED[orientation](upright))
    picture = decode(make_file(stored, format, exif=exif.tobytes(), **options), limits, side=side)
    assert (picture.width, picture.height) == (80, 48)
    assert picture.scale == (1.0 if side is None else 4.0)
    expected = upright if side is None else np.asarray(Image.fromarray(upright).reduce(4))
    assert picture.pixels.shape == expected.shape
    assert difference(picture.pixels, expected) < 2


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_impossible_orientation_is_ignored(
    orientation: int, limits: Limits, make_pattern: MakePattern, make_file: MakeFile
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = decode(make_file(make_pattern(), "PNG", exif=exif.tobytes()), limits)
    assert difference(picture.pixels, make_pattern()) == 0


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({0x9003: "2021:05:06 07:08:09"}, datetime(2021, 5, 6, 7, 8, 9, tzinfo=UTC)),
        ({0x9003: "2021:05:06 07:08:09", 0x9011: "+02:30"}, datetime(2021, 5, 6, 4, 38, 9, tzinfo=UTC)),
        ({0x9003: "2021:01:01 00:08:09", 0x9011: "-01:00"}, datetime(2021, 1, 1, 1, 8, 9, tzinfo=UTC)),
        ({0x9004: "2020:01:02 03:04:05"}, datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ({0x9003: "2021:05:06 07:08:09", 0x9004: "2020:01:02 03:04:05"}, datetime(2021, 5, 6, 7, 8, 9, tzinfo=UTC)),
        ({0x9003: "0000:00:00 00:00:00"}, None),
        ({0x9003: "0001:01:01 00:00:00", 0x9011: "+14:00"}, None),
        ({0x9003: "2021:13:41 07:08:09"}, None),
        ({0x9003: "yesterday"}, None),
        ({}, None),
    ],
)
def test_when_it_was_taken(
    tags: dict[int, str], expected: datetime | None, limits: Limits, make_pattern: MakePattern, make_file: MakeFile
) -> None:
    exif = Image.Exif()
    exif[0x0132] = "1999:01:01 00:00:00"  # the time of an edit, which is not asked for
    exif.get_ifd(0x8769).update(tags)
    picture = decode(make_file(make_pattern(), "JPEG", exif=exif.tobytes()), limits)
    assert picture.taken == expected
    if picture.taken:
        assert picture.taken.tzinfo is UTC


def test_damaged_exif_does_not_cost_the_picture(limits: Limits, make_pattern: MakePattern, make_file: MakeFile) -> None:
    data = make_file(make_pattern(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff" + b"\xff" * 40)
    assert decode(data, limits).taken is None


def test_cmyk_as_adobe_writes_it_inverted(limits: Limits, make_file: MakeFile) -> None:
    red = Image.new("CMYK", (64, 64), (0, 255, 255, 0))
    assert difference(decode(make_file(red, "JPEG"), limits).pixels, np.array([255, 0, 0])) < 3
    assert difference(decode(make_file(red, "TIFF"), limits).pixels, np.array([255, 0, 0])) == 0


def test_ycck(limits: Limits, make_pattern: MakePattern, make_file: MakeFile) -> None:
    """Made from a CMYK file: components that hold Y, Cb, Cr (of the inks, as Photoshop has it) and K, and an Adobe
    marker that says so."""
    wanted = make_pattern()
    inks = np.asarray(Image.fromarray(255 - wanted).convert("YCbCr"))
    planes = [*(255 - np.moveaxis(inks, 2, 0)), np.zeros_like(inks[..., 0])]  # the encoder inverts them again
    data = make_file(Image.merge("CMYK", [Image.fromarray(plane) for plane in planes]), "JPEG", quality=95)
    at = data.index(b"Adobe") + 11
    assert data[at] == 0
    assert difference(decode(data[:at] + b"\x02" + data[at + 1 :], limits).pixels, wanted) < 4


def test_sixteen_bits_are_scaled_and_not_clipped(limits: Limits, make_file: MakeFile) -> None:
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (32, 1))
    expected = np.arange(256)
    for format in ("PNG", "TIFF"):
        grey = decode(make_file(ramp, format), limits).pixels
        assert np.abs(grey[0].astype(int) - expected[:, None]).max() <= 1


def test_twelve_bits_use_their_own_range(limits: Limits, make_file: MakeFile) -> None:
    ramp = np.tile(np.linspace(0, 4095, 256).astype(np.uint16), (32, 1))
    data = bytearray(make_file(ramp, "TIFF"))
    # BitsPerSample (258), a SHORT, count 1: say 12 bits and let the strip hold packed pairs.
    at = data.index(b"\x02\x01\x03\x00\x01\x00\x00\x00\x10\x00")
    data[at + 8] = 12
    with Image.open(io.BytesIO(make_file(ramp, "TIFF"))) as plain:
        start = plain.tag_v2[273][0]
    first, second = ramp.reshape(-1, 2).T.astype(np.uint32)
    packed = np.stack([first >> 4, ((first & 15) << 4) | (second >> 8), second & 255], axis=1).astype(np.uint8)
    data[start : start + packed.size] = packed.tobytes()
    grey = decode(bytes(data), limits).pixels
    assert np.abs(grey[0].astype(int) - np.arange(256)[:, None]).max() <= 1


@pytest.mark.parametrize(
    ("low", "high", "black", "white"),
    [(0.0, 1.0, 0, 255), (0.0, 255.0, 0, 255), (0.0, 65535.0, 0, 255), (-3.0, 5.0, 0, 255), (0.25, 0.5, 64, 128)],
)
def test_floats_are_scaled_from_their_range(
    low: float, high: float, black: int, white: int, limits: Limits, make_file: MakeFile
) -> None:
    ramp = np.tile(np.linspace(low, high, 64, dtype=np.float32), (16, 1))
    row = decode(make_file(ramp, "TIFF"), limits).pixels[0, :, 0].astype(int)
    assert abs(row[0] - black) <= 1
    assert abs(row[-1] - white) <= 1
    assert (np.diff(row) >= 0).all()
    assert len(set(row)) > 40


def test_what_is_no_number_is_black(limits: Limits, make_file: MakeFile) -> None:
    values = np.full((16, 16), 0.5, dtype=np.float32)
    values[0, 0] = np.nan
    pixels = decode(make_file(values, "TIFF"), limits).pixels
    assert pixels[0, 0].tolist() == [0, 0, 0]
    assert pixels[5, 5].tolist() == [128, 128, 128]


def test_wide_integers_are_scaled(limits: Limits, make_file: MakeFile) -> None:
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.int32), (16, 1))
    row = decode(make_file(ramp, "TIFF"), limits).pixels[0, :, 0]
    assert (int(row[0]), int(row[-1])) == (0, 255)


def test_transparent_pixels_are_white(limits: Limits, make_file: MakeFile) -> None:
    clear = Image.new("RGBA", (32, 32), (10, 20, 30, 0))
    assert (decode(make_file(clear, "PNG"), limits).pixels == 255).all()
    grey = Image.new("LA", (32, 32), (10, 0))
    assert (decode(make_file(grey, "PNG"), limits).pixels == 255).all()
    keyed = Image.new("RGB", (32, 32), (10, 20, 30))
    assert (decode(make_file(keyed, "PNG", transparency=(10, 20, 30)), limits).pixels == 255).all()
    palette = Image.new("P", (32, 32), 3)
    palette.putpalette([9] * 30)
    assert (decode(make_file(palette, "PNG", transparency=3), limits).pixels == 255).all()


def test_one_bit(limits: Limits, make_file: MakeFile) -> None:
    bits = Image.new("1", (32, 32), 1)
    bits.putpixel((0, 0), 0)
    pixels = decode(make_file(bits, "PNG"), limits).pixels
    assert pixels[0, 0].tolist() == [0, 0, 0]
    assert pixels[9, 9].tolist() == [255, 255, 255]


def test_an_animation_gives_its_first_frame(limits: Limits, make_file: MakeFile) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "lime", "blue")]
    for format in ("GIF", "PNG", "WEBP", "AVIF"):
        picture = decode(make_file(frames[0], format, save_all=True, append_images=frames[1:]), limits)
        assert picture.frames == 3
        assert difference(picture.pixels, np.array([255, 0, 0])) < 8


@pytest.mark.parametrize(
    ("size", "side", "scale"),
    [
        ((1600, 1200), 1600, 1),
        ((1600, 1200), 801, 1),
        ((1600, 1200), 800, 2),
        ((1200, 1600), 800, 2),
        ((1600, 1200), 500, 3),
        ((1600, 1200), 200, 8),
        ((1601, 1203), 200, 8),
        ((1600, 1200), 100, 16),
        ((1600, 16), 100, 2),  # never so far that the shorter side vanishes
        ((100, 80), 1280, 1),
    ],
)
@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_a_large_picture_is_decoded_no_larger_than_needed(
    size: tuple[int, int],
    side: int,
    scale: int,
    format: str,
    limits: Limits,
    make_pattern: MakePattern,
    make_file: MakeFile,
) -> None:
    pixels = make_pattern(*size)
    picture = decode(make_file(pixels, format), limits, side=side)
    if format == "JPEG" and scale == 3:
        scale = 2  # a JPEG is decoded at 1/2, and what is left is less than another whole step
    assert picture.scale == scale
    assert (picture.width, picture.height) == size
    assert picture.pixels.shape == (-(-size[1] // scale), -(-size[0] // scale), 3)
    assert max(picture.pixels.shape) >= min(side, max(size))
    assert difference(picture.pixels, np.asarray(Image.fromarray(pixels).reduce(scale))) < 4


def test_a_jpeg_with_more_pictures_inside_is_still_a_jpeg(
    limits: Limits, make_pattern: MakePattern, make_file: MakeFile
) -> None:
    image = Image.fromarray(make_pattern())
    several = make_file(image, "MPO", save_all=True, append_images=[image.rotate(180)])
    picture = decode(several, limits)
    assert picture.format is Format.JPEG
    assert difference(picture.pixels, make_pattern()) < 3


def test_heic_is_decoded_upright_and_dated(heic: bytes, limits: Limits) -> None:
    picture = decode(heic, limits)
    y, x = np.mgrid[0:48, 0:64]
    stored = np.stack([x * 4, y * 5, (x + y) * 2], axis=-1)
    assert picture.format is Format.HEIC
    assert (picture.width, picture.height) == (48, 64)
    assert difference(picture.pixels, np.rot90(stored, -1)) < 12
    assert picture.taken == datetime(2021, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert decode(heic, limits, side=16).scale == 4


def test_heic_without_its_decoder_says_what_to_install(
    heic: bytes, limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    assert importlib.util.find_spec("pi_heif") is None
    with pytest.raises(UnreadableImage) as caught:
        decode(heic, limits)
    assert caught.value.reason == "unsupported"
    assert "countenance[heic]" in caught.value.advice
