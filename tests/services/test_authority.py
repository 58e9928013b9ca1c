"""No authority, no search: whatever the caller, the row or the moment."""

from __future__ import annotations

import json
import multiprocessing
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from countenance.app import Countenance
from countenance.domain.authority import Actor
from countenance.domain.errors import BadInput, LedgerUnavailable, NoAuthority, NotRegistered, UnknownThing
from countenance.domain.faces import Vectors
from countenance.index.embedded import EmbeddedIndex
from countenance.ledger.log import Ledger
from countenance.services import permit
from countenance.services.authorise import NewAuthority
from countenance.services.search import SearchRequest
from countenance.store import authorities, moments
from tests import pretend
from tests.places import TESTER, Place, ask, grant, kinds

PROBE = pretend.photograph("ada", note="asked")


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every look-up that reaches the index."""
    seen: list[str] = []
    real = EmbeddedIndex.search

    def search(self: EmbeddedIndex, leave: Any, probes: Vectors, **named: Any) -> Any:
        seen.append(leave.search)
        return real(self, leave, probes, **named)

    monkeypatch.setattr(EmbeddedIndex, "search", search)
    return seen


def edit(product: Countenance, statement: str, *values: Any) -> None:
    """What somebody with the database's file can do."""
    with product.database.write() as c:
        assert c.exec_driver_sql(statement, values).rowcount > 0


def refused(product: Countenance, id: str, reason: str, looked: list[str], **changes: Any) -> None:
    """The search is refused for this reason; the refusal is an entry, no use is spent, nothing is compared."""
    before, size = len(looked), product.ledger_size
    used = {a.id: a.used for a in product.authorities()}
    with pytest.raises(NoAuthority) as caught:
        product.search(SearchRequest(photographs=(PROBE,), authority=id, **changes), TESTER)
    assert caught.value.details["reason"] == reason
    assert caught.value.exit_code == 4
    assert len(looked) == before
    entries = product.ledger_entries(size, product.ledger_size)
    assert [entry["type"] for entry in entries] == ["authority.refused"]
    assert entries[0]["body"]["reason"] == reason
    assert entries[0]["actor"]["authenticated"] == TESTER.user
    assert {a.id: a.used for a in product.authorities()} == used


def test_a_live_authority_that_covers_it_lets_search_and_is_counted(product: Countenance, looked: list[str]) -> None:
    authority = grant(product, "album", searches=2)
    result = ask(product, authority, PROBE)
    assert result.groups
    assert looked == [result.search]
    assert product.authority(authority.id).used == 1
    assert kinds(product)[-3:] == ["authority.granted", "search.started", "search.shown"]


def test_an_unknown_one_is_refused(product: Countenance, looked: list[str]) -> None:
    refused(product, "A-000000000000", "unknown", looked)


def test_a_revoked_one_is_refused(product: Countenance, looked: list[str]) -> None:
    authority = grant(product, "album")
    product.revoke(authority.id, TESTER, "no longer needed")
    refused(product, authority.id, "revoked", looked)


