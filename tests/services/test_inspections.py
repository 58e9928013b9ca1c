"""Searches are drawn so that nobody here chose them, and looked at by people who had no part in them."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from countenance.app import Countenance
from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput, Refused, RoleMissing, UnknownThing
from countenance.domain.inspections import drawn, seed_of
from countenance.domain.misuse.flag import Flag
from countenance.domain.people import ORGANISATION, Document
from countenance.services.drawing import by_risk, weighed
from countenance.services.inspections import Wanted
from countenance.services.listing import Chosen
from countenance.services.oversight import Asked, OversightDesk
from countenance.services.people import system_actor
from countenance.services.search import SearchRequest
from countenance.store import moments
from countenance.web.serve import _keeping_time
from tests import pretend
from tests.domain.acting import MONDAY, acts, deed, grant, search
from tests.places import ROOT, TESTER, Place, ask, kinds
from tests.places import grant as granted
from tests.services.test_request import REASONS, wanted
from tests.web.conftest import serve

NAMES = ("asker", "boss", "rita", "ron", "auditor")
ASKER, BOSS, RITA, RON, AUDITOR = (Actor(f"os:{name}", "python") for name in NAMES)
WHY, ALL = Asked("lawfulness"), Chosen()
ADMIN = Actor("os:admin", "python")
CLOCK = system_actor("clock")


@pytest.fixture
def office(house: Place) -> Countenance:
    """An organisation with two reviewers, one of whom also asks for searches, and three searches by two people."""
    product = house.open()
    until = date.today() + timedelta(days=300)  # noqa: DTZ011
    product.people.set_profile(ORGANISATION, Document("POL-1", until), Document("DPIA-1", until), TESTER)
    product.people.add("admin", ["administrator"], Actor("os:admin", "command"))
    roles = (["requester"], ["authoriser"], ["reviewer", "requester"], ["reviewer"], ["auditor"])
    for name, held in zip(NAMES, roles, strict=True):
        product.people.add(name, held, ADMIN, system_user=name)
    for who, thing, place in ((ASKER, "handbag", "platform"), (ASKER, "bicycle", "yard"), (RITA, "parcel", "shop")):
        reasons = replace(
            REASONS,
            necessity=f"The {thing} was taken at the {place} by somebody whom two cameras at the {place} saw going out",
            proportionality=f"One photograph from the {place} is compared once and whoever has no {thing} is not kept",
        )
        n = len(product.authorities())
        request = product.requests.ask(wanted(case=f"C-{n}"), reasons, who)
        authority = product.requests.approve(request.id, BOSS)
        product.search(SearchRequest((pretend.photograph("ada", note=f"p{n}"),), authority.id), who)
    return product


def user(product: Countenance, name: str) -> str:
    return product.people.account(name).user


def draw(product: Countenance, **more: Any) -> Any:
    return product.inspections.draw(Wanted("self-monitoring", **{"random": 3, "risk": 0} | more), AUDITOR)


def test_who_had_a_part_in_a_search_does_not_look_at_it(office: Countenance) -> None:
    made = draw(office)
    assert made.population == 3
    rita, ron = user(office, "rita"), user(office, "ron")
    searchers = {
        one.search: office.oversight.act(one.search, WHY, AUDITOR)["who"] for one in office.inspections.every(AUDITOR)
    }
    for one in office.inspections.every(AUDITOR):
        assert one.assigned in (rita, ron)
        assert one.assigned != searchers[one.search]
    (hers,) = [one for one in office.inspections.every(AUDITOR) if searchers[one.search] == rita]
    assert hers.assigned == ron
    with pytest.raises(Refused, match="had a part"):
        office.inspections.assign(hers.id, "rita", AUDITOR)
    with pytest.raises(Refused, match="only a reviewer"):
        office.inspections.assign(hers.id, "admin", AUDITOR)
    with pytest.raises(UnknownThing):
        office.inspections.find(hers.id, "in-order", "all is well", RITA)
    assert office.inspections.assign(hers.id, "auditor", AUDITOR).assigned == user(office, "auditor")


def test_whose_follow_up_it_is_says_what_was_done(office: Countenance, monkeypatch: pytest.MonkeyPatch) -> None:
    draw(office)
    mine, other, _ = office.inspections.every(AUDITOR)
    for one, owner in ((mine, "boss"), (other, "asker")):
        who = RON if one.assigned == user(office, "ron") else RITA
        office.inspections.find(one.id, "query", "why at night?", who)
        office.inspections.follow_up(one.id, owner, moments.now().date() + timedelta(days=2), f"ask {owner}", who)
    assert [one.id for one in office.inspections.follow_ups(BOSS)] == [mine.id]
    assert office.inspections.asked(mine_now := office.inspections.follow_ups(BOSS)[0]) == {"follow-up": "ask boss"}
    assert "why at night?" not in str(mine_now.owed(moments.now()))
    assert office.inspections.follow_ups(AUDITOR) == []
    size = office.ledger_size
    with pytest.raises(UnknownThing):
        office.inspections.followed_up(other.id, "explained", BOSS)
    with pytest.raises(BadInput):
        office.inspections.followed_up(mine.id, " ", BOSS)
    assert office.ledger_size == size
    done = office.inspections.followed_up(mine.id, "the roster was read", BOSS)
    assert kinds(office)[size:] == ["inspection.followed-up"]
    assert office.inspections.asked(done) == {"follow-up": "ask boss", "done": "the roster was read"}
    with pytest.raises(Refused):
        office.inspections.followed_up(mine.id, "again", BOSS)
    later = moments.now() + timedelta(days=4)
    monkeypatch.setattr(moments, "now", lambda: later)
    assert office.inspections.counts(AUDITOR)["follow_ups_late"] == 1
    assert [one.owed(later)["late"] for one in office.inspections.follow_ups(ASKER)] == [True]


def test_a_token_for_answers_alone_says_nothing_of_anothers_follow_up(office: Countenance) -> None:
    draw(office)
    one = next(one for one in office.inspections.every(AUDITOR) if one.assigned == user(office, "ron"))
    office.inspections.find(one.id, "query", "why at night?", RON)
    office.inspections.follow_up(one.id, "boss", moments.now().date() + timedelta(days=2), "ask boss", RON)
    answers, judges = (
        {"Authorization": f"Bearer {office.create_token('t', scopes, None, RON)[1]}"}
        for scopes in (["inspections:answer"], ["inspections:answer", "inspections:judge"])
    )
    size = office.ledger_size
    for served in serve(office):
        door, said = f"{served.address}/api/v1/inspections/{one.id}/done", {"words": "the roster was read"}
        assert httpx.post(door, json=said, headers=answers, timeout=60).status_code == 404
        assert office.ledger_size == size
        assert httpx.post(door, json=said, headers=judges, timeout=60).status_code == 200
    assert kinds(office)[size:] == ["inspection.followed-up"]


def test_somebody_who_got_a_part_meanwhile_does_not_judge(office: Countenance) -> None:
    draw(office)
    one = next(one for one in office.inspections.every(AUDITOR) if one.assigned == user(office, "ron"))
    body = {"review": "J-000000000000", "search": one.search, "verdict": "same"}
    office._home.record.enter("verdict.given", office.people.known(RON), body)
    with pytest.raises(Refused, match="had a part"):
        office.inspections.find(one.id, "in-order", "all is well", RON)


def test_from_drawing_to_done(office: Countenance) -> None:
    draw(office, random=1)
    (one,) = office.inspections.every(AUDITOR)
    who = RITA if one.assigned == user(office, "rita") else RON
    other = RON if who is RITA else RITA
    size = office.ledger_size
    file = office.inspections.file(one.id, who)
    assert [e["type"] for e in file["entries"]][:2] == ["authority.requested", "authority.granted"]
    assert kinds(office)[size:] == ["inspection.read"]
    for finding, words in (("fine", "x"), ("query", " "), ("query", "x" * 2001)):
        with pytest.raises(BadInput):
            office.inspections.find(one.id, finding, words, who)
    with pytest.raises(UnknownThing):
        office.inspections.find(one.id, "query", "why at night?", other)
    with pytest.raises(Refused, match="somebody else's"):
        office.inspections.find(one.id, "query", "why at night?", AUDITOR)
    with pytest.raises(Refused, match="nothing to follow up"):
        office.inspections.follow_up(one.id, "boss", date(2100, 1, 1), "explain", who)
    found = office.inspections.find(one.id, "query", "why at night?", who)
    assert (found.state(moments.now()), found.dangling) == ("query", True)
    with pytest.raises(Refused, match="already"):
        office.inspections.find(one.id, "in-order", "no, it is fine", who)
    with pytest.raises(BadInput, match="gone by"):
        office.inspections.follow_up(one.id, "boss", date(2020, 1, 1), "explain", who)
    set_ = office.inspections.follow_up(one.id, "boss", date(2100, 1, 1), "explain it", who)
    assert set_.follow_up is not None
    assert set_.follow_up.owner == user(office, "boss")
    with pytest.raises(RoleMissing):
        office.inspections.follow_up(one.id, "boss", date(2100, 1, 1), "mine", BOSS)
    with pytest.raises(UnknownThing):
        office.inspections.followed_up(one.id, "explained", ASKER)
    done = office.inspections.followed_up(one.id, "explained: a night shift", AUDITOR)
    assert done.follow_up is not None
    assert done.follow_up.done is not None
    assert office.inspections.written(done) == {
        "found": "why at night?",
        "follow-up": "explain it",
        "done": "explained: a night shift",
    }
    raw = b"".join(path.read_bytes() for path in (office.home / "ledger").rglob("*") if path.is_file())
    assert b"at night" not in raw, "what people write is sealed"
    counts = office.oversight.summary(WHY, AUDITOR)["inspections"]
    assert (counts["drawn"], counts["query"], counts["open"], counts["without_follow_up"]) == (1, 1, 0, 0)
    assert one.search in {a["search"] for a in office.oversight.acts(WHY, ALL, AUDITOR)["acts"] if "search" in a}
    office.ledger_verify()


def test_an_outsider_draws_the_same_from_a_bundle(office: Countenance, tmp_path: Path) -> None:
    """With nothing but the bundle and the lines that docs/overseers.md has."""
    first = draw(office, random=1, word="blue heron")
    draw(office, random=1, word="and another", since=first.since)
    code = (ROOT / "docs" / "overseers.md").read_text().partition("```python\n")[2].partition("```")[0]
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(office.ledger_bundle(AUDITOR))
    run = subprocess.run([sys.executable, "-c", code, str(bundle)], capture_output=True, text=True, check=False)
    assert (run.stderr, run.stdout.count(" agrees [")) == ("", 2)
    for made in office.inspections.draws(AUDITOR):
        assert office.inspections.check(made.id, AUDITOR)["agrees"]


def test_a_draw_from_another_root_or_of_other_searches_does_not_agree(office: Countenance) -> None:
    draw(office, random=1)
    record, auditor = office._home.record, office.people.known(AUDITOR)
    said = next(entry.body for entry in record.ledger.mentioning('"type":"inspection.drawn"'))
    changes: tuple[dict[str, Any], ...] = ({"root": "00" * 32, "random": 0}, {"random": 2})
    for n, changed in enumerate(changes):
        forged = {**said, "draw": f"D-{n:012d}", "inspections": [], **changed}
        record.enter("inspection.drawn", auditor, {name: value for name, value in forged.items() if name != "via"})
    first, second = (office.inspections.check(f"D-{n:012d}", AUDITOR) for n in range(2))
    assert (first["root_holds"], first["agrees"]) == (False, False)
    assert (second["root_holds"], second["agrees"], len(second["drawn_again"])) == (True, False, 2)


def test_nobody_is_drawn_twice_and_times_follow_one_another(office: Countenance) -> None:
    first = draw(office, random=2)
    second = draw(office, random=5, since=first.since)
    assert (second.population, len(office.inspections.every(AUDITOR))) == (1, 3)
    with pytest.raises(BadInput, match="nobody searched"):
        draw(office)
    with pytest.raises(BadInput, match="four purposes"):
        office.inspections.draw(Wanted("curiosity"), AUDITOR)
    with pytest.raises(BadInput, match="1 to 500"):
        draw(office, random=0)
    with pytest.raises(RoleMissing):
        office.inspections.draw(Wanted("self-monitoring"), RON)


WEEKLY = {"draw_every_days": 7, "inspections_random": 2, "inspections_by_risk": 1}


def next_week(monkeypatch: pytest.MonkeyPatch, days: int = 7) -> datetime:
    """The time is that of a later week."""
    later = moments.now() + timedelta(days=days)
    monkeypatch.setattr(moments, "now", lambda: later)
    return later


def test_the_clock_draws_once_a_period(office: Countenance, house: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert office.inspections.keep(CLOCK) is None, "it is not asked to"
    one, other = (house.open(oversee=WEEKLY) for _ in range(2))
    assert one.inspections.keep(CLOCK) is None, "the week is not over"
    later = next_week(monkeypatch)
    size = one.ledger_size
    made = one.inspections.keep(CLOCK)
    assert other.inspections.keep(CLOCK) is None
    assert one.inspections.keep(CLOCK) is None
    assert kinds(one)[size:] == ["inspection.drawn"]
    assert made is not None
    assert (made.scheduled, made.by, made.until.weekday(), made.population) == (True, CLOCK.user, 0, 3)
    assert made.until <= later
    rita, ron = user(one, "rita"), user(one, "ron")
    every = one.inspections.every(AUDITOR)
    assert sorted(i.kind for i in every) in (["random", "random"], ["random", "random", "risk"])
    for found in every:
        searcher = one.oversight.act(found.search, WHY, AUDITOR)["who"]
        assert found.assigned == (ron if searcher == rita else found.assigned)
        assert found.assigned in (rita, ron)
    assert one.inspections.check(made.id, AUDITOR)["agrees"]
    # A week in which nobody searched has nothing to draw from what is left but the one that was not drawn.
    next_week(monkeypatch)
    size = other.ledger_size
    assert other.inspections.keep(CLOCK) is None
    assert other.ledger_size == size


def test_a_draw_from_a_short_stretch_takes_nothing_away_from_the_clocks(
    office: Countenance, house: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = house.open(oversee=WEEKLY | {"inspections_random": 5, "inspections_by_risk": 0})
    begun = [e for e in product.ledger_entries(0, product.ledger_size) if e["type"] == "search.started"]
    by_hand = draw(product, random=1, since=datetime.fromisoformat(begun[-1]["at"]))
    assert by_hand.population == 1
    next_week(monkeypatch)
    made = product.inspections.keep(CLOCK)
    assert made is not None
    drawn = {one.search for one in product.inspections.every(AUDITOR)}
    assert (made.population, drawn) == (2, {e["body"]["search"] for e in begun})
    assert len(made.word) == 32, "nobody reckons beforehand what will be drawn"
    assert product.inspections.check(made.id, AUDITOR)["agrees"]


def test_two_servers_draw_once_between_them(office: Countenance, house: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    servers = [house.open(oversee=WEEKLY) for _ in range(2)]
    next_week(monkeypatch)
    both, real = threading.Barrier(2), OversightDesk.signs_in_the_open

    def signs(desk: OversightDesk, since: datetime, until: datetime) -> Any:
        both.wait(20)  # neither has drawn, and both are about to
        return real(desk, since, until)

    monkeypatch.setattr(OversightDesk, "signs_in_the_open", signs)
    size, draws = office.ledger_size, list[Any]()

    def keep(server: Countenance) -> None:
        draws.append(server.inspections.keep(CLOCK))

    threads = [threading.Thread(target=keep, args=(server,)) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(draws) == 2
    assert draws.count(None) == 1
    assert kinds(office)[size:] == ["inspection.drawn"]


def test_the_running_server_draws(office: Countenance, house: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    product = house.open(oversee=WEEKLY)
    next_week(monkeypatch)
    size, until = product.ledger_size, time.monotonic() + 30
    with _keeping_time(product, 0.01):
        while "inspection.drawn" not in kinds(product)[size:] and time.monotonic() < until:
            time.sleep(0.01)
    (entry,) = [e for e in product.ledger_entries(size, product.ledger_size) if e["type"] == "inspection.drawn"]
    assert (entry["actor"]["authenticated"], entry["body"]["via"]) == (CLOCK.user, "clock")


def test_time_runs_out(office: Countenance, monkeypatch: pytest.MonkeyPatch) -> None:
    draw(office, random=1)
    (one,) = office.inspections.every(AUDITOR)
    assert one.state(moments.now()) == "open"
    assert one.state(one.due) == "overdue"
    later = moments.now() + timedelta(days=office.settings.oversee.inspection_days + 1)
    told = office._home.record.inspecting.read(office._home.record)
    assert told.counts(later)["overdue"] == 1


def test_the_heaviest_come_first_and_the_seed_decides_between_equals() -> None:
    made = [search(n, at=MONDAY) for n in range(1, 6)]
    made[3] = search(4, deeds=(deed("exported", 40),))
    flags = [
        Flag("burst", "look", "", (1, 2), ("os:ann",)),
        Flag("idle-export", "notice", "", (40,), ("os:ann",)),
        Flag("urgent-unapproved", "urgent", "", (2,), ("os:ann",)),
        Flag("repeated-justification", "notice", "", (7,), ("os:ann",)),
    ]
    weights = weighed(acts([*made[:4], search(5, authority="A-7")], grants=(grant(7, "p", "C"),)), flags)
    assert {search: weight for search, (weight, _) in weights.items()} == {"S-1": 3, "S-2": 12, "S-4": 1, "S-5": 1}
    assert weights["S-2"][1] == ("burst", "urgent-unapproved")
    seed = seed_of(bytes(32), "word")
    heaviest = by_risk(weights, ["S-1", "S-2", "S-3", "S-4", "S-5"], seed, 3)
    assert heaviest[:2] == ["S-2", "S-1"]
    assert heaviest[2:] == drawn(seed, ["S-4", "S-5"], 1)


def test_one_person_alone_looks_at_their_own(product: Countenance) -> None:
    ask(product, granted(product, "album"), pretend.photograph("ada", note="asked"))
    made = product.inspections.draw(Wanted("self-monitoring"), TESTER)
    (one,) = product.inspections.every(TESTER)
    assert (made.random, one.assigned) == (10, TESTER.user)
    product.inspections.find(one.id, "in-order", "mine", TESTER)
