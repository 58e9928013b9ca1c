"""`countenance erase --face` on the command line, and what a cut-off erasure says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from countenance.app import system_actor
from countenance.cli import search
from countenance.store import moments
from countenance.store.database import Database
from tests import pretend
from tests.child import KILLED
from tests.places import Answer, Place, grant, kinds

Run = Callable[..., Answer]


def authority(house: Place, **changes: Any) -> str:
    with house.open() as product:
        made = grant(product, "album", "wall", holder=system_actor("command").user, **changes)
    house.opened.clear()
    return made.id


def test_of_several_faces_one_is_chosen_and_nobody_guesses(run: Run, house: Place) -> None:
    me = authority(house)
    crowd = house.put("crowd.png", pretend.photograph("bob", "ada", "~eve", note="asked"))
    words = ("erase", "--face", crowd, "--authority", me, "--min-likeness", "0.5")
    answer = run(*words, "--yes", "--json")
    assert answer.code == 3
    assert answer.json["error"]["code"] == "several-faces"
    assert [face["n"] for face in answer.json["error"]["faces"]] == [1, 2]
    assert "--n largest" in answer.json["error"]["advice"]
    plain = run(*words, "--yes")
    assert (plain.code, plain.out) == (3, "")
    assert "face 2" in plain.err
    with house.open() as product:
        assert product.authority(me).used == 0
        assert "erasure" not in kinds(product)
    for n, count in (("1", 2), ("largest", 2), ("2", 4)):
        told = run(*words, "--n", n, "--json")
        assert (told.code, told.json["error"]["would_erase"]["sightings"]) == (2, count)
    for n in ("3", "0", "first", "each"):
        assert run(*words, "--n", n, "--yes", "--json").code == 2
    assert run(*words, "--n", "largest", "--yes", "--json").json["sightings"] == 2


@pytest.mark.parametrize("state", ["unknown", "expired", "spent", "revoked", "not-holder"])
@pytest.mark.parametrize("command", ["erase", "search"])
def test_under_a_dead_authority_the_photograph_is_not_even_read(
    run: Run, house: Place, command: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = house.put("probe.png", pretend.photograph("ada", note="asked"))
    words = ("search", probe) if command == "search" else ("erase", "--face", probe, "--min-likeness", "0.5", "--yes")
    with house.open() as product:
        holder = system_actor("command").user if state != "not-holder" else "os:somebody-else"
        made = grant(product, "album", "wall", holder=holder, searches=1)
    house.opened.clear()
    id = made.id if state != "unknown" else "A-000000000000"
    if state == "spent":
        assert run("search", probe, "--authority", id, "--json").code == 0
    if state == "revoked":
        assert run("authority", "revoke", id, "--json").code == 0
    if state == "expired":
        monkeypatch.setattr(moments, "now", lambda: made.expires_at)
    with house.open() as product:
        size = product.ledger_size
    house.opened.clear()
    monkeypatch.setattr(search, "read_photograph", _never)
    answer = run(*words, "--authority", id, "--json")
    assert (answer.code, answer.json["error"]["reason"]) == (4, state)
    with house.open() as product:
        entries = product.ledger_entries(size, product.ledger_size)
        assert [(e["type"], e["body"]["reason"]) for e in entries] == [("authority.refused", state)]


def _never(*_: Any) -> None:
    raise AssertionError("read")


def test_the_answer_counts_what_went_and_not_what_was_asked_about(
    run: Run, house: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run may end while the question stands on the screen."""
    import typer

    from tests.places import ingest

    def confirm(*_: Any, **__: Any) -> bool:
        house.put("album/late.png", pretend.photograph("zoe", note="late"))
        with house.open() as product:
            ingest(product, "album")
        house.opened.clear()
        return True

    monkeypatch.setattr(typer, "confirm", confirm)
    answer = run("source", "remove", "album")
    assert answer.code == 0
    asked, erased = (int(line.split()[-2]) for line in answer.out.splitlines() if "images" in line)
    assert erased == asked + 1


def test_an_erasure_that_was_cut_off_is_completed_and_said(house: Place, run: Run) -> None:
    assert house.child("erase", "sources", ["album"], die=["countenance.store.erasing:remove@1"]) == KILLED
    answer = run("source", "list", "--json")
    assert "has been completed" in answer.err
    assert [source["name"] for source in answer.json["sources"]] == ["wall"]
    assert run("source", "list", "--json").err == ""


def test_what_is_still_pending_is_listed(house: Place, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from countenance.domain.errors import Busy

    assert house.child("erase", "sources", ["album"], die=["countenance.store.database:Database.purge@1"]) == KILLED

    def purge(_: Database) -> None:
        raise Busy("the database's journal is in use")

    with monkeypatch.context() as patch:
        patch.setattr(Database, "purge", purge)
        answer = run("status", "--json")
        assert "Not purged yet: the database's journal" in answer.err
        assert answer.json["unfinished_erasures"]
    assert "has been completed" in run("status", "--json").err
    assert run("status", "--json").err == ""


def test_the_help_says_what_stays_for_ever(run: Run) -> None:
    told = " ".join(run("authority", "grant", "--help").out.replace("│", " ").split())
    assert told.count("Stays in the ledger for ever") == 2


def test_an_erasure_reads_no_photograph_that_it_was_not_given(run: Run, house: Place) -> None:
    me = authority(house)
    for face in (Path("nowhere.png"), house.photos):
        words = ("erase", "--face", face, "--authority", me, "--min-likeness", "0.5", "--yes", "--json")
        assert run(*words).json["error"]["code"] == "bad-input"
