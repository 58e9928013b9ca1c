"""Judged pairs can raise what a calibration promises too low, and never lower anything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countenance.domain.strangers import Calibration
from countenance.domain.verdicts import JudgedPair, Sample, bands, poisson_least, poisson_most, raised, z_of

CURVE = [[1.0, 1e-1, 0.9e-1, 1.1e-1], [2.0, 1e-2, 0.8e-2, 1.3e-2], [3.0, 1e-3, 0.5e-3, 2e-3], [4.0, 1e-4, 1e-5, 5e-4]]
CALIBRATION = Calibration(
    "open", 1, 0.0, 0.1, *(tuple(row[n] for row in CURVE) for n in range(4)), 100, 100, 10_000, "2026-01-01", "made up"
)


def pairs(different: int, same: int = 0, most: float = 0.005) -> tuple[JudgedPair, ...]:
    return tuple(JudgedPair(n < different, 0.5, most, 3.0) for n in range(different + same))


def test_few_that_were_judged_different_say_nothing_and_many_say_too_hopeful() -> None:
    quiet = bands(Sample("open", 1000, 10**6, pairs(3, 40)))
    assert not any(band.too_hopeful for band in quiet)
    # A thousand searches may show ten strangers with at most 0.01 expected each; thirty are surely more.
    loud = bands(Sample("open", 1000, 10**6, pairs(30, 40)))
    assert [band.too_hopeful for band in loud] == [False, True, False, False, False]
    assert loud[1].as_json()["share"][0] == pytest.approx(30 / 70, abs=1e-4)
    assert bands(Sample("open", 0, 0, ()))[0].as_json()["share"] is None


def test_what_was_judged_in_few_searches_counts_for_more() -> None:
    assert bands(Sample("open", 100, 10**5, pairs(8)))[1].too_hopeful
    assert not bands(Sample("open", 10_000, 10**7, pairs(8)))[1].too_hopeful


def test_a_rate_is_read_back() -> None:
    for row in CURVE:
        assert z_of(CALIBRATION, row[1]) == pytest.approx(row[0])
    assert 2.0 < z_of(CALIBRATION, 5e-3) < 3.0
    assert z_of(CALIBRATION, None) == 4.0
    assert z_of(CALIBRATION, 1e-9) == 4.0
    assert z_of(CALIBRATION, 0.9) == 1.0


def test_hard_impostors_raise_an_upper_bound_that_they_prove_wrong() -> None:
    rows, count = raised(CURVE, [4.2] * 20, 10_000)
    assert count == 1
    assert rows[3][3] == pytest.approx(poisson_most(20) / 10_000, rel=1e-3)
    assert [row[:3] for row in rows] == [row[:3] for row in CURVE]
    assert raised(CURVE, [4.2] * 20, 10**9) == (CURVE, 0)
    assert raised(CURVE, [], 0) == (CURVE, 0)


@given(st.lists(st.floats(0, 6), max_size=60), st.integers(0, 10**7))
def test_no_bound_is_ever_lowered(hard: list[float], comparisons: int) -> None:
    rows, _ = raised(CURVE, hard, comparisons)
    assert [row[:3] for row in rows] == [row[:3] for row in CURVE]
    assert all(row[3] >= before[3] for row, before in zip(rows, CURVE, strict=True))
    assert [row[3] for row in rows] == sorted((row[3] for row in rows), reverse=True)


@pytest.mark.parametrize(("count", "low", "high"), [(1, 0.0253, 5.572), (10, 4.795, 18.39), (50, 37.11, 65.92)])
def test_limits_of_a_count(count: int, low: float, high: float) -> None:
    """Against the exact limits of a Poisson mean (Garwood, 1936)."""
    assert poisson_least(count) == pytest.approx(low, rel=0.5 if count == 1 else 0.01)
    assert poisson_most(count) == pytest.approx(high, rel=0.01)
