"""Every shipped pack knows how alike strangers look to it; without that a search says nothing of its candidates."""

from __future__ import annotations

import json
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from countenance.domain.faces import PIPELINE_VERSION
from countenance.domain.strangers import Background, Calibration
from countenance.faces.packs import PackManifest, list_packs

PACKS = {pack.id: pack for pack in list_packs()}


@pytest.fixture(params=sorted(PACKS))
def pack(request: pytest.FixtureRequest) -> PackManifest:
    return PACKS[request.param]


@pytest.fixture
def calibration(pack: PackManifest) -> Calibration:
    assert pack.calibration_file is not None, f"the pack {pack.id} has no calibration"
    return Calibration.from_json(json.loads(pack.calibration_file.read_text()))


def test_is_of_this_pack_and_of_this_pipeline(pack: PackManifest, calibration: Calibration) -> None:
    assert calibration.pack == pack.id
    assert calibration.pipeline == PIPELINE_VERSION


def test_says_what_it_rests_on(calibration: Calibration) -> None:
    assert calibration.photographs > 5_000
    assert 3_000 < calibration.people <= calibration.photographs
    assert calibration.pairs > 8_000_000
    assert calibration.date
    assert "clustered away" in calibration.method


def test_rates_fall_as_scores_rise_within_their_intervals(calibration: Calibration) -> None:
    points = list(zip(calibration.z, calibration.fmr, calibration.low, calibration.high, strict=True))
    assert all(a[0] < b[0] and a[1] > b[1] and a[3] >= b[3] for a, b in pairwise(points))
    assert all(low <= rate <= high for _, rate, low, high in points)
    # It reaches as far as the pairs do: one in five million or rarer.
    assert calibration.fmr[-1] < 2e-7


def test_strangers_are_rare_and_many_only_in_a_large_index(calibration: Calibration) -> None:
    usual = Background(calibration.mean, calibration.deviation, 4096)
    near = calibration.mean + 3 * calibration.deviation
    among_few, among_many = (calibration.expected(near, people, usual) for people in (1_000, 1_000_000))
    assert among_few.value is not None
    assert 0.5 < among_few.value < 5
    assert among_many.value == pytest.approx(1000 * among_few.value)
    # Nobody as alike as this was measured: a bound and no digit.
    beyond = calibration.expected(0.99, 1_000, usual)
    assert beyond.value is None
    assert 0 < beyond.high < 0.01


def test_travels_with_the_package(pack: PackManifest) -> None:
    root = Path(__file__).parents[2]
    built = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert pack.calibration_file is not None
    assert any(pack.calibration_file.is_relative_to(root / one) for one in built["packages"])
    assert not built.get("exclude")
