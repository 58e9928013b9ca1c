"""The simulated year is the same for the same seed, is read by the product's own reader, and can be a real ledger."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from countenance.domain.misuse.rules import EXACT, RULES
from countenance.ledger.note import VerifierKey
from countenance.ledger.verify import verify_folder
from tests.places import ROOT
from tools.misusesim import organisation
from tools.misusesim.__main__ import SEEDS
from tools.misusesim.dishonest import PLANTS
from tools.misusesim.table import BEGIN, END, PAGE, table
from tools.misusesim.writing_ledger import write_ledger
from tools.misusesim.year import acts_of, play, scored


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer people, so that a year is played in a moment."""
    some = [team for team in organisation.TEAMS if team.name in ("response", "nights", "major")]
    monkeypatch.setattr(organisation, "TEAMS", tuple(replace(team, people=5) for team in some))


def test_misuse_of_every_kind_is_planted() -> None:
    assert set(PLANTS) == set(RULES) - EXACT


@pytest.mark.usefixtures("small")
def test_a_seed_is_a_year() -> None:
    assert play(3).happenings == play(3).happenings
    assert play(3).happenings != play(4).happenings


@pytest.mark.usefixtures("small")
def test_planted_misuse_shows_and_an_honest_year_is_quieter() -> None:
    year, honest = play(3), play(3, misuse=False)
    acts = acts_of(year)
    assert len(acts.searches) == sum(one.kind == "search.started" for one in year.happenings)
    assert all(one.case for one in acts.searches)
    scores, quiet = scored([year]), scored([honest])
    for rule in ("face-under-many-cases", "after-closing", "burst", "idle-export", "outside-shift"):
        assert scores.every[rule].found >= scores.every[rule].planted - 1 > 0, rule
    for kind in ("every", "wanting"):
        loud, calm = getattr(scores, kind).values(), getattr(quiet, kind).values()
        assert sum(s.honest for s in calm) == sum(s.flags for s in calm)
        assert sum(s.flags for s in calm) < sum(s.flags for s in loud)
    assert all(s.flags <= scores.every[rule].flags for rule, s in scores.wanting.items())
    assert 0 < scores.matters.flags < sum(s.flags for s in scores.wanting.values()), "several signs are one matter"
    assert quiet.matters.flags == quiet.matters.honest
    assert "| bursts |" in table([year], scores, [3])


@pytest.mark.usefixtures("small")
def test_it_can_be_a_ledger(tmp_path: Path) -> None:
    told = write_ledger(tmp_path / "ledger", 300, 3)
    report = verify_folder(tmp_path / "ledger", VerifierKey.parse(told["key"]))
    assert report.size == told["entries"] == 300
    assert report.last is not None
    assert report.first is not None
    assert report.first < report.last


def test_the_page_has_its_table() -> None:
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    between = text.partition(BEGIN)[2].partition(END)[0]
    assert all(words in between for rule, words in RULES.items() if rule not in EXACT)
    assert f"Seeds {', '.join(map(str, SEEDS))}:" in between, "measured on the years held out"
