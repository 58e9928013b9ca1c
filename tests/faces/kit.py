"""What every model pack must do, as plain functions: for the shipped packs, and for your own.

A pack's faces are more alike among the synthetic people than among real ones, so rank is asserted on them, never a
threshold.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np

from countenance.domain.faces import PIPELINE_VERSION, Face, Pixels
from countenance.faces.pipeline import FacePipeline
from countenance.faces.weights import read_weights

PEOPLE = tuple(f"P{number:03d}" for number in range(1, 11))
GALLERY = "studio_portrait"
PROBES = ("amateur_selfie", "amateur_posture")

Photograph = Callable[[str, str], Pixels]


def check_digests(pipeline: FacePipeline) -> None:
    """What runs are the pinned bytes."""
    for model in pipeline.pack.models:
        assert hashlib.sha256(read_weights(pipeline.pack, model)).hexdigest() == model.sha256


def check_templates(pipeline: FacePipeline, photograph: Photograph) -> None:
    """float32, of the pack's dimension, unit length, finite; and the pack says what they are."""
    faces = pipeline.faces(photograph("P001", "emotions_sheet"))
    assert len(faces) == 16
    for face in faces:
        assert face.template is not None
        assert face.template.dtype == np.float32
        assert face.template.shape == (pipeline.dimension,) == (pipeline.pack.dimension,)
        assert abs(float(np.linalg.norm(face.template.astype(np.float64))) - 1) < 1e-6
        ends = np.cumsum([one.dimension for one in pipeline.pack.embedders])[:-1]
        for part in np.split(face.template, ends):  # each embedder has the same say
            assert abs(float(np.linalg.norm(part)) - len(pipeline.pack.embedders) ** -0.5) < 1e-5
    assert pipeline.version == PIPELINE_VERSION
    assert pipeline.pack_id == pipeline.pack.id


def check_determinism(pipeline: FacePipeline, photograph: Photograph) -> None:
    """The same picture, the same faces, bit for bit."""
    picture = photograph("P003", "emotions_sheet")
    first, again = pipeline.faces(picture), pipeline.faces(picture)
    assert [face.box for face in first] == [face.box for face in again]
    assert all(np.array_equal(one.template, two.template) for one, two in zip(first, again, strict=True))


def check_batches(pipeline: FacePipeline, photograph: Photograph) -> None:
    """A face's template does not depend on what else is in the batch, nor on its place in it."""
    sheet, portrait, selfie = (photograph("P004", name) for name in ("emotions_sheet", GALLERY, PROBES[0]))
    together = pipeline.faces_of([(sheet, 2.0), (portrait, 2.0), (selfie, 2.0)])
    for found, picture in zip(together, (sheet, portrait, selfie), strict=True):
        alone = pipeline.faces(picture, 2.0)
        assert [face.box for face in found] == [face.box for face in alone]
        for one, two in zip(found, alone, strict=True):
            assert likeness(one, two) > 0.9999


def check_rank(pipeline: FacePipeline, photograph: Photograph) -> None:
    """Everyone's nearest portrait is their own."""
    gallery = [pipeline.faces(photograph(person, GALLERY))[0] for person in PEOPLE]
    for asset in PROBES:
        for number, person in enumerate(PEOPLE):
            probe = pipeline.faces(photograph(person, asset))[0]
            scores = [likeness(probe, one) for one in gallery]
            assert int(np.argmax(scores)) == number, f"{person} in {asset}"


def check_parity(one: FacePipeline, other: FacePipeline, photograph: Photograph) -> None:
    """Two runtimes see the same faces and make nearly the same templates (one of them may compute in bfloat16)."""
    for person in PEOPLE[:3]:
        left, right = (each.faces(photograph(person, PROBES[0]))[0] for each in (one, other))
        assert np.abs(left.landmarks - right.landmarks).max() < 0.02 * left.quality.inter_eye
        assert abs(left.quality.detector - right.quality.detector) < 0.02
        assert likeness(left, right) > 0.98


def likeness(one: Face, other: Face) -> float:
    """Cosine."""
    assert one.template is not None
    assert other.template is not None
    return float(one.template @ other.template)
