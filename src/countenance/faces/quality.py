"""What can be said of a face's picture, and the floor below which a face is not indexed."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from countenance.domain.faces import Pixels, Quality

REASONS = {
    "uncertain": "the detector is not sure that it is a face",
    "too-small": "the eyes are too close together in pixels",
    "turned-away": "the face is turned too far away",
    "too-blurred": "the face is too blurred",
    "too-dark": "the face is too dark",
}
"""Why a face is kept for the record but not indexed."""

_NOSE_DEPTH = 0.55
"""How far the nose's tip stands out before the eyes, in distances between the eyes; from anthropometry, roughly."""

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)

_USUAL_EXPOSURE = 0.45
"""Mean grey of an ordinary face's crop; the variance of the Laplacian grows with its square."""


@dataclass(frozen=True, slots=True)
class Floor:
    """What a face must have to be indexed.

    The danger is not a bad template that finds nobody, but bad templates that resemble each other. The defaults lie
    where, among 300 people of LFW with one photograph of each made worse, strangers' bad templates began to score
    clearly above what strangers' good ones do: eyes nearer than 9 pixels, a blur of more than 3.5 pixels at 112 × 112
    (variance of the Laplacian below 3 at mean grey 0.45), a mean grey below 0.03. Frontal and half-turned faces pass;
    profiles, from about 70 degrees, lose half of their likeness. `min_detector` None means the pack's own.
    """

    min_detector: float | None = None
    min_inter_eye: float = 9.0
    max_yaw: float = 70.0
    min_sharpness: float = 3.0
    min_exposure: float = 0.03


def measure(crop: Pixels, landmarks: NDArray[np.float32], score: float) -> Quality:
    """The quality of one face from its aligned crop (112, 112, 3), its landmarks (5, 2) and the detector's score."""
    right, left, nose = landmarks[:3].tolist()
    across, down = left[0] - right[0], left[1] - right[1]
    apart = math.hypot(across, down)
    along = (across / apart, down / apart) if apart > 0 else (1.0, 0.0)
    beside = nose[0] - (left[0] + right[0]) / 2, nose[1] - (left[1] + right[1]) / 2
    offset = (beside[0] * along[0] + beside[1] * along[1]) / max(apart, 1e-6)
    grey = (crop.reshape(-1, 3).astype(np.float32) @ _LUMA).reshape(crop.shape[:2])
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1]
    laplacian += grey[1:-1, :-2]
    laplacian += grey[1:-1, 2:]
    laplacian -= 4 * grey[1:-1, 1:-1]
    edges = laplacian.ravel()
    mean = float(edges.sum()) / edges.size
    return Quality(
        inter_eye=apart,
        sharpness=max(0.0, float(edges.dot(edges)) / edges.size - mean * mean),
        exposure=float(grey.sum()) / grey.size / 255,
        yaw=math.degrees(math.atan(offset / _NOSE_DEPTH)),
        roll=math.degrees(math.atan2(down, across)),
        detector=float(score),
    )


def judged(quality: Quality, floor: Floor, sure_score: float) -> Quality:
    """The same with the first reason why the face is below the floor, if there is one.

    `sure_score` is the pack's own least score of a detection that is worth indexing. A turned face's eyes are nearer
    together than its size says, and a dark one has less contrast than its focus says: both are allowed for.
    """
    frontal = quality.inter_eye / max(math.cos(math.radians(quality.yaw)), 0.1)
    light = min(1.0, quality.exposure / _USUAL_EXPOSURE)
    reason = None
    if quality.detector < (sure_score if floor.min_detector is None else floor.min_detector):
        reason = "uncertain"
    elif abs(quality.yaw) > floor.max_yaw:
        reason = "turned-away"
    elif frontal < floor.min_inter_eye:
        reason = "too-small"
    elif quality.exposure < floor.min_exposure:
        reason = "too-dark"
    elif quality.sharpness < floor.min_sharpness * light * light:
        reason = "too-blurred"
    return quality if reason == quality.floor else replace(quality, floor=reason)
