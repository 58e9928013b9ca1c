"""A candidate that two people took for somebody else is marked when it comes up again; the calibration is checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from countenance.app import Countenance
from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput
from countenance.domain.requests import Reasons
from countenance.domain.results import SearchResult
from countenance.domain.reviews import DIFFERENT, SAME
from countenance.services import permit
from countenance.services.oversight import Asked
from countenance.services.search import SearchRequest
from countenance.services.verdicts import read_hard_impostors
from countenance.store import items, moments
from tests import pretend
from tests.places import kinds
from tests.services.test_request import ADMIN, ASKER, AUDITOR, BOSS, OTHER, REASONS, office, wanted
from tests.services.test_review import ANN, BEN, PROBE, bench, judge, opened

__all__ = ["bench", "office"]

AGAIN = pretend.photograph("ada", note="asked again")
BOB = pretend.photograph("bob", note="asked")


def leave(product: Countenance, who: Actor = ASKER, case: str = "T-1") -> str:
    # Whoever asks twice in the same words is turned away.
    said = " ".join(f"{word}{'x' * product.ledger_size}" for word in ("Seen", "again", "since"))
    words = Reasons(f"{REASONS.necessity} {said}", f"{REASONS.proportionality} {said}")
    return product.requests.approve(product.requests.ask(wanted(case=case), words, who).id, BOSS).id


def search(product: Countenance, photograph: bytes, authority: str, who: Actor = ASKER) -> SearchResult:
    return product.search(SearchRequest((photograph,), authority, min_likeness=-1.0), who)


def marks(result: SearchResult) -> set[int]:
    return {one.id for group in result.groups for one in group.sightings if one.judged_different}


@pytest.fixture
def judged(bench: Countenance) -> dict[str, Any]:
    """ASKER's best candidate for ada was judged to be somebody else."""
    authority = leave(bench)
    result = search(bench, PROBE, authority)
    opened(bench, result)
    judge(bench, ANN, DIFFERENT)
    assert judge(bench, BEN, DIFFERENT)["outcome"] == DIFFERENT
    return {"authority": authority, "sighting": result.groups[0].sightings[0].id, "result": result}


def test_it_is_marked_for_the_same_person_and_stays_shown(bench: Countenance, judged: dict[str, Any]) -> None:
    before = bench.ledger_size
    result = search(bench, AGAIN, judged["authority"])
    assert marks(result) == {judged["sighting"]}
    assert kinds(bench)[before:] == ["search.started", "probes.compared", "search.shown"]
    entry = bench.ledger_entries(before + 2, before + 3, opened=True)[0]
    assert "judged_different" in entry["opened"][f"sighting:{judged['sighting']}"]
    (one,) = [s for group in result.groups for s in group.sightings if s.judged_different]
    assert one.as_json()["judged_different"].startswith(moments.now().date().isoformat()[:4])
    assert marks(bench.shown(result.search, result.handle)) == {judged["sighting"]}
    assert len(result.groups) == len(judged["result"].groups), "nothing is hidden"


def test_not_for_somebody_else_and_not_in_another_matter(bench: Countenance, judged: dict[str, Any]) -> None:
    assert marks(search(bench, BOB, judged["authority"])) == set()
    before = bench.ledger_size
    elsewhere = leave(bench, OTHER, "T-2")
    assert marks(search(bench, AGAIN, elsewhere, OTHER)) == set()
    assert "probes.compared" not in kinds(bench)[before:], "that somebody looked for this face is not even asked"
    assert marks(search(bench, AGAIN, leave(bench, OTHER), OTHER)) == {judged["sighting"]}, "the same case"


def test_not_once_the_earlier_probe_is_gone_and_not_of_what_was_judged_the_same(
    bench: Countenance, judged: dict[str, Any]
) -> None:
    other = search(bench, PROBE, judged["authority"])
    opened(bench, other, 1)
    judge(bench, ANN, SAME)
    judge(bench, BEN, SAME)
    assert marks(search(bench, AGAIN, judged["authority"])) == {judged["sighting"]}
    with bench.database.write() as c:  # as retention does
        items.destroy(c, [permit.probe_item(judged["result"].search)])
    assert marks(search(bench, AGAIN, leave(bench, case="T-3"))) == set()


def test_verdicts_are_held_against_the_calibration(bench: Countenance, judged: dict[str, Any], tmp_path: Path) -> None:
    asked = Asked("self-monitoring")
    body, hard = bench.oversight.verdicts(asked, AUDITOR)
    assert (body["judged"], body["searches"], body["too_hopeful"]) == (1, 1, True)
    assert kinds(bench)[-1] == "oversight.read"
    assert set(hard) == {"format", "pack", "comparisons", "z"}
    assert (len(hard["z"]), hard["pack"]) == (1, bench.engine.pack.id)
    assert read_hard_impostors(json.loads(json.dumps(hard)), hard["pack"]) == (hard["z"], hard["comparisons"])
    for bad in (None, {}, hard | {"format": "x"}, hard | {"z": ["x"]}):
        with pytest.raises(BadInput):
            read_hard_impostors(bad, hard["pack"])
    with pytest.raises(BadInput, match="pack"):
        read_hard_impostors(hard, "another")


def test_what_is_erased_counts_no_more(bench: Countenance, judged: dict[str, Any]) -> None:
    bench.erase(bench.eraser.plan_sightings([judged["sighting"]]), ADMIN)
    body, hard = bench.oversight.verdicts(Asked("self-monitoring"), AUDITOR)
    assert body["judged"] == 0
    assert hard["z"] == []
    assert marks(search(bench, AGAIN, judged["authority"])) == set()
