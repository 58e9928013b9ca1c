"""A home opens whole or not at all, and a wrong key changes nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from countenance.app import Countenance
from countenance.domain.errors import Broken, CountenanceError, KeyTrouble, NewerHome, Unavailable
from tests import databases, pretend
from tests.child import KILLED
from tests.places import TESTER, Place, ask, grant, ingest, kinds, register

PROBE = pretend.photograph("ada", note="asked")


def key(place: Place, name: str) -> Path:
    return next(place.keys.rglob(name))


SPOIL: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: path.unlink(),
    "a byte flipped": lambda path: path.write_bytes(_flipped(path.read_bytes())),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-3]),
    "empty": lambda path: path.write_bytes(b""),
    "open to others": lambda path: path.chmod(0o644),
    "a link": lambda path: path.symlink_to(path.rename(path.with_suffix(".moved"))),
}


def _flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize("name", ["ledger.key", "names.key"])
@pytest.mark.parametrize("how", SPOIL)
def test_a_home_whose_key_is_wrong_is_not_opened_and_not_touched(house: Place, name: str, how: str) -> None:
    SPOIL[how](key(house, name))
    before = house.files()
    with pytest.raises(KeyTrouble) as caught:
        house.open()
    assert caught.value.exit_code == 6
    assert caught.value.advice
    assert house.files() == before


USES: dict[str, Callable[[Countenance], Any]] = {
    "ingest": lambda product: ingest(product, "album"),
    "search": lambda product: ask(product, product.authorities()[0], PROBE),
    "erase": lambda product: product.erase(product.eraser.plan_sources(["album"]), TESTER),
    "erase by face": lambda product: product.plan_face_erasure(PROBE, None, product.authorities()[0].id, TESTER, 0.5),
    "retention": lambda product: product.erase(product.eraser.plan_sources(["wall"], "expired"), TESTER),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("how", ["missing", "a byte flipped", "open to others", "of another home"])
def test_with_a_wrong_key_for_templates_nothing_is_begun(house: Place, how: str, use: str) -> None:
    house.put("album/late.png", pretend.photograph("zoe", note="late"))
    with house.open() as product:
        grant(product, "album")
    house.opened.clear()
    path = key(house, "open.rotation")
    if how == "of another home":
        other = Place(house.root / "other")
        other.photos.mkdir(parents=True)
        with other.open() as product:
            product.engine.index.count()
        other.drop()
        path.write_bytes(key(other, "open.rotation").read_bytes())
        shutil.rmtree(other.root)
    else:
        SPOIL[how](path)
    before = house.files()
    with house.open() as product, pytest.raises(KeyTrouble) as caught:
        USES[use](product)
    house.opened.clear()
    assert caught.value.exit_code == 6
    assert house.files() == before


def test_keys_of_another_home_are_not_this_ones(house: Place, tmp_path: Path) -> None:
    other = Place(tmp_path / "other")
    with other.open():
        pass
    mine, theirs = (next(place.keys.iterdir()) for place in (house, other))
    shutil.rmtree(mine)
    shutil.copytree(theirs, mine)
    before = house.files()
    with pytest.raises(KeyTrouble):
        house.open()
    assert house.files() == before


def test_an_empty_key_folder_makes_no_new_keys_for_an_old_home(house: Place, tmp_path: Path) -> None:
    before = house.files()
    lost = Place(house.root)
    shutil.move(house.keys, tmp_path / "kept")
    with pytest.raises(KeyTrouble):
        lost.open()
    assert house.files() == before
    assert not list(house.root.glob("keys/**/*.key"))


def test_a_home_of_a_newer_version_is_left_alone(house: Place) -> None:
    with house.open() as product, product.database.write() as c:
        c.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    house.opened.clear()
    before = house.files()
    with pytest.raises(NewerHome) as caught:
        house.open()
    assert caught.value.exit_code == 6
    assert house.files() == before
    answer = house.command("status", "--json")
    assert (answer.code, answer.json["error"]["code"]) == (6, "newer-home")
    assert house.files() == before


@pytest.mark.sqlite
def test_a_ledger_without_its_home_is_not_taken_over(house: Place) -> None:
    (house.home / "countenance.db").unlink()
    ledger = {name: data for name, data in house.files().items() if name.startswith("ledger/")}
    with pytest.raises(KeyTrouble):
        house.open()
    assert {name: data for name, data in house.files().items() if name.startswith("ledger/")} == ledger


@pytest.mark.sqlite
def test_what_is_no_database_is_said(house: Place) -> None:
    (house.home / "countenance.db").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(Broken):
        house.open()


def test_a_damaged_vector_file_is_said_and_shows_nothing(house: Place) -> None:
    path = house.home / "vectors" / "open.f16"
    data = bytearray(path.read_bytes())
    data[4096 + 20] ^= 0xFF
    path.write_bytes(bytes(data))
    with house.open() as product:
        assert product.engine.index.verify() != []
        with pytest.raises(CountenanceError) as caught:
            ask(product, grant(product, "album", "wall"), PROBE, min_likeness=-1.0)
        assert caught.value.exit_code == 6
        assert "search.shown" not in kinds(product)


@pytest.mark.parametrize("where", ["/dev/null/home", "a-file"])
def test_a_place_that_cannot_hold_a_home(tmp_path: Path, where: str) -> None:
    (tmp_path / "a-file").write_text("x")
    from countenance.app import open_home
    from countenance.settings import Settings

    with pytest.raises(Unavailable) as caught:
        open_home(settings=Settings(home=tmp_path / where, key_dir=tmp_path / "keys"))
    assert caught.value.exit_code == 5


def test_what_is_private_is_private(house: Place) -> None:
    with house.open() as product:
        ask(product, grant(product, "album"), PROBE)
    assert house.home.stat().st_mode & 0o077 == 0
    for path in house.keys.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path.name
    assert not list(house.home.rglob("*.key"))
    assert not list(house.home.rglob("*.rotation"))


POINTS = [
    "countenance.store.migrations.upgrade:to_head@1",
    "countenance.store.migrations.upgrade:to_head@1+",
    "countenance.ledger.keys:create@1+",
    "countenance.services.home:_new_name_key@1+",
    "countenance.ledger.folder:Folder.create@1+",
    "countenance.ledger.log:Ledger.append@1",
    "countenance.ledger.log:Ledger.append@1+",
    "countenance.store.database:Database.set_meta@1",
    "countenance.store.database:Database.set_meta@1+",
    "countenance.store.database:Database.set_meta@2+",
]


@pytest.mark.parametrize("point", POINTS)
def test_killed_while_it_is_made_it_is_made_when_it_is_opened_next(place: Place, point: str) -> None:
    databases.begin_empty(place.home)
    assert place.child("open", die=[point]) == KILLED
    with place.open() as product:
        assert kinds(product) == ["home.created"]
        product.ledger_verify()
        id = product.status()["ledger"]["key"]
    with place.open() as product:
        assert product.status()["ledger"]["key"] == id
        assert kinds(product) == ["home.created"]


def test_many_who_open_a_new_home_at_once_open_one(place: Place) -> None:
    running = [place.start("status", "--json") for _ in range(5)]
    answers = [run.communicate(timeout=100) for run in running]
    assert [run.returncode for run in running] == [0] * 5, answers
    with place.open() as product:
        assert kinds(product) == ["home.created"]
        assert len(list(place.keys.iterdir())) == 1


def test_another_pack_is_not_mixed_in(house: Place) -> None:
    before = house.files()
    with house.open(faces={"pack": "research"}) as product, pytest.raises(Broken):
        product.engine.index.count()
    house.opened.clear()
    assert house.files() == before


def test_a_home_may_be_moved(house: Place, tmp_path: Path) -> None:
    shutil.move(house.home, tmp_path / "elsewhere")
    from countenance.app import open_home
    from countenance.settings import Settings

    rows = databases.setting(house.home)
    with open_home(settings=Settings(home=tmp_path / "elsewhere", key_dir=house.keys, **rows)) as product:
        assert ask(product, grant(product, "album"), PROBE).groups
        assert product.engine.index.verify() == []


def test_names_that_are_not_utf8_are_read_shown_and_erased(place: Place, pretending: None) -> None:
    path = place.put(os.fsdecode(b"folder \xff\xfe/name \xe4.png"), pretend.photograph("ada", note="odd"))
    with place.open() as product:
        register(product, "odd", place.photos)
        assert ingest(product, "odd").as_json()["skipped"] == {}
        shown = ask(product, grant(product, "odd"), PROBE).groups[0].sightings[0].image
        assert shown == path.as_uri()
        product.erase(product.eraser.plan_image(shown), TESTER)
        assert not any(b"%FF%FE" in data or b"\xff\xfe/name" in data for data in place.files().values())
