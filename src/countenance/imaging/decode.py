"""Bytes → upright RGB pixels.

The order of things: what is it (by content) → what does its header say (frames, pixels) → decode, JPEGs scaled down
on the way → is it whole → turn upright → RGB. Only the decoder of the sniffed format sees the bytes, and whatever it
raises becomes `UnreadableImage` with a reason. A decoder that is known to crash works in a process of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from math import prod
from typing import TYPE_CHECKING, Any

from countenance.domain.errors import UnreadableImage
from countenance.imaging.apart import decode_apart
from countenance.imaging.colour import to_rgb, turn_upright
from countenance.imaging.exif import orientation_and_time
from countenance.imaging.guard import deadline, without_warnings
from countenance.imaging.limits import Limits
from countenance.imaging.picture import Picture
from countenance.imaging.sniff import HEAD_BYTES, Format, sniff
from countenance.imaging.structure import MOST_SCANS, JpegScans, count_frames, ends_early, jpeg_scans, scan_end

if TYPE_CHECKING:
    from PIL import Image

_APART = {Format.HEIC: "pi_heif"}
"""Formats that are decoded in a process of their own, and the package that it takes."""

_COPIES = {Format.WEBP: 2}
"""Formats whose pixels count more than once: WebP's decoder holds two pictures beside the one that it gives out."""

_DECODERS = {
    Format.JPEG: ("PIL.JpegImagePlugin", "JpegImageFile"),
    Format.PNG: ("PIL.PngImagePlugin", "PngImageFile"),
    Format.WEBP: ("PIL.WebPImagePlugin", "WebPImageFile"),
    Format.GIF: ("PIL.GifImagePlugin", "GifImageFile"),
    Format.BMP: ("PIL.BmpImagePlugin", "BmpImageFile"),
    Format.TIFF: ("PIL.TiffImagePlugin", "TiffImageFile"),
    Format.AVIF: ("PIL.AvifImagePlugin", "AvifImageFile"),
}

# TIFF 6.0: TileWidth and TileLength; offsets and byte counts of strips, and of tiles
_TILE_SIDES = 322, 323
_TIFF_PARTS = (273, 279), (324, 325)
_NOISE = bytes((37 * at + 11) % 251 for at in range(256))
"""Stands for more coded data; holds no 0xFF, so no marker."""


def decode(data: bytes, limits: Limits, *, side: int | None = None) -> Picture:
    """Decode a picture's first frame.

    With `side` (pixels) a large picture is returned smaller, by a whole factor such that its longer side still has at
    least `side`: a JPEG is decoded at 1/2, 1/4 or 1/8 in the first place, which is most of the speed.

    Raises UnreadableImage and nothing else, whatever the bytes (for HEIC, Unavailable when this machine starts no more
    processes); see `domain.errors.IMAGE_REASONS` for the reasons. The
    limits are checked before pixels are decoded, except the one on time, which `guard.deadline` describes.
    """
    format = _format_of(data, limits)
    if format in _APART:
        if find_spec(_APART[format]) is None:
            raise UnreadableImage("unsupported", advice="pip install 'countenance[heic]'")
        return decode_apart(data, limits, side)
    return _decode_guarded(data, format, limits, side)


def decode_here(data: bytes, limits: Limits, *, side: int | None = None) -> Picture:
    """As :func:`decode`, but in this process whatever the format: what a child of `apart` does."""
    return _decode_guarded(data, _format_of(data, limits), limits, side)


def _format_of(data: bytes, limits: Limits) -> Format:
    if not data:
        raise UnreadableImage("empty")
    if len(data) > limits.max_bytes:
        raise UnreadableImage("too-many-bytes")
    format = sniff(data[:HEAD_BYTES])
    if format is None:
        raise UnreadableImage("not-an-image")
    return format


def _decode_guarded(data: bytes, format: Format, limits: Limits, side: int | None) -> Picture:
    try:
        with without_warnings(), deadline(limits.max_seconds):
            return _decode(data, format, limits, side)
    except UnreadableImage:
        raise
    except MemoryError as error:
        raise UnreadableImage("out-of-memory") from error
    except Exception as error:  # decoders raise nearly anything on hostile bytes
        raise UnreadableImage(_reason(format, data, error)) from error


def _decode(data: bytes, format: Format, limits: Limits, side: int | None) -> Picture:
    frames = count_frames(format, data, most=limits.max_frames)
    _check_frames(frames, limits)
    if format is Format.HEIC:
        image, stated_frames = _open_heic(data, limits)
    else:
        image, stated_frames = _open(data, format)
    _check_frames(stated_frames, limits)
    full, drafted = image.size, 1
    if format is Format.JPEG:
        scans = jpeg_scans(data, most=MOST_SCANS)
        drafted = _draft(image, scans, limits, side)
    if format is Format.TIFF:
        _check_tiff(getattr(image, "tag_v2", {}), len(data), limits)
    _check_size(image, format, limits)
    image.load()
    if format is Format.JPEG:
        _check_whole(image, data, scans, drafted)
    else:
        full = image.size  # TIFF and HEIC turn themselves upright while they load
        _check_size(image, format, limits)
    orientation, taken = orientation_and_time(image)
    shrink = _factor(image.size, limits, side)
    upright = turn_upright(to_rgb(image, shrink), orientation)
    upright.info = {}  # a comment, say, would go with every part that is cut out of it
    width, height = full if orientation < 5 else full[::-1]
    return Picture(upright, width, height, float(drafted * shrink), format, taken, max(frames, stated_frames))


