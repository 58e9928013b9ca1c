"""How a file is laid out, read without decoding it: is it all there, how many frames, how many passes.

Nothing here trusts a length that the file states: every walk moves forward and stops at the end of the bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from countenance.imaging.sniff import Format

_SEQUENTIAL = frozenset({0xC0, 0xC1, 0xC9})
_FRAME_STARTS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_AFTER_SCAN = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])")
_TIFF_TYPE_BYTES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_ALL_FREQUENCIES = (1 << 64) - 1

MOST_SCANS = 200
"""More scans than any encoder writes (about ten). Each costs a decoder a pass over the whole picture, so that a
small file with thousands of them takes hours."""


@dataclass(frozen=True, slots=True)
class JpegScans:
    """How a JPEG is coded.

    `one_pass`: every component in one scan, so that a decoder keeps a few lines and not the whole picture. For the
    others `scans` counts the passes, and `finished` says whether together they brought every coefficient to its full
    precision. `last` is where the coded data of the last scan begins.
    """

    one_pass: bool
    scans: int
    finished: bool
    last: int


def jpeg_scans(data: bytes, *, most: int) -> JpegScans:
    """Walk the markers as libjpeg does; stop counting at `most` scans."""
    components: frozenset[int] = frozenset()
    progressive = False
    scans = 0
    done: dict[int, int] = {}
    at = last = 2
    while (segment := _next_segment(data, at)) is not None:
        marker, at = segment
        length = 0 if marker in _WITHOUT_LENGTH else int.from_bytes(data[at : at + 2], "big")
        body = data[at + 2 : at + length]
        if marker == 0xD9:
            finished = bool(components) and all(done.get(c, 0) == _ALL_FREQUENCIES for c in components)
            return JpegScans(False, scans, finished, last)
        if marker in _FRAME_STARTS:
            components = frozenset(body[6::3][: body[5]] if len(body) > 5 else b"")
            progressive = marker not in _SEQUENTIAL
        at += length
        if marker == 0xDA:
            scans += 1
            named = frozenset(body[1 : 1 + 2 * body[0] : 2]) if body else frozenset()
            if scans == 1 and not progressive and named == components:
                return JpegScans(True, 1, True, at)
            if scans >= most:
                break
            last = at
            for component in named:
                done[component] = done.get(component, 0) | _brought(body, progressive)
            at = scan_end(data, at) or len(data)
    return JpegScans(False, scans, False, last)


def _brought(scan_header: bytes, progressive: bool) -> int:
    """The frequencies (a bit each) that a scan brings to full precision."""
    if not progressive:
        return _ALL_FREQUENCIES
    if len(scan_header) < 3:
        return 0
    first, last, precision = scan_header[-3:]
    if precision & 0x0F or not first <= last <= 63:
        return 0
    return ((1 << (last - first + 1)) - 1) << first


def _next_segment(data: bytes, at: int) -> tuple[int, int] | None:
    """The next marker at or after `at`, and the place behind it."""
    while (at := data.find(b"\xff", at)) >= 0:
        while at < len(data) and data[at] == 0xFF:
            at += 1
        if at >= len(data):
            return None
        if data[at]:
            return data[at], at + 1
        at += 1
    return None


def scan_end(data: bytes, at: int) -> int | None:
    """Where the coded data that begins at `at` ends: at the first marker that is not a restart. None: nowhere."""
    found = _AFTER_SCAN.search(data, at)
    return found.start(1) - 1 if found else None


def ends_early(format: Format, data: bytes) -> bool:
    """Whether a file that could not be decoded stops before its own layout says so."""
    match format:
        case Format.JPEG:
            walked = jpeg_scans(data, most=MOST_SCANS)
            return walked.scans == 0 or data.rfind(b"\xff\xd9") < walked.last
        case Format.PNG:
            return b"IEND" not in data[-4096:]
        case Format.WEBP:
            return int.from_bytes(data[4:8], "little") + 8 > len(data)
        case Format.GIF:
            return not data.rstrip(b"\0").endswith(b";")
        case Format.BMP:
            return int.from_bytes(data[2:6], "little") > len(data)
        case Format.AVIF | Format.HEIC:
            return _boxes_end(data) > len(data) or b"mdat" not in data
        case Format.TIFF:
            return _first_page_end(data) > len(data)


def _boxes_end(data: bytes) -> int:
    """Where the last top-level box of an ISO media file should end."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size == 0:
            return len(data)
        at += max(size, 8)
    return at


def count_frames(format: Format, data: bytes, *, most: int) -> int:
    """Frames of a GIF or pages of a TIFF, counted up to `most` + 1; 1 for other formats, whose headers say it."""
    if format is Format.GIF:
        return max(1, _gif_frames(data, most + 1))
    if format is Format.TIFF:
        return max(1, _tiff_pages(data, most + 1))
    return 1


def _gif_frames(data: bytes, most: int) -> int:
    frames = 0
    at = 13 + _colour_table(data[10:11])
    while frames < most and at < len(data):
        introducer = data[at]
        if introducer == 0x2C:
            frames += 1
            at += 11 + _colour_table(data[at + 9 : at + 10])
        elif introducer == 0x21:
            at += 2
        elif introducer == 0x3B:
            break
        else:
            at += 1
            continue
        while at < len(data) and data[at]:
            at += 1 + data[at]
        at += 1
    return frames


def _colour_table(flags: bytes) -> int:
    return 3 << ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0


@dataclass(frozen=True, slots=True)
class _Tiff:
    """How a TIFF, or a BigTIFF, writes its numbers."""

    data: bytes
    order: Literal["little", "big"]
    count_bytes: int
    entry_bytes: int
    offset_bytes: int
    first: int

    def number(self, at: int, length: int) -> int:
        return int.from_bytes(self.data[at : at + length], self.order)

    def after_entries(self, page: int) -> int:
        return page + self.count_bytes + self.number(page, self.count_bytes) * self.entry_bytes


def _tiff(data: bytes) -> _Tiff:
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    if 43 in data[2:4]:
        return _Tiff(data, order, 8, 20, 8, 8)
    return _Tiff(data, order, 2, 12, 4, 4)


def _tiff_pages(data: bytes, most: int) -> int:
    tiff = _tiff(data)
    seen: set[int] = set()  # a chain of pages may be a ring
    at = tiff.number(tiff.first, tiff.offset_bytes)
    while 0 < at < len(data) and at not in seen and len(seen) < most:
        seen.add(at)
        at = tiff.number(tiff.after_entries(at), tiff.offset_bytes)
    return len(seen)


def _first_page_end(data: bytes) -> int:
    """Where the list of the first page's tags, and what it points to, should end."""
    tiff = _tiff(data)
    page = tiff.number(tiff.first, tiff.offset_bytes)
    end = tiff.after_entries(page)
    if page >= len(data) or end > len(data):
        return len(data) + 1
    for entry in range(page + tiff.count_bytes, end, tiff.entry_bytes):
        size = _TIFF_TYPE_BYTES.get(tiff.number(entry + 2, 2), 1) * tiff.number(entry + 4, tiff.offset_bytes)
        if size > tiff.offset_bytes:
            end = max(end, tiff.number(entry + 4 + tiff.offset_bytes, tiff.offset_bytes) + size)
    return end
