"""Decoding of the models' outputs by hand-made ones, and the choice among overlapping boxes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from countenance.faces import scrfd, yunet
from countenance.faces.detections import Detections, joined, none, suppressed


def test_yunet_by_hand() -> None:
    outputs = [np.zeros((1, (64 // s) * (96 // s), n), np.float32) for n in (1, 1, 4, 10) for s in yunet.STRIDES]
    cell = 2 * (96 // 16) + 3  # row 2, column 3 at stride 16
    outputs[1][0, cell], outputs[4][0, cell] = 0.81, 1.0
    outputs[7][0, cell] = (0.5, -0.25, np.log(2), np.log(3))
    outputs[10][0, cell] = (1, 2) * 5
    found = yunet.decode(outputs, 64, 96, 0.6)
    assert len(found) == 1
    assert found.scores[0] == pytest.approx(0.9)
    assert found.boxes[0] == pytest.approx([56 - 16, 28 - 24, 56 + 16, 28 + 24])
    assert found.landmarks[0] == pytest.approx(np.array([[64, 64]] * 5))
    assert len(yunet.decode(outputs, 64, 96, 0.91)) == 0


def test_scrfd_by_hand() -> None:
    outputs = [np.zeros((2 * (64 // s) * (96 // s), n), np.float32) for n in (1, 4, 10) for s in scrfd.STRIDES]
    anchor = 2 * (1 * (96 // 32) + 2) + 1  # row 1, column 2 at stride 32, the second anchor
    outputs[2][anchor] = 0.7
    outputs[5][anchor] = (1, 0.5, 0.25, 2)
    outputs[8][anchor] = (0.5, -0.5) * 5
    found = scrfd.decode(outputs, 64, 96, 0.5)
    assert len(found) == 1
    assert found.scores[0] == pytest.approx(0.7)
    assert found.boxes[0] == pytest.approx([64 - 32, 32 - 16, 64 + 8, 32 + 64])
    assert found.landmarks[0] == pytest.approx(np.array([[80, 16]] * 5))


def some(boxes: np.ndarray, scores: np.ndarray) -> Detections:
    return Detections(boxes.astype(np.float32), np.zeros((len(boxes), 5, 2), np.float32), scores.astype(np.float32))


def overlap(one: np.ndarray, two: np.ndarray) -> float:
    sides = np.minimum(one[2:], two[2:]) - np.maximum(one[:2], two[:2])
    common = max(sides[0], 0) * max(sides[1], 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, two)]
    return float(common / (areas[0] + areas[1] - common))


@given(
    arrays.arrays(np.int16, st.tuples(st.integers(0, 12), st.just(4)), elements=st.integers(0, 20)),
    st.floats(0.1, 0.9),
)
def test_what_is_left_does_not_overlap_and_what_went_did(raw: np.ndarray, limit: float) -> None:
    boxes = np.concatenate([raw[:, :2], raw[:, :2] + raw[:, 2:] + 1], axis=1).astype(np.float64)
    scores = np.linspace(0.3, 0.9, len(boxes))
    left = suppressed(some(boxes, scores), limit)
    kept = [box.astype(np.float64) for box in left.boxes]
    assert list(left.scores) == sorted(left.scores, reverse=True)
    for first in range(len(kept)):
        for second in range(first):
            assert overlap(kept[first], kept[second]) < limit + 1e-9
    for box, score in zip(boxes, scores.astype(np.float32), strict=True):
        if score not in left.scores:
            rivals = [k for k, s in zip(kept, left.scores, strict=True) if s > score]
            assert any(overlap(box, rival) >= limit - 1e-9 for rival in rivals)


def test_moving_and_joining() -> None:
    one = Detections(np.array([[1, 2, 3, 4]], np.float32), np.ones((1, 5, 2), np.float32), np.array([0.5], np.float32))
    moved = one.moved(2, 10, 20)
    assert moved.boxes[0] == pytest.approx([12, 24, 16, 28])
    assert moved.landmarks[0] == pytest.approx(np.array([[12, 22]] * 5))
    assert len(joined([])) == len(none()) == 0
    assert len(joined([one, moved])) == 2
