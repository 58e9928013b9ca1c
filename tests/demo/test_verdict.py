"""The demo's own judgement: it must notice what is missing, what is too much, and what asked to be left alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from demo.run import MARK, fresh
from demo.verdict import Sighting, Verdict, judge, judge_vanished, sightings
from demo.web import Expected

EXPECTED = [Expected("s", "P003", "http://a/p", ("http://a/1-small.jpg", "http://a/1.jpg"))]


def seen(image: str = "http://a/1.jpg", page: str = "http://a/p", likeness: float = 0.8, last: str = "1") -> Sighting:
    return Sighting(likeness, page, image, last)


def judged(*found: Sighting, forbidden: dict[str, str] | None = None) -> Verdict:
    verdict = Verdict()
    judge(verdict, "P003", EXPECTED, found, forbidden or {}, 0.55)
    return verdict


def test_found() -> None:
    verdict = judged(seen())
    assert (verdict.expected, verdict.found, verdict.well) == (1, 1, True)


def test_nothing_expected_is_not_well() -> None:
    assert not Verdict().well


@pytest.mark.parametrize("found", [(), (seen(likeness=0.5),), (seen(page="http://a/other", likeness=0.5),)])
def test_missed(found: tuple[Sighting, ...]) -> None:
    verdict = judged(*found)
    assert [one["page"] for one in verdict.missed] == ["http://a/p"]
    assert not verdict.well


def test_the_same_picture_on_another_page_is_unexpected() -> None:
    verdict = judged(seen(), seen(page="http://a/q"))
    assert [one["page"] for one in verdict.unexpected] == ["http://a/q"]
    assert not verdict.well


def test_somebody_else_below_the_line_is_no_matter() -> None:
    assert judged(seen(), seen("http://a/9.jpg", likeness=0.54)).well
    assert not judged(seen(), seen("http://a/9.jpg", likeness=0.56)).well


@pytest.mark.parametrize("place", ["http://a/9.jpg", "http://a/q"])
def test_what_asked_to_be_left_alone_is_unexpected_however_unlike(place: str) -> None:
    verdict = judged(seen(), seen("http://a/9.jpg", "http://a/q", likeness=-0.2), forbidden={place: "noai"})
    assert [one["why"] for one in verdict.unexpected] == ["asked not to be indexed: noai"]


def test_vanished_page_keeps_its_date_and_is_marked() -> None:
    gone = {"http://a/p"}
    kept = replace(seen(), vanished="3")
    verdict = Verdict()
    assert judge_vanished(verdict, "P003", gone, [seen()], [kept, seen(page="http://a/q", last="2")]) == [kept]
    assert verdict.well

    for wrong in (seen(), replace(kept, last_seen="2")):
        verdict = Verdict()
        judge_vanished(verdict, "P003", gone, [seen()], [wrong])
        assert len(verdict.unexpected) == 1

    verdict = Verdict()
    judge_vanished(verdict, "P003", gone, [seen()], [])
    assert len(verdict.missed) == 1


def test_sightings_of_an_answer() -> None:
    one = {"source": "x", "page": "http://a/p", "image": "http://a/1.jpg", "first_seen": "0", "last_seen": "1"}
    assert list(sightings({"groups": [{"likeness": 0.8, "sightings": [one]}]})) == [seen()]
    own = one | {"likeness": 0.3, "vanished": "3"}
    assert list(sightings({"groups": [{"likeness": 0.8, "sightings": [own]}]})) == [
        Sighting(0.3, "http://a/p", "http://a/1.jpg", "1", "3")
    ]


def test_only_a_demos_folder_is_emptied(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("ten years")
    with pytest.raises(SystemExit):
        fresh(mine)
    assert (mine / "thesis.txt").exists()

    demo = tmp_path / "demo"
    fresh(demo)
    (demo / "home").mkdir()
    product = fresh(demo)
    assert [path.name for path in demo.iterdir()] == [MARK]
    assert product.home.parent == product.keys.parent == demo.resolve()
