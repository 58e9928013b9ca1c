"""Homes to try things on, each with a key folder of its own, and the synthetic people."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from countenance.app import Countenance
from countenance.domain.people import PERSONAL, Profile
from tests import databases, pretend
from tests.places import Place, ingest, register

# A machine that is busy for a moment has not found a fault.
settings.register_profile("calm", settings.default, deadline=None)
settings.load_profile("calm")


_running = contextlib.ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """One server for all processes of the tests, where they are to run on one."""
    if databases.on_postgresql():
        databases.speak_as_sqlite()
    if databases.on_postgresql() and not hasattr(config, "workerinput"):
        _running.enter_context(databases.server())
        databases.make_template()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is about SQLite's own file, or opens no home, says nothing new elsewhere; what brings its own server has
    run already."""
    if databases.on_postgresql():
        left_out = [
            item
            for item in items
            if item.get_closest_marker("sqlite")
            or "postgresql" in getattr(item, "fixturenames", ())
            or databases.is_pure(item.nodeid)
        ]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def pytest_unconfigure() -> None:
    _running.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """A test that is left out of the second run opens no home, so that whatever opens one runs on both databases."""
    with pytest.MonkeyPatch.context() as patch:
        if databases.is_pure(item.nodeid):
            for door in ("countenance.store.database.Database.open", "tests.places.Place.start"):
                patch.setattr(door, _refused)
        return (yield)


def _refused(*_: object, **__: object) -> None:
    raise AssertionError("this test opens a home: name its file in NOT_PURE of tests/databases.py")


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Path]:
    """The homes of this module's tests have their rows on a PostgreSQL server of the module's own, whichever database
    the other tests use. Its folder: the data lies in `data`."""
    with pytest.MonkeyPatch.context() as patch, databases.server() as folder:
        patch.setenv(databases.SWITCH, "postgresql")
        databases.make_template()
        yield folder


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """An empty home, not yet made."""
    made = Place(tmp_path / "place")
    made.photos.mkdir(parents=True)
    yield made
    made.drop()


@pytest.fixture
def pretending(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend eyes in this process."""
    pretend.put_on(monkeypatch)


@pytest.fixture(scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """What `house` starts from. Its addresses are those of the stage beside it."""
    place = Place(tmp_path_factory.mktemp("house") / "stage")
    for name, people, note in (
        ("ada-1.png", ("ada",), "one"),
        ("ada-2.png", ("ada",), "two"),
        ("bob.png", ("bob",), "one"),
        ("both.png", ("bob", "cyd"), "both"),
        ("nobody.png", (), "none"),
        ("small.png", ("~eve",), "far"),
    ):
        place.put(f"album/{name}", pretend.photograph(*people, note=note))
    for folder in ("album", "wall"):
        place.put(f"{folder}/shared.png", pretend.photograph("ada", "dan", note="shared"))
    place.put("wall/dan.png", pretend.photograph("dan", note="one"))
    with pytest.MonkeyPatch.context() as patch, place.open() as product:
        pretend.put_on(patch)
        for name in ("album", "wall"):
            register(product, name, place.photos / name)
            ingest(product, name)
    place.opened.clear()
    kept = Place(place.root.with_name("kept"))
    place.root.rename(kept.root)
    databases.copy(place.home, kept.home)
    return kept


@pytest.fixture
def house(_template: Place, pretending: None) -> Iterator[Place]:
    """A home that has read a few pretend photographs: `album` holds ada, bob and cyd, `wall` ada and dan.

    The photograph `shared.png` is in both. Every test has its own copy, always at the same address.
    """
    place = Place(_template.root.with_name("stage"))
    shutil.copytree(_template.root, place.root)
    databases.copy(_template.home, place.home)
    yield place
    place.drop()
    shutil.rmtree(place.root)


@pytest.fixture
def product(house: Place) -> Countenance:
    """The same, open."""
    return house.open()


@pytest.fixture(scope="session")
def people() -> Callable[[str, str], bytes]:
    """`people("P001", "studio_portrait")`: a photograph of a synthetic person. Fetched once, by digest."""
    from demo.people import photograph

    return lambda person, asset: photograph(person, asset).read_bytes()


@pytest.fixture(scope="session")
def _real_home(tmp_path_factory: pytest.TempPathFactory, people: Callable[[str, str], bytes]) -> Place:
    place = Place(tmp_path_factory.mktemp("real"))
    for person in ("P001", "P002", "P003"):
        for asset in ("studio_portrait", "amateur_selfie"):
            place.put(f"{person}-{asset}.jpg", people(person, asset))
    place.put("P001-sheet.jpg", people("P001", "emotions_sheet"))
    # As from the time before there were profiles: it goes on with a basis that a personal home does not take.
    with place.open(making=Profile(PERSONAL, ("public-task",)), ingest={"workers": 1}) as product:
        register(product, "folk", place.photos)
        ingest(product, "folk")
    place.opened.clear()
    return place


@pytest.fixture
def real(_real_home: Place, tmp_path: Path) -> Iterator[Place]:
    """A copy of a home that read seven synthetic photographs with the real models. Its source is called `folk`."""
    made = Place(tmp_path / "real")
    _real_home.copy_to(made)
    made.photos.symlink_to(_real_home.photos)
    yield made
    made.drop()


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place pip looks for wheels."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("COUNTENANCE_WEIGHTS", str(folder))
    return folder
