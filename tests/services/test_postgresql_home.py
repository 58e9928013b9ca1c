"""A home whose rows are in PostgreSQL: opened with its own database and no other, moved, examined, and erased from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyrage
import pytest

from countenance.cli.backup import bring_back
from countenance.domain.errors import AlreadyThere, KeyTrouble, LedgerBroken
from countenance.services.backup import To, back_up
from countenance.services.home import Where
from countenance.services.restore import With
from tests import databases, pretend
from tests.places import TESTER, Place, ask, grant, ingest, kinds, register
from tests.traces import of_photograph

pytestmark = pytest.mark.usefixtures("postgresql", "pretending")
OWN = pyrage.x25519.Identity.generate()
OPEN = With(identities=(str(OWN),))


def filled(place: Place) -> Place:
    for person in ("ada", "bob"):
        place.put(f"album/{person}.png", pretend.photograph(person, note="one"))
    with place.open() as product:
        register(product, "album", place.photos / "album")
        ingest(product, "album")
    place.opened.clear()
    return place


def found(place: Place, where: Where | None = None) -> list[str]:
    from countenance.app import open_home
    from countenance.settings import Settings

    where = where or place.where
    rows = {"url": where.database}
    with open_home(settings=Settings(home=where.folder, key_dir=where.key_dir, database=rows)) as product:
        result = ask(product, grant(product, "album"), pretend.photograph("ada", note="asked"))
        assert product.engine.index.verify() == []
        product.ledger_verify()
        return [Path(s.image).name for g in result.groups for s in g.sightings if "ada" in s.image]


def test_nothing_of_the_rows_lies_in_the_folder_and_no_password_anywhere(place: Place) -> None:
    filled(place)
    assert not list(place.home.glob("countenance.db*"))
    shown = place.where.database or ""
    secret = shown.replace("countenance@", "countenance:s3cr3t@")
    answer = place.command("status", "--json", env={"COUNTENANCE_DATABASE__URL": secret})
    assert answer.code == 0, answer.err
    wrong = secret.replace("host=", "host=/nowhere")
    failed = place.command("status", "--json", env={"COUNTENANCE_DATABASE__URL": wrong})
    assert failed.json["error"]["code"] == "unavailable"
    doctor = place.command("doctor", "--offline", "--json", env={"COUNTENANCE_DATABASE__URL": wrong})
    assert "cannot be reached" in json.dumps(doctor.json["findings"])
    told = [one.out + one.err for one in (answer, failed, doctor)]
    assert not [text for text in [*told, *map(str, place.files().values())] if "s3cr3t" in text]
    assert "PostgreSQL 1" in place.command("doctor", "--offline", "--json").json["facts"]["database"]


def test_another_homes_database_is_refused(place: Place, tmp_path: Path) -> None:
    filled(place)
    other = Place(tmp_path / "other")
    other.open().close()
    for home, where in (
        (place, Where(place.home, place.keys, other.where.database)),
        (other, Where(other.home, other.keys, place.where.database)),
    ):
        before = home.files()
        with pytest.raises(KeyTrouble, match="rows of another home"):
            found(home, where)
        assert home.files() == before
    # A folder without a ledger: the home that the database belongs to is somewhere else.
    with pytest.raises(LedgerBroken, match="ledger of this home is gone"):
        found(place, Where(tmp_path / "empty", place.keys, place.where.database))
    other.drop()


def test_a_home_whose_rows_are_elsewhere_is_not_made_anew_in_its_folder(place: Place) -> None:
    filled(place)
    with pytest.raises(KeyTrouble) as caught:
        found(place, Where(place.home, place.keys))
    assert "database.url" in caught.value.advice
    assert not list(place.home.glob("countenance.db*"))


def test_a_home_moves_from_one_kind_of_database_to_the_other_and_back(place: Place, tmp_path: Path) -> None:
    filled(place)
    kept = To(None, (str(OWN.to_public()),))
    with place.open() as product:
        back_up(product.eraser.home, tmp_path / "a.age", kept, TESTER)
        size = product.ledger_size
    embedded = Where(tmp_path / "embedded", place.keys)
    bring_back(tmp_path / "a.age", embedded, OPEN)
    assert (embedded.folder / "countenance.db").exists()
    assert found(place, embedded) == ["ada.png"]
    with pytest.raises(KeyTrouble, match="lie in its folder"):
        found(place, Where(embedded.folder, place.keys, place.where.database))

    from countenance.app import open_home
    from countenance.settings import Settings

    with open_home(settings=Settings(home=embedded.folder, key_dir=place.keys)) as product:
        back_up(product.eraser.home, tmp_path / "b.age", kept, TESTER)
    again = Where(tmp_path / "again", place.keys, databases.address(tmp_path / "again"))
    with pytest.raises(AlreadyThere):
        bring_back(tmp_path / "b.age", Where(again.folder, place.keys, place.where.database), OPEN)
    assert not again.folder.exists()
    bring_back(tmp_path / "b.age", again, OPEN)
    assert not list(again.folder.glob("countenance.db*"))
    assert found(place, again) == ["ada.png"]
    with open_home(
        settings=Settings(home=again.folder, key_dir=place.keys, database={"url": again.database})
    ) as product:
        assert product.ledger_size > size
        assert kinds(product).count("home.restored") == 2
    databases.drop(again.folder)


def test_an_erasure_leaves_no_byte_in_any_file_of_the_server(place: Place, postgresql: Path) -> None:
    filled(place)
    path = place.photos / "album" / "ada.png"
    with place.open() as product:
        needles = of_photograph(product, path)
        with product.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
            c.exec_driver_sql("ANALYZE")

        def left() -> set[str]:
            databases.ask("CHECKPOINT")
            files = [f.read_bytes() for f in (postgresql / "data").rglob("*") if f.is_file()]
            return {what for what, needle in needles.items() if any(needle in data for data in files)}

        assert {"name", "address", "digest"} <= left(), "there is something to find"
        erased = product.erase(product.eraser.plan_image(path.as_uri()), TESTER)
        assert erased.pending == ()
        assert left() == set()
        product.ledger_verify()


def test_what_the_log_holds_is_pending_until_the_server_has_let_go_of_it(place: Place) -> None:
    filled(place)
    name = databases.name_of(place.home)
    databases.ask(f"REVOKE EXECUTE ON FUNCTION pg_switch_wal() FROM {databases.OWNER}", name, "postgres")
    databases.ask(f"REVOKE pg_checkpoint FROM {databases.OWNER}", user="postgres")
    try:
        with place.open() as product:
            path = place.photos / "album" / "ada.png"
            (pending,) = product.erase(product.eraser.plan_image(path.as_uri()), TESTER).pending
            assert "write-ahead log" in pending
        answer = place.command("status", "--json")
        assert answer.json["unfinished_erasures"] == [pending]
        assert f"Not purged yet: {pending}" in answer.err
        databases.ask("SELECT pg_switch_wal()", user="postgres")
        databases.ask("CHECKPOINT", user="postgres")
        assert place.command("status", "--json").json["unfinished_erasures"] == []
    finally:
        databases.ask(f"GRANT pg_checkpoint TO {databases.OWNER}", user="postgres")


def test_two_folders_cannot_make_one_database_their_own(place: Place, tmp_path: Path) -> None:
    place.open().close()
    thief = Where(tmp_path / "thief", tmp_path / "thiefs-keys", place.where.database)
    with pytest.raises(KeyTrouble):
        found(place, thief)
    shutil.rmtree(thief.folder, ignore_errors=True)
    with place.open() as product:
        assert kinds(product) == ["home.created"]