def test_an_expired_one_is_refused(product: Countenance, looked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    authority = grant(product, "album", days=1)
    for seconds, live in ((-1, True), (0, False), (1, False)):
        moment = authority.expires_at + timedelta(seconds=seconds)
        monkeypatch.setattr(moments, "now", lambda moment=moment: moment)
        if live:
            ask(product, authority, PROBE)
        else:
            refused(product, authority.id, "expired", looked)


def test_a_spent_one_is_refused(product: Countenance, looked: list[str]) -> None:
    authority = grant(product, "album", searches=1)
    ask(product, authority, PROBE)
    refused(product, authority.id, "spent", looked)


def test_one_that_does_not_cover_a_collection_is_refused(product: Countenance, looked: list[str]) -> None:
    authority = grant(product, "album")
    refused(product, authority.id, "not-covered", looked, collections=("wall",))
    refused(product, authority.id, "not-covered", looked, collections=("album", "wall"))


def test_somebody_elses_is_refused(product: Countenance, looked: list[str]) -> None:
    authority = grant(product, "album", holder="os:somebody")
    refused(product, authority.id, "not-holder", looked)
    other = Actor("os:somebody", "python")
    assert product.search(SearchRequest(photographs=(PROBE,), authority=authority.id), other).groups


def test_it_shows_what_lies_in_the_covered_collections_only(product: Countenance) -> None:
    wall = ask(product, grant(product, "wall"), PROBE, min_likeness=-1.0, limit=100)
    shown = {s.source for g in wall.groups for s in g.sightings}
    assert shown == {"wall"}
    assert wall.index_faces == 3
    both = grant(product, "album", "wall")
    one = ask(product, both, PROBE, min_likeness=-1.0, limit=100, collections=("wall",))
    assert {s.source for g in one.groups for s in g.sightings} == {"wall"}


EDITS = {
    "more searches": ("UPDATE authorities SET searches = 1000 WHERE id = ?", "not-in-ledger"),
    "a later end": ("UPDATE authorities SET expires_at = expires_at + 86400000000 WHERE id = ?", "not-in-ledger"),
    "wider": ("""UPDATE authorities SET collections = '["album", "wall"]' WHERE id = ?""", "not-in-ledger"),
    "another holder": ("UPDATE authorities SET holder = 'os:somebody' WHERE id = ?", "not-in-ledger"),
    "another purpose": ("UPDATE authorities SET purpose = 'whatever' WHERE id = ?", "not-in-ledger"),
    "another basis": ("UPDATE authorities SET basis = 'consent' WHERE id = ?", "not-in-ledger"),
    "another case": ("UPDATE authorities SET case_ref = 'T-2' WHERE id = ?", "not-in-ledger"),
    "approved by another": (
        "UPDATE authorities SET self_approved = false, actor = 'os:boss' WHERE id = ?",
        "not-in-ledger",
    ),
    "an entry of another kind": ("UPDATE authorities SET grant_seq = 0 WHERE id = ?", "not-in-ledger"),
    "an entry to come": ("UPDATE authorities SET grant_seq = 100000 WHERE id = ?", "not-in-ledger"),
    "no entry": ("UPDATE authorities SET grant_seq = -1 WHERE id = ?", "not-in-ledger"),
    "uses given back": ("UPDATE authorities SET used = 0 WHERE id = ?", "not-in-ledger"),
}


@pytest.mark.parametrize("what", EDITS)
def test_a_row_that_says_more_than_its_entry_is_dead(product: Countenance, looked: list[str], what: str) -> None:
    authority = grant(product, "album", searches=2)
    ask(product, authority, PROBE)
    statement, reason = EDITS[what]
    edit(product, statement, authority.id)
    refused(product, authority.id, reason, looked)


def test_a_revocation_that_is_taken_out_of_the_row_stands_in_the_ledger(
    product: Countenance, looked: list[str]
) -> None:
    authority = grant(product, "album")
    product.revoke(authority.id, TESTER)
    edit(product, "UPDATE authorities SET revoked_at = NULL, revoke_seq = NULL WHERE id = ?", authority.id)
    refused(product, authority.id, "revoked", looked)


def test_a_row_that_nobody_granted_is_dead(product: Countenance, looked: list[str]) -> None:
    real = grant(product, "album")
    forged = replace(real, id="A-feedfeedfeed", collections=("album", "wall"), searches=9999)
    with product.database.write() as c:
        authorities.add(c, forged)
    refused(product, forged.id, "not-in-ledger", looked)


SOURCE_EDITS = {
    "an expired source kept alive": "UPDATE sources SET expires_at = expires_at + 86400000000 WHERE name = 'wall'",
    "another folder": "UPDATE sources SET location = '/etc' WHERE name = 'wall'",
    "another kind": "UPDATE sources SET kind = 'urls' WHERE name = 'wall'",
    "another owner": "UPDATE sources SET owner = 'Nobody' WHERE name = 'wall'",
    "a private address": """UPDATE sources SET allow_private = '["10.0.0.1:80"]' WHERE name = 'wall'""",
    "put into a covered collection": "UPDATE collection_sources SET collection_id = 1 WHERE source_id = 2",
}


@pytest.mark.parametrize("what", SOURCE_EDITS)
def test_a_source_that_the_ledger_does_not_bear_out_is_neither_searched_nor_read(
    product: Countenance, looked: list[str], what: str
) -> None:
    authority = grant(product, "album" if "collection" in what else "wall")
    edit(product, SOURCE_EDITS[what])
    with pytest.raises(NotRegistered):
        ask(product, authority, PROBE)
    with pytest.raises(NotRegistered):
        product.ingest("wall", TESTER)
    assert looked == []
    assert product.authority(authority.id).used == 0


def test_nothing_incomplete_is_granted(product: Countenance) -> None:
    for changes, error in (
        ({"purpose": " "}, BadInput),
        ({"case": ""}, BadInput),
        ({"stated_by": ""}, BadInput),
        ({"searches": 0}, BadInput),
        ({"basis": "curiosity"}, BadInput),
        ({"basis": "law-enforcement"}, BadInput),
        ({"collections": ()}, BadInput),
        ({"collections": ("nothing",)}, UnknownThing),
        ({"expires": moments.now() - timedelta(seconds=1)}, BadInput),
    ):
        with pytest.raises(error):
            grant(product, "album", **changes)
    assert product.authorities() == []
    assert "authority.granted" not in kinds(product)


def test_a_grant_that_cannot_be_entered_is_none(product: Countenance, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "append", _refuse)
        with pytest.raises(LedgerUnavailable):
            grant(product, "album")
    assert product.authorities() == []


def _refuse(*_: Any, **__: Any) -> None:
    raise LedgerUnavailable("no")


@pytest.mark.parametrize(("holder", "approved"), [(None, True), (TESTER.user, True), ("os:somebody", False)])
def test_what_one_grants_to_oneself_says_so_everywhere(
    product: Countenance, holder: str | None, approved: bool
) -> None:
    authority = grant(product, "album", holder=holder)
    assert authority.self_approved is approved
    actor = Actor(authority.holder, "python")
    result = product.search(SearchRequest(photographs=(PROBE,), authority=authority.id), actor)
    assert result.as_json()["self_approved"] is approved
    assert json.loads(result.receipt["entry"])["body"]["self_approved"] is approved
    last = product.ledger_entries(product.ledger_size - 3, product.ledger_size)
    assert [entry["body"]["self_approved"] for entry in last] == [approved] * 3


def test_thirty_two_threads_never_spend_more_than_was_granted(house: Place) -> None:
    with house.open() as product:
        authority = grant(product, "album", searches=5)
        product.engine.index.count()

        def one(_: int) -> str:
            try:
                ask(product, authority, PROBE)
                return "shown"
            except NoAuthority as error:
                return str(error.details["reason"])

        with ThreadPoolExecutor(32) as pool:
            outcomes = Counter(pool.map(one, range(32)))
        _five_of_thirty_two(product, authority.id, outcomes)


def test_thirty_two_processes_never_spend_more_than_was_granted(house: Place) -> None:
    with house.open() as product:
        authority = grant(product, "album", searches=5)
    house.opened.clear()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["countenance.app", "countenance.index.embedded", "tests.child"])
    with context.Pool(8, maxtasksperchild=4) as pool:
        given = [(str(house.home), str(house.keys), authority.id)] * 32
        outcomes = Counter(pool.starmap(_search_once, given, chunksize=1))
    with house.open() as product:
        _five_of_thirty_two(product, authority.id, outcomes)


