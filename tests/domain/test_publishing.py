"""What is published lets nobody read off a small number, nor subtract their way to one."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countenance.domain.publishing import SMALL, publish, rate

TABLES = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 30) | st.integers(0, 6), max_size=8)


def possible(total: int, told: int, hidden: int) -> set[int]:
    """Every value that one of the hidden cells can have, tried out: none is zero, and together they fill the total."""
    left = total - told
    if hidden == 1:
        return {left}
    if hidden == 2:
        return {one for one in range(1, left) if left - one >= 1}
    return set(range(1, left - hidden + 2))


@given(TABLES)
def test_no_small_number_is_told_or_can_be_had_by_subtracting(counts: dict[str, int]) -> None:
    told = publish(counts)
    assert all(value is None or value == 0 or value >= SMALL for value in told.cells.values())
    hidden = [name for name, value in told.cells.items() if value is None]
    if told.total is not None and hidden:
        known = sum(value for value in told.cells.values() if value is not None)
        values = possible(told.total, known, len(hidden))
        assert len(values) >= SMALL
        assert all(counts[name] in values for name in hidden)


@given(TABLES)
def test_what_is_told_is_true(counts: dict[str, int]) -> None:
    told = publish(counts)
    assert set(told.cells) == set(counts)
    assert all(value is None or value == counts[name] for name, value in told.cells.items())
    assert told.total in (None, sum(counts.values()))


@given(st.dictionaries(st.sampled_from("abcd"), st.just(0) | st.integers(SMALL, 99)))
def test_nothing_is_hidden_where_nothing_is_small(counts: dict[str, int]) -> None:
    assert publish(counts).cells == counts


def test_the_one_small_cell_takes_another_with_it() -> None:
    told = publish({"a": 2, "b": 40, "c": 9})
    assert told.cells == {"a": None, "b": 40, "c": None}
    assert told.total == 51


def test_two_cells_that_could_only_be_one_and_one() -> None:
    told = publish({"a": 1, "b": 1, "c": 50})
    assert told.cells["c"] is None


def test_where_everything_is_small_no_total_is_told() -> None:
    assert publish({"a": 1, "b": 2}).total is None


@given(TABLES)
def test_an_enumeration_agrees(counts: dict[str, int]) -> None:
    """Of few hidden cells every way to fill them is written out, without the formula of `possible`."""
    told = publish(counts)
    hidden = [name for name, value in told.cells.items() if value is None]
    if told.total is None or not 1 < len(hidden) <= 3:
        return
    left = told.total - sum(value for value in told.cells.values() if value is not None)
    ways = [w for w in itertools.product(range(1, min(left, 40)), repeat=len(hidden)) if sum(w) == left]
    if left <= 40:
        assert all(len({way[n] for way in ways}) >= SMALL for n in range(len(hidden)))


def test_an_interval_that_was_published() -> None:
    """The Metropolitan Police's 10 false of 2,077 alerts: 0.48 %, 95 % 0.23 to 0.88 %."""
    told = rate(10, 2077)
    assert (round(100 * told.value, 2), round(100 * told.low, 2), round(100 * told.high, 2)) == (0.48, 0.23, 0.88)


def test_no_error_proves_little() -> None:
    assert rate(0, 100).low == 0
    assert rate(0, 100).high == pytest.approx(0.0362, abs=1e-4)
    assert rate(100, 100).high == 1
    assert rate(100, 100).low == pytest.approx(0.9638, abs=1e-4)


@given(st.integers(0, 60), st.integers(1, 60))
def test_an_interval_holds_its_share(errors: int, trials: int) -> None:
    errors = min(errors, trials)
    told = rate(errors, trials)
    assert 0 <= told.low <= told.value <= told.high <= 1
