"""Sources at the API and on the page: what was skipped, how far a run has to go, how long a source is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.places import Place, ingest
from tests.web.conftest import Served, serve, wait_for


@pytest.fixture
def weekly(house: Place) -> Iterator[Served]:
    """Whose settings keep a source for a week."""
    yield from serve(house.open(sources={"retain_days": 7}))


def test_what_was_skipped_comes_a_page_at_a_time(house: Place, pretend: Served) -> None:
    for n in range(5):
        house.put(f"album/broken-{n}.png", b"no picture")
    ingest(pretend.product, "album")
    found: list[dict[str, Any]] = []
    with pretend.program("sources:read") as program:
        after: int | None = 0
        pages = 0
        while after is not None:
            answer = program.get("/sources/album/skipped", params={"after": after, "count": 2})
            assert answer.status_code == 200
            found += answer.json()["skipped"]
            after = answer.json()["next"]
            pages += 1
        assert pages == 3
        assert program.get("/sources/nobody/skipped").status_code == 404
        assert program.get("/sources/album/skipped", params={"count": 0}).status_code == 422
    assert [one["address"].rpartition("/")[2] for one in found] == [f"broken-{n}.png" for n in range(5)]
    assert {one["reason"] for one in found} == {"not-an-image"}
    with pretend.program("ledger:read") as program:
        assert program.get("/sources/album/skipped").status_code == 403


def test_a_run_says_how_many_there_are(house: Place, pretend: Served) -> None:
    with pretend.program() as program:
        run = program.post("/sources/album/runs", json={}).json()["id"]
        ended = wait_for(program, run)
    assert ended["state"] == "done"
    assert ended["progress"]["total"] == ended["progress"]["done"] == 7


def test_the_settings_say_how_long_a_source_is_kept(house: Place, weekly: Served) -> None:
    (house.photos / "more").mkdir()
    asked = {"name": "more", "kind": "folder", "location": str(house.photos / "more"), "owner": "T", "basis": "own"}
    with weekly.program() as program:
        answer = program.post("/sources", json=asked)
        assert (answer.status_code, answer.json()["retain_days"]) == (201, 7)
        answer = program.post("/sources", json=asked | {"name": "other", "retain_days": 30})
        assert answer.json()["retain_days"] == 30
        assert program.post("/sources", json=asked | {"name": "third", "retain_days": 0}).status_code == 422
    with weekly.browser() as browser:
        page = browser.get("/sources").text
    assert 'name="retain_days" type="number" value="7"' in page