def _five_of_thirty_two(product: Countenance, id: str, outcomes: Counter[str]) -> None:
    assert outcomes == {"shown": 5, "spent": 27}
    assert product.authority(id).used == 5
    assert Counter(kinds(product))["search.shown"] == 5
    assert Counter(kinds(product))["authority.refused"] == 27
    uses = [e["body"]["use"] for e in product.ledger_entries(0, product.ledger_size) if e["type"] == "search.started"]
    assert sorted(uses) == [1, 2, 3, 4, 5]
    product.ledger_verify()


def _search_once(home: str, keys: str, authority: str) -> str:
    from pathlib import Path

    from countenance.app import open_home
    from countenance.settings import Settings
    from tests import child, databases

    child.install()
    rows = databases.setting(Path(home))
    with open_home(settings=Settings(home=Path(home), key_dir=Path(keys), **rows)) as product:
        try:
            ask(product, authority, PROBE)
        except NoAuthority as error:
            return str(error.details["reason"])
        return "shown"


def test_the_last_use_is_given_once_though_many_were_checked_before_it_was_spent(
    product: Countenance, monkeypatch: pytest.MonkeyPatch, looked: list[str]
) -> None:
    """Between the check and the reservation somebody else takes the last use, revokes it, or its time is over."""
    authority = grant(product, "album", searches=1)
    real = permit.in_collections

    def meanwhile(*args: Any, **named: Any) -> Any:
        edit(product, "UPDATE authorities SET used = 1 WHERE id = ?", authority.id)
        return real(*args, **named)

    monkeypatch.setattr(permit, "in_collections", meanwhile)
    with pytest.raises(NoAuthority) as caught:
        ask(product, authority, PROBE)
    assert caught.value.details["reason"] == "spent"
    assert looked == []
    assert kinds(product)[-1] == "authority.refused"


