"""Whatever the bytes: a picture or UnreadableImage, never another exception, never a warning, never a crash."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from countenance.domain.errors import UnreadableImage
from countenance.imaging.decode import decode
from countenance.imaging.limits import Limits
from countenance.imaging.sniff import Format, sniff

_SMALL = Limits(max_pixels=500_000, max_draft_pixels=1_000_000, max_seconds=5)


@st.composite
def changes(draw: st.DrawFn) -> list[tuple[float, int, bytes]]:
    """Places (0–1; half of them near the beginning, where the headers are), bytes taken out, and bytes put in."""
    place = st.one_of(st.floats(0, 1, exclude_max=True), st.floats(0, 0.1))
    put = st.one_of(st.binary(max_size=8), st.sampled_from([b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\x80"]))
    return draw(st.lists(st.tuples(place, st.integers(0, 40), put), min_size=1, max_size=6))


def attempt(data: bytes, side: int | None) -> None:
    try:
        picture = decode(data, _SMALL, side=side)
    except UnreadableImage:
        return  # which cannot be made with a reason that is not one of the known
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.ndim == 3
    assert picture.pixels.shape[2] == 3
    assert min(picture.width, picture.height) >= _SMALL.min_side
    assert picture.scale >= 1
    assert 1 <= picture.frames <= _SMALL.max_frames


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=changes(), side=st.sampled_from([None, 32]))
def test_mutated_files(sample: tuple[str, bytes], changes: list[tuple[float, int, bytes]], side: int | None) -> None:
    data = bytearray(sample[1])
    for place, taken, put in changes:
        at = int(place * len(data))
        data[at : at + taken] = put
    mutated = bytes(data)
    if sniff(mutated) is not Format.HEIC:
        attempt(mutated, side)


@settings(max_examples=200, deadline=None)
@given(
    head=st.sampled_from(
        [
            b"\xff\xd8\xff",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            b"GIF89a",
            b"RIFF\xff\0\0\0WEBPVP8 ",
            b"RIFF\xff\0\0\0WEBPVP8X",
            b"II*\0\x08\0\0\0",
            b"MM\0*\0\0\0\x08",
            b"BM" + b"\0" * 12 + b"\x28\0\0\0",
            b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf",
        ]
    ),
    tail=st.binary(max_size=400),
)
def test_any_bytes_behind_a_known_beginning(head: bytes, tail: bytes) -> None:
    attempt(head + tail, None)


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=500))
def test_any_bytes(data: bytes) -> None:
    attempt(data, None)


def test_a_file_that_crashes_its_decoder_costs_only_itself(heic: bytes, limits: Limits) -> None:
    """An item type that is no text makes pi_heif (1.4) read through a null pointer: the process that decodes dies."""
    at = heic.index(b"infe", heic.index(b"infe") + 4) + 12
    assert heic[at : at + 4] == b"Exif"
    with pytest.raises(UnreadableImage) as caught:
        decode(heic[:at] + b"\xff" * 4 + heic[at + 4 :], limits)
    assert caught.value.reason == "corrupt"
    assert decode(heic, limits).width == 48


def test_a_damaged_heic_is_refused_with_its_reason(heic: bytes, limits: Limits) -> None:
    few = Limits(max_pixels=48 * 64 - 1)
    for data, allowed, reason in (
        (heic[: len(heic) // 2], limits, "truncated"),
        (heic[:40] + b"\xff" * 20 + heic[60:], limits, "corrupt"),
        (heic, few, "too-many-pixels"),
    ):
        with pytest.raises(UnreadableImage) as caught:
            decode(data, allowed)
        assert caught.value.reason == reason
