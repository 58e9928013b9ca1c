"""Reading a source: once is enough, again is harmless, and what is bad costs nothing but itself."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from countenance.app import Countenance
from countenance.domain.errors import BadInput, NotRegistered, UnknownThing
from countenance.services import engine, workers
from countenance.services import ingest as ingest_module
from countenance.store import entering, moments
from tests import pretend
from tests.places import Place, ask, grant, ingest, kinds, register
from tests.services import worker_double
from tests.services.inventory import assert_same, contents, fill, sound


def test_a_run_counts_and_keeps_what_is_there(place: Place, pretending: None) -> None:
    folder = fill(place)
    with place.open() as product:
        register(product, "many", folder)
        report = ingest(product, "many").as_json()
        assert {k: v for k, v in report.items() if k not in ("seconds", "run")} == {
            "source": "many",
            "images": 17,
            "new": 16,
            "unchanged": 1,
            "pages": 1,
            "vanished": 0,
            "faces": 19,
            "indexed": 18,
            "no_face": 1,
            "below_floor": {"too-small": 1},
            "skipped": {"empty": 1, "not-an-image": 1, "truncated": 1},
            "dry_run": False,
            "complete": True,
        }
        found = contents(product)
        assert len(found["appearances"]) == 17
        assert len(found["templates"]) == 18
        assert len(found["pictures"]) == 15, "twins and the copy are one picture each"
        assert {Path(a).name for a, _ in found["skips"]} == {"broken.png", "text.png", "empty.png"}
        sound(product)


def test_a_second_run_embeds_nothing_and_changes_nothing(
    place: Place, pretending: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = fill(place)
    with place.open() as product:
        register(product, "many", folder)
        ingest(product, "many")
        before = contents(product)
        given = _watched(monkeypatch)
        again = ingest(product, "many").as_json()
        assert (again["new"], again["unchanged"], again["faces"]) == (0, 17, 0)
        # What could not be read the last time is tried again; nothing else is looked at.
        assert sorted(given) == sorted(
            [pretend.photograph("ada", note="many", broken="truncated"), b"not a picture at all"]
        )
        assert_same(contents(product), before)


def test_no_row_names_a_crop_that_a_power_cut_could_take(
    place: Place, pretending: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: set[str] = set()
    early: list[str] = []
    real_sync, real_entering = os.fsync, entering.add_images

    def sync(handle: int) -> None:
        synced.add(str(Path(f"/proc/self/fd/{handle}").readlink()))
        real_sync(handle)

    def add_images(c: Any, placed: Any, **about: Any) -> Any:
        there = set((place.home / "blobs").glob("??/*")) if placed else set()
        early.extend(str(p) for path in there for p in (path, *path.parents[:2]) if str(p) not in synced)
        return real_entering(c, placed, **about)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(entering, "add_images", add_images)
    with place.open() as product:
        register(product, "many", fill(place))
        ingest(product, "many")
        crops = [str(path) for path in (place.home / "blobs").glob("??/*")]
    assert len(crops) > 10
    assert set(crops) <= synced
    assert not early, "rows were about to name what was not durable"


def _watched(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    given: list[bytes] = []

    class Watched(pretend.Workers):
        def submit(self, batch: Any) -> None:
            given.extend(data for _, data in batch)
            super().submit(batch)

    monkeypatch.setattr(engine, "Workers", Watched)
    return given


def test_the_same_bytes_elsewhere_are_recorded_and_not_looked_at_again(
    house: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = (house.photos / "album" / "bob.png").read_bytes()
    house.put("wall/bob-again.png", data)
    house.put("album/deep/er/bob-too.png", data)
    with house.open() as product:
        faces = len(product.engine.index.ids())
        given = _watched(monkeypatch)
        for name in ("wall", "album"):
            report = ingest(product, name).as_json()
            assert (report["new"], report["faces"]) == (0, 0)
        assert given == []
        assert len(product.engine.index.ids()) == faces
        probe = pretend.photograph("bob", note="asked")
        best = ask(product, grant(product, "album", "wall"), probe).groups[0]
        assert sorted(Path(s.image).name for s in best.sightings) == ["bob-again.png", "bob-too.png", "bob.png"]
        assert {s.likeness for s in best.sightings} == {best.likeness}
        wall = ask(product, grant(product, "wall"), probe).groups[0]
        assert [Path(s.image).name for s in wall.sightings] == ["bob-again.png"]
        sound(product)


def test_a_rehearsal_counts_and_writes_nothing(place: Place, pretending: None) -> None:
    folder = fill(place)
    with place.open() as product:
        register(product, "many", folder)
    place.opened.clear()
    files, keys = place.files(), sorted(place.keys.rglob("*"))
    answer = place.command("ingest", "many", "--dry-run", "--json")
    assert (answer.json["images"], answer.json["new"], answer.json["skipped"]) == (
        18,
        17,
        {"empty": 1, "not-an-image": 1},
    )
    assert answer.json["dry_run"] is True
    assert place.files() == files
    assert sorted(place.keys.rglob("*")) == keys
    with place.open() as product:
        ingest(product, "many")
    place.opened.clear()
    files = place.files()
    answer = place.command("ingest", "many", "--dry-run", "--json")
    assert (answer.json["new"], answer.json["unchanged"]) == (1, 17)
    assert place.files() == files


def test_what_is_gone_has_vanished_and_what_comes_back_is_seen_again(
    house: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = house.photos / "album" / "bob.png"
    data = path.read_bytes()
    stamp = path.stat()
    start = moments.now()

    def seen(product: Countenance) -> Any:
        groups = ask(product, grant(product, "album"), pretend.photograph("bob", note="asked")).groups
        return next(s for g in groups for s in g.sightings if s.image == path.as_uri())

    with house.open() as product:
        first = seen(product)
        assert first.vanished is None
        path.unlink()
        day = start + timedelta(days=1)
        monkeypatch.setattr(moments, "now", lambda: day)
        assert ingest(product, "album").as_json()["vanished"] == 1
        gone = seen(product)
        assert (gone.first_seen, gone.last_seen, gone.vanished) == (first.first_seen, first.last_seen, day)
        path.write_bytes(data)
        os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
        later = start + timedelta(days=2)
        monkeypatch.setattr(moments, "now", lambda: later)
        assert ingest(product, "album").as_json()["new"] == 0
        back = seen(product)
        assert (back.id, back.first_seen, back.vanished) == (first.id, first.first_seen, None)
        assert back.last_seen > gone.last_seen
        # A refresh is told from a first reading.
        assert kinds(product).count("refresh.ended") == 2


def test_a_file_that_vanishes_under_the_reader_is_counted(
    place: Place, pretending: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = fill(place)
    real = ingest_module.read_file

    def read(path: Path, limits: Any) -> bytes:
        if path.name == "photo-03.png":
            path.unlink()
        return real(path, limits)

    monkeypatch.setattr(ingest_module, "read_file", read)
    with place.open() as product:
        register(product, "many", folder)
        assert ingest(product, "many").as_json()["skipped"]["vanished"] == 1


def test_a_file_that_changed_is_read_anew_and_the_old_picture_has_vanished(house: Place) -> None:
    path = house.put("album/bob.png", pretend.photograph("zoe", note="instead of bob"))
    with house.open() as product:
        report = ingest(product, "album").as_json()
        assert (report["new"], report["faces"]) == (1, 1)
        authority = grant(product, "album")
        zoe = ask(product, authority, pretend.photograph("zoe", note="asked")).groups[0].sightings[0]
        assert (zoe.image, zoe.vanished) == (path.as_uri(), None)
        bobs = ask(product, authority, pretend.photograph("bob", note="asked")).groups
        bob = next(s for g in bobs for s in g.sightings if s.image == path.as_uri() and s.likeness > 0.5)
        assert bob.vanished is not None


def test_what_is_not_registered_or_no_longer_is_is_not_read(house: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with house.open() as product:
        with pytest.raises(UnknownThing):
            ingest(product, "nothing")
        over = product.source("album").expires_at
        monkeypatch.setattr(moments, "now", lambda: over)
        with pytest.raises(NotRegistered):
            ingest(product, "album")
        with pytest.raises(NotRegistered):
            ingest(product, "album", dry_run=True)
        assert kinds(product).count("ingest.started") == 2


def test_a_picture_that_kills_its_worker_is_skipped_and_the_run_goes_on(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = fill(place)
    place.put("many/killer.png", pretend.photograph("ada", note="kills"))
    monkeypatch.setattr(workers, "MODULE", worker_double.__name__)
    with place.open(ingest={"workers": 2}) as product:
        register(product, "many", folder)
        report = ingest(product, "many").as_json()
        assert report["skipped"] == {"empty": 1, "not-an-image": 1, "out-of-memory": 1, "truncated": 1}
        assert report["indexed"] == 18
        sound(product)


def test_a_run_tells_how_far_it_is(place: Place, pretending: None) -> None:
    folder = fill(place)
    told: list[Any] = []
    with place.open() as product:
        register(product, "many", folder)
        ingest(product, "many", on_progress=told.append)
    done = [p.done for p in told]
    assert done == sorted(done)
    assert (told[-1].done, told[-1].skipped, told[-1].faces) == (20, 3, 19)


def test_kept_originals_are_kept_and_others_are_not(place: Place, pretending: None) -> None:
    data = pretend.photograph("ada", note="whole", padding=5000)
    place.put("one/ada.png", data)
    with place.open() as product:
        register(product, "one", place.photos / "one")
        ingest(product, "one")
        assert not any(data in content for content in place.files().values())
        register(product, "two", place.photos / "one", keep_originals=True)
        place.put("one/ada-2.png", data + b" ")
        ingest(product, "two")
        assert sum(data in content for content in place.files().values()) == 1


@pytest.mark.parametrize("where", ["above", "the home", "inside", "by a link"])
def test_the_home_itself_is_no_source(house: Place, tmp_path: Path, where: str) -> None:
    """Its crops are pictures too: what was erased would come back from them."""
    (tmp_path / "link").symlink_to(house.home)
    places = {
        "above": house.root,
        "the home": house.home,
        "inside": house.home / "blobs",
        "by a link": tmp_path / "link",
    }
    with house.open() as product:
        with pytest.raises(BadInput):
            register(product, "snake", places[where])
        assert [source.name for source in product.sources()] == ["album", "wall"]