def test_a_row_is_never_revived_by_revoking_twice(product: Countenance) -> None:
    authority = grant(product, "album")
    first = product.revoke(authority.id, TESTER, "enough")
    assert product.revoke(authority.id, TESTER).revoked_at == first.revoked_at
    assert kinds(product).count("authority.revoked") == 1
    # The reason is a free note: it is sealed, not told.
    assert "enough" not in str(product.ledger_entries(0, product.ledger_size))
    assert "enough" in str(product.ledger_entries(0, product.ledger_size, opened=True))


DOORS: dict[str, Callable[[Countenance, str], object]] = {
    "Python": lambda product, id: ask(product, id, PROBE),
    "erase by face": lambda product, id: product.plan_face_erasure(PROBE, None, id, TESTER, 0.5),
}


@pytest.mark.parametrize("door", DOORS)
def test_every_door_to_likeness_goes_through_the_mint(
    product: Countenance, door: str, monkeypatch: pytest.MonkeyPatch, looked: list[str]
) -> None:
    minted: list[str] = []
    real = permit.mint

    def mint(*args: Any, **named: Any) -> Any:
        leave = real(*args, **named)
        minted.append(leave.search)
        return leave

    monkeypatch.setattr(permit, "mint", mint)
    authority = grant(product, "album", searches=1)
    DOORS[door](product, authority.id)
    assert looked == minted
    assert len(minted) == 1
    assert product.authority(authority.id).used == 1
    with pytest.raises(NoAuthority):
        DOORS[door](product, authority.id)
    assert len(looked) == 1
    product.revoke(authority.id, TESTER)


def test_the_new_authority_is_what_was_asked_for(product: Countenance) -> None:
    expires = moments.now() + timedelta(hours=3)
    new = NewAuthority("p", "consent", "c", ("wall", "album", "wall"), expires, 7, "B", None, "os:x")
    authority = product.grant(new, TESTER)
    assert product.authority(authority.id) == authority
    body = product.ledger_entries(authority.grant_seq, authority.grant_seq + 1)[0]["body"]
    assert body["collections"] == ["wall", "album"]
    assert (body["searches"], body["expires"], body["holder"], body["stated_by"]) == (
        7,
        expires.isoformat(),
        "os:x",
        "B",
    )
