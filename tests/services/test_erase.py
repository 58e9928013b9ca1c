"""Erased means erased: no byte of it in any file of the home, and everything else answers as before."""

from __future__ import annotations

import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from countenance.app import Countenance
from countenance.domain.errors import LedgerUnavailable, UnknownThing
from countenance.ledger.log import Ledger
from countenance.services import search
from countenance.store import erasing, items
from tests import pretend
from tests.child import KILLED
from tests.places import TESTER, Place, ask, grant, ingest, kinds, register
from tests.traces import left, of_photograph

EVERYBODY = ("ada", "bob")


def answers(product: Countenance, *, without: str = "") -> dict[str, Any]:
    """Everything that a search for each person shows, but for what lies at addresses that hold `without`."""
    authority = grant(product, *(collection["name"] for collection in product.collections()))
    found = {}
    for person in EVERYBODY:
        result = ask(product, authority, pretend.photograph(person, note="asked"), min_likeness=-1.0, limit=100)
        found[person] = [
            (sighting["image"], sighting["page"], sighting["box"], sighting["id"], sighting["likeness"])
            for group in result.as_json()["groups"]
            for sighting in group["sightings"]
            if not without or without not in sighting["image"]
        ]
    return found


def sightings(product: Countenance, part: str) -> list[int]:
    """The ids of what was seen at addresses that hold `part`."""
    query = "SELECT s.id, a.address FROM sightings s JOIN appearances a ON a.id = s.appearance_id ORDER BY s.id"
    with product.database.read() as c:
        return [id for id, address in c.exec_driver_sql(query) if part in address]


def kept(product: Countenance, needles: dict[str, bytes], place: Place) -> None:
    """The search for traces would find them: names, digests, templates and crops are there before the erasure."""
    found = " ".join(left(place, needles))
    assert "bare" not in found, "a template is never kept without its rotation"
    for what in ("name", "address", "digest", "template as kept", "crop in"):
        assert what in found, f"{what} is kept no longer under this form: the test of its absence proves nothing"


def sound(product: Countenance) -> None:
    """The ledger verifies, the index agrees with its rows, nothing is pending."""
    product.ledger_verify()
    assert product.engine.index.verify() == []
    assert product.status()["unfinished_erasures"] == []
    with product.database.read() as c:
        faces = set(c.exec_driver_sql("SELECT id FROM faces WHERE floor IS NULL").scalars())
    assert set(product.engine.index.ids()) == faces


PLANS = {
    "sighting": lambda product, path: product.eraser.plan_sightings(sightings(product, path.name)),
    "image": lambda product, path: product.eraser.plan_image(path.as_uri()),
    "source": lambda product, path: product.eraser.plan_sources([path.parent.name]),
}


@pytest.mark.parametrize("scope", PLANS)
def test_no_byte_of_it_is_left_and_the_rest_answers_as_before(house: Place, scope: str) -> None:
    path = house.photos / "album" / "ada-1.png"
    with house.open() as product:
        before = answers(product, without="/album/" if scope == "source" else path.name)
        needles = of_photograph(product, path)
        kept(product, needles, house)
        if scope == "source":
            needles |= {"folder": (house.photos / "album").as_uri().encode(), "path": str(path.parent).encode()}
            for other in ("ada-2.png", "bob.png", "both.png", "nobody.png", "small.png"):
                needles |= {f"{other}: {k}": v for k, v in of_photograph(product, path.with_name(other)).items()}
        erased = product.erase(PLANS[scope](product, path), TESTER)
        assert erased.pending == ()
        assert left(house, needles) == []
        after = answers(product, without="/album/" if scope == "source" else path.name)
        assert after == before
        assert any(before.values())
        sound(product)
    house.opened.clear()
    assert left(house, needles) == []
    with house.open() as product:
        assert answers(product, without="/album/") == {
            k: [r for r in v if "/album/" not in r[0]] for k, v in before.items()
        }
        sound(product)


def test_erasing_by_face_takes_every_sighting_of_the_person_and_nobody_else(house: Place) -> None:
    paths = [house.photos / "album" / name for name in ("ada-1.png", "ada-2.png", "shared.png")]
    with house.open() as product:
        before = answers(product)
        authority = grant(product, "album", "wall", searches=1)
        needles: dict[str, bytes] = {}
        for path in paths:
            needles |= {
                f"{path.name}: {k}": v
                for k, v in of_photograph(product, path).items()
                if "ada" in k or path.name[0] == "a"
            }
        probe = pretend.photograph("ada", note="the probe")
        plan = product.plan_face_erasure(probe, None, authority.id, TESTER, 0.5)
        assert product.authority(authority.id).used == 1
        product.erase(plan, TESTER)
        assert left(house, needles) == []
        gone = {row[3] for row in before["ada"] if row[4] > 0.5}
        assert len(gone) == 4
        alike = {k: [row for row in rows if row[4] > 0.5] for k, rows in answers(product).items()}
        assert alike == {k: [row for row in rows if row[4] > 0.5 and row[3] not in gone] for k, rows in before.items()}
        assert alike["ada"] == []
        sound(product)


