"""Counts, places and classes in words."""

from __future__ import annotations

import pytest

from countenance.domain.proxy import HIGHEST, WEIGHT, Ceiling, Grade
from countenance.reports import proxylog_words as words


def test_every_class_and_ceiling_has_its_words() -> None:
    assert set(words.CLASSES) == {grade.value for grade in Grade}
    assert list(words.CEILINGS) == [ceiling.name for ceiling in Ceiling]
    for ceiling, highest in HIGHEST.items():
        said = words.CEILINGS[ceiling.name][1]
        assert (Grade.SEARCH_SUBMITTED in highest) == (said == "every class"), ceiling
        assert (Grade.UPLOAD in highest) == ("Upload" in said or said == "every class"), ceiling


def test_what_weighs_most_is_told_first() -> None:
    weights = [WEIGHT[Grade(code)] for code in words.CLASSES]
    assert weights[:3] == sorted(weights, reverse=True)[:3]
    assert [w for w in weights if w > 1] == [3, 2]


@pytest.mark.parametrize(
    ("least", "most", "said"), [(0, 0, "none"), (3, 3, "exactly 3"), (9, 31, "9 to 31"), (0, 1200, "0 to 1,200")]
)
def test_bounds(least: int, most: int, said: str) -> None:
    assert words.bounds({"at_least": least, "at_most": most}) == said


def test_places_are_short_and_in_order() -> None:
    lines = [{"file": "b.log", "line": n} for n in (9, 7, 8, 3, 8)] + [{"file": "a.log", "line": 1}]
    assert words.places(lines) == ["a.log:1", "b.log:3, 7–9"]
    assert words.places([]) == []
    assert words.places([{"file": "x" * 100, "line": 1}], file=10) == ["xxxxx…xxxxx:1"]
