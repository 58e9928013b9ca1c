"""The quality record, and the floor with its reasons."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from countenance.domain.faces import Quality
from countenance.faces.align import TEMPLATE
from countenance.faces.pipeline import FacePipeline
from countenance.faces.quality import REASONS, Floor, judged, measure
from tests.faces.conftest import Photograph

GOOD = Quality(inter_eye=40, sharpness=120, exposure=0.45, yaw=5, roll=0, detector=0.9)


def landmarks(**moved: tuple[float, float]) -> np.ndarray:
    points = TEMPLATE.copy()
    for name, shift in moved.items():
        points[{"right": 0, "left": 1, "nose": 2}[name]] += shift
    return points.astype(np.float32)


def noise(spread: float, mean: float = 115) -> np.ndarray:
    grey = np.random.default_rng(1).normal(mean, spread, (112, 112))
    return np.repeat(grey.clip(0, 255)[:, :, None], 3, axis=2).astype(np.uint8)


def test_a_frontal_face() -> None:
    quality = measure(noise(10), landmarks(), 0.9)
    assert quality.inter_eye == pytest.approx(np.hypot(35.2372, 0.1949), abs=1e-3)
    assert abs(quality.yaw) < 2
    assert abs(quality.roll) < 1
    assert quality.exposure == pytest.approx(115 / 255, abs=0.01)
    assert quality.detector == 0.9
    # four neighbours and the centre four times: 4 + 16 times the noise's own variance
    assert quality.sharpness == pytest.approx(20 * 100, rel=0.1)


def test_turning_moves_the_nose() -> None:
    left, right = (measure(noise(10), landmarks(nose=(shift, 0)), 0.9).yaw for shift in (15, -15))
    assert left > 25
    assert right < -25
    rolled = landmarks() @ np.array([[0.866, 0.5], [-0.5, 0.866]], np.float32)
    assert measure(noise(10), rolled, 0.9).roll == pytest.approx(30, abs=1)
    assert measure(noise(10), rolled, 0.9).yaw == pytest.approx(0, abs=2)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"detector": 0.7}, "uncertain"),
        ({"inter_eye": 8.0}, "too-small"),
        ({"yaw": 80.0}, "turned-away"),
        ({"yaw": -80.0}, "turned-away"),
        ({"exposure": 0.02}, "too-dark"),
        ({"sharpness": 2.0}, "too-blurred"),
        # A turned face's eyes are near together, a dark face has little contrast: neither is held against it.
        ({"inter_eye": 6.0, "yaw": 60.0}, None),
        ({"sharpness": 1.0, "exposure": 0.1}, None),
    ],
)
def test_the_floor_names_its_reason(change: dict[str, float], reason: str | None) -> None:
    quality = judged(replace(GOOD, **change), Floor(), 0.75)  # type: ignore[arg-type]
    assert quality.floor == reason
    assert reason is None or reason in REASONS


def test_the_floor_can_be_set() -> None:
    assert judged(GOOD, Floor(min_detector=0.95), 0.5).floor == "uncertain"
    assert judged(GOOD, Floor(min_detector=0.1), 0.95).floor is None
    assert judged(GOOD, Floor(min_inter_eye=50), 0.5).floor == "too-small"
    assert judged(GOOD, Floor(max_yaw=4), 0.5).floor == "turned-away"
    assert judged(GOOD, Floor(min_sharpness=500), 0.5).floor == "too-blurred"
    assert judged(GOOD, Floor(min_exposure=0.5), 0.5).floor == "too-dark"


def test_a_face_below_the_floor_is_recorded_without_a_template(pipeline: FacePipeline, photograph: Photograph) -> None:
    picture = Image.fromarray(photograph("P001", "studio_portrait")).resize((256, 256), Image.Resampling.LANCZOS)
    (good,) = pipeline.faces(np.asarray(picture))
    assert good.quality.floor is None
    assert good.template is not None
    blurred = picture.filter(ImageFilter.GaussianBlur(7))
    dark = ImageEnhance.Brightness(picture).enhance(0.05)
    small = Image.new("RGB", (256, 256), (128, 128, 128))
    small.paste(picture.resize((40, 40), Image.Resampling.LANCZOS), (100, 100))
    for worse, reasons in (
        (blurred, {"too-blurred", "uncertain"}),
        (dark, {"too-dark", "uncertain"}),
        (small, {"too-small", "uncertain"}),
    ):
        for face in pipeline.faces(np.asarray(worse)):
            assert face.quality.floor in reasons
            assert face.template is None


def test_each_template_belongs_to_its_face(pipeline: FacePipeline, photograph: Photograph) -> None:
    """Faces without a template must not shift those of the faces that come after them."""
    pictures = [
        Image.fromarray(photograph(person, "studio_portrait")).resize((256, 256)) for person in ("P001", "P002")
    ]
    blurred = pictures[0].filter(ImageFilter.GaussianBlur(6))
    worse, good = pipeline.faces_of([(np.asarray(one), 1.0) for one in (blurred, pictures[1])])
    assert [face.template for face in worse] == [None]
    (alone,) = pipeline.faces(np.asarray(pictures[1]))
    assert float(good[0].template @ alone.template) > 0.9999


def test_the_floor_judges_the_pixels_that_were_there(pipeline: FacePipeline, photograph: Photograph) -> None:
    """A picture that was decoded small has small faces, whatever its full size."""
    picture = Image.fromarray(photograph("P001", "studio_portrait")).resize((130, 130), Image.Resampling.LANCZOS)
    (face,) = pipeline.faces(np.asarray(picture), 8.0)
    limit = face.quality.inter_eye / 8
    assert limit < 40
    assert judged(replace(face.quality, inter_eye=limit), Floor(min_inter_eye=limit + 5), 0.1).floor == "too-small"
