"""What a file is, by its first bytes; names and declared types are not believed."""

from __future__ import annotations

from enum import Enum

HEAD_BYTES = 256
"""As many bytes as :func:`sniff` looks at."""


class Format(Enum):
    """A picture format that can be decoded (HEIC with the extra `heic`)."""

    JPEG = ("image/jpeg", ".jpg")
    PNG = ("image/png", ".png")
    WEBP = ("image/webp", ".webp")
    GIF = ("image/gif", ".gif")
    BMP = ("image/bmp", ".bmp")
    TIFF = ("image/tiff", ".tif")
    AVIF = ("image/avif", ".avif")
    HEIC = ("image/heic", ".heic")

    def __init__(self, media_type: str, extension: str) -> None:
        self.media_type = media_type
        self.extension = extension


_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})
_BMP_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})
_TIFF_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def sniff(head: bytes) -> Format | None:
    """The format of a file that begins with these bytes (:data:`HEAD_BYTES` of them suffice), or None."""
    if head.startswith(b"\xff\xd8\xff"):
        return Format.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Format.PNG
    if head.startswith((b"GIF87a", b"GIF89a")):
        return Format.GIF
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return Format.WEBP
    if head.startswith(_TIFF_MARKS):
        return Format.TIFF
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return Format.BMP
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    return None


def _by_brand(head: bytes) -> Format | None:
    """AVIF and HEIC share a container; the brands say which. `mif1` alone says neither, and counts as HEIC."""
    end = min(int.from_bytes(head[:4], "big"), HEAD_BYTES)
    brands = {head[8:12]} | {head[at : at + 4] for at in range(16, end - 3, 4)}
    if head[8:12] in _AVIF_BRANDS or (head[8:12] in {b"mif1", b"msf1"} and brands & _AVIF_BRANDS):
        return Format.AVIF
    if brands & _HEIC_BRANDS:
        return Format.HEIC
    return None
