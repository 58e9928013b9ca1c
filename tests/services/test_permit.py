"""The mint itself: it checks whoever calls it, and it spends a use in one step."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from countenance.app import Countenance
from countenance.domain.authority import Actor, Authority
from countenance.domain.errors import NoAuthority
from countenance.domain.faces import Vectors
from countenance.index.embedded import EmbeddedIndex
from countenance.services import authorise, erase, permit, search
from countenance.store import moments
from countenance.store.database import Database
from tests import pretend
from tests.places import TESTER, Place, ask, grant, kinds

PROBE = pretend.photograph("ada", note="asked")
CALLERS = 6
GRANTED = 2


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
    with product.database.write() as c:
        assert c.exec_driver_sql(statement, values).rowcount > 0


def test_a_use_is_spent_in_one_step_whatever_everybody_has_read_before(
    house: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All callers stand inside `mint`, have read what they will read, and none has written: then they are let go.

    A reservation that reads in one transaction and writes in another lets all of them through.
    """
    barriers = [threading.Barrier(CALLERS) for _ in range(4)]
    here = threading.local()
    mint, write = permit.mint, Database.write

    def minting(*args: Any, **named: Any) -> Any:
        here.writes = 0
        try:
            return mint(*args, **named)
        finally:
            here.writes = None

    def writing(self: Database) -> Any:
        if (n := getattr(here, "writes", None)) is not None and n < len(barriers):
            here.writes = n + 1
            # Who has lost does not come to the next one: those who wait there go on after a moment.
            with suppress(threading.BrokenBarrierError):
                barriers[n].wait(timeout=30 if n == 0 else 0.5)
        return write(self)

    with house.open() as product:
        authority = grant(product, "album", searches=GRANTED)
        product.engine.index.count()
        monkeypatch.setattr(permit, "mint", minting)
        monkeypatch.setattr(Database, "write", writing)

        def one(_: int) -> str:
            try:
                ask(product, authority, PROBE)
            except NoAuthority as error:
                return str(error.details["reason"])
            return "shown"

        with ThreadPoolExecutor(CALLERS) as pool:
            outcomes = Counter(pool.map(one, range(CALLERS)))
        assert not barriers[0].broken, "all of them met before the first write"
        assert outcomes == {"shown": GRANTED, "spent": CALLERS - GRANTED}
        assert product.authority(authority.id).used == GRANTED
        entries = product.ledger_entries(0, product.ledger_size)
        assert sorted(e["body"]["use"] for e in entries if e["type"] == "search.started") == [1, 2]


Change = Callable[[Countenance, Authority], object]

DEATHS: dict[str, tuple[Change, str]] = {
    "revoked": (lambda product, a: product.revoke(a.id, TESTER), "revoked"),
    "revoked, and its row revived": (
        lambda product, a: (
            product.revoke(a.id, TESTER),
            edit(product, "UPDATE authorities SET revoked_at = NULL, revoke_seq = NULL WHERE id = ?", a.id),
        ),
        "revoked",
    ),
    "given more searches": (
        lambda product, a: edit(product, "UPDATE authorities SET searches = 9999 WHERE id = ?", a.id),
        "not-in-ledger",
    ),
    "prolonged": (
        lambda product, a: edit(product, "UPDATE authorities SET expires_at = expires_at + 1 WHERE id = ?", a.id),
        "not-in-ledger",
    ),
    "widened": (
        lambda product, a: edit(
            product, """UPDATE authorities SET collections = '["album", "wall"]' WHERE id = ?""", a.id
        ),
        "not-in-ledger",
    ),
    "spent": (
        lambda product, a: [ask(product, a, PROBE) for _ in range(a.searches)],
        "spent",
    ),
}

