"""What SCRFD's outputs mean.

From the published post-processing of SCRFD (InsightFace): two anchors a cell at strides 8, 16, 32; outputs in the order
score, bbox, kps, each for the three strides. The anchor's centre is cell × stride; the box is given by the distances
from it to the left, top, right and bottom, the landmarks by offsets from it, all in strides.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from countenance.faces.detections import Detections, joined

STRIDES = (8, 16, 32)
_ANCHORS = 2


def decode(outputs: list[NDArray[np.float32]], height: int, width: int, min_score: float) -> Detections:
    """Detections of one picture of `height` × `width`, which are multiples of 32, not yet suppressed."""
    parts = []
    for number, stride in enumerate(STRIDES):
        score, bbox, kps = (outputs[kind * len(STRIDES) + number] for kind in range(3))
        likely = score.reshape(-1)
        anchors = np.flatnonzero(likely >= min_score)
        cells = anchors // _ANCHORS
        across = width // stride
        centre = np.stack([cells % across, cells // across], axis=1).astype(np.float32) * stride
        sides = bbox.reshape(-1, 4)[anchors] * stride
        landmarks = centre[:, None, :] + kps.reshape(-1, 5, 2)[anchors] * stride
        parts.append(
            Detections(
                np.concatenate([centre - sides[:, :2], centre + sides[:, 2:]], axis=1).astype(np.float32),
                landmarks.astype(np.float32),
                likely[anchors].astype(np.float32),
            )
        )
    return joined(parts)