def _open(data: bytes, format: Format) -> tuple[Image.Image, int]:
    """The header, parsed, and how many frames it states."""
    module, name = _DECODERS[format]
    plugin = import_module(module)
    if not getattr(plugin, "SUPPORTED", True):
        raise UnreadableImage("unsupported", advice="install a Pillow that was built with this format")
    # The class itself: `Image.open` would try other formats, and take a JPEG that carries more pictures for an MPO.
    image = getattr(plugin, name)(BytesIO(data))
    # To tell, GIF and TIFF would parse every frame; theirs are counted by their layout instead.
    stated = getattr(image, "n_frames", 1) if format in {Format.PNG, Format.WEBP, Format.AVIF} else 1
    return image, int(stated)


def _open_heic(data: bytes, limits: Limits) -> tuple[Image.Image, int]:
    import pi_heif

    container: Any = pi_heif.open_heif(BytesIO(data))
    _check_size(container, Format.HEIC, limits)
    return container.to_pillow(), len(container)


def _check_frames(frames: int, limits: Limits) -> None:
    if frames > limits.max_frames:
        raise UnreadableImage("too-many-frames")


def _check_size(image: Any, format: Format, limits: Limits) -> None:
    """What is about to be decoded: anything with a `size`."""
    width, height = image.size
    if min(width, height) < limits.min_side:
        raise UnreadableImage("too-small")
    if width * height * _COPIES.get(format, 1) > limits.max_pixels:
        raise UnreadableImage("too-many-pixels")


def _check_tiff(tags: Mapping[int, Any], size: int, limits: Limits) -> None:
    """What a TIFF's tags promise beside its size; libtiff would find out late, and complain on stderr."""
    tile = [length for tag in _TILE_SIDES if isinstance(length := tags.get(tag), int)]
    # A tile is decoded whole, however small the picture that it is cut to.
    if len(tile) == 2 and prod(tile) > limits.max_pixels:
        raise UnreadableImage("too-many-pixels")
    for starts, lengths in _TIFF_PARTS:
        parts = zip(tags.get(starts, ()), tags.get(lengths, ()), strict=False)
        if any(start + length > size for start, length in parts):
            raise UnreadableImage("truncated")


def _draft(image: Any, scans: JpegScans, limits: Limits, side: int | None) -> int:
    """Ask for a JPEG scaled down as far as `side` allows; returns the factor."""
    width, height = image.size
    # A decoder keeps all coefficients of a JPEG in several passes, scaled down or not.
    if width * height > (limits.max_draft_pixels if scans.one_pass else limits.max_pixels):
        raise UnreadableImage("too-many-pixels")
    if min(width, height) < limits.min_side:
        raise UnreadableImage("too-small")
    if scans.scans >= MOST_SCANS:
        raise UnreadableImage("too-slow", "the picture is coded in more passes than any encoder writes")
    wanted = _factor((width, height), limits, side)
    factor = max(step for step in (1, 2, 4, 8) if step <= wanted)
    if factor > 1:
        image.draft(None, (width // factor, height // factor))
    return factor


def _factor(size: tuple[int, int], limits: Limits, side: int | None) -> int:
    """The largest whole factor that leaves `side` on the longer side and something to look at on the other."""
    if side is None:
        return 1
    return max(1, min(max(size) // side, min(size) // limits.min_side))


def _check_whole(image: Image.Image, data: bytes, scans: JpegScans, drafted: int) -> None:
    """Refuse a JPEG that was cut and given an end marker, which libjpeg fills up with grey without a word."""
    if not scans.finished:
        raise UnreadableImage("truncated")
    if not _ends_grey(image, drafted):
        return
    # Either the picture is grey there or nothing is coded there. With more data before the end marker the first
    # stays as it is; the second does not.
    end = scan_end(data, scans.last)
    if end is None:
        raise UnreadableImage("truncated")
    again, _ = _open(data[:end] + _NOISE + b"\xff\xd9", Format.JPEG)
    if drafted > 1:
        again.draft(None, (again.width // drafted, again.height // drafted))
    again.load()
    if again.tobytes() != image.tobytes():
        raise UnreadableImage("truncated")


def _ends_grey(image: Image.Image, drafted: int) -> bool:
    """Whether the last block of a JPEG is of the one grey that stands for no coefficients at all."""
    width, height = image.size
    block = 8 // drafted
    corner = image.crop((max(0, width - block), max(0, height - block), width, height))
    extrema = corner.getextrema()
    flat = extrema if isinstance(extrema[0], tuple) else (extrema,)
    return all(low == high and low in (127, 128) for low, high in flat)


def _reason(format: Format, data: bytes, error: Exception) -> str:
    from PIL.Image import DecompressionBombError

    if isinstance(error, DecompressionBombError):
        return "too-many-pixels"
    if isinstance(error, EOFError) or "truncated" in str(error).lower() or ends_early(format, data):
        return "truncated"
    return "corrupt"
