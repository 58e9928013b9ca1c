"""What is too large, too small, too slow or not a picture at all is refused, with its reason, before it costs much."""

from __future__ import annotations

import struct
import subprocess
import sys
import threading
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from countenance.domain.errors import UnreadableImage
from countenance.imaging import decode as decoding
from countenance.imaging.decode import decode
from countenance.imaging.limits import Limits

MakePattern = Callable[..., NDArray[np.uint8]]
MakeFile = Callable[..., bytes]


def reason_for(data: bytes, limits: Limits, side: int | None = None) -> str:
    with pytest.raises(UnreadableImage) as caught:
        decode(data, limits, side=side)
    return caught.value.reason


def solid_png(width: int, height: int) -> bytes:
    """A bomb: rows of zeros, compressed a thousandfold."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(bytes(1 + 3 * width)) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_empty_and_not_an_image(limits: Limits) -> None:
    assert reason_for(b"", limits) == "empty"
    assert reason_for(b"hello", limits) == "not-an-image"
    assert reason_for(b"<html><body>" * 100, limits) == "not-an-image"


def test_too_many_bytes(samples: dict[str, bytes]) -> None:
    data = samples["png"]
    assert decode(data, Limits(max_bytes=len(data))).width == 128
    assert reason_for(data, Limits(max_bytes=len(data) - 1)) == "too-many-bytes"


def test_the_limit_on_pixels_is_exact(sample: tuple[str, bytes]) -> None:
    name, data = sample
    pixels = 128 * 96 * (2 if name.startswith("webp") else 1)
    assert decode(data, Limits(max_pixels=pixels)).width == 128
    assert reason_for(data, Limits(max_pixels=pixels - 1)) == "too-many-pixels"


def test_no_pixel_is_decoded_beyond_the_limit(sample: tuple[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import ImageFile

    def decoded(*_: object) -> None:
        raise AssertionError("pixels were decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", decoded)
    assert reason_for(sample[1], Limits(max_pixels=1000)) == "too-many-pixels"


def test_a_jpeg_may_be_larger_when_it_is_scaled_down_on_the_way(make_pattern: MakePattern, make_file: MakeFile) -> None:
    limits = Limits(max_pixels=10_000, max_draft_pixels=500_000)
    data = make_file(make_pattern(800, 600), "JPEG")
    assert decode(data, limits, side=100).pixels.shape == (75, 100, 3)
    assert reason_for(data, limits) == "too-many-pixels"
    assert reason_for(data, limits, side=400) == "too-many-pixels"
    assert reason_for(make_file(make_pattern(800, 640), "JPEG"), limits, side=100) == "too-many-pixels"


def test_a_progressive_jpeg_is_held_whole_and_so_counts_whole(make_pattern: MakePattern, make_file: MakeFile) -> None:
    limits = Limits(max_pixels=10_000, max_draft_pixels=500_000)
    data = make_file(make_pattern(800, 600), "JPEG", progressive=True)
    assert reason_for(data, limits, side=100) == "too-many-pixels"


def test_a_jpeg_of_very_many_passes_is_not_decoded(samples: dict[str, bytes], limits: Limits) -> None:
    data = samples["jpeg-progressive"]
    at = data.rindex(b"\xff\xda")
    last_scan = data[at:-2]
    assert decode(data[:-2] + last_scan * 100 + b"\xff\xd9", limits).width == 128
    assert reason_for(data[:-2] + last_scan * 5000 + b"\xff\xd9", limits) == "too-slow"


@pytest.mark.parametrize(("width", "height"), [(1, 1), (7, 100), (100, 7)])
def test_too_small(width: int, height: int, limits: Limits, make_file: MakeFile) -> None:
    for format in ("PNG", "JPEG", "GIF", "WEBP"):
        assert reason_for(make_file(Image.new("RGB", (width, height)), format), limits) == "too-small"


def test_long_and_thin_is_fine(limits: Limits, make_pattern: MakePattern, make_file: MakeFile) -> None:
    for format in ("PNG", "JPEG"):
        data = make_file(make_pattern(20_000, 10), format)
        whole = decode(data, limits)
        assert whole.pixels.shape == (10, 20_000, 3)
        smaller = decode(data, limits, side=1280)
        assert (smaller.width, smaller.height) == (20_000, 10)
        assert min(smaller.pixels.shape[:2]) >= limits.min_side


def test_too_many_frames(make_file: MakeFile) -> None:
    frames = [Image.new("RGB", (16, 16), (n, 0, 0)) for n in range(0, 200, 20)]
    for format in ("GIF", "PNG", "WEBP", "TIFF", "AVIF"):
        data = make_file(frames[0], format, save_all=True, append_images=frames[1:])
        assert decode(data, Limits(max_frames=10)).frames == 10
        assert reason_for(data, Limits(max_frames=9)) == "too-many-frames"


def test_a_ring_of_pages_ends(samples: dict[str, bytes], limits: Limits) -> None:
    data = bytearray(samples["tiff"])
    first = struct.unpack_from("<I", data, 4)[0]
    link = first + 2 + 12 * struct.unpack_from("<H", data, first)[0]
    struct.pack_into("<I", data, link, first)
    assert decode(bytes(data), limits).frames == 1


def test_a_header_that_lies_is_found_out(samples: dict[str, bytes], limits: Limits) -> None:
    """A small file that says it is 30,000 pixels a side, or 2,000: the first is not believed, the second ends early."""
    png, gif, bmp, jpeg = (samples[name] for name in ("png", "gif", "bmp", "jpeg"))
    frame = jpeg.index(b"\xff\xc0") + 5

    def lying(side: int) -> list[bytes]:
        head = png[12:16] + struct.pack(">II", side, side) + png[24:29]
        return [
            png[:12] + head + struct.pack(">I", zlib.crc32(head)) + png[33:],
            gif[:6] + struct.pack("<HH", side, side) + gif[10:],
            bmp[:18] + struct.pack("<ii", side, side) + bmp[26:],
            jpeg[:frame] + struct.pack(">HH", side, side) + jpeg[frame + 4 :],
        ]

    assert {reason_for(data, limits) for data in lying(30_000)} == {"too-many-pixels"}
    assert {reason_for(data, limits) for data in [lying(2000)[i] for i in (0, 2, 3)]} <= {"truncated", "corrupt"}


def tiled_tiff(pixels: NDArray[np.uint8], tile_side: int) -> bytes:
    """A grey TIFF of one deflated tile, which holds the pixels and says that it has this side."""
    tile = zlib.compress(pixels.tobytes())
    tags = {256: 64, 257: 64, 258: 8, 259: 8, 262: 1, 277: 1, 322: tile_side, 323: tile_side, 324: 8, 325: len(tile)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<I", 8 + len(tile)) + tile + struct.pack("<H", len(tags)) + entries + bytes(4)


def test_a_tile_larger_than_its_picture_counts(limits: Limits, make_pattern: MakePattern) -> None:
    pixels = make_pattern(64, 64)[..., 0]
    assert np.array_equal(decode(tiled_tiff(pixels, 64), limits).pixels[..., 0], pixels)
    assert reason_for(tiled_tiff(pixels, 1 << 14), limits) == "too-many-pixels"


def test_no_warning_leaks(samples: dict[str, bytes], limits: Limits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5000)  # Pillow warns from here on, and refuses from twice as many
    exif = samples["tiff"][:200] + b"\0" * 20
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        decode(samples["jpeg"], limits)
        for broken in (exif, samples["png-animated"].replace(b"acTL\0\0\0\x03", b"acTL\0\0\0\0")):
            with pytest.raises(UnreadableImage):
                decode(broken, limits)
        filters = list(warnings.filters)
        decode(samples["png"], limits)
        assert list(warnings.filters) == filters
    assert caught == []


def test_too_slow(samples: dict[str, bytes], limits: Limits, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object) -> None:
        while True:
            pass

    monkeypatch.setattr(decoding, "orientation_and_time", slow)
    assert reason_for(samples["png"], Limits(max_seconds=0.05)) == "too-slow"


def test_memory_that_runs_out_is_a_reason(
    samples: dict[str, bytes], limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    def greedy(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(decoding, "to_rgb", greedy)
    assert reason_for(samples["png"], limits) == "out-of-memory"


def test_threads_decode_side_by_side(samples: dict[str, bytes], limits: Limits) -> None:
    failures: list[object] = []

    def work() -> None:
        for _ in range(20):
            for data in samples.values():
                try:
                    assert decode(data, limits).width == 128
                except BaseException as error:
                    failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    filters = list(warnings.filters)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert list(warnings.filters) == filters


_MEASURE = """
import resource, sys
from pathlib import Path
from countenance.domain.errors import UnreadableImage
from countenance.imaging.decode import decode
from countenance.imaging.limits import Limits
small, large = (Path(name).read_bytes() for name in sys.argv[1:])
decode(small, Limits(), side=1280)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    picture = decode(large, Limits(), side=1280)
    print(picture.width * picture.height, max(picture.pixels.shape))
