"""The contract kit on the shipped formats."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from countenance.domain.proxy import WebRequest
from countenance.proxylog.formats.kind import Example, Fast, Format, Layout, Reading
from countenance.proxylog.formats.known import FORMATS, recognise
from tests.proxylog.formats import kit

EVERY = [(one, example) for one in FORMATS for example in one.examples]
NAMES = [f"{one.name}-{place}" for one in FORMATS for place, _ in enumerate(one.examples)]
each = pytest.mark.parametrize(("one", "example"), EVERY, ids=NAMES)
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=300)


def test_the_formats_are_these() -> None:
    assert [one.name for one in FORMATS] == [
        "squid",
        "squid-custom",
        "ncsa",
        "w3c",
        "zscaler",
        "paloalto",
        "umbrella",
        "zeek",
        "defender",
        "csv",
        "jsonl",
    ]
    assert all(one.title and one.examples for one in FORMATS)


@each
def test_examples_are_what_they_say(one: Format, example: Example) -> None:
    kit.check_example(one, example)


@each
def test_examples_are_recognised_as_their_own(one: Format, example: Example) -> None:
    kit.check_recognised(one, example, FORMATS)
    assert recognise(example.lines, example.reading) is one


@each
def test_pieces_are_read_under_a_borrowed_header(one: Format, example: Example) -> None:
    kit.check_headless(one, example)


@each
def test_limits(one: Format, example: Example) -> None:
    kit.check_limits(one, example)


@each
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_mutated_lines_raise_nothing_else(one: Format, example: Example, seed: int) -> None:
    dice = random.Random(seed)
    layout = one.open(example.lines, example.reading)
    for number in range(1, 21):
        found = kit.outcome(layout, kit.mutate(dice.choice(example.lines), dice), number)
        if isinstance(found, WebRequest):
            kit.check_request(found)


@each
@settings(max_examples=40)
@given(lines=st.lists(ANY_TEXT, max_size=6))
def test_any_text_raises_nothing_else(one: Format, example: Example, lines: list[str]) -> None:
    for head in (lines, example.lines, [example.lines[0], *lines]):
        assert 0 <= one.recognise(head, example.reading) <= 100
        layout = one.open(head, example.reading)
        for number, line in enumerate(lines, 1):
            found = kit.outcome(layout, line, number)
            if isinstance(found, WebRequest):
                kit.check_request(found)


@settings(max_examples=100)
@given(lines=st.lists(ANY_TEXT, max_size=10))
def test_other_text_is_refused(lines: list[str]) -> None:
    kit.check_refused(lines, recognise)


@pytest.mark.parametrize(
    "text",
    [
        ("Dear all,", "the proxy was slow on Monday.", "Please look at it."),
        ("name,time,url", "a,b,c"),
        ('{"message": "hello", "time": "2026-11-02T10:00:00Z"}',),
        ("2026-11-02 10:00:00 INFO started", "2026-11-02 10:00:01 INFO stopped"),
        ("Nov  2 10:00:02 host sshd[1]: Accepted publickey for root",),
        ("PK\x03\x04",),
        ("#Fields: a b c", "1 2 3"),
        ("#fields\ta\tb", "1\t2"),
        ("", "  "),
        (),
    ],
)
def test_other_files_are_refused(text: tuple[str, ...]) -> None:
    kit.check_refused(text, recognise)


FAST = [(one, example) for one, example in EVERY if one.open(example.lines, example.reading).fast is not None]
fast = pytest.mark.parametrize(("one", "example"), FAST, ids=[f"{one.name}-{ex.title[:12]}" for one, ex in FAST])


def _quick(one: Format, example: Example) -> tuple[Layout, Fast]:
    layout = one.open(example.lines, example.reading)
    assert layout.fast is not None
    return layout, layout.fast


def test_these_formats_have_a_fast_way() -> None:
    assert {one.name for one, _ in FAST} >= {"squid", "squid-custom", "ncsa", "w3c", "zeek"}


@fast
def test_the_fast_way_takes_what_is_usual(one: Format, example: Example) -> None:
    layout, quick = _quick(one, example)
    taken = [kit.check_fast(quick, layout, line, 1) for line in example.lines if not line.startswith("#")]
    assert sum(taken) * 3 >= len(taken)


@fast
@settings(max_examples=150)
@given(seed=st.integers(0, 2**32))
def test_the_fast_way_takes_nothing_that_is_not_read(one: Format, example: Example, seed: int) -> None:
    dice = random.Random(seed)
    layout, quick = _quick(one, example)
    for number in range(1, 31):
        line = kit.mutate(dice.choice(example.lines), dice)
        if not line.startswith("#"):
            kit.check_fast(quick, layout, line, number)


@fast
@settings(max_examples=100)
@given(data=st.data())
def test_the_fast_way_takes_nothing_made_for_it_that_is_not_read(
    one: Format, example: Example, data: st.DataObject
) -> None:
    """Lines made from the expression itself reach every corner of it."""
    layout, quick = _quick(one, example)
    line = data.draw(st.from_regex(quick.pattern, fullmatch=True))
    assert kit.check_fast(quick, layout, line.removesuffix("\n"), 1) or line.endswith("\n")


@fast
def test_the_engine_and_python_match_the_same(one: Format, example: Example) -> None:
    import polars as pl

    pattern = _quick(one, example)[1].pattern
    dice = random.Random(4)
    lines = [kit.mutate(line, dice) for line in example.lines for _ in range(40)] + list(example.lines)
    lines = [line for line in lines if not re.search("[\ud800-\udfff\n]", line)]
    there = pl.Series(lines, dtype=pl.String).str.contains(pattern).to_list()
    assert there == [re.fullmatch(pattern, line) is not None for line in lines]
    assert any(there)


def test_no_zone_given_is_utc_and_a_given_one_is_heard() -> None:
    from zoneinfo import ZoneInfo

    paloalto = next(one for one in FORMATS if one.name == "paloalto")
    example = paloalto.examples[0]
    times = []
    for zone in (None, ZoneInfo("Europe/Stockholm")):
        found = kit.outcome(paloalto.open(example.lines, Reading(zone=zone)), example.lines[0], 1)
        assert isinstance(found, WebRequest)
        times.append(found.at)
    assert times[0] - times[1] == 3600
