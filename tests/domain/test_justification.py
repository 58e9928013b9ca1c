"""A justification is written for its case."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from countenance.domain import justification
from countenance.domain.justification import LEAST_DIFFERENT, LEAST_WORDS, judge, likeness, words_of

GOOD = (
    "The man who took the bicycle at the station on Monday was photographed by two cameras, and no other line of "
    "enquiry is left: the number plate was false and nobody who was asked knew him."
)
WORDS = st.lists(st.text(string.ascii_lowercase, min_size=1, max_size=9), min_size=LEAST_WORDS, max_size=60)


def test_one_that_was_written_for_its_case_stands() -> None:
    assert judge(GOOD) is None
    other = "A child was seen alone near the canal at night and her mother cannot say which of three friends it was."
    assert judge(GOOD, {"R-1": other}) is None


def test_what_says_nothing_is_refused() -> None:
    for text, code in (
        ("", "too-short"),
        ("Needed for the investigation.", "too-short"),
        ("search search search search search search search search search", "empty-words"),
        ("word " * 1000, "too-long"),
    ):
        fault = judge(text)
        assert fault is not None
        assert fault.code == code
        assert fault.refused


def test_the_same_again_is_refused_whatever_its_numbers_case_and_points() -> None:
    again = GOOD.upper().replace(",", " ;") + " !"
    fault = judge(again, {"R-1": "something else entirely that nobody wrote before about this case", "R-2": GOOD})
    assert fault is not None
    assert (fault.code, fault.other) == ("repeated", "R-2")
    numbered = "Case 12 of 2026: " + GOOD
    fault = judge("Case 77 of 2025: " + GOOD, [("R-3", numbered)])
    assert fault is not None
    assert fault.code == "repeated"


def test_one_with_a_few_words_changed_is_flagged_and_stands() -> None:
    fault = judge(GOOD.replace("bicycle", "handbag").replace("Monday", "Friday"), {"R-1": GOOD})
    assert fault is not None
    assert (fault.code, fault.other, fault.refused) == ("near", "R-1", False)
    assert fault.likeness is not None
    assert justification.NEAR <= fault.likeness < 1


def test_of_several_near_ones_the_nearest_is_named() -> None:
    near = GOOD.replace("bicycle", "handbag")
    nearer = GOOD.replace("false", "forged")
    fault = judge(GOOD.replace("false", "stolen"), {"R-1": near.replace("two", "four"), "R-2": nearer})
    assert fault is not None
    assert fault.other == "R-2"


@given(WORDS)
def test_a_text_is_like_itself_and_likeness_has_no_direction(words: list[str]) -> None:
    text = " ".join(words)
    assert likeness(text, text) == 1.0
    assert likeness(text, GOOD) == likeness(GOOD, text)
    assert 0 <= likeness(text, GOOD) <= 1


@given(WORDS, st.integers(0, 10**9), st.integers(0, 10**9))
def test_numbers_do_not_make_a_text_another(words: list[str], one: int, other: int) -> None:
    text = " ".join(words)
    assert words_of(f"{text} {one}") == words_of(f"{text} {other}")
    if len(set(words)) >= LEAST_DIFFERENT:
        fault = judge(f"{text} {one}", {"R-1": f"{text} {other}"})
        assert fault is not None
        assert fault.code == "repeated"
