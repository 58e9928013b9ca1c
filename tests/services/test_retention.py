"""What is over its time is neither read nor searched, and goes."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest

from countenance.app import Countenance
from countenance.domain.errors import LedgerUnavailable
from countenance.ledger.log import Ledger
from countenance.store import moments
from countenance.web.serve import _keeping_time
from tests import databases, pretend
from tests.places import TESTER, Place, ask, grant, ingest, kinds, register
from tests.traces import left, of_photograph

PROBE = pretend.photograph("ada", note="asked")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class Clock:
    """Time that stands where it is put."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch

    def put(self, moment: datetime) -> None:
        self._patch.setattr(moments, "now", lambda: moment)


def test_it_is_ninety_days_unless_said_otherwise(place: Place, pretending: None) -> None:
    with place.open() as product:
        source = register(product, "one", place.photos)
        assert source.expires_at - source.registered_at == timedelta(days=90)
        short = register(product, "two", place.photos, retain_days=3)
        assert short.expires_at - short.registered_at == timedelta(days=3)
    place.opened.clear()
    with place.open(retention={"source_days": 7}) as product:
        assert product.settings.retention.source_days == 7


def test_an_expired_source_is_not_searched_from_that_very_moment(house: Place, clock: Clock) -> None:
    with house.open() as product:
        over = product.source("album").expires_at
        authority = grant(product, "album", "wall", days=400)
        with product.database.write() as c:
            # Only `album` is over: `wall` was registered a moment later.
            assert (
                c.exec_driver_sql(
                    "SELECT count(*) FROM sources WHERE expires_at <= ?", (moments.to_row(over),)
                ).scalar()
                == 1
            )
        clock.put(over - timedelta(microseconds=1))
        assert {s.source for g in ask(product, authority, PROBE).groups for s in g.sightings} == {"album", "wall"}
        clock.put(over)
        result = ask(product, authority, PROBE, min_likeness=-1.0)
        assert {s.source for g in result.groups for s in g.sightings} == {"wall"}
        assert result.index_faces == 3


def test_retention_erases_it_whole_and_leaves_the_rest(house: Place, clock: Clock) -> None:
    with house.open() as product:
        needles = {}
        for name in ("ada-1.png", "bob.png", "both.png", "small.png"):
            needles |= {f"{name}: {k}": v for k, v in of_photograph(product, house.photos / "album" / name).items()}
        over = product.source("album").expires_at
        clock.put(over - timedelta(microseconds=1))
        assert product.run_retention(TESTER)["sources"] == []
        clock.put(over)
        done = product.run_retention(TESTER)
        assert (done["sources"], done["pending"]) == (["album"], [])
        assert left(house, needles) == []
        entry = next(e for e in product.ledger_entries(0, product.ledger_size) if e["type"] == "erasure")
        assert entry["body"]["scope"]["kind"] == "expired"
        authority = grant(product, "wall")
        assert ask(product, authority, PROBE).groups
        product.ledger_verify()
        assert product.engine.index.verify() == []
        # It may be registered and read anew: it was over its time, nobody asked for it to stay away.
        register(product, "album", house.photos / "album")
        assert ingest(product, "album").as_json()["skipped"] == {}


def test_a_source_that_is_being_read_waits_and_the_others_go(house: Place, clock: Clock) -> None:
    with house.open() as product:
        clock.put(product.source("wall").expires_at)
        with product._home.source_lock(1):
            done = product.run_retention(TESTER)
        assert done["sources"] == ["wall"]
        assert "album" in done["pending"][0]
        assert product.run_retention(TESTER)["sources"] == ["album"]


def probes(product: Countenance) -> tuple[int, int]:
    """How many sealed probes and how many of their keys there are."""
    with product.database.read() as c:
        kept = c.exec_driver_sql("SELECT count(probe) FROM searches").scalar()
        keys = c.exec_driver_sql("SELECT count(*) FROM item_keys WHERE item LIKE 'probe:%'").scalar()
    return int(kept or 0), int(keys or 0)


