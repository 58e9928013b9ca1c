"""Expected strangers: never more certain than what was measured."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from countenance.domain.results import ExpectedStrangers
from countenance.domain.strangers import (
    NO_BACKGROUND,
    NO_CALIBRATION,
    Background,
    Calibration,
    background_of,
)


def calibration(z: list[float], fmr: list[float], spread: float = 2.0, **changes: float) -> Calibration:
    return Calibration(
        pack="open",
        pipeline=1,
        mean=changes.get("mean", 0.0),
        deviation=changes.get("deviation", 0.1),
        z=tuple(z),
        fmr=tuple(fmr),
        low=tuple(rate / spread for rate in fmr),
        high=tuple(min(1.0, rate * spread) for rate in fmr),
        photographs=10,
        people=5,
        pairs=100,
        date="2026-01-01",
        method="made up",
    )


MEASURED = calibration([1.0, 2.0, 4.0], [1e-1, 1e-2, 1e-4])


@st.composite
def curves(draw: st.DrawFn) -> Calibration:
    """Ascending scores with falling rates and an interval around each."""
    size = draw(st.integers(2, 8))
    steps = draw(st.lists(st.floats(0.01, 3), min_size=size, max_size=size))
    falls = draw(st.lists(st.floats(0.05, 1.0), min_size=size, max_size=size))
    z = np.cumsum(steps) - 3
    rates = np.cumprod(falls)
    return calibration(z.tolist(), rates.tolist(), draw(st.floats(1.0, 5.0)))


@given(curves(), st.floats(-6, 30), st.floats(-6, 30))
def test_the_more_alike_the_fewer_strangers(curve: Calibration, one: float, other: float) -> None:
    low, high = sorted((one, other))
    value, floor, ceiling = zip(curve.rate(low), curve.rate(high), strict=True)
    if value[1] is not None:
        assert value[0] is not None
        assert value[0] >= value[1] * (1 - 1e-9)
    assert ceiling[0] >= ceiling[1] * (1 - 1e-9)
    assert floor[0] >= floor[1] * (1 - 1e-9)


@given(curves(), st.floats(-10, 40))
def test_the_bounds_hold_the_value(curve: Calibration, z: float) -> None:
    value, low, high = curve.rate(z)
    assert 0 <= low <= high <= 1
    if value is not None:
        assert low * (1 - 1e-9) <= value <= high * (1 + 1e-9)


@given(curves())
def test_at_a_measured_point_it_says_what_was_measured(curve: Calibration) -> None:
    for n, z in enumerate(curve.z):
        if z not in curve.z[:n]:
            value, low, high = curve.rate(z)
            assert value == pytest.approx(curve.fmr[n])
            assert (low, high) == (pytest.approx(curve.low[n]), pytest.approx(curve.high[n]))


def test_in_between_the_logarithm_is_interpolated() -> None:
    value, low, high = MEASURED.rate(3.0)
    assert value == pytest.approx(1e-3)
    assert (low, high) == (pytest.approx(5e-4), pytest.approx(2e-3))


@given(curves(), st.floats(1e-6, 100), st.integers(0, 10**7))
def test_beyond_the_measured_there_is_no_digit_only_a_bound(curve: Calibration, more: float, people: int) -> None:
    beyond = curve.z[-1] + more
    if beyond == curve.z[-1]:
        return
    assert curve.rate(beyond) == (None, 0.0, curve.high[-1])
    steady = Background(0.0, 1.0, 10**12)
    found = curve.expected(beyond, people, steady)
    if found.value is None:
        assert found.low == 0
        assert found.high == curve.high[-1] * people
        assert ("fewer than" in found.in_words()) == (found.high > 0)


def test_below_the_measured_everybody_may_be_alike() -> None:
    value, low, high = MEASURED.rate(0.5)
    assert (value, low, high) == (1.0, 0.1, 1.0)


@given(st.floats(-1, 1), st.integers(0, 10**8))
def test_it_grows_with_the_index(score: float, people: int) -> None:
    one = MEASURED.expected(score, 1, NO_BACKGROUND)
    many = MEASURED.expected(score, people, NO_BACKGROUND)
    assert many.high == pytest.approx(one.high * people)
    if one.value is None:
        assert many.value is None
    else:
        assert many.value == pytest.approx(one.value * people)


@given(st.floats(-0.5, 0.9), st.floats(0.001, 0.3))
def test_without_a_background_the_typical_one_counts_and_with_a_large_one_its_own(
    mean: float, deviation: float
) -> None:
    typical = calibration([0.0, 9.0], [0.5, 0.01], mean=0.05, deviation=0.08)
    assert typical.standardised(0.4, NO_BACKGROUND) == pytest.approx((0.4 - 0.05) / 0.08)
    own = typical.standardised(0.4, Background(mean, deviation, 10**9))
    assert own == pytest.approx((0.4 - mean) / deviation, rel=1e-2, abs=1e-2)


def test_in_an_alike_crowd_the_same_cosine_says_less() -> None:
    apart, crowd = Background(0.0, 0.1, 4000), Background(0.3, 0.1, 4000)
    assert MEASURED.expected(0.4, 1000, crowd).high > MEASURED.expected(0.4, 1000, apart).high


@given(st.integers(0, 40), st.integers(0, 2**31))
def test_a_background_is_not_moved_by_the_person_looked_for(mates: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    strangers = rng.normal(0.05, 0.08, 1000)
    found = background_of(np.concatenate([strangers, np.full(mates, 0.9)]).astype(np.float32))
    assert found.mean == pytest.approx(float(strangers.mean()), abs=0.02)
    assert found.deviation == pytest.approx(float(strangers.std()), abs=0.02)


def test_an_empty_or_even_collection_has_a_background_too() -> None:
    assert background_of(np.zeros(0, np.float32)) == NO_BACKGROUND
    even = background_of(np.full(5, 0.25, np.float32))
    assert (even.mean, even.deviation, even.count) == (0.25, 0.0, 5)


def test_a_pack_that_was_never_measured_promises_nothing() -> None:
    for score in (-1.0, 0.0, 0.99, 1.0):
        found = NO_CALIBRATION.expected(score, 1234, NO_BACKGROUND)
        assert found.high == 1234
        assert found.low == 0


def test_a_calibration_is_read_as_it_was_written() -> None:
    body = {
        "pack": "open",
        "pipeline": 1,
        "background": {"mean": 0.1, "deviation": 0.2},
        "curve": [[1.0, 0.1, 0.05, 0.2], [2.0, 0.01, 0.001, 0.1]],
        "photographs": 1,
        "people": 2,
        "pairs": 3,
        "date": "2026-01-01",
        "method": "made up",
    }
    read = Calibration.from_json(body)
    assert (read.mean, read.deviation, read.z) == (0.1, 0.2, (1.0, 2.0))
    assert (read.fmr, read.low, read.high) == ((0.1, 0.01), (0.05, 0.001), (0.2, 0.1))


def test_in_words() -> None:
    rare = "a stranger this alike in {} 1 of {} such searches"
    assert ExpectedStrangers(None, 0, 3.5e-5).in_words() == rare.format("fewer than", "29,000") + " (not measured)"
    assert ExpectedStrangers(4e-4, 3e-4, 5e-4).in_words() == rare.format("about", "2,500")
    assert ExpectedStrangers(None, 0, 5.2).in_words() == "fewer than 5.2 strangers expected (beyond what was measured)"
    assert ExpectedStrangers(None, 0, 0).in_words() == "nobody else is indexed"
    assert ExpectedStrangers(0.5, 0.25, 12).in_words() == "about 0.5 strangers expected (0.25 to 12)"
    assert ExpectedStrangers(None, 0, 0.03).as_json() == {"value": None, "low": 0, "high": 0.03}


def test_no_spread_at_all_is_no_division_by_zero() -> None:
    flat = calibration([0.0, 1.0], [0.5, 0.1], deviation=0.0)
    assert math.isinf(flat.standardised(0.4, NO_BACKGROUND))
