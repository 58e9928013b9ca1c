"""Runs in the background: one at a time for a source, reported as they go, stopped without loss."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import pytest

from countenance.app import Countenance
from countenance.domain.errors import Busy, NotRegistered, UnknownThing
from countenance.services.tally import Progress
from countenance.web.board import LiveRun
from countenance.web.ingests import Ingests
from tests.places import TESTER, Place, ingest, register


class Gate:
    """Holds every run at its first progress until it is opened."""

    def __init__(self, product: Countenance, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()
        real = product.ingest

        def held(name: str, actor: Any, *, on_progress: Any, **more: Any) -> Any:
            def progressed(progress: Progress) -> None:
                on_progress(progress)
                self.reached.set()
                assert self.open.wait(30)

            return real(name, actor, on_progress=progressed, **more)

        monkeypatch.setattr(product, "ingest", held)


def ended(ingests: Ingests, run: LiveRun) -> LiveRun:
    until = time.monotonic() + 30
    while (found := ingests.get(run.id)).state == "running":
        assert time.monotonic() < until
        time.sleep(0.01)
    return found


def test_one_run_of_a_source_at_a_time(product: Countenance, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, ingests = Gate(product, monkeypatch), Ingests(product)
    first = ingests.start("album", TESTER)
    assert gate.reached.wait(30)
    assert ingests.running()["album"].id == first.id
    with pytest.raises(Busy):
        ingests.start("album", TESTER)
    other = ingests.start("wall", TESTER)
    gate.open.set()
    done = ended(ingests, first)
    assert done.state == "done"
    assert done.report is not None
    assert done.report["source"] == "album"
    assert ended(ingests, other).state == "done"
    assert ingests.running() == {}
    assert ended(ingests, ingests.start("album", TESTER)).state == "done"


def test_another_server_of_the_home_tells_how_far_it_is(
    product: Countenance, house: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, here, elsewhere = Gate(product, monkeypatch), Ingests(product), Ingests(product)
    run = here.start("album", TESTER)
    assert gate.reached.wait(30)
    seen = elsewhere.get(run.id)
    assert (seen.state, seen.progress) == ("running", here.get(run.id).progress)
    assert elsewhere.running()["album"].id == run.id
    with pytest.raises(Busy):
        elsewhere.start("album", TESTER)
    for file in (house.home / "spool" / "runs").iterdir():
        assert file.stat().st_mode & 0o077 == 0, file
    gate.open.set()
    done = ended(here, run)
    assert elsewhere.get(run.id) == done
    assert done.report is not None
    assert elsewhere.running() == {}


def test_a_run_whose_server_is_gone_is_not_under_way(
    product: Countenance, house: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a kill: nothing of the server is left but its file."""
    gate, here, elsewhere = Gate(product, monkeypatch), Ingests(product), Ingests(product)
    run = here.start("album", TESTER)
    assert gate.reached.wait(30)
    held = here._board._held
    assert held is not None
    os.close(held)
    assert elsewhere.get(run.id).state == "stopped"
    assert elsewhere.running() == {}
    here._board._held = None
    gate.open.set()
    ended(here, run)


@pytest.mark.parametrize("left", ["", "{", "[]", "{}", "7", "null", '{"server":1,"started":5,"ended":null}', "\x00"])
def test_a_damaged_file_of_a_run_stops_none(product: Countenance, left: str) -> None:
    ingests, folder = Ingests(product), product.home / "spool" / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run-000000000000.json").write_text(left)
    assert ingests.running() == {}
    with pytest.raises(UnknownThing):
        ingests.get("run-000000000000")
    assert ended(ingests, ingests.start("album", TESTER, dry_run=True)).state == "done"


