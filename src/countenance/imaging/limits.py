"""How much a stranger's picture may cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Checked before, or while, a picture is decoded; beyond them it is refused with a reason.

    Memory is bounded by pixels. Pillow holds 4 bytes for each, and decoders hold as much again, so `max_pixels`
    applies to everything that is decoded whole: 64 million come to some 0.6 GB at the worst (32 million of a WebP,
    whose pixels count twice). A JPEG coded in one pass is decoded line by line and scaled down on the way, so that its
    header may name `max_draft_pixels` as long as no more than `max_pixels` come out.
    """

    max_bytes: int = 64 * 2**20
    """Largest file, in bytes."""
    max_pixels: int = 64_000_000
    """Most pixels decoded at once."""
    max_draft_pixels: int = 400_000_000
    """Most pixels of a JPEG that is decoded scaled down."""
    max_frames: int = 2000
    """Most frames or pages in one file, of which only the first is decoded."""
    max_seconds: float = 20.0
    """Longest processor time for one picture, in seconds."""
    min_side: int = 8
    """Least width and height, in pixels: less cannot hold a face."""