DOORS: dict[str, Callable[[Countenance, str], object]] = {
    "search": lambda product, id: ask(product, id, PROBE),
    "erase by face": lambda product, id: product.plan_face_erasure(PROBE, None, id, TESTER, 0.5),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("death", DEATHS)
def test_a_dead_one_opens_no_door(product: Countenance, looked: list[str], door: str, death: str) -> None:
    authority = grant(product, "album", searches=2)
    change, reason = DEATHS[death]
    change(product, authority)
    del looked[:]
    _refused(product, lambda: DOORS[door](product, authority.id), reason, looked)


@pytest.mark.parametrize("door", DOORS)
def test_somebody_elses_opens_no_door(product: Countenance, looked: list[str], door: str) -> None:
    authority = grant(product, "album", holder="os:somebody")
    _refused(product, lambda: DOORS[door](product, authority.id), "not-holder", looked)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("death", [name for name in DEATHS if name != "spent"])
def test_one_that_dies_while_the_photograph_is_looked_at_opens_no_door(
    product: Countenance, looked: list[str], door: str, death: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The door asked and it was live; the mint asks again, for itself."""
    authority = grant(product, "album", searches=2)
    change, reason = DEATHS[death]
    module = search if door == "search" else erase
    real = module.prepare

    def prepare(*args: Any) -> Any:
        made = real(*args)
        change(product, authority)
        return made

    monkeypatch.setattr(module, "prepare", prepare)
    _refused(product, lambda: DOORS[door](product, authority.id), reason, looked, but=("authority.revoked",))


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("death", ["revoked", "expired"])
def test_one_that_dies_after_the_mints_own_check_is_not_spent(
    product: Countenance, looked: list[str], door: str, death: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statement that spends a use asks once more, for nothing is locked between the check and it."""
    authority = grant(product, "album", searches=2)
    real, asked = authorise.check, []

    def check(*args: Any) -> Any:
        checked = real(*args)
        asked.append(1)
        if len(asked) == 2:  # the door's, then the mint's
            if death == "revoked":
                product.revoke(authority.id, TESTER)
            else:
                monkeypatch.setattr(moments, "now", lambda: authority.expires_at)
        return checked

    monkeypatch.setattr(authorise, "check", check)
    _refused(product, lambda: DOORS[door](product, authority.id), death, looked, but=("authority.revoked",))
    assert len(asked) == 2


def test_the_mint_asks_for_itself(product: Countenance, looked: list[str]) -> None:
    mine, theirs = grant(product, "album"), grant(product, "album", holder="os:somebody")
    template = product.engine.protect(pretend.template("ada", "asked")[None, :])
    record = product._home.record

    def mint(id: str, *collections: str, actor: Actor = TESTER) -> Any:
        purpose = permit.Purpose("erase", (b"x" * 32,), 1, 0)
        return permit.mint(record, id, collections or None, template, purpose, actor)

    _refused(product, lambda: mint(mine.id, "wall"), "not-covered", looked)
    _refused(product, lambda: mint(mine.id, "album", "wall"), "not-covered", looked)
    _refused(product, lambda: mint(theirs.id), "not-holder", looked)
    _refused(product, lambda: mint(mine.id, actor=Actor("os:somebody", "python")), "not-holder", looked)
    _refused(product, lambda: mint("A-000000000000"), "unknown", looked)
    assert mint(mine.id, "album").source_ids == (1,)


def test_erasing_by_face_finds_only_what_its_authority_covers(product: Countenance) -> None:
    """Ada is four times in both: twice alone in the album, and once in each on the shared picture."""
    counted = {
        names: product.plan_face_erasure(PROBE, None, grant(product, *names).id, TESTER, 0.5).counts["sightings"]
        for names in (("album",), ("wall",), ("album", "wall"))
    }
    assert counted == {("album",): 3, ("wall",): 1, ("album", "wall"): 4}


def _refused(
    product: Countenance, act: Callable[[], object], reason: str, looked: list[str], but: tuple[str, ...] = ()
) -> None:
    size = product.ledger_size
    used = {a.id: a.used for a in product.authorities()}
    with pytest.raises(NoAuthority) as caught:
        act()
    assert caught.value.details["reason"] == reason
    assert looked == []
    assert [kind for kind in kinds(product)[size:] if kind not in but] == ["authority.refused"]
    assert {a.id: a.used for a in product.authorities()} == used


def test_a_check_alone_refuses_what_has_expired_or_is_spent(
    product: Countenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command asks before it reads the photograph: the reservation, much later, is no substitute."""
    spent, short = grant(product, "album", searches=1), grant(product, "album")
    assert product.check_authority(short.id, None, TESTER).id == short.id
    ask(product, spent, PROBE)
    for authority, reason, moment in (
        (spent, "spent", moments.now()),
        (short, "expired", short.expires_at),
        (short, "expired", short.expires_at + timedelta(days=1)),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(moments, "now", lambda moment=moment: moment)
            with pytest.raises(NoAuthority) as caught:
                product.check_authority(authority.id, None, TESTER)
        assert caught.value.details["reason"] == reason
        last = product.ledger_entries(product.ledger_size - 1, product.ledger_size)[0]
        assert (last["type"], last["body"]["reason"]) == ("authority.refused", reason)
