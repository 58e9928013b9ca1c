"""The one form of an entry: what writers make is what readers accept, and nothing else is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from countenance.domain.errors import BadInput, LedgerBroken
from countenance.ledger import entry
from countenance.ledger.draft import Draft

ACTOR: dict[str, Any] = {"authenticated": "os:ada", "stated": None}
AT = "2026-01-31T09:00:00.000001Z"

SAFE = 2**53 - 1
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-SAFE, SAFE) | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=16,
)


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_whatever_is_written_is_read(body: dict[str, Any]) -> None:
    raw = Draft("search.done", ACTOR, body).encode(3, AT, None)
    found = entry.parse(raw, 3)
    assert rfc8785.dumps(json.loads(raw, parse_int=float)) == raw
    assert entry.canonical(dict(found.body)) == rfc8785.dumps(body)
    assert (found.seq, found.at, found.kind, found.actor, found.sealed, found.raw) == (
        3,
        AT,
        "search.done",
        ACTOR,
        (),
        raw,
    )


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_written_as_another_implementation_does(value: float) -> None:
    assert entry.canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (1e21, "1e+21"),
        (123456789012345680000.0, "123456789012345680000"),
        (1e-7, "1e-7"),
        (0.000001, "0.000001"),
        (-1.5e-9, "-1.5e-9"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
    ],
)
def test_numbers_as_rfc_8785_prints_them(value: float, text: str) -> None:
    assert entry.canonical(value) == text.encode()


@given(VALUES)
def test_canonical_is_what_another_implementation_writes(value: Any) -> None:
    assert entry.canonical(value) == rfc8785.dumps(value)


def a_line(**changes: Any) -> bytes:
    value: dict[str, Any] = {
        "v": 1,
        "seq": 0,
        "at": AT,
        "type": "a.b",
        "actor": ACTOR,
        "body": {"x": 1},
        "sealed": [],
    }
    value |= changes
    return rfc8785.dumps({name: item for name, item in value.items() if item != "absent"})


def test_the_plain_line_is_accepted() -> None:
    assert entry.parse(a_line(), 0).body == {"x": 1}
    assert entry.parse(a_line(clock_back_seconds=0.5), 0).clock_back_seconds == 0.5


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        a_line()[:-1],
        a_line() + b" ",
        b" " + a_line(),
        a_line() + b"\r",
        a_line().replace(b'"x":1', b'"x": 1'),
        a_line().replace(b'"x":1', b'"x":1.0'),
        a_line().replace(b'"x":1', b'"x":1e-05'),
        a_line().replace(b'"x":1', b'"x":-0'),
        a_line().replace(b'"x":1', b'"x":1e400'),
        a_line().replace(b'"x":1', '"\ufffd":1,"\U0001f600":1'.encode()),
        a_line().replace(b'"x":1', b'"x":1,"x":1'),
        a_line().replace(b'"x":1', b'"x":1,"a":1'),
        a_line().replace(b'"x":1', b'"x":NaN'),
        a_line().replace(b'"x":1', b'"x":"\\u0041"'),
        a_line().replace(b'"x":1', b'"x":"\\ud800"'),
        a_line().replace(b'"x":1', b'"x":"\xff"'),
        a_line().replace(b'"x":1', b'"x":' + b"[" * 100_000 + b"]" * 100_000),
        a_line(seq=1),
        a_line(seq=False),
        a_line(v=2),
        a_line(v=True),
        a_line(at="2026-01-31T09:00:00Z"),
        a_line(at="2026-13-31T09:00:00.000000Z"),
        a_line(at=5),
        a_line(type="A.b"),
        a_line(type="a..b"),
        a_line(type=None),
        a_line(actor={"authenticated": "x"}),
        a_line(actor="x"),
        a_line(body=[]),
        a_line(sealed={}),
        a_line(more=1),
        a_line(sealed="absent"),
        a_line(clock_back_seconds=0),
        a_line(clock_back_seconds=None),
        a_line(clock_back_seconds=True),
        a_line(clock_back_seconds=-1),
    ],
    ids=lambda raw: raw[:60].decode(errors="replace"),
)
def test_any_other_form_is_refused_by_number(raw: bytes) -> None:
    with pytest.raises(LedgerBroken) as caught:
        entry.parse(raw, 0)
    assert caught.value.details["entry"] == 0


@given(st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)), st.integers(1, 10**9))  # noqa: DTZ001
def test_times_are_text_in_order(moment: datetime, later: int) -> None:
    first = moment.replace(tzinfo=UTC)
    text = entry.time_text(first)
    assert entry.parse_time(text) == first
    assert entry.seconds_back(text, text) is None
    if first.year < 9900:
        second = entry.time_text(first + timedelta(microseconds=later))
        assert second > text
        assert entry.seconds_back(second, text) is None
        back = entry.seconds_back(text, second)
        assert back == later / 1e6
        entry.check_time(0, text, json.loads(entry.canonical(back)), second)


def test_a_clock_that_was_set_back_is_told_truly_or_refused() -> None:
    later = "2026-01-31T09:00:02.000001Z"
    raw = Draft("a.b", ACTOR, {}).encode(1, AT, later)
    assert entry.parse(raw, 1).clock_back_seconds == 2
    entry.check_time(1, AT, 2, later)
    entry.check_time(0, AT, None, None)
    for at, back, previous in ((AT, None, later), (AT, 1, later), (later, 1, AT), (AT, 1, None), (AT, 1, AT)):
        with pytest.raises(LedgerBroken):
            entry.check_time(1, at, back, previous)


@pytest.mark.parametrize(
    "draft",
    [
        Draft("Not a type", ACTOR, {}),
        Draft("a.b", {"authenticated": "x"}, {}),
        Draft("a.b", ACTOR | {"more": 1}, {}),
        Draft("a.b", ACTOR, {"x": float("nan")}),
        Draft("a.b", ACTOR, {"x": 2**53}),
        Draft("a.b", ACTOR, {"name": "caf\udce9"}),
        Draft("a.b", ACTOR, {"x": b"bytes"}),
        Draft("a.b", ACTOR, {}, [{"item": "x"}]),
    ],
    ids=str,
)
def test_what_cannot_be_an_entry_is_refused_before_it_is_written(draft: Draft) -> None:
    with pytest.raises(BadInput):
        draft.encode(0, AT, None)
