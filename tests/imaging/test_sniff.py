from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countenance.imaging.sniff import HEAD_BYTES, Format, sniff


def test_every_sample_is_recognised_by_its_content(sample: tuple[str, bytes]) -> None:
    name, data = sample
    assert sniff(data[:HEAD_BYTES]) is Format[name.split("-")[0].upper()]


def test_heic_is_told_from_avif_by_its_brands(heic: bytes, samples: dict[str, bytes]) -> None:
    assert sniff(heic) is Format.HEIC
    assert sniff(samples["avif"]) is Format.AVIF
    either = b"\0\0\0\x1cftypmif1\0\0\0\0mif1miaf"
    assert sniff(either + b"avif") is Format.AVIF
    assert sniff(either + b"heic") is Format.HEIC


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF88a",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"BM and other words",
        b"RIFF\0\0\0\0WAVEfmt ",
        b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
        b"\xff\xd8",
        b"PK\x03\x04",
    ],
)
def test_other_content_is_no_picture(data: bytes) -> None:
    assert sniff(data) is None


@given(st.binary(max_size=300))
def test_any_bytes_get_an_answer(data: bytes) -> None:
    assert sniff(data) is None or isinstance(sniff(data), Format)


def test_each_format_has_a_media_type_and_an_extension() -> None:
    assert Format.JPEG.media_type == "image/jpeg"
    assert Format.TIFF.extension == ".tif"
    assert len({format.media_type for format in Format}) == len(Format)
