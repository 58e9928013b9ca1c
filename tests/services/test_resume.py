"""Stopped at any moment, by whatever, a run loses and doubles nothing."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from countenance.domain.errors import Busy, Unavailable
from countenance.index.vectors import VectorFile
from countenance.services import engine
from countenance.services import ingest as ingest_module
from countenance.services.batch import Writer
from countenance.store.database import Database
from tests import pretend
from tests.child import KILLED
from tests.places import TESTER, Place, ask, grant, ingest, kinds, register
from tests.services.inventory import assert_same, contents, fill, sound

POINTS = [
    "countenance.store.runs:begin@1+",
    "countenance.services.record:Record.enter@1+",
    "countenance.store.blobs:Blobs.put@1",
    "countenance.store.blobs:Blobs.put@4+",
    "countenance.services.batch:Writer._add_vectors@1",
    "countenance.index.rows:Rows.claim@1+",
    "countenance.index.vectors:VectorFile.grow@1+",
    "countenance.index.vectors:VectorFile.write@1",
    "countenance.index.vectors:VectorFile.write@2+",
    "countenance.index.rows:Rows.place@1+",
    "countenance.index.embedded:EmbeddedIndex.add@2+",
    "countenance.store.entering:add_images@1",
    "countenance.store.entering:add_images@2+",
    "countenance.store.entering:see@1+",
    "countenance.services.batch:Writer._write@1+",
    "countenance.services.batch:Writer.write@3+",
    "countenance.store.entering:vanish@1",
    "countenance.store.entering:vanish@1+",
    "countenance.store.runs:end@1",
    "countenance.services.record:Record.enter@2",
    "countenance.services.record:Record.enter@2+",
]


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_moment_it_goes_on_with_nothing_lost_or_doubled(
    place: Place, whole: dict[str, Any], point: str
) -> None:
    with place.open() as product:
        register(product, "many", place.photos / "many")
        product.engine.index.count()
    place.opened.clear()
    assert place.child("ingest", "many", 3, die=[point]) == KILLED
    assert place.child("ingest", "many", 3) == 0
    with place.open() as product:
        assert_same(contents(product), whole)
        states = [run["state"] for run in product.runs("many")]
        assert states[0] == "done"
        assert set(states[1:]) <= {"interrupted", "done"}
        assert product.status()["runs"] == []
        sound(product)


def test_killed_before_every_single_write_it_ends_where_it_would_have(place: Place, whole: dict[str, Any]) -> None:
    with place.open() as product:
        register(product, "many", place.photos / "many")
        product.engine.index.count()
    place.opened.clear()
    write = "countenance.store.database:Database.write"
    killed = 0
    while place.child("ingest", "many", 2, die=[f"{write}@{2 + 2 * killed}"]) == KILLED:
        # Every run goes on where the one before was killed, a little further on its way.
        killed += 1
        assert killed < 60
    assert killed > 5
    with place.open() as product:
        assert_same(contents(product), whole)
        sound(product)


def test_killed_before_a_known_picture_is_found_in_its_second_source_it_is_found_after_the_next_run(
    house: Place,
) -> None:
    house.put("wall/bob-again.png", (house.photos / "album" / "bob.png").read_bytes())
    for point in ("EmbeddedIndex.tag@1", "EmbeddedIndex.tag@1+"):
        assert house.child("ingest", "wall", die=[f"countenance.index.embedded:{point}"]) == KILLED
    assert house.child("ingest", "wall", die=["countenance.store.entering:see@1+"]) == KILLED
    assert house.child("ingest", "wall", die=["countenance.services.batch:Writer._write@1+"]) == KILLED
    with house.open() as product:
        ingest(product, "wall")
        found = ask(product, grant(product, "wall"), pretend.photograph("bob", note="asked"))
        assert [Path(s.image).name for s in found.groups[0].sightings] == ["bob-again.png"]


def test_two_runs_of_one_source_at_once_are_not_begun(house: Place) -> None:
    with house.open() as product:
        with product._home.source_lock(1):
            with pytest.raises(Busy), house.open() as other:
                ingest(other, "album")
            answer = house.command("ingest", "album", "--json")
            assert answer.code == 5
            assert answer.json["error"]["code"] == "busy"
            # Another source is not held up.
            assert house.command("ingest", "wall", "--json").code == 0
        assert ingest(product, "album").as_json()["complete"] is True


def test_two_sources_with_the_same_pictures_may_be_read_at_once(place: Place, pretending: None) -> None:
    fill(place, "many", 30)
    with place.open() as product:
        for name in ("one", "two"):
            register(product, name, place.photos / "many")
        product.engine.index.count()
    place.opened.clear()
    running = [place.start("ingest", name, "--json") for name in ("one", "two")]
    for run in running:
        _, err = run.communicate(timeout=100)
        assert run.returncode == 0, err
    with place.open() as product:
        found = contents(product)
        assert len(found["templates"]) == 42
        assert Counter(row[0] for row in found["appearances"]).most_common(1)[0][1] == 2
        assert found["tags"] == {1: 42, 2: 42}
        assert len(found["pictures"]) == len({frozenset(p) for p in found["pictures"]}) == 33
        sound(product)


def test_an_interrupted_run_says_so_and_the_next_goes_on(
    place: Place, whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(pretend.Workers):
        calls = 0

        def submit(self, batch: Any) -> None:
            Interrupted.calls += 1
            if Interrupted.calls == 2:
                raise KeyboardInterrupt
            super().submit(batch)

    with place.open(ingest={"batch": 4}) as product:
        register(product, "many", place.photos / "many")
        with monkeypatch.context() as patch:
            patch.setattr(engine, "Workers", Interrupted)
            patch.setattr(ingest_module, "COMMIT_IMAGES", 2)
            with pytest.raises(KeyboardInterrupt):
                ingest(product, "many")
        assert product.runs("many")[0]["state"] == "interrupted"
        assert product.ledger_entries(product.ledger_size - 1, product.ledger_size)[0]["body"]["state"] == "interrupted"
        ingest(product, "many")
        assert_same(contents(product), whole)


@pytest.fixture
def small_disk(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bool], None]]:
    """Lets the home's disk run full, and gives it room again: a real small one where we may mount it."""
    place.home.mkdir()
    options = ["-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place.home)]
    mounted = subprocess.run(["mount", *options], capture_output=True, check=False).returncode == 0

    def full(now: bool) -> None:
        filler = place.home / "filler"
        if not mounted:
            monkeypatch.undo()
            pretend.put_on(monkeypatch)
            if now:
                monkeypatch.setattr(VectorFile, "write", _no_room)
        elif now:
            with filler.open("wb", buffering=0) as file:
                left = os.statvfs(place.home).f_bavail * os.statvfs(place.home).f_frsize
                file.write(bytes(left - (48 << 10)))
        else:
            filler.unlink(missing_ok=True)
            subprocess.run(["mount", "-o", "remount,size=64m", str(place.home)], check=True)

    yield full
    place.close()
    if mounted:
        subprocess.run(["umount", str(place.home)], check=True)


def _no_room(*_: Any, **__: Any) -> None:
    raise Unavailable("the disk is full")


def test_a_full_disk_stops_the_run_and_leaves_a_home_that_finishes_later(
    place: Place, whole: dict[str, Any], small_disk: Callable[[bool], None]
) -> None:
    with place.open(ingest={"batch": 2}) as product:
        register(product, "many", place.photos / "many")
    place.opened.clear()
    small_disk(True)
    with pytest.raises(Unavailable), place.open() as product:
        ingest(product, "many")
    place.close()
    small_disk(False)
    with place.open() as product:
        sound(product)
        ingest(product, "many")
        assert_same(contents(product), whole)
        sound(product)


def test_a_locked_database_is_said_and_nothing_is_lost(house: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    house.put("album/late.png", pretend.photograph("zoe", note="late"))
    with house.open() as other:
        real = Database.open
        monkeypatch.setattr(Database, "open", lambda path: real(path, busy_ms=100))
        product = house.open()
        leave = grant(product, "album")
        with other.database.write() as c:
            c.exec_driver_sql("UPDATE meta SET value = value")
            with pytest.raises(Busy) as caught:
                ingest(product, "album")
            assert caught.value.exit_code == 5
            with pytest.raises(Busy):
                ask(product, leave, pretend.photograph("ada"))
        assert "search.shown" not in kinds(product)
        assert ingest(product, "album").as_json()["new"] == 1
        sound(product)


def test_a_picture_erased_while_it_is_being_read_stays_erased(house: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look-up and the writing of the batch somebody else erases the picture."""
    path = house.photos / "album" / "bob.png"
    house.put("wall/bob-again.png", path.read_bytes())
    with house.open() as product, house.open() as other:
        real = Writer.write

        def write(self: Writer, batch: Any, **named: Any) -> None:
            if batch.known:
                other.erase(other.eraser.plan_image(path.as_uri()), TESTER)
            real(self, batch, **named)

        monkeypatch.setattr(Writer, "write", write)
        assert ingest(product, "wall").complete
        assert kinds(product).count("erasure") == 1
        assert not any("bob" in row[0] for row in contents(product)["appearances"])
        sound(product)


def test_a_source_that_is_being_read_is_not_erased_under_the_reader(house: Place) -> None:
    with house.open() as product, product._home.source_lock(1):
        with pytest.raises(Busy):
            product.erase(product.eraser.plan_sources(["album"]), TESTER)
        assert "erasure" not in kinds(product)
    house.opened.clear()
    with house.open() as product:
        assert [source.name for source in product.sources()] == ["album", "wall"]
        assert ask(product, grant(product, "album"), pretend.photograph("ada", note="asked")).groups
