"""The straight line for one picture: bytes → pixels → faces → templates, with the picture's hash and the crops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from countenance.domain.errors import UnreadableImage
from countenance.domain.faces import Face
from countenance.faces.detect import WANTED_SIDE
from countenance.faces.packs import PackManifest
from countenance.faces.pipeline import Draft, FacePipeline, Finer, Sighted, View, load_pipeline
from countenance.faces.quality import Floor
from countenance.imaging.decode import decode
from countenance.imaging.limits import Limits
from countenance.imaging.pdq import PictureHash, pdq_mirrored
from countenance.imaging.picture import Picture, as_image
from countenance.imaging.thumbnail import crop
from countenance.services.workers import Outcome, Seen, reason_of

CROP_SIDE = 256

TOGETHER = 1 << 21
"""Pixels that are held at once: small pictures go through each step together, which the processor's caches reward."""


@dataclass(frozen=True, slots=True)
class EyesConfig:
    """What a process needs to see: passed to workers, so plain values only. `weights` is a folder to look in first;
    a pack that was found already need not be read again."""

    pack: str | PackManifest
    runtime: Literal["auto", "openvino", "onnxruntime"]
    weights: Path | None
    offline: bool
    limits: Limits
    floor: Floor


class Eyes:
    """Decoder and face pipeline of one process."""

    def __init__(self, config: EyesConfig) -> None:
        self._config = config
        self.pipeline: FacePipeline = load_pipeline(
            config.pack,
            weights_dir=config.weights,
            offline=config.offline,
            threads=1,
            runtime=config.runtime,
            floor=config.floor,
        )

    def warm(self) -> None:
        """Compile what the first picture would otherwise wait for."""
        self.pipeline.faces(np.zeros((64, 64, 3), np.uint8))

    def detect(self, photograph: bytes) -> tuple[int, int, list[Face]]:
        """(width, height, faces by size) of one photograph. Raises UnreadableImage."""
        picture = self._decode(photograph)
        faces = self.pipeline.faces(picture.drawing, picture.scale, self._finer(photograph, picture))
        return picture.width, picture.height, faces

    def see(self, batch: Sequence[bytes]) -> list[Outcome]:
        """One outcome a picture, in order. A picture that cannot be decoded never costs the others anything.

        The pixels of one large picture are held at a time, or of a few small ones; the faces of all share the
        embedders' batches.
        """
        refused: dict[int, Outcome] = {}
        glimpses: list[_Glimpse] = []
        held: list[tuple[bytes, Picture]] = []
        for place, data in enumerate(batch):
            try:
                held.append((data, self._decode(data)))
            except UnreadableImage as error:
                refused[place] = reason_of(error)
                continue
            if sum(_size(picture) for _, picture in held) >= TOGETHER:
                glimpses += self._glimpses(held)
                held = []
        glimpses += self._glimpses(held)
        faces = self.pipeline.embedded([one.drafts for one in glimpses])
        seen = iter([replace(one.seen, faces=tuple(its)) for one, its in zip(glimpses, faces, strict=True)])
        return [refused[place] if place in refused else next(seen) for place in range(len(batch))]

    def _decode(self, data: bytes) -> Picture:
        return decode(data, self._config.limits, side=WANTED_SIDE)

    def _glimpses(self, held: Sequence[tuple[bytes, Picture]]) -> list[_Glimpse]:
        pictures = [picture for _, picture in held]
        images = [as_image(picture.drawing) for picture in pictures]
        finer = [self._finer(*one) for one in held]
        sighted = self.pipeline.found(
            [View(image, one.scale, more) for image, one, more in zip(images, pictures, finer, strict=True)]
        )
        # The hash is always made of what was decoded at first, so that copies agree.
        hashes = [pdq_mirrored(image) for image in images]
        return [_glimpse(*one) for one in zip(pictures, hashes, sighted, strict=True)]

    def _finer(self, data: bytes, picture: Picture) -> Finer | None:
        """How to decode again what was decoded scaled down; what then breaks a limit stays as it was."""
        if picture.scale <= 1:
            return None

        def again(side: int | None) -> Picture | None:
            wanted = side or _finest(picture, self._config.limits)
            if max(picture.width, picture.height) // wanted >= picture.scale:
                return None
            try:
                finer = decode(data, self._config.limits, side=wanted)
            except UnreadableImage:
                return None
            return finer if finer.scale < picture.scale else None

        return again


def _size(picture: Picture) -> int:
    """How many pixels are held of it. One that may be asked for again is held alone."""
    return TOGETHER if picture.scale > 1 else picture.width * picture.height


def _finest(picture: Picture, limits: Limits) -> int:
    """The longest side at which a picture may be decoded. JPEGs are scaled down by powers of two."""
    factor = 1
    while picture.width * picture.height > limits.max_pixels * factor**2:
        factor *= 2
    return max(picture.width, picture.height) // factor


def _glimpse(picture: Picture, hashes: tuple[PictureHash, PictureHash], sighted: Sighted) -> _Glimpse:
    # A crop for each face that can become a candidate; the others are kept for the record without one.
    crops = [
        None if face.quality.floor is not None else crop(sighted.picture, face.box, size=CROP_SIDE, scale=sighted.scale)
        for face, _ in sighted.drafts
    ]
    seen = Seen(
        width=picture.width,
        height=picture.height,
        format=picture.format.name.lower(),
        taken=picture.taken,
        pdq=hashes[0],
        mirrored=hashes[1],
        faces=(),
        crops=tuple(crops),
    )
    return _Glimpse(seen, sighted.drafts)


@dataclass(frozen=True, slots=True)
class _Glimpse:
    """A picture whose faces have no templates yet, each with its aligned crop."""

    seen: Seen
    drafts: list[Draft]
