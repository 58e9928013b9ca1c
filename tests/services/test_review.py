"""Nobody sees a score before they have judged, and nothing leaves an organisation on one person's word."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import inspect

from countenance.app import Countenance
from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput, NoAuthority, Refused, RoleMissing, UnknownThing
from countenance.domain.results import SearchResult
from countenance.domain.reviews import DIFFERENT, SAME
from countenance.imaging.decode import decode
from countenance.imaging.limits import Limits
from countenance.services.search import SearchRequest
from countenance.store import moments
from tests import pretend
from tests.places import TESTER, Place, grant, kinds
from tests.services.test_request import ADMIN, ASKER, AUDITOR, BOSS, REASONS, office, wanted

__all__ = ["office"]

PROBE = pretend.photograph("ada", note="asked")
ANN, BEN, CAT = (Actor(f"os:{name}", "python") for name in ("ann", "ben", "cat"))


@pytest.fixture
def bench(office: Countenance) -> Countenance:
    """The organisation, with three reviewers."""
    for name in ("ann", "ben", "cat"):
        office.people.add(name, ["reviewer"], ADMIN, system_user=name)
    return office


def found(product: Countenance) -> SearchResult:
    request = product.requests.ask(wanted(), REASONS, ASKER)
    authority = product.requests.approve(request.id, BOSS)
    return product.search(SearchRequest(photographs=(PROBE,), authority=authority.id), ASKER)


def opened(product: Countenance, result: SearchResult, group: int = 0) -> str:
    sighting = result.groups[group].sightings[0].id
    return product.reviews.open(result.search, result.handle, sighting, PROBE, "largest", ASKER).id


def judge(product: Countenance, actor: Actor, verdict: str) -> dict[str, Any]:
    pair = product.reviews.next(actor)
    assert pair is not None
    return product.reviews.judge(pair.review, verdict, "the ears and the left brow", actor)


def test_two_people_judge_without_score_and_then_are_told(bench: Countenance) -> None:
    result = found(bench)
    id = opened(bench, result)
    pair = bench.reviews.next(ANN)
    assert pair is not None
    said = json.dumps(pair.as_json())
    assert "likeness" not in said
    assert "strangers" not in said
    assert bench.reviews.picture(id, "probe", ANN) == pair.probe.content
    told = bench.reviews.judge(id, SAME, "the ears", ANN)
    assert told["likeness"] == pytest.approx(result.groups[0].likeness, abs=1e-6)
    assert told["outcome"] is None
    assert judge(bench, BEN, SAME)["outcome"] == SAME
    assert bench.reviews.next(CAT) is None
    assert bench.reviews.outcomes(result.search) == {result.groups[0].sightings[0].id: SAME}
    assert kinds(bench)[-5:] == ["review.opened", "review.shown", "verdict.given", "review.shown", "verdict.given"]


def test_who_disagree_are_joined_by_a_third(bench: Countenance) -> None:
    id = opened(bench, found(bench))
    assert judge(bench, ANN, SAME)["outcome"] is None
    assert judge(bench, BEN, DIFFERENT)["outcome"] is None
    assert judge(bench, CAT, DIFFERENT)["outcome"] == DIFFERENT
    (review,) = bench.reviews.every(AUDITOR)
    assert (review.id, review.outcome, len(review.verdicts)) == (id, DIFFERENT, 3)


def test_a_pair_stays_with_its_reviewer_until_judged_and_nobody_judges_what_they_were_not_shown(
    bench: Countenance,
) -> None:
    result = found(bench)
    ids = {opened(bench, result, group) for group in range(2)}
    first = bench.reviews.next(ANN)
    assert first is not None
    assert {pair.review for _ in range(5) if (pair := bench.reviews.next(ANN))} == {first.review}
    (other,) = ids - {first.review}
    for id in (other, "J-000000000000"):
        with pytest.raises((Refused, UnknownThing)):
            bench.reviews.judge(id, SAME, "because", ANN)
        with pytest.raises(Refused):
            bench.reviews.picture(id, "probe", ANN)
    with pytest.raises(BadInput, match="reason"):
        bench.reviews.judge(first.review, SAME, " ", ANN)
    bench.reviews.judge(first.review, SAME, "because", ANN)
    with pytest.raises(Refused):
        bench.reviews.judge(first.review, DIFFERENT, "I have thought again", ANN)
    with pytest.raises(Refused):
        bench.reviews.picture(first.review, "probe", ANN)


def test_whoever_searched_does_not_judge_and_who_is_no_reviewer_neither(bench: Countenance) -> None:
    bench.people.add("both", ["requester", "reviewer"], ADMIN, system_user="both")
    both = Actor("os:both", "python")
    request = bench.requests.ask(wanted(), REASONS, both)
    authority = bench.requests.approve(request.id, BOSS)
    result = bench.search(SearchRequest(photographs=(PROBE,), authority=authority.id), both)
    bench.reviews.open(result.search, result.handle, result.groups[0].sightings[0].id, PROBE, "largest", both)
    assert bench.reviews.next(both) is None
    for actor in (ASKER, BOSS, ADMIN, AUDITOR):
        with pytest.raises(RoleMissing):
            bench.reviews.next(actor)
    with pytest.raises(RoleMissing):
        bench.reviews.every(ANN)


def test_the_photograph_has_to_be_one_that_was_searched_with(bench: Countenance) -> None:
    result = found(bench)
    sighting = result.groups[0].sightings[0].id
    other = pretend.photograph("bob", note="another")
    with pytest.raises(BadInput, match="searched with"):
        bench.reviews.open(result.search, result.handle, sighting, other, "largest", ASKER)
    with pytest.raises(UnknownThing):
        bench.reviews.open(result.search, result.handle, 10**6, PROBE, "largest", ASKER)
    with pytest.raises(NoAuthority):
        bench.reviews.open(result.search, "x" * 40, sighting, PROBE, "largest", ASKER)
    opened(bench, result)
    with pytest.raises(Refused, match="already"):
        opened(bench, result)


def test_nothing_is_disclosed_before_two_people_have_judged(bench: Countenance) -> None:
    result = found(bench)
    assert len(result.groups) > 1

    def disclose() -> dict[str, Any]:
        content = bench.export_search(result.search, result.handle, "the officer", "an arrest", ASKER)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return dict(json.loads(archive.read("search.json")))

    with pytest.raises(Refused, match="two people"):
        disclose()
    opened(bench, result)
    judge(bench, ANN, SAME)
    size = bench.ledger_size
    with pytest.raises(Refused, match="two people"):
        disclose()
    assert bench.ledger_size == size
    judge(bench, BEN, SAME)
    shown = [one["id"] for group in disclose()["groups"] for one in group["sightings"]]
    assert shown == [f"sighting-{result.groups[0].sightings[0].id}"]


def test_known_pairs_are_given_among_the_others_and_show_who_errs(bench: Countenance) -> None:
    ada = [pretend.photograph("ada", note=note) for note in ("a", "b")]
    bob = pretend.photograph("bob", note="c")
    right = bench.reviews.add_control(ada[0], ada[1], SAME, ADMIN)
    wrong = bench.reviews.add_control(ada[0], bob, DIFFERENT, ADMIN)
    for _ in range(2):
        pair = bench.reviews.next(ANN)
        assert pair is not None
        assert pair.review in (right, wrong)
        assert pair.probe.content
        assert pair.candidate.content
        told = bench.reviews.judge(pair.review, SAME, "looks right", ANN)
        assert told["truth"] == (SAME if pair.review == right else DIFFERENT)
    assert bench.reviews.next(ANN) is None
    (ann,) = bench.reviews.reviewers(AUDITOR)
    assert (ann.controls, ann.errors, ann.verdicts) == (2, 1, 2)
    bench.reviews.remove_control(wrong, ADMIN)
    (ann,) = bench.reviews.reviewers(AUDITOR)
    assert (ann.controls, ann.errors) == (1, 0)
    with pytest.raises(RoleMissing):
        bench.reviews.add_control(ada[0], bob, DIFFERENT, ANN)
    with pytest.raises(BadInput):
        bench.reviews.add_control(ada[0], bob, "perhaps", ADMIN)


def test_what_is_kept_of_a_probe_opens_with_its_key_alone_and_goes_with_it(
    house: Place, bench: Countenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = found(bench)
    id = opened(bench, result)
    pair = bench.reviews.next(ANN)
    assert pair is not None
    content = pair.probe.content
    assert content is not None
    assert not any(content[200:400] in data for data in house.files().values())
    real = moments.now
    monkeypatch.setattr(
        moments, "now", lambda: real() + timedelta(days=3 + bench.settings.retention.probe_days, hours=1)
    )
    bench.run_retention(ADMIN)
    again = bench.reviews.next(ANN)
    assert again is not None
    assert (again.review, again.probe.content) == (id, None)
    with bench.database.read() as c:
        assert c.exec_driver_sql("SELECT count(*) FROM review_pictures").scalar_one() == 0


def test_a_candidate_that_was_erased_is_shown_no_more(bench: Countenance) -> None:
    result = found(bench)
    id = opened(bench, result)
    assert bench.reviews.next(ANN) is not None
    sighting = result.groups[0].sightings[0].id
    plan = bench.eraser.plan_sightings([sighting])
    bench.erase(plan, ADMIN)
    pair = bench.reviews.next(ANN)
    assert pair is not None
    assert pair.candidate.content is None
    with pytest.raises(UnknownThing, match="erased"):
        bench.reviews.picture(id, "candidate", ANN)
    told = bench.reviews.judge(id, "cannot-tell", "it is gone", ANN)
    assert told["likeness"] is None


def test_a_verdict_stands_in_the_ledger_and_not_in_a_row(bench: Countenance) -> None:
    result = found(bench)
    opened(bench, result)
    judge(bench, ANN, DIFFERENT)
    with bench.database.read() as c:
        tables = inspect(c).get_table_names()
    assert not [name for name in tables if "verdict" in name]
    raw = (bench.home / "ledger" / "entries.jsonl").read_bytes()
    assert b"left brow" not in raw


def test_both_sides_are_square_pictures_of_a_face(real: Place, people: Callable[[str, str], bytes]) -> None:
    product = real.open()
    photograph = people("P001", "amateur_selfie")
    result = product.search(SearchRequest((photograph,), grant(product, "folk").id, face="largest"), TESTER)
    for group in result.groups[:3]:
        product.reviews.open(result.search, result.handle, group.sightings[0].id, photograph, "largest", TESTER)
        pair = product.reviews.next(TESTER)
        assert pair is not None
        shapes = [decode(side.content or b"", Limits()).pixels.shape for side in (pair.probe, pair.candidate)]
        assert all(height == width > 100 for height, width, _ in shapes)
        product.reviews.judge(pair.review, "cannot-tell", "they are made up", TESTER)