def test_of_two_pages_one_is_erased_and_the_other_stays(house: Place) -> None:
    with house.open() as product:
        here, there = (house.photos / name / "shared.png" for name in ("album", "wall"))
        before = answers(product, without=str(here))
        ids = sightings(product, here.as_uri())
        assert len(ids) == 2
        product.erase(product.eraser.plan_sightings(ids), TESTER)
        # The page itself is gone; the picture is on the other one still.
        assert left(house, {"address": here.as_uri().encode()}) == []
        assert answers(product, without=str(here)) == before
        assert sightings(product, there.as_uri())
        sound(product)


def test_the_erased_page_does_not_come_back_when_it_is_read_again(house: Place) -> None:
    with house.open() as product:
        here = house.photos / "album" / "shared.png"
        product.erase(product.eraser.plan_sightings(sightings(product, here.as_uri())), TESTER)
        assert ingest(product, "album").as_json()["skipped"] == {"erased": 1}
        assert ingest(product, "wall").as_json()["skipped"] == {}
        assert left(house, {"address": here.as_uri().encode()}) == []
        assert sightings(product, "/wall/shared.png")


def test_an_authority_for_the_first_source_no_longer_finds_a_picture_that_is_left_in_the_second(house: Place) -> None:
    with house.open() as product:
        album = grant(product, "album")
        probe = pretend.photograph("dan", note="asked")
        assert ask(product, album, probe).groups
        product.erase(product.eraser.plan_sightings(sightings(product, "/album/shared.png")), TESTER)
        found = ask(product, album, probe)
        assert [g for g in found.groups if g.likeness > 0.5] == []
        # Not even compared with: ada-1, ada-2, bob, and the two of both.png are left in the album.
        assert found.index_faces == 5


def test_a_picture_of_two_keeps_the_one_who_did_not_ask(house: Place) -> None:
    path = house.photos / "album" / "both.png"
    with house.open() as product:
        register(product, "kept", house.photos / "album", keep_originals=True, collection="album")
        (house.photos / "album" / "pair.png").write_bytes(pretend.photograph("bob", "cyd", note="pair", padding=100))
        ingest(product, "kept")
        pair = path.with_name("pair.png")
        needles = {k: v for k, v in of_photograph(product, pair).items() if k.startswith("bob")}
        original = {"kept original": pair.read_bytes()}
        assert left(house, needles | original)
        bob = [
            int(s["id"].removeprefix("sighting-"))
            for g in ask(product, grant(product, "album"), pretend.photograph("bob", note="asked")).as_json()["groups"]
            for s in g["sightings"]
            if "pair.png" in s["image"] and s["likeness"] > 0.5
        ]
        product.erase(product.eraser.plan_sightings(bob), TESTER)
        # The whole picture would show bob: it goes too, and cyd's face stays.
        assert left(house, needles | original) == []
        found = ask(product, grant(product, "album"), pretend.photograph("cyd", note="asked"))
        assert any("pair.png" in s.image for g in found.groups for s in g.sightings)
        sound(product)


def test_what_was_shown_of_it_cannot_be_opened_any_more(house: Place) -> None:
    path = house.photos / "album" / "ada-1.png"
    with house.open() as product:
        result = ask(product, grant(product, "album"), pretend.photograph("ada", note="asked"))
        shown = {s.image: s for g in result.groups for s in g.sightings}
        gone = shown[path.as_uri()]
        assert product.crop(result.search, result.handle, gone.id)
        size = product.ledger_size
        opened = product.ledger_entries(0, size, opened=True)
        assert any(path.as_uri() in str(entry) for entry in opened), "the sealed part of an entry opens with its key"
        product.erase(product.eraser.plan_image(path.as_uri()), TESTER)
        with pytest.raises(UnknownThing):
            product.crop(result.search, result.handle, gone.id)
        with pytest.raises(UnknownThing):
            product.open_picture(result.search, result.handle, gone.id, TESTER)
        again = product.shown(result.search, result.handle)
        assert path.as_uri() not in str(again.as_json())
        assert not any(path.as_uri() in str(entry) for entry in product.ledger_entries(0, size, opened=True))
        sound(product)


