"""Erasing by face is a look-up: asked for, chosen, entered before it is told, and its probe goes with the rest."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from typing import Any

import pytest

from countenance.app import Countenance
from countenance.domain.errors import LedgerUnavailable, NoAuthority, NoFace, SeveralFaces
from countenance.ledger.disk import Disk
from countenance.services import erase, permit
from countenance.services.erasure import Plan
from countenance.services.record import Record
from countenance.store import items
from tests import pretend
from tests.child import KILLED
from tests.places import TESTER, Place, ask, grant, kinds
from tests.traces import left

PROBE = pretend.photograph("ada", note="asked")
TWO = pretend.photograph("bob", "ada", note="asked")


def plan(product: Countenance, authority: str, photograph: bytes = PROBE, choice: Any = None) -> Plan:
    return product.plan_face_erasure(photograph, choice, authority, TESTER, 0.5)


def last(product: Countenance) -> dict[str, Any]:
    return product.ledger_entries(product.ledger_size - 1, product.ledger_size, opened=True)[0]


def test_of_several_faces_one_has_to_be_chosen(product: Countenance) -> None:
    authority = grant(product, "album", "wall", searches=3)
    with pytest.raises(SeveralFaces) as caught:
        plan(product, authority.id, TWO)
    assert caught.value.exit_code == 3
    assert [face["n"] for face in caught.value.details["faces"]] == [1, 2]
    assert product.authority(authority.id).used == 0
    bob, ada, largest = (plan(product, authority.id, TWO, choice) for choice in (1, 2, "largest"))
    # The same sightings each time: bob's, ada's, and bob's again.
    assert (bob.counts["sightings"], ada.counts["sightings"]) == (2, 4)
    assert set(largest.asked.faces) == set(bob.asked.faces)
    assert set(ada.asked.faces).isdisjoint(bob.asked.faces)


def test_the_entry_names_what_was_counted_and_seals_what_it_was(product: Countenance) -> None:
    authority = grant(product, "album", "wall")
    done = plan(product, authority.id)
    entry = last(product)
    assert entry["type"] == "erase.shown"
    assert entry["body"]["search"] == done.asked.search
    assert entry["body"]["authority"] == authority.id
    assert entry["body"]["self_approved"] is True
    assert entry["body"]["counts"] == done.counts
    started = product.ledger_entries(entry["body"]["started"], entry["body"]["started"] + 1)[0]
    assert started["type"] == "erase.started"
    shown = {
        f"sighting:{s.id}": s
        for g in ask(product, authority, PROBE, min_likeness=0.5, limit=100).groups
        for s in g.sightings
    }
    assert set(entry["body"]["sightings"]) == set(entry["sealed"]) == set(shown)
    for item, said in entry["opened"].items():
        assert said["likeness"] == pytest.approx(shown[item].likeness, abs=1e-6)
        assert (said["image"], said["page"]) == (shown[item].image, shown[item].page)
    assert "file:" not in json.dumps(entry["body"])


def test_very_many_are_told_in_several_entries(product: Countenance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erase, "AN_ENTRY", 3)
    size = product.ledger_size
    plan(product, grant(product, "album", "wall").id)
    told = [e for e in product.ledger_entries(size, product.ledger_size) if e["type"] == "erase.shown"]
    assert [len(e["body"]["sightings"]) for e in told] == [3, 1]
    assert plan(product, grant(product, "album").id, pretend.photograph("nobody known")).counts["sightings"] == 0
    assert last(product)["type"] == "erase.shown"
    assert last(product)["body"]["sightings"] == []


FAULTS = {"a full disk": ("write", errno.ENOSPC), "a disk that does not sync": ("sync", errno.EIO)}


@pytest.mark.parametrize("fault", FAULTS)
def test_without_the_entry_nothing_is_told(product: Countenance, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = grant(product, "album", "wall")
    call, number = FAULTS[fault]
    real = Record.enter

    def enter(self: Record, kind: str, *args: Any, **named: Any) -> Any:
        if kind != "erase.shown":
            return real(self, kind, *args, **named)
        with monkeypatch.context() as patch:
            patch.setattr(Disk, call, _fails(number))
            return real(self, kind, *args, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Record, "enter", enter)
        with pytest.raises(LedgerUnavailable) as caught:
            plan(product, authority.id)
    assert caught.value.details.keys() == {"errno"}
    assert product.authority(authority.id).used == 1
    assert kinds(product)[-1] == "erase.started"
    product.ledger_verify()
    assert plan(product, authority.id).counts["sightings"] == 4


def _fails(number: int) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise OSError(number, "made to fail")

    return fail


def test_an_erasure_waits_until_what_is_counted_has_been_entered(
    product: Countenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the entry would seal, with a new key, what has just been erased."""
    held: list[bool] = []
    real = permit.look_up

    def look_up(*args: Any, **named: Any) -> Any:
        import fcntl

        with (product.home / "show.lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                held.append(False)
            except OSError:
                held.append(True)
        return real(*args, **named)

    monkeypatch.setattr(permit, "look_up", look_up)
    plan(product, grant(product, "album").id)
    assert held == [True]


def test_the_authority_is_asked_before_the_photograph_is_looked_at(product: Countenance) -> None:
    for photograph in (b"no picture", pretend.photograph(note="nobody"), TWO):
        size = product.ledger_size
        with pytest.raises(NoAuthority):
            plan(product, "A-000000000000", photograph)
        entries = product.ledger_entries(size, product.ledger_size)
        assert [(e["type"], e["body"]["reason"]) for e in entries] == [("authority.refused", "unknown")]
    with pytest.raises(NoFace):
        plan(product, grant(product, "album").id, pretend.photograph(note="nobody"))


def test_the_erased_persons_probe_goes_in_the_same_erasure(house: Place) -> None:
    with house.open() as product:
        authority = grant(product, "album", "wall")
        other = ask(product, authority, pretend.photograph("dan", note="asked"))
        asked = plan(product, authority.id)
        item = f"probe:{asked.asked.search}"
        with product.database.read() as c:
            key = items.open_keys(c, [item])[item]
            kept = c.exec_driver_sql(
                "SELECT CAST(probe AS TEXT) FROM searches WHERE id = ?", (asked.asked.search,)
            ).scalar()
        needles = {"probe's key": key, "sealed probe": json.loads(kept)["ct"][:40].encode()}
        assert len(left(house, needles)) >= 2
        product.erase(asked, TESTER)
        assert left(house, needles) == []
        body = last(product)["body"]
        assert item in body["items"]
        assert body["scope"] == {
            "kind": "face",
            "search": asked.asked.search,
            "authority": authority.id,
            "count": asked.counts["sightings"],
        }
        with product.database.read() as c:
            # Somebody else's is kept for its time.
            probes = list(c.exec_driver_sql("SELECT id FROM searches WHERE probe IS NOT NULL").scalars())
            assert probes == [other.search]
            assert set(items.open_keys(c, [item, f"probe:{other.search}"])) == {f"probe:{other.search}"}
        product.ledger_verify()


def test_a_probe_goes_although_nobody_alike_was_found(house: Place) -> None:
    with house.open() as product:
        asked = plan(product, grant(product, "album").id, pretend.photograph("zoe", note="asked"))
        assert asked.counts["sightings"] == 0
        product.erase(asked, TESTER)
        assert last(product)["body"]["items"] == [f"probe:{asked.asked.search}"]


@pytest.mark.parametrize("point", ["countenance.store.erasing:remove@1", "countenance.services.record:Record.enter@3+"])
def test_a_probe_goes_with_an_erasure_that_was_cut_off(house: Place, point: str) -> None:
    with house.open() as product:
        authority = grant(product, "album")
    house.opened.clear()
    assert house.child("erase_face", authority.id, PROBE, die=[point]) == KILLED
    with house.open() as product:
        assert product.finished.erasures == 1
        with product.database.read() as c:
            assert c.exec_driver_sql("SELECT count(probe) FROM searches").scalar() == 0
            assert c.exec_driver_sql("SELECT count(*) FROM item_keys WHERE item LIKE 'probe:%'").scalar() == 0
        assert "erasure" in kinds(product)
        product.ledger_verify()
