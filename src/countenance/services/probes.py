"""From photographs to one probe: decode, detect, choose, fuse."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from countenance.domain.errors import BadInput, NoFace, SeveralFaces
from countenance.domain.faces import Face, Vectors
from countenance.domain.traits import ProbeTraits
from countenance.imaging.decode import decode
from countenance.imaging.limits import Limits
from countenance.imaging.thumbnail import crop
from countenance.services.probe_traits import traits_of
from countenance.services.quality_words import warnings_of

Detect = Callable[[bytes], tuple[int, int, list[Face]]]
"""A photograph's bytes to (width, height, faces by size); raises UnreadableImage."""

Choice = int | Literal["largest"] | None
"""Which face of a photograph: its number, the largest, or none chosen."""


@dataclass(frozen=True, slots=True)
class ProbeFace:
    """A face found in a photograph that somebody wants to search with. Numbered by size from 1."""

    n: int
    box: tuple[int, int, int, int]
    usable: bool
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProbeFaces:
    """What was found in one photograph, in pixels of the upright picture."""

    width: int
    height: int
    faces: tuple[ProbeFace, ...]


@dataclass(frozen=True, slots=True)
class Probe:
    """What is compared. `template` is (1, dimension) float32, a unit row; `digests` are SHA-256 of the photographs, and
    `traits` what each is like."""

    template: Vectors
    photographs: int
    faces: int
    warnings: tuple[str, ...]
    digests: tuple[bytes, ...]
    traits: tuple[ProbeTraits, ...]


def faces_in(photograph: bytes, detect: Detect) -> ProbeFaces:
    """Detection alone: nothing is compared."""
    width, height, faces = detect(photograph)
    return ProbeFaces(width, height, tuple(_probe_face(n, face) for n, face in enumerate(faces, start=1)))


def prepare(photographs: Sequence[bytes], choices: Sequence[Choice], detect: Detect) -> Probe:
    """One probe of one person out of one or several photographs.

    The unit templates are averaged and brought back to unit length. Raises NoFace, SeveralFaces,
    UnreadableImage, BadInput.
    """
    if not photographs:
        raise BadInput("a search needs a photograph", advice="give one or more pictures of the one person looked for")
    chosen, traits = [], []
    for k, (photograph, choice) in enumerate(zip(photographs, choices, strict=True), start=1):
        width, height, faces = detect(photograph)
        face = _choose(faces, choice, k)
        chosen.append(face)
        traits.append(traits_of(photograph, width, height, len(faces), face))
    templates = np.stack([face.template for face in chosen if face.template is not None])
    mean = templates.mean(axis=0, dtype=np.float64)
    length = float(np.linalg.norm(mean))
    if length < 0.3:
        raise BadInput(
            "these photographs do not look like one person",
            advice="search with photographs of one person at a time",
        )
    warnings = dict.fromkeys(w for face in chosen for w in warnings_of(face.quality))
    return Probe(
        template=(mean / length).astype(np.float32)[None, :],
        photographs=len(photographs),
        faces=len(chosen),
        warnings=tuple(warnings),
        digests=tuple(hashlib.sha256(photograph).digest() for photograph in photographs),
        traits=tuple(traits),
    )


def crop_of(photograph: bytes, choice: Choice, detect: Detect, limits: Limits) -> tuple[bytes, tuple[str, ...]]:
    """The chosen face as people see it (a square JPEG), and its warnings. Raises as `prepare` does."""
    face = _choose(detect(photograph)[2], choice, 1)
    picture = decode(photograph, limits)
    return crop(picture.drawing, face.box, scale=picture.scale), warnings_of(face.quality)


def _choose(faces: list[Face], choice: Choice, k: int) -> Face:
    usable = [(n, face) for n, face in enumerate(faces, start=1) if face.template is not None]
    details = {"photograph": k, "faces": [{"n": n, "box": face.box.as_list()} for n, face in usable]}
    if not usable:
        why = sorted({face.quality.floor or "" for face in faces})
        raise NoFace(
            f"no usable face in photograph {k}" + (f": {', '.join(why)}" if faces else ""),
            advice="use a sharp photograph in which the face is turned to the camera and at least 40 pixels wide",
            details={"photograph": k, "reasons": why},
        )
    if choice == "largest":
        return usable[0][1]
    if choice is None:
        if len(usable) > 1:
            raise SeveralFaces(
                f"photograph {k} holds {len(usable)} usable faces",
                advice="choose one with --face N (numbered by size), --face largest, or --face each",
                details=details,
            )
        return usable[0][1]
    for n, face in usable:
        if n == choice:
            return face
    raise BadInput(f"photograph {k} has no usable face number {choice}", advice="see the numbers", details=details)


def _probe_face(n: int, face: Face) -> ProbeFace:
    x, y, w, h = face.box.as_list()
    return ProbeFace(n, (x, y, w, h), face.template is not None, warnings_of(face.quality))