def test_reading_the_source_again_does_not_bring_it_back(house: Place) -> None:
    path = house.photos / "album" / "ada-1.png"
    with house.open() as product:
        needles = of_photograph(product, path)
        product.erase(product.eraser.plan_image(path.as_uri()), TESTER)
        report = ingest(product, "album").as_json()
        assert report["skipped"] == {"erased": 1}
        assert left(house, needles) == []
        sound(product)


def test_what_a_killed_run_left_behind_goes_with_the_erasure(house: Place) -> None:
    """Crops and templates that no row names yet, and half-written files, belong to somebody too."""
    late = house.put("album/late.png", pretend.photograph("zoe", note="late"))
    assert house.child("ingest", "album", die=["countenance.store.entering:add_images@1"]) == KILLED
    with house.open() as product:
        (house.home / "blobs" / "aa").mkdir(exist_ok=True)
        (house.home / "blobs" / "aa" / "aabb.123.part").write_bytes(pretend.crop("zoe", "half"))
        spooled = house.home / "spool" / "source-1"
        spooled.mkdir(exist_ok=True)
        (spooled / "fetched").write_bytes(late.read_bytes())
        needles = (
            of_photograph(product, late) | {"half a crop": pretend.crop("zoe", "half")} | {"bytes": late.read_bytes()}
        )
        assert left(house, needles), "the killed run has left something"
        product.erase(product.eraser.plan_sources(["album"]), TESTER)
        assert left(house, needles) == []
        sound(product)


def test_a_crop_that_only_a_killed_run_knew_goes_too(house: Place) -> None:
    late = house.put("album/late.png", pretend.photograph("zoe", note="late"))
    assert house.child("ingest", "album", die=["countenance.index.embedded:EmbeddedIndex.add@1"]) == KILLED
    with house.open() as product:
        needles = of_photograph(product, late)
        assert left(house, needles), "the killed run has left something"
        product.erase(product.eraser.plan_sources(["album"]), TESTER)
        assert left(house, needles) == []


POINTS = [
    "countenance.store.erasing:begin@1",
    "countenance.store.erasing:begin@1+",
    "countenance.index.embedded:EmbeddedIndex.delete@1",
    "countenance.index.embedded:EmbeddedIndex.delete@1+",
    "countenance.services.record:Record.enter@1",
    "countenance.services.record:Record.enter@1+",
    "countenance.store.erasing:recorded@1+",
    "countenance.index.embedded:EmbeddedIndex.erase@1",
    "countenance.index.vectors:VectorFile.zero@1",
    "countenance.index.vectors:VectorFile.zero@1+",
    "countenance.index.embedded:EmbeddedIndex.erase@1+",
    "countenance.store.blobs:Blobs.erase@1",
    "countenance.store.blobs:Blobs.erase@2+",
    "countenance.store.erasing:remove@1",
    "countenance.store.erasing:remove@1+",
    "countenance.store.database:Database.purge@1",
    "countenance.store.database:Database.truncate_journal@1",
    "countenance.store.database:Database.truncate_journal@1+",
    "countenance.store.database:Database.set_meta@1+",
]


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_moment_it_is_completed_when_the_home_is_opened(house: Place, point: str) -> None:
    with house.open() as product:
        before = answers(product, without="/album/")
        paths = [p for p in (house.photos / "album").iterdir() if p.name != "shared.png"]
        needles = {f"{path.name}: {k}": v for path in paths for k, v in of_photograph(product, path).items()}
    house.opened.clear()
    assert house.child("erase", "sources", ["album"], die=[point]) == KILLED
    with house.open() as product:
        if point in POINTS[:2]:
            # The plan was not durable yet: nothing has happened, and it can be asked for again.
            assert len(sightings(product, "/album/")) == 8
            product.erase(product.eraser.plan_sources(["album"]), TESTER)
        assert [source.name for source in product.sources()] == ["wall"]
        assert left(house, needles) == []
        assert answers(product, without="/album/") == before
        assert "erasure" in kinds(product)
        sound(product)


