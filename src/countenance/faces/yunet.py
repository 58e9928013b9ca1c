"""What YuNet's outputs mean.

From the published post-processing of YuNet (libfacedetection, OpenCV Zoo): anchor-free heads at strides 8, 16, 32; in
the order cls, obj, bbox, kps, each for the three strides. A cell's score is sqrt(cls × obj); its box has the centre
(cell + offset) × stride and the size exp(·) × stride; its landmarks are (cell + offset) × stride.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from countenance.faces.detections import Detections, joined

STRIDES = (8, 16, 32)


def decode(outputs: list[NDArray[np.float32]], height: int, width: int, min_score: float) -> Detections:
    """Detections of one picture of `height` × `width`, which are multiples of 32, not yet suppressed."""
    parts = []
    for number, stride in enumerate(STRIDES):
        cls, obj, bbox, kps = (outputs[kind * len(STRIDES) + number][0] for kind in range(4))
        cells = (cls[:, 0] * obj[:, 0] >= min_score * min_score).nonzero()[0]
        if len(cells) == 0:
            continue
        likely = cls[cells, 0].clip(0, 1) * obj[cells, 0].clip(0, 1)
        across = width // stride
        at = np.stack([cells % across, cells // across], axis=1).astype(np.float32)
        centre = (at + bbox[cells, :2]) * stride
        half = np.exp(bbox[cells, 2:]) * (stride / 2)
        landmarks = (at[:, None, :] + kps[cells].reshape(-1, 5, 2)) * stride
        parts.append(
            Detections(
                np.concatenate([centre - half, centre + half], axis=1).astype(np.float32),
                landmarks.astype(np.float32),
                np.sqrt(likely).astype(np.float32),
            )
        )
    return joined(parts)
