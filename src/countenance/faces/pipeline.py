"""The one way from pixels to templates: detect, align, measure, embed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from countenance.domain.faces import PIPELINE_VERSION, Box, Face, Pixels
from countenance.faces.align import aligned
from countenance.faces.detect import Detector, Glance
from countenance.faces.detections import Detections
from countenance.faces.embed import Embedder
from countenance.faces.graph import prepare
from countenance.faces.packs import DEFAULT_PACK, EmbedderSpec, PackManifest, find_pack
from countenance.faces.quality import Floor, judged, measure
from countenance.faces.runtime import Choice, Engine, Model, open_engine
from countenance.faces.weights import make_sure, read_weights
from countenance.faces.wheels import Progress
from countenance.imaging.picture import Drawing, Picture, as_image

if TYPE_CHECKING:
    from PIL.Image import Image


Draft: TypeAlias = tuple[Face, Pixels]
"""A face without its template, and its aligned crop."""

Finer: TypeAlias = Callable[[int | None], Picture | None]
"""Gives a picture again: with the longer side at least so many pixels, or as fine as its limits allow. None when that
is not finer than it was at first."""


class View(NamedTuple):
    """A picture to look at, the scale at which it was decoded, and how to have it finer if it was scaled down."""

    pixels: Drawing
    scale: float
    finer: Finer | None = None


class Sighted(NamedTuple):
    """The faces of one picture, the largest first, and what they were aligned from: the picture as it was given or the
    finer one that was asked for, and its scale."""

    drafts: list[Draft]
    picture: Image
    scale: float


class FacePipeline:
    """A pack, loaded. `pack_id`, `dimension` and `version` are what its templates carry."""

    def __init__(self, pack: PackManifest, engine: Engine, contents: Sequence[bytes], floor: Floor) -> None:
        """`contents` are the verified files of `pack.models`, in that order."""

        def detector() -> Detector:
            graph = prepare(contents[0], pack.detector.model, free_size=True)
            ready = Detector(pack.detector, engine.load(graph))
            ready.warm()
            return ready

        def embedder(spec: EmbedderSpec, content: bytes) -> Model:
            model = engine.load(prepare(content, spec.model, free_size=False))
            model.warm((1, spec.size, spec.size, 3))
            return model

        # The largest first: engines compile outside Python's lock, so that the models are ready together.
        with ThreadPoolExecutor(len(pack.models)) as pool:
            embedders = [pool.submit(embedder, *one) for one in zip(pack.embedders, contents[1:], strict=True)]
            self._detector = pool.submit(detector).result()
            models = [one.result() for one in embedders]
        self.pack = pack
        self.pack_id = pack.id
        self.dimension = pack.dimension
        self.version = PIPELINE_VERSION
        self.floor = floor
        self._engine = engine
        self._embedder = Embedder(list(zip(pack.embedders, models, strict=True)))

    def faces(self, pixels: Drawing, scale: float = 1.0, finer: Finer | None = None) -> list[Face]:
        """The faces of one upright RGB picture, the largest first.

        `scale` is how many full-size pixels one pixel of `pixels` stands for (1 unless decoding shrank the picture);
        boxes, landmarks and `inter_eye` are given at full size (`inter_eye` of a face that is too small, as decoded).
        """
        return self.embedded([self.found([View(pixels, scale, finer)])[0].drafts])[0]

    def faces_of(self, pictures: Sequence[tuple[Drawing, float]]) -> list[list[Face]]:
        """The same for several pictures, which share the embedders' batches."""
        return self.embedded([one.drafts for one in self.found([View(*one) for one in pictures])])

    def embedded(self, drafts: Sequence[Sequence[Draft]]) -> list[list[Face]]:
        """What `found` gave for several pictures, with templates."""
        crops = [crop for draft in drafts for face, crop in draft if face.quality.floor is None]
        templates = iter(self._embedder.templates(crops))
        return [
            [
                face
                if face.quality.floor is not None
                else Face(face.box, face.landmarks, face.quality, next(templates))
                for face, _ in draft
            ]
            for draft in drafts
        ]

    def describe(self) -> dict[str, Any]:
        """What really runs: the engine's report, the pack's id and fingerprint."""
        return {**self._engine.describe(), "pack": self.pack_id, "fingerprint": self.pack.fingerprint}

    def found(self, views: Sequence[View]) -> list[Sighted]:
        """For each picture its faces without templates. One decoded too small for its faces is asked for again.

        All are looked at before the first face is aligned: what the model needs stays in the processor's caches.
        """
        images = [as_image(view.pixels) for view in views]
        glances = self._detector.glances(images)
        looks = [self._look_at(*one) for one in zip(views, images, glances, strict=True)]
        return [
            # Of a small picture the detector was given the very pixels: they need not be unpacked again.
            self._sighted(view, *look, glance.pixels if look[1] is image and glance.shrunk == 1 else look[1])
            for view, look, image, glance in zip(views, looks, images, glances, strict=True)
        ]

    def _look_at(self, view: View, image: Image, glance: Glance) -> tuple[Detections, Image, float]:
        """Faces, the picture that they were seen in, and its scale."""
        scale = view.scale

        def again(side: int) -> Image | None:
            nonlocal scale
            got = view.finer(side) if view.finer is not None and view.scale > 1 else None
            if got is None:
                return None
            scale = got.scale
            return as_image(got.drawing)

        found, picture = self._detector.sight(image, again, glance)
        return found, picture, scale

    def _sighted(self, view: View, found: Detections, picture: Image, scale: float, drawing: Drawing) -> Sighted:
        drafts = self._drafts(drawing, found, scale)
        if view.finer is not None and scale > 1 and any(self._lacks_pixels(face, scale) for face, _ in drafts):
            got = view.finer(None)
            if got is not None and got.scale < scale:
                found, picture, scale = found.moved(scale / got.scale, 0, 0), as_image(got.drawing), got.scale
                drafts = self._drafts(picture, found, scale)
        return Sighted(drafts, picture, scale)

    def _lacks_pixels(self, face: Face, scale: float) -> bool:
        """Whether a face is too small only because the picture was decoded scaled down."""
        full = replace(face.quality, inter_eye=face.quality.inter_eye * scale)
        judgement = judged(full, self.floor, self.pack.detector.sure_score)
        return face.quality.floor == "too-small" != judgement.floor

    def _drafts(self, image: Drawing, found: Detections, scale: float) -> list[Draft]:
        drafts = []
        for corners, landmarks, score in zip(found.boxes, found.landmarks, found.scores, strict=True):
            try:
                crop = aligned(image, landmarks)
            except ValueError:  # landmarks in one point: the detector saw no face after all
                continue
            quality = judged(measure(crop, landmarks, float(score)), self.floor, self.pack.detector.sure_score)
            if scale != 1 and quality.floor != "too-small":  # of such a face, the pixels that there were are the reason
                quality = replace(quality, inter_eye=quality.inter_eye * scale)
            left, top, right, bottom = (float(side) * scale for side in corners)
            box = Box(left, top, right - left, bottom - top)
            drafts.append((Face(box, landmarks * np.float32(scale), quality, None), crop))
        return sorted(drafts, key=lambda draft: -draft[0].box.area)


def load_pipeline(
    pack: str | Path | PackManifest = DEFAULT_PACK,
    *,
    weights_dir: Path | None = None,
    offline: bool = False,
    threads: int = 1,
    runtime: Choice = "auto",
    floor: Floor | None = None,
    progress: Progress | None = None,
) -> FacePipeline:
    """A pack by its id or folder, or as it was found, ready to run. Its weights are fetched when they are missing and
    that is allowed.

    Raises UnknownThing for an unknown pack; WeightsRefused when weights are altered, or missing and the pack's licence
    must be accepted first; FetchFailed when they are missing and `offline`, or do not arrive.
    """
    found = pack if isinstance(pack, PackManifest) else find_pack(pack)
    make_sure(found, weights_dir=weights_dir, offline=offline, progress=progress)
    contents = [read_weights(found, model, weights_dir=weights_dir) for model in found.models]
    return FacePipeline(found, open_engine(runtime, threads), contents, floor or Floor())
