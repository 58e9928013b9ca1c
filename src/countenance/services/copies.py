"""Which images are one picture: re-encoded, scaled, slightly cropped or mirrored copies."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from countenance.imaging.pdq import SAME_PICTURE_QUALITY, PictureHash
from countenance.imaging.pdq_lookup import PictureHashes


class Copies:
    """The pictures known so far, by PDQ. One thread at a time."""

    def __init__(self) -> None:
        self._pictures: list[int] = []
        self._hashes = PictureHashes()

    def extend(self, rows: Iterable[tuple[int, bytes, int]]) -> None:
        """Remember (picture, PDQ, quality) of many images."""
        usable = [(picture, bits) for picture, bits, quality in rows if quality >= SAME_PICTURE_QUALITY]
        self._pictures.extend(picture for picture, _ in usable)
        joined = b"".join(bits for _, bits in usable)
        self._hashes.extend(np.frombuffer(joined, dtype=np.uint8).reshape(-1, 32))

    def find(self, *variants: PictureHash) -> int | None:
        """The picture that one of these hashes (the image's own and its mirror's) is nearest to, or None.

        A flat picture is a copy of nothing: its hash says nothing.
        """
        if variants[0].quality < SAME_PICTURE_QUALITY:
            return None
        near = self._hashes.nearest(variants)
        return self._pictures[near[0].position] if near else None

    def add(self, picture: int, hashed: PictureHash) -> None:
        """Remember one more."""
        if hashed.quality >= SAME_PICTURE_QUALITY:
            self._pictures.append(picture)
            self._hashes.append(hashed)
