"""The straight line for one picture: bytes → pixels → faces → templates, with the picture's hash and the crops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from countenance.domain.errors import UnreadableImage
from countenance.domain.faces import Face, Pixels
from countenance.faces.detect import WANTED_SIDE
from countenance.faces.pipeline import FacePipeline, load_pipeline
from countenance.faces.quality import Floor
from countenance.imaging.decode import decode
from countenance.imaging.limits import Limits
from countenance.imaging.pdq import pdq_mirrored
from countenance.imaging.picture import Picture, as_image
from countenance.imaging.thumbnail import crop
from countenance.services.workers import Outcome, Seen, reason_of

CROP_SIDE = 256


@dataclass(frozen=True, slots=True)
class EyesConfig:
    """What a process needs to see: passed to workers, so plain values only. `weights` is a folder to look in first."""

    pack: str
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
        return picture.width, picture.height, self.pipeline.faces(picture.pixels, picture.scale)

    def see(self, batch: Sequence[bytes]) -> list[Outcome]:
        """One outcome a picture, in order. A picture that cannot be decoded never costs the others anything.

        The pixels of one picture are held at a time; the faces of all share the embedders' batches.
        """
        glimpses: list[_Glimpse | Outcome] = []
        for data in batch:
            try:
                glimpses.append(self._glimpse(self._decode(data)))
            except UnreadableImage as error:
                glimpses.append(reason_of(error))
        faces = iter(self.pipeline.embedded([one.drafts for one in glimpses if isinstance(one, _Glimpse)]))
        return [replace(one.seen, faces=tuple(next(faces))) if isinstance(one, _Glimpse) else one for one in glimpses]

    def _decode(self, data: bytes) -> Picture:
        return decode(data, self._config.limits, side=WANTED_SIDE)

    def _glimpse(self, picture: Picture) -> _Glimpse:
        image = as_image(picture.pixels)
        drafts = self.pipeline.found(image, picture.scale)
        upright, mirrored = pdq_mirrored(image)
        # A crop for each face that can become a candidate; the others are kept for the record without one.
        crops = [
            None if face.quality.floor is not None else crop(image, face.box, size=CROP_SIDE, scale=picture.scale)
            for face, _ in drafts
        ]
        seen = Seen(
            width=picture.width,
            height=picture.height,
            format=picture.format.name.lower(),
            taken=picture.taken,
            pdq=upright,
            mirrored=mirrored,
            faces=(),
            crops=tuple(crops),
        )
        return _Glimpse(seen, drafts)


@dataclass(frozen=True, slots=True)
class _Glimpse:
    """A picture whose faces have no templates yet, each with its aligned crop."""

    seen: Seen
    drafts: list[tuple[Face, Pixels]]