def test_what_cannot_be_entered_is_not_erased_in_silence(house: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    path = house.photos / "album" / "ada-1.png"
    with house.open() as product:
        plan = product.eraser.plan_image(path.as_uri())
        with monkeypatch.context() as patch:
            patch.setattr(Ledger, "append", _refuse)
            with pytest.raises(LedgerUnavailable):
                product.erase(plan, TESTER)
        assert (
            of_photograph(product, path)["ada: template as kept"] in (house.home / "vectors" / "open.f16").read_bytes()
        )
    house.opened.clear()
    with house.open() as product:
        # Begun: completed at the next opening, with its entry.
        assert kinds(product).count("erasure") == 1
        assert left(house, of_photograph(product, path)) == []
        sound(product)


def _refuse(*_: Any, **__: Any) -> None:
    raise LedgerUnavailable("no")


def test_an_unknown_sighting_image_or_source_is_said(product: Countenance) -> None:
    for plan in (
        lambda: product.eraser.plan_sightings([999]),
        lambda: product.eraser.plan_image("file:///nowhere.png"),
        lambda: product.eraser.plan_sources(["nothing"]),
    ):
        with pytest.raises(UnknownThing):
            plan()


def test_the_entry_names_what_was_shredded_and_nothing_of_what_it_said(house: Place) -> None:
    with house.open() as product:
        path: Path = house.photos / "album" / "ada-1.png"
        ids = sightings(product, path.name)
        erased = product.erase(product.eraser.plan_sightings(ids), TESTER)
        entry = product.ledger_entries(erased.receipt["seq"], erased.receipt["seq"] + 1)[0]
        assert entry["type"] == "erasure"
        assert entry["body"]["items"] == [f"sighting:{id}" for id in ids]
        assert entry["sealed"] == []
        assert "ada" not in str(entry)


def test_an_erasure_waits_until_what_is_being_shown_has_been_entered(
    house: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise an entry would be sealed, with a new key, about what has just been erased."""
    path = house.photos / "album" / "ada-1.png"
    real = search.groups_of
    with house.open() as product, house.open() as other, ThreadPoolExecutor(1) as pool:
        (id,) = sightings(product, path.name)
        running: list[Future[Any]] = []

        def groups_of(*args: Any, **named: Any) -> Any:
            if not running:
                running.append(pool.submit(other.erase, other.eraser.plan_image(path.as_uri()), TESTER))
                with pytest.raises(TimeoutError):
                    running[0].result(timeout=0.5)
            return real(*args, **named)

        monkeypatch.setattr(search, "groups_of", groups_of)
        shown = ask(product, grant(product, "album"), pretend.photograph("ada", note="asked"))
        assert any(s.id == id for g in shown.groups for s in g.sightings)
        running[0].result(timeout=30)
        assert kinds(product)[-2:] == ["search.shown", "erasure"]
        with product.database.read() as c:
            assert items.open_keys(c, [f"sighting:{id}"]) == {}
        entry = product.ledger_entries(product.ledger_size - 2, product.ledger_size - 1, opened=True)[0]
        assert f"sighting:{id}" in entry["sealed"]
        assert f"sighting:{id}" not in entry["opened"]
        assert left(house, of_photograph(product, path)) == []


def test_a_search_waits_until_an_erasure_is_through(house: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    path = house.photos / "album" / "ada-1.png"
    real = erasing.remove
    with house.open() as product, house.open() as other, ThreadPoolExecutor(1) as pool:
        authority = grant(product, "album")
        product.engine.index.count()
        asked: list[Future[Any]] = []

        def remove(*args: Any, **named: Any) -> Any:
            # Held back before its rows go: whoever looks now must not see half of it.
            asked.append(pool.submit(ask, product, authority, pretend.photograph("ada", note="asked")))
            return real(*args, **named)

        monkeypatch.setattr(erasing, "remove", remove)
        other.erase(other.eraser.plan_image(path.as_uri()), TESTER)
        result = asked[0].result(timeout=60)
        assert not any(s.image == path.as_uri() for g in result.groups for s in g.sightings)
        assert result.groups
        sound(product)


def test_an_address_in_the_list_of_what_was_skipped_goes_too(house: Place) -> None:
    path = house.photos / "album" / "bob.png"
    with house.open() as product:
        needles = {"address": path.as_uri().encode(), "name": b"bob.png"}
        path.write_bytes(pretend.photograph("bob", broken="truncated"))
        assert ingest(product, "album").as_json()["skipped"] == {"truncated": 1}
        product.erase(product.eraser.plan_image(path.as_uri()), TESTER)
        assert left(house, needles) == []


@pytest.mark.sqlite
def test_what_lies_in_the_databases_free_pages_goes_too(house: Place) -> None:
    """Whoever wrote it there, and whether or not it was overwritten when it was deleted."""
    needle = b"somebody's name in a page that is free by now"
    with sqlite3.connect(house.home / "countenance.db") as c:
        c.execute("PRAGMA secure_delete=OFF")
        c.execute("CREATE TABLE scratch (text BLOB)")
        c.executemany("INSERT INTO scratch VALUES (?)", [(needle * 50,)] * 50)
        c.execute("DROP TABLE scratch")
    c.close()
    assert left(house, {"remains": needle}), "there is something to find"
    with house.open() as product:
        product.erase(product.eraser.plan_image((house.photos / "album" / "bob.png").as_uri()), TESTER)
        assert left(house, {"remains": needle}) == []
