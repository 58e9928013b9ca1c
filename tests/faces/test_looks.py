"""Which looks are taken, and where what they see lies: with a model that sees a red patch of 12 to 130 pixels."""

from __future__ import annotations

import math

import numpy as np
import pytest

from countenance.faces.detect import Detector
from countenance.faces.packs import find_pack
from countenance.faces.yunet import STRIDES

Patch = tuple[int, int, int, int]


class RedSeeing:
    """Speaks as YuNet does of the red patch in a canvas, if it is neither too small nor too large. Counts its runs."""

    def __init__(self) -> None:
        self.runs: list[tuple[int, ...]] = []

    def warm(self, shape: tuple[int, int, int, int]) -> None:
        pass

    def run(self, batch: np.ndarray) -> list[np.ndarray]:
        self.runs.append(batch.shape)
        _, height, width, _ = batch.shape
        assert height % 32 == width % 32 == 0
        outputs = [
            np.zeros((1, (height // stride) * (width // stride), numbers), np.float32)
            for numbers in (1, 1, 4, 10)
            for stride in STRIDES
        ]
        rows, columns = np.nonzero((batch[0, :, :, 0] > 150) & (batch[0, :, :, 1] < 80))
        if len(rows) == 0:
            return outputs
        left, right, top, bottom = columns.min(), columns.max() + 1, rows.min(), rows.max() + 1
        if 12 <= min(right - left, bottom - top) <= 130:
            x, y = (left + right) / 16, (top + bottom) / 16
            column, row = min(int(x), width // 8 - 1), min(int(y), height // 8 - 1)
            cell = row * (width // 8) + column
            outputs[0][0, cell] = outputs[3][0, cell] = 0.95
            outputs[6][0, cell] = (x - column, y - row, math.log((right - left) / 8), math.log((bottom - top) / 8))
            outputs[9][0, cell] = (x - column, y - row) * 5
        return outputs


def seen(width: int, height: int, patch: Patch) -> tuple[list[list[float]], list[tuple[int, ...]]]:
    """(boxes as left, top, right, bottom; shapes of the looks) of a grey picture with a red patch."""
    pixels = np.full((height, width, 3), 110, np.uint8)
    left, top, right, bottom = patch
    pixels[top:bottom, left:right] = (230, 10, 10)
    model = RedSeeing()
    found = Detector(find_pack("open").detector, model).detect(pixels)
    assert np.allclose(found.landmarks.mean(axis=1), (found.boxes[:, :2] + found.boxes[:, 2:]) / 2, atol=1e-2)
    return found.boxes.tolist(), model.runs


@pytest.mark.parametrize(
    ("size", "patch", "looks"),
    [
        ((250, 250), (80, 70, 170, 180), 1),
        ((60, 90), (10, 20, 40, 60), 1),
        ((600, 400), (100, 100, 200, 200), 2),
        ((1000, 700), (600, 300, 700, 420), 2),
    ],
)
def test_an_ordinary_photograph_costs_one_look_or_two(size: tuple[int, int], patch: Patch, looks: int) -> None:
    boxes, runs = seen(*size, patch)
    assert len(boxes) == 1
    assert boxes[0] == pytest.approx(patch, abs=3)
    assert len(runs) == looks


@pytest.mark.parametrize(
    ("size", "patch"),
    [
        ((200, 200), (0, 0, 200, 200)),  # only inside a border
        ((310, 240), (20, 0, 290, 240)),
        ((1000, 1000), (0, 0, 1000, 1000)),
        ((2400, 1600), (700, 300, 1600, 1200)),  # only near
        ((900, 1900), (0, 700, 900, 1700)),
    ],
)
def test_what_fills_the_picture_is_seen_where_it_is(size: tuple[int, int], patch: Patch) -> None:
    boxes, _ = seen(*size, patch)
    assert len(boxes) == 1
    assert boxes[0] == pytest.approx(patch, abs=0.02 * max(size))


@pytest.mark.parametrize("left", [0, 300, 533, 560, 590, 612, 640, 1060, 1100, 1570])
@pytest.mark.parametrize("top", [0, 500, 570, 620, 1170])
def test_small_ones_are_seen_once_wherever_tiles_meet(left: int, top: int) -> None:
    patch = (left, top, left + 30, top + 30)
    boxes, _ = seen(1600, 1200, patch)
    assert len(boxes) == 1
    assert boxes[0] == pytest.approx(patch, abs=2)


def test_small_ones_in_a_picture_larger_than_the_finest_look() -> None:
    patch = (3000, 1800, 3060, 1860)
    boxes, runs = seen(3600, 2400, patch)
    assert len(boxes) == 1
    assert boxes[0] == pytest.approx(patch, abs=6)
    assert len(runs) <= 2 + 9


def test_the_models_see_few_shapes() -> None:
    shapes = set()
    for width in (30, 256, 300, 470, 640, 1000, 2500):
        for height in (30, 256, 300, 470, 640, 1000, 2500):
            shapes.update(seen(width, height, (0, 0, 1, 1))[1])
    assert len(shapes) <= 5
