"""Landmarks end where the template has them, whatever the face's place, size and turn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from countenance.faces.align import SIZE, TEMPLATE, aligned, similarity


def placed(scale: float, degrees: float, x: float, y: float) -> np.ndarray:
    turn = np.radians(degrees)
    matrix = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return (TEMPLATE @ matrix.T + (x, y)).astype(np.float32)


@given(st.floats(0.1, 20), st.floats(-180, 180), st.floats(-500, 500), st.floats(-500, 500))
def test_a_similar_face_is_mapped_exactly(scale: float, degrees: float, x: float, y: float) -> None:
    points = placed(scale, degrees, x, y)
    matrix = similarity(points)
    back = TEMPLATE @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(back - points).max() < 1e-3 * max(1, scale)


@given(st.integers(0, 2**32 - 1))
def test_no_other_similarity_fits_better(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = (placed(2, 20, 100, 50) + rng.normal(0, 6, (5, 2))).astype(np.float32)
    matrix = similarity(points)
    forward = np.linalg.inv(matrix[:, :2])

    def error(turn: np.ndarray, shift: np.ndarray) -> float:
        return float((((points - shift) @ turn.T - TEMPLATE) ** 2).sum())

    best = error(forward, matrix[:, 2])
    for _ in range(5):
        a, b = rng.normal(0, 0.01, 2)
        other = forward @ np.array([[1 + a, -b], [b, 1 + a]])
        assert error(other, matrix[:, 2] + rng.normal(0, 0.2, 2)) >= best - 1e-6


@pytest.mark.parametrize(("scale", "degrees"), [(0.5, 0), (1, 0), (1, 25), (2.5, -40), (4.4, 170), (9, 10)])
def test_marks_land_on_the_template(scale: float, degrees: float) -> None:
    middle = placed(scale, degrees, 0, 0).mean(axis=0)
    points = placed(scale, degrees, *(700 - middle))
    rows, columns = np.ogrid[:1400, :1400]
    marks = [np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * (2 * scale) ** 2)) for x, y in points]
    picture = np.repeat(255 * np.max(marks, axis=0)[:, :, None], 3, axis=2).astype(np.uint8)
    crop = aligned(picture, points)
    assert crop.shape == (SIZE, SIZE, 3)
    assert crop.dtype == np.uint8
    ys, xs = np.mgrid[:SIZE, :SIZE]
    for x, y in TEMPLATE:
        near = (np.hypot(xs - x, ys - y) < 8) * crop[:, :, 0].astype(float)
        found = np.array([(near * xs).sum(), (near * ys).sum()]) / near.sum()
        assert np.hypot(*(found - (x, y))) < 0.25


def test_a_large_face_does_not_alias() -> None:
    fine = np.indices((1200, 1200)).sum(axis=0) % 2 * 255
    crop = aligned(np.repeat(fine[:, :, None], 3, axis=2).astype(np.uint8), placed(8, 7, 100, 100))
    assert crop[20:90, 20:90].std() < 8
    assert abs(float(crop[20:90, 20:90].mean()) - 127.5) < 4


def test_beyond_the_picture_it_is_black() -> None:
    crop = aligned(np.full((60, 60, 3), 200, np.uint8), placed(1, 0, -40, -40))
    assert crop[:30, :30].max() == 0
    assert crop[60:90, 60:90].min() == 200


def test_landmarks_in_one_point_are_no_face() -> None:
    with pytest.raises(ValueError):
        aligned(np.zeros((50, 50, 3), np.uint8), np.full((5, 2), 20, np.float32))


@settings(max_examples=40)
@given(st.floats(0.05, 30), st.floats(-180, 180), st.floats(-400, 400), st.floats(-400, 400))
def test_any_landmarks_give_a_crop(scale: float, degrees: float, x: float, y: float) -> None:
    crop = aligned(np.zeros((90, 120, 3), np.uint8), placed(scale, degrees, x, y))
    assert crop.shape == (SIZE, SIZE, 3)