except UnreadableImage as error:
    print(error.reason)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def _measure(tmp_path: Path, small: bytes, large: bytes) -> tuple[str, int]:
    for name, data in (("small", small), ("large", large)):
        (tmp_path / name).write_bytes(data)
    ran = subprocess.run(
        [sys.executable, "-c", _MEASURE, tmp_path / "small", tmp_path / "large"],
        capture_output=True,
        text=True,
        check=True,
    )
    outcome, growth = ran.stdout.splitlines()
    return outcome, int(growth)


def test_a_bomb_costs_next_to_nothing(tmp_path: Path, samples: dict[str, bytes]) -> None:
    bomb = solid_png(12_000, 12_000)
    assert len(bomb) < 1_000_000
    outcome, megabytes = _measure(tmp_path, samples["png"], bomb)
    assert outcome == "too-many-pixels"
    assert megabytes < 20


def test_a_hundred_megapixels_fit_in_little_memory(
    tmp_path: Path, samples: dict[str, bytes], make_pattern: MakePattern, make_file: MakeFile
) -> None:
    large = make_file(
        Image.fromarray(make_pattern(100, 100)).resize((10_000, 10_000), Image.Resampling.NEAREST), "JPEG"
    )
    outcome, megabytes = _measure(tmp_path, samples["jpeg"], large)
    assert outcome == "100000000 2500"
    assert megabytes < 250