def test_probes_are_shredded_after_their_time_and_results_are_closed(house: Place, clock: Clock) -> None:
    with house.open(search={"probe_days": 10, "handle_minutes": 5}) as product:
        authority = grant(product, "album", days=1)
        result = ask(product, authority, PROBE)
        with product.database.read() as c:
            item = f"probe:{result.search}"
            key = c.exec_driver_sql("SELECT key FROM item_keys WHERE item = ?", (item,)).scalar()
        needles = {"probe's key": bytes(key)}
        assert left(house, needles)
        clock.put(result.handle_until)
        assert product.run_retention(TESTER)["results"] > 0
        assert probes(product) == (1, 1)
        clock.put(authority.expires_at + timedelta(days=10) - timedelta(microseconds=1))
        assert product.run_retention(TESTER)["probes"] == 0
        assert probes(product) == (1, 1)
        clock.put(authority.expires_at + timedelta(days=10))
        done = product.run_retention(TESTER)
        assert (done["probes"], done["pending"]) == (1, [])
        assert probes(product) == (0, 0)
        # Not a byte of the key, in the journal neither: what it sealed is noise now.
        assert left(house, needles) == []
        last = product.ledger_entries(product.ledger_size - 1, product.ledger_size)[0]
        assert (last["type"], last["body"]["items"]) == ("retention.destroyed", [item])
        assert product.run_retention(TESTER)["probes"] == 0
        product.ledger_verify()


def test_notes_are_shredded_with_the_probes_of_their_search_and_with_their_authority(
    house: Place, clock: Clock
) -> None:
    with house.open(search={"probe_days": 10}) as product:
        authority, other = grant(product, "album", days=1), grant(product, "album", days=30)
        result = ask(product, authority, PROBE)
        product.export_search(result.search, result.handle, "A Court", "a purpose that is sealed", TESTER)
        for one in (authority, other):
            product.revoke(one.id, TESTER, "a reason that is sealed")
        items = [f"note:{authority.id}:revoked", f"note:{result.search}:disclosed"]
        rest = f"note:{other.id}:revoked"
        assert notes(product) == sorted([*items, rest])
        clock.put(authority.expires_at + timedelta(days=10) - timedelta(microseconds=1))
        assert product.run_retention(TESTER)["notes"] == 0
        clock.put(authority.expires_at + timedelta(days=10))
        assert product.run_retention(TESTER)["notes"] == 2
        assert notes(product) == [rest]
        last = product.ledger_entries(product.ledger_size - 1, product.ledger_size)[0]
        assert last["type"] == "retention.destroyed"
        assert last["body"]["items"] == [f"probe:{result.search}", *items]
        told = str(product.ledger_entries(0, product.ledger_size, opened=True))
        assert "a purpose that is sealed" not in told
        assert told.count("a reason that is sealed") == 1
        assert product.run_retention(TESTER)["notes"] == 0


def test_a_note_that_was_made_after_its_probe_had_gone_goes_too(house: Place, clock: Clock) -> None:
    """What a search showed can be handed out while its handle lives, and its probe may be over by then."""
    with house.open(search={"probe_days": 0, "handle_minutes": 60}) as product:
        authority = grant(product, "album", days=0.01)
        result = ask(product, authority, PROBE)
        clock.put(authority.expires_at)
        assert (product.run_retention(TESTER)["probes"], notes(product)) == (1, [])
        product.export_search(result.search, result.handle, "A Court", "evidence", TESTER)
        assert notes(product) == [f"note:{result.search}:disclosed"]
        assert product.run_retention(TESTER)["notes"] == 1
        assert notes(product) == []


def notes(product: Countenance) -> list[str]:
    """The notes whose keys are there."""
    with product.database.read() as c:
        query = "SELECT item FROM item_keys WHERE item LIKE 'note:%' ORDER BY item"
        return list(c.exec_driver_sql(query).scalars())


