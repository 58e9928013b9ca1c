"""How far a run is, how far it has to go, and what stays of one that breaks off."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.progress import TimeRemainingColumn

from countenance.cli.output import Reply
from countenance.domain.errors import FetchFailed
from countenance.domain.sources import Finding
from countenance.services import ingest as module
from countenance.services.expecting import Expected
from countenance.services.tally import Progress
from countenance.sources.folder import FolderReader
from countenance.sources.lists import count_rows
from countenance.store import runs
from tests import pretend
from tests.places import Place, ingest, register


class Slowly:
    """Counts before the first report, as a run that lasts longer than a moment does."""

    def __init__(self, reader: Any, last: int | None) -> None:
        self.real = Expected(reader, last)
        self.real._thread.join()

    def total(self, done: int) -> int | None:
        return self.real.total(done)


@pytest.fixture
def told(place: Place, pretending: None, monkeypatch: pytest.MonkeyPatch) -> list[Progress]:
    monkeypatch.setattr(module, "Expected", Slowly)
    monkeypatch.setattr(module, "REPORT_SECONDS", 0)
    return []


def album(place: Place, count: int = 30) -> Path:
    for n in range(count):
        place.put(f"{'deep/' if n % 2 else ''}{n:03}.png", pretend.photograph("ada", note=str(n)))
    place.put("notes.txt", b"no picture")
    place.put("000.png.json", b'{"title": "said beside it"}')
    (place.photos / "link").symlink_to(place.photos / "000.png")
    return place.photos


def test_a_folder_is_counted_by_its_names(place: Place, told: list[Progress]) -> None:
    with place.open() as product:
        register(product, "album", album(place))
        ingest(product, "album", on_progress=told.append)
    assert {p.total for p in told} == {32}
    assert told[0].done < 32
    assert (told[-1].done, told[-1].phase) == (32, "done")


def test_a_rehearsal_knows_too(place: Place, told: list[Progress], monkeypatch: pytest.MonkeyPatch) -> None:
    from countenance.services import rehearse

    monkeypatch.setattr(rehearse, "Expected", Slowly)
    with place.open() as product:
        register(product, "album", album(place))
        ingest(product, "album", on_progress=told.append, dry_run=True)
    assert {p.total for p in told} == {32}


def test_more_than_was_expected_is_not_known_to_end(tmp_path: Path) -> None:
    class Reader:
        complete = True

        def read(self) -> Iterator[Finding]:
            return iter(())

        def expected(self) -> int:
            return 10

    expected = Expected(Reader(), None)
    expected._thread.join()
    assert [expected.total(done) for done in (0, 10, 11)] == [10, 10, None]


@pytest.mark.parametrize(("last", "total"), [(None, None), (7, 7)])
def test_who_cannot_know_says_what_the_last_run_met(last: int | None, total: int | None) -> None:
    class Website:
        complete = True

        def read(self) -> Iterator[Finding]:
            return iter(())

        def expected(self) -> None:
            return None

    expected = Expected(Website(), last)
    expected._thread.join()
    assert expected.total(3) == total


def test_the_last_run_is_the_newest_that_came_to_its_end(house: Place) -> None:
    with house.open() as product, product.database.read() as c:
        source = product.source("album")
        assert runs.last_total(c, source.id) == 7
        assert runs.last_total(c, 999) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.txt", "# ours\nhttps://a.example/1.jpg\n\nnot an address\nhttps://a.example/2.jpg\n"),
        ("list.csv", "url,page\nhttps://a.example/1.jpg,x\n,\nnot an address,\nhttps://a.example/2.jpg,\n"),
    ],
)
def test_a_list_is_counted_by_its_rows(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert count_rows(str(tmp_path / name)) == 3


def test_the_command_says_how_long_it_will_take(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    rendered: list[str] = []
    real = TimeRemainingColumn.render

    def noted(self: TimeRemainingColumn, task: Any) -> Any:
        text = real(self, task)
        rendered.append(text.plain)
        return text

    monkeypatch.setattr(TimeRemainingColumn, "render", noted)
    monkeypatch.setattr("rich.console.Console", lambda **_: Console(file=shown, force_terminal=True, width=200))
    with Reply(False).progress("reading album") as show:
        for done in (10, 20, 30, 40):
            show(Progress(done, 100, 0, 0, 10.0, "reading"))
            time.sleep(0.12)
    assert any(text[:1].isdigit() for text in rendered), rendered


def test_what_was_found_before_a_crawl_broke_off_is_kept(
    place: Place, pretending: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = FolderReader.findings

    def broken(self: FolderReader) -> Iterator[Finding]:
        for n, finding in enumerate(real(self)):
            if n == 11:
                raise FetchFailed("the crawl broke off", advice="What was found before is kept.")
            yield finding

    with place.open() as product:
        register(product, "album", album(place))
        with monkeypatch.context() as patch:
            patch.setattr(FolderReader, "findings", broken)
            with pytest.raises(FetchFailed):
                ingest(product, "album")
        run = product.runs("album")[0]
        assert run["state"] == "failed"
        assert run["counts"]["new"] == product.source_summary("album")["images"] == 11
        # Nothing is said to have vanished, and the next run goes on from there.
        report = ingest(product, "album")
        assert (report.tally.new, report.tally.unchanged, report.tally.vanished) == (19, 11, 0)