def test_what_is_told_of_a_run_goes_when_one_starts_after_a_day_or_after_its_source_is_gone(
    house: Place, product: Countenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingests, elsewhere = Ingests(product), Ingests(product)
    folder = product.home / "spool" / "runs"
    old, gone, late = [ended(ingests, ingests.start(name, TESTER, dry_run=True)) for name in ("album", "wall", "album")]
    product.erase(product.eraser.plan_sources(["wall"]), TESTER)
    register(product, "more", house.photos / "wall")
    gate = Gate(product, monkeypatch)
    under_way = elsewhere.start("album", TESTER)
    assert gate.reached.wait(30)
    long_ago = time.time() - 25 * 3600
    for path in (folder / f"{old.id}.json", folder / f"{under_way.id}.json", *folder.glob("*.lock")):
        os.utime(path, (long_ago, long_ago))
    last = ingests.start("more", TESTER)
    left = {path.stem for path in folder.glob("run-*.json")}
    assert not left & {old.id, gone.id}
    assert left == {late.id, under_way.id, last.id}
    assert len(list(folder.glob("*.lock"))) == 2, "both servers are there still"
    gate.open.set()
    ended(elsewhere, under_way)
    ended(ingests, last)


def test_each_of_several_runs_is_told_as_it_goes(product: Countenance, monkeypatch: pytest.MonkeyPatch) -> None:
    here, elsewhere = Ingests(product), Ingests(product)
    gate = Gate(product, monkeypatch)
    first = here.start("album", TESTER)
    assert gate.reached.wait(30)
    gate.reached.clear()
    second = here.start("wall", TESTER)
    assert gate.reached.wait(30)
    for run in (first, second):
        assert here.get(run.id).progress is not None
        assert elsewhere.get(run.id).progress is not None
    gate.open.set()
    for run in (first, second):
        ended(here, run)


def test_a_dry_run_changes_nothing(product: Countenance) -> None:
    ingests = Ingests(product)
    before = product.ledger_size, len(product.runs())
    done = ended(ingests, ingests.start("album", TESTER, dry_run=True))
    assert (done.state, done.report and done.report["dry_run"]) == ("done", True)
    assert (product.ledger_size, len(product.runs())) == before


def test_a_failed_run_says_why(house: Place, product: Countenance) -> None:
    ingests = Ingests(product)
    (house.photos / "wall").rename(house.photos / "gone")
    failed = ended(ingests, ingests.start("wall", TESTER))
    assert failed.state == "failed"
    assert failed.error is not None
    assert failed.error["code"] != "internal"


def test_a_bug_in_a_run_says_nothing_of_itself(product: Countenance, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(product, "ingest", broken)
    ingests = Ingests(product)
    failed = ended(ingests, ingests.start("album", TESTER))
    assert failed.state == "failed"
    assert "secret" not in str(failed.error)


def test_an_unknown_source_is_said_at_once(product: Countenance) -> None:
    with pytest.raises(UnknownThing):
        Ingests(product).start("nothing", TESTER)
    with pytest.raises(UnknownThing):
        Ingests(product).get("run-000000000000")


def test_stopping_ends_a_run_between_two_pictures_and_the_next_goes_on(
    house: Place, product: Countenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests import pretend

    for n in range(3):
        house.put(f"album/more-{n}.png", pretend.photograph("fay", note=str(n)))
    gate, ingests = Gate(product, monkeypatch), Ingests(product)
    run = ingests.start("album", TESTER)
    assert gate.reached.wait(30)
    stopping = threading.Thread(target=lambda: ingests.stop(seconds=30))
    stopping.start()
    while not ingests._stopping.is_set():
        time.sleep(0.01)
    gate.open.set()
    stopping.join(30)
    assert ended(ingests, run).state in {"stopped", "done"}
    monkeypatch.undo()
    report = ingest(product, "album")
    assert report.complete
    assert product.source_summary("album")["indexed"] == len(house_faces(product))


def house_faces(product: Countenance) -> list[int]:
    """What the index holds for this source."""
    from sqlalchemy import select

    from countenance.store.schema import appearances, faces, sources

    with product.database.read() as c:
        query = (
            select(faces.c.id)
            .join(appearances, appearances.c.image_id == faces.c.image_id)
            .join(sources, sources.c.id == appearances.c.source_id)
            .where(sources.c.name == "album", faces.c.floor.is_(None))
            .distinct()
        )
        return list(c.execute(query).scalars())


def test_an_expired_source_is_not_read(product: Countenance) -> None:
    from sqlalchemy import update

    from countenance.store.schema import sources

    with product.database.write() as c:
        c.execute(update(sources).where(sources.c.name == "album").values(expires_at=1))
    ingests = Ingests(product)
    failed = ended(ingests, ingests.start("album", TESTER))
    assert (failed.state, failed.error and failed.error["code"]) == ("failed", NotRegistered.code)
