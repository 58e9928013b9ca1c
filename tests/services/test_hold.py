"""What is held stays, is used for nothing, and goes when the hold ends; whoever asked to be erased is not shown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from countenance.app import Countenance, open_home
from countenance.cli.backup import bring_back
from countenance.domain.errors import BadInput, NotRegistered, OnHold, Refused, RoleMissing, UnknownThing
from countenance.domain.holds import Hold
from countenance.ledger import finding, log
from countenance.services.backup import To, back_up
from countenance.services.hold import NewHold
from countenance.services.home import Where
from countenance.services.people import system_actor
from countenance.services.restore import With
from countenance.settings import Settings
from countenance.store import moments
from tests import databases, pretend
from tests.places import TESTER, Place, ask, grant, ingest, kinds
from tests.services.test_request import REASONS, wanted
from tests.services.test_retention import PROBE, Clock
from tests.teams import found as team_of
from tests.teams import organisation
from tests.traces import left, of_photograph

DAYS = 30


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def hold(product: Countenance, *, days: float = DAYS, **what: Any) -> Hold:
    return product.holds.place(NewHold("a court asked", moments.now() + timedelta(days=days), **what), TESTER)


def rows(product: Countenance, query: str) -> int:
    with product.database.read() as c:
        return int(c.exec_driver_sql(query).scalar() or 0)


def test_a_held_source_is_kept_past_its_time_and_neither_read_nor_searched(house: Place, clock: Clock) -> None:
    with house.open() as product:
        over = product.source("album").expires_at
        placed = hold(product, days=120, sources=("album",))
        authority = grant(product, "album", "wall", days=400)
        clock.put(over)
        done = product.run_retention(TESTER)
        assert done["sources"] == []
        assert {"rule": "sources", "count": 1, "holds": [placed.id]} in done["held"]
        assert product.source("album").name == "album"
        with pytest.raises(NotRegistered):
            ingest(product, "album")
        assert {s.source for g in ask(product, authority, PROBE).groups for s in g.sightings} == {"wall"}
        with pytest.raises(OnHold) as error:
            product.eraser.plan_sources(["album"])
        assert error.value.details["holds"] == [placed.id]
        # At its date it ends by itself, with an entry, and the next run takes the source.
        clock.put(placed.until)
        assert product.run_retention(TESTER)["sources"] == ["album", "wall"]
        assert kinds(product).count("hold.lapsed") == 1
        product.ledger_verify()


def test_a_collection_holds_what_joins_it_later(product: Countenance) -> None:
    hold(product, collections=("wall",))
    with pytest.raises(OnHold):
        product.eraser.plan_sources(["wall"])
    assert product.eraser.plan_sources(["album"]).counts["sources"] == 1


def test_an_edited_row_neither_places_nor_ends_a_hold(product: Countenance) -> None:
    hold(product, sources=("wall",))
    with product.database.write() as c:
        c.exec_driver_sql("DELETE FROM meta WHERE key = 'holds'")
        c.exec_driver_sql("UPDATE collections SET name = 'elsewhere' WHERE name = 'wall'")
    with pytest.raises(OnHold):
        product.eraser.plan_sources(["wall"])


def test_somebody_who_asks_to_be_erased_is_erased_elsewhere_shown_to_nobody_and_erased_when_the_hold_ends(
    house: Place, clock: Clock
) -> None:
    with house.open() as product:
        placed = hold(product, sources=("wall",))
        needles = of_photograph(product, house.photos / "album" / "ada-1.png")
        authority = grant(product, "album", "wall", days=1)
        plan = product.plan_face_erasure(PROBE, None, authority.id, TESTER, 0.5)
        asked = {s.source for g in ask(product, authority, PROBE, min_likeness=0.5).groups for s in g.sightings}
        assert asked == {"album", "wall"}
        with pytest.raises(OnHold) as error:
            product.erase(plan, TESTER)
        said = error.value.details
        assert said["holds"] == [placed.id]
        assert said["held"] > 0
        assert said["erased"]["sightings"] > 0
        # What is not held is gone at once, to the last byte; what is held is there and nobody is shown it.
        assert left(house, needles) == []
        assert rows(product, "SELECT count(*) FROM sightings s JOIN appearances a ON a.id = s.appearance_id "
                             "WHERE a.source_id = 2") > 0  # fmt: skip
        again = ask(product, authority, PROBE, min_likeness=0.5)
        assert again.groups == ()
        assert rows(product, f"SELECT count(probe) FROM searches WHERE id = '{plan.asked.search}'") == 0
        # Asked once more it waits once, not twice.
        with pytest.raises(OnHold) as second:
            product.erase(product.plan_face_erasure(PROBE, None, authority.id, TESTER, 0.5), TESTER)
        assert second.value.details["pending"] == said["pending"]
        assert kinds(product).count("erasure.pending") == 1
        (waiting,) = product.holds.waiting()
        clock.put(placed.until)
        product.keep_time(system_actor("clock"))
        assert product.holds.waiting() == []
        assert {one for one in waiting.sightings if rows(product, f"SELECT 1 FROM sightings WHERE id = {one}")} == set()
        last = product.ledger_entries(product.ledger_size - 1, product.ledger_size)[0]
        assert (last["type"], last["body"]["scope"]["pending"]) == ("erasure", said["pending"])
        product.ledger_verify()
        assert product.engine.index.verify() == []
    house.opened.clear()
    with house.open() as product:
        # The first part, the second look-up's probe alone, and what waited.
        assert kinds(product).count("erasure") == 3


def test_no_edit_of_rows_or_files_shows_anybody_whose_erasure_waits(
    house: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "LEVEL", 2)
    monkeypatch.setattr(log, "_FEW", 0)
    with house.open() as product:
        hold(product, sources=("album", "wall"))
        authority = grant(product, "album", "wall", days=1)
        plan = product.plan_face_erasure(PROBE, None, authority.id, TESTER, 0.5)
        assert ask(product, authority, PROBE, min_likeness=0.5).groups != ()
        with pytest.raises(OnHold):
            product.erase(plan, TESTER)
        for _ in range(4):
            assert ask(product, authority, PROBE, min_likeness=0.5).groups == ()
        with product.database.write() as c:
            c.exec_driver_sql("DELETE FROM meta WHERE key = 'holds'")
    house.opened.clear()
    parts = sorted((house.home / "ledger" / "finding").iterdir())
    assert len(parts) > 3
    for path in parts:
        data = path.read_bytes()
        path.write_bytes(data[: data.index(b"\n") + 33] + bytes(8))
    with house.open() as product:
        assert ask(product, authority, PROBE, min_likeness=0.5).groups == ()
    house.opened.clear()
    for path in parts:
        path.unlink()
    with house.open() as product:
        assert ask(product, authority, PROBE, min_likeness=0.5).groups == ()
    house.opened.clear()


def test_a_held_search_keeps_its_probe_its_result_and_what_it_showed_and_not_the_whole_source(
    house: Place, clock: Clock
) -> None:
    with house.open(search={"probe_days": 0}) as product:
        authority = grant(product, "album", days=1)
        result = ask(product, authority, PROBE, min_likeness=0.5)
        product.export_search(result.search, result.handle, "A Court", "evidence", TESTER)
        shown = {s.id for g in result.groups for s in g.sightings}
        placed = hold(product, days=200, searches=(str(result.receipt["seq"]),))
        assert placed.scope.searches == (result.search,)
        bob = of_photograph(product, house.photos / "album" / "bob.png")
        clock.put(product.source("wall").expires_at)
        done = product.run_retention(TESTER)
        assert {one["rule"] for one in done["held"]} == {"sources", "probes", "notes", "results"}
        assert done["sources"] == ["wall"]
        kept = rows(product, "SELECT count(*) FROM sightings WHERE id IN ({})".format(",".join(map(str, shown))))
        assert kept == len(shown)
        assert left(house, bob) == [], "what the search did not show is gone"
        assert rows(product, "SELECT count(probe) FROM searches") == 1
        assert rows(product, "SELECT count(*) FROM candidates") == len(shown)
        again = product.run_retention(TESTER)
        assert (again["sources"], again["entry"]) == ([], None), "nothing is left to destroy, so nothing is entered"
        product.holds.release(placed.id, "the case is closed", TESTER)
        done = product.run_retention(TESTER)
        assert done["sources"] == ["album"]
        # With it what the export was for, and why there was a hold.
        assert (done["probes"], done["notes"], done["held"]) == (1, 3, [])
        assert rows(product, "SELECT count(*) FROM images") == 0
        product.ledger_verify()
        assert product.engine.index.verify() == []


def test_what_an_urgent_search_found_is_kept_by_a_hold_and_opens_for_nobody(house: Place) -> None:
    with house.open() as product:
        terms = wanted(basis="own", basis_document=None, urgent=True)
        request = product.requests.ask(terms, REASONS, TESTER)
        result = ask(product, str(request.authority), pretend.photograph("ada", note="urgent"))
        placed = hold(product, authorities=(str(request.authority),))
        product.requests.decline(request.id, "there was time", TESTER)
        assert rows(product, "SELECT count(probe) FROM searches") == 1
        assert rows(product, "SELECT count(*) FROM candidates") > 0
        with pytest.raises(Refused):
            product.shown(result.search, result.handle)
        product.holds.release(placed.id, "looked into", TESTER)
        product.keep_time(TESTER)
        assert rows(product, "SELECT count(probe) FROM searches") == 0
        assert rows(product, "SELECT count(*) FROM candidates") == 0


def test_who_may_hold_and_who_releases(place: Place, pretending: None) -> None:
    product = place.open(making=organisation())
    team = team_of(product, set_up=False)
    until = moments.now() + timedelta(days=DAYS)
    product.add_source(_source(place), team.actor("administrator"))
    for role in ("administrator", "requester", "reviewer", "auditor"):
        with pytest.raises(RoleMissing):
            product.holds.place(NewHold("x", until, sources=("album",)), team.actor(role))
    boss = team.actor("authoriser")
    placed = product.holds.place(NewHold("a court asked", until, sources=("album",), case="C-1"), boss)
    with pytest.raises(Refused, match="does not release it"):
        product.holds.release(placed.id, "enough", boss)
    product.people.add("second", ["authoriser"], team.actor("administrator"))
    second = product.people.known(type(boss)(product.people.account("second").user, "page"))
    assert product.holds.one(placed.id, team.actor("auditor")).case == "C-1"
    with pytest.raises(RoleMissing):
        product.holds.every(team.actor("requester"))
    assert product.holds.release(placed.id, "enough", second).state(moments.now()) == "released"
    assert product.holds.reasons(product.holds.held().holds[placed.id])["released_because"] == "enough"


def _source(place: Place) -> Any:
    from countenance.services.register import NewSource

    place.photos.mkdir(parents=True, exist_ok=True)
    return NewSource("album", "folder", str(place.photos), "Tests", "consent")


def test_a_hold_needs_a_reason_an_end_and_something_that_is_there(product: Countenance) -> None:
    soon = moments.now() + timedelta(days=1)
    for new in (
        NewHold(" ", soon, sources=("album",)),
        NewHold("x", soon),
        NewHold("x", moments.now(), sources=("album",)),
        NewHold("x", moments.now() + timedelta(days=367), sources=("album",)),
    ):
        with pytest.raises(BadInput):
            product.holds.place(new, TESTER)
    for wrong in ({"sources": ("x",)}, {"collections": ("x",)}, {"authorities": ("x",)}, {"searches": ("0",)},
                  {"searches": ("S-1",)}, {"analyses": ("x",)}):  # fmt: skip
        with pytest.raises(UnknownThing):
            product.holds.place(NewHold("x", soon, **wrong), TESTER)
    assert "hold.placed" not in kinds(product)


def test_a_restored_home_knows_its_holds_and_erases_again_what_was_gone_before_them(
    house: Place, tmp_path: Any
) -> None:
    with house.open() as product:
        back_up(product._home, tmp_path / "old.age", To("copper lantern drives slowly"), TESTER)
        result = ask(product, grant(product, "album"), PROBE, min_likeness=0.5)
        gone = next(s.id for g in result.groups for s in g.sightings)
        product.eraser.erase(product.eraser.plan_sightings([gone]), TESTER)
        placed = hold(product, sources=("album",))
        (tmp_path / "newer.zip").write_bytes(product.ledger_bundle(TESTER))
    house.opened.clear()
    given = With("copper lantern drives slowly", ledger=tmp_path / "newer.zip")
    again_at = tmp_path / "again"
    body = bring_back(tmp_path / "old.age", Where(again_at, house.keys, databases.address(again_at)), given)
    assert body["erased_again"]["sightings"] == 1
    with open_home(settings=Settings(home=again_at, key_dir=house.keys, **databases.setting(again_at))) as again:
        assert again.holds.held().holds[placed.id].state(moments.now()) == "in force"
        with pytest.raises(OnHold):
            again.eraser.plan_sources(["album"])