def test_nothing_is_shredded_without_an_entry(house: Place, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    with house.open(search={"probe_days": 0}) as product:
        authority = grant(product, "album", days=1)
        ask(product, authority, PROBE)
        clock.put(authority.expires_at)
        with monkeypatch.context() as patch:
            patch.setattr(Ledger, "append", _refuse)
            with pytest.raises(LedgerUnavailable):
                product.run_retention(TESTER)
        assert probes(product) == (1, 1)
        assert product.run_retention(TESTER)["probes"] == 1
        assert kinds(product)[-1] == "retention.destroyed"


def test_a_running_server_destroys_what_is_due(house: Place, clock: Clock) -> None:
    with house.open() as product:
        clock.put(product.source("wall").expires_at)
        with _keeping_time(product, seconds=0.02, every=0.02):
            until = time.monotonic() + 20
            while product.sources() and time.monotonic() < until:
                time.sleep(0.02)
        assert product.sources() == []
        (entry,) = [e for e in product.ledger_entries(0, product.ledger_size) if e["type"] == "retention.destroyed"]
        assert entry["body"]["via"] == "clock"


def test_an_edited_row_neither_keeps_a_source_past_its_time_nor_ends_it_early(house: Place, clock: Clock) -> None:
    with house.open() as product:
        over = product.source("wall").expires_at
        assert product.examine()["findings"] == []
        with databases.by_hand(house.home) as c:
            c.execute("UPDATE sources SET expires_at = ? WHERE name = 'album'", (1,))
            c.execute("UPDATE sources SET expires_at = ? WHERE name = 'wall'", (8 * 10**15,))
        assert product.run_retention(TESTER)["sources"] == []
        told = [f["what"].rpartition(": ")[2] for f in product.examine()["findings"] if f["severity"] == "fault"]
        assert told == ["the source album", "the source wall"]
        clock.put(over)
        assert sorted(product.run_retention(TESTER)["sources"]) == ["album", "wall"]


@pytest.mark.parametrize("seq", [0, -1, 10**6, "the other's"])
def test_a_source_is_not_kept_by_the_number_of_another_entry(house: Place, clock: Clock, seq: int | str) -> None:
    with house.open() as product:
        over = product.source("album").expires_at
        with databases.by_hand(house.home) as c:
            c.execute("UPDATE sources SET expires_at = ? WHERE name = 'album'", (8 * 10**15,))
            if isinstance(seq, int):
                c.execute("UPDATE sources SET registered_seq = ? WHERE name = 'album'", (seq,))
            else:
                c.execute(
                    "UPDATE sources SET registered_seq = (SELECT registered_seq FROM sources WHERE name = 'wall') "
                    "WHERE name = 'album'"
                )
        clock.put(over - timedelta(microseconds=1))
        assert product.run_retention(TESTER)["sources"] == []
        clock.put(over)
        assert product.run_retention(TESTER)["sources"] == ["album"]


def test_a_source_that_nobody_registered_is_over_at_once(house: Place) -> None:
    with house.open() as product:
        far = 8 * 10**15
        with databases.by_hand(house.home) as c:
            c.execute(
                "INSERT INTO sources (id, name, kind, location, owner, basis, retain_days, registered_at, expires_at,"
                " keep_originals, allow_private, registered_seq)"
                " SELECT id + 1000, 'smuggled', kind, location, owner, basis, retain_days, ?, ?, keep_originals,"
                " allow_private, registered_seq FROM sources WHERE name = 'album'",
                (far, far),
            )
            c.execute(
                "INSERT INTO collection_sources (collection_id, source_id)"
                " SELECT c.collection_id, s.id + 1000 FROM sources s JOIN collection_sources c ON c.source_id = s.id"
                " WHERE s.name = 'album'"
            )
        assert product.run_retention(TESTER)["sources"] == ["smuggled"]
        assert [source.name for source in product.sources()] == ["album", "wall"]


def test_a_search_whose_authority_was_deleted_by_hand_is_told(house: Place) -> None:
    with house.open() as product:
        one = grant(product, "album")
        search = ask(product, one, PROBE).search
        with databases.by_hand(house.home) as c:
            if databases.on_postgresql():
                c.execute("ALTER TABLE searches DROP CONSTRAINT fk_searches_authority_id_authorities")
            c.execute("DELETE FROM authorities WHERE id = ?", (one.id,))
        (told,) = [f["what"] for f in product.examine()["findings"] if f["severity"] == "fault"]
        assert search in told
        assert one.id in told


def test_an_edited_end_of_an_authority_or_of_a_probe_is_told(house: Place) -> None:
    with house.open(retention={"probe_days": 5}) as product:
        one, two = grant(product, "album"), grant(product, "album")
        searched = [ask(product, authority, PROBE).search for authority in (one, two)]
    house.opened.clear()
    with house.open(retention={"probe_days": 9}) as product:
        assert product.examine()["findings"] == [], "a length that was in force then is none that was edited"
        with databases.by_hand(house.home) as c:
            c.execute("UPDATE authorities SET expires_at = expires_at + 60000000 WHERE id = ?", (one.id,))
            c.execute("UPDATE searches SET keep_until = keep_until + 60000000 WHERE id = ?", (searched[1],))
        told = [f["what"].rpartition(": ")[2] for f in product.examine()["findings"] if f["severity"] == "fault"]
        assert told[0] == f"the authority {one.id}"
        assert sorted(told[1:]) == sorted(f"the search {id}, as to when its probe goes" for id in searched)


def _refuse(*_: object, **__: object) -> None:
    raise LedgerUnavailable("no")
