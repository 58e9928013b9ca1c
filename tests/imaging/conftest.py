"""Pictures made of numbers: one pattern, in every format and mode that this layer reads."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from countenance.imaging.limits import Limits

_HEIC = """
AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAchtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAADRpbG9jAA
AAAERAAAIAAQAAAAAB7AABAAAAAAAAAGoAAgAAAAACVgABAAAAAAAAAFYAAAA4aWluZgAAAAAAAgAAABVpbmZlAgAAAAABAABodmMxAAAAABVp
bmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAABB2lwcnAAAADmaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGE
ABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkA
AAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEH
BpeGkAAAAAAwgICAAAAAlpcm90AwAAABlpcG1hAAAAAAAAAAEAAQaBAgMFhIYAAAAaaXJlZgAAAAAAAAAOY2RzYwACAAEAAQAAAMhtZGF0AAAA
ZigBrxOA9UU+FJ2bjsn2NzRWhOxSrpAa5DtRqh2be/L88OoQZRqiv8k67H1ryN+S2pcexKmcor3HHyt709oEOfBnYRdCRaGKyqWNcaXYYCH/p1
WyEbJ6vkLvdZ/wb8eUVjhMytfO7gAAAAZFeGlmAABNTQAqAAAACAACARIAAwAAAAEABgAAh2kABAAAAAEAAAAmAAAAAAABkAMAAgAAABQAAAA4
AAAAADIwMjE6MDU6MDYgMDc6MDg6MDkA
"""
"""The pattern of `heic_pattern`, 64 × 48, stored turned (EXIF orientation 6) and dated 2021-05-06 07:08:09."""


def pattern(width: int = 128, height: int = 96) -> NDArray[np.uint8]:
    """A smooth, lopsided picture: no symmetry, no flat part, every channel different."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    x, y = x / width, y / height
    red = 40 + 190 * x
    green = 200 - 150 * y + 30 * np.sin(9 * x)
    blue = 128 + 100 * np.sin(7 * x * y + 4 * y)
    return np.stack([red, green, blue], axis=-1).clip(0, 255).astype(np.uint8)


def encode(image: Image.Image | NDArray[Any], format: str, **options: Any) -> bytes:
    if not isinstance(image, Image.Image):
        image = Image.fromarray(image)
    target = io.BytesIO()
    image.save(target, format, **options)
    return target.getvalue()


def _samples() -> dict[str, bytes]:
    image = Image.fromarray(pattern())
    more = [image.rotate(90), image.rotate(180)]
    few = image.quantize(64)
    deep = pattern()[..., 0].astype(np.uint16) * 257
    layered = image.convert("RGBA")
    layered.putalpha(200)
    return {
        "jpeg": encode(image, "JPEG", quality=90),
        "jpeg-progressive": encode(image, "JPEG", progressive=True),
        "jpeg-grey": encode(image.convert("L"), "JPEG"),
        "jpeg-cmyk": encode(image.convert("CMYK"), "JPEG"),
        "png": encode(image, "PNG"),
        "png-16": encode(deep, "PNG"),
        "png-alpha": encode(layered, "PNG"),
        "png-palette": encode(few, "PNG"),
        "png-animated": encode(image, "PNG", save_all=True, append_images=more),
        "webp": encode(image, "WEBP"),
        "webp-lossless": encode(image, "WEBP", lossless=True),
        "webp-animated": encode(image, "WEBP", save_all=True, append_images=more),
        "gif": encode(few, "GIF"),
        "gif-animated": encode(few, "GIF", save_all=True, append_images=[frame.quantize(64) for frame in more]),
        "bmp": encode(image, "BMP"),
        "bmp-palette": encode(few, "BMP"),
        "tiff": encode(image, "TIFF"),
        "tiff-lzw": encode(image, "TIFF", compression="tiff_lzw"),
        "tiff-pages": encode(image, "TIFF", save_all=True, append_images=more),
        "avif": encode(image, "AVIF"),
    }


SAMPLES = _samples()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `sample` runs once for each of them, as (name, bytes)."""
    if "sample" in metafunc.fixturenames:
        metafunc.parametrize("sample", list(SAMPLES.items()), ids=list(SAMPLES))


@pytest.fixture(scope="session")
def samples() -> dict[str, bytes]:
    return SAMPLES


@pytest.fixture(scope="session")
def limits() -> Limits:
    return Limits()


@pytest.fixture(scope="session")
def make_pattern() -> Callable[..., NDArray[np.uint8]]:
    return pattern


@pytest.fixture(scope="session")
def make_file() -> Callable[..., bytes]:
    return encode


@pytest.fixture(scope="session")
def heic() -> bytes:
    return base64.b64decode(_HEIC)
