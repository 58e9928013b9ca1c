"""What strangers wrote, made fit to be looked at."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countenance.reports.plain import breakable, printable, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a\\u{202e}b"),
        ("\x00\x1b[31m", "\\u{0}\\u{1b}[31m"),
        ("two\nlines\u2028three", "two\\u{a}lines\\u{2028}three"),
        ("\udcff", "\\u{dcff}"),
        ("no\u00a0break\u00ad", "no\\u{a0}break\\u{ad}"),
        ("zażółć ЖУК άλφα “q” – …", "zażółć ЖУК άλφα “q” – …"),
    ],
)
def test_what_cannot_be_seen_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == printable(text) == shown


def test_a_page_shows_every_script_and_paper_those_of_its_fonts() -> None:
    assert visible("漢字") == "漢字"
    assert printable("漢字") == "\\u{6f22}\\u{5b57}"


@given(st.text(alphabet=st.characters(), max_size=60))
def test_nothing_hidden_is_left(text: str) -> None:
    for shown in (visible(text), printable(text)):
        assert all(c == " " or unicodedata.category(c)[0] not in "CZ" for c in shown)


def test_long_text_is_cut_and_says_so() -> None:
    assert visible("a" * 10_000, 50) == "a" * 50 + "… (10,000 characters)"
    assert printable("a" * 50, 50) == "a" * 50


@given(st.text(alphabet="ab/ ,.1", max_size=200))
def test_breaks_change_nothing_that_is_seen(text: str) -> None:
    broken = breakable(text)
    assert broken.replace("\u200b", "") == text
    assert all(len(part) <= 24 for piece in broken.split("\u200b") for part in piece.split(" "))


def test_numbers_are_not_torn() -> None:
    assert breakable("1,234 bytes") == "1,234 bytes"
