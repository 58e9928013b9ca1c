"""A setting that bears on results or promises does not change without an entry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from countenance.app import Countenance
from countenance.domain.errors import LedgerUnavailable
from countenance.ledger.log import Ledger
from countenance.services.effective import PARTS, REMEMBERED, effective
from countenance.settings import Settings
from tests.child import KILLED
from tests.places import Place, kinds

CHANGED = "settings.changed"


def changes(product: Countenance) -> list[list[dict[str, Any]]]:
    entries = product.ledger_entries(0, product.ledger_size)
    return [entry["body"]["changed"] for entry in entries if entry["type"] == CHANGED]


def test_a_new_home_says_what_it_began_with_and_opening_it_again_adds_nothing(place: Place) -> None:
    for _ in range(3):
        with place.open(search={"limit": 7}) as product:
            assert kinds(product) == ["home.created"]
            body = product.ledger_entries(0, 1)[0]["body"]
            assert body["settings"]["search.limit"] == 7
            assert body["settings"]["retention.source_days"] == 90


def test_a_change_is_an_entry_with_name_old_and_new(place: Place) -> None:
    with place.open():
        pass
    with place.open(search={"min_likeness": 0.5, "probe_days": 0}, demo=True) as product:
        assert changes(product) == [
            [
                {"name": "demo", "old": False, "new": True},
                {"name": "retention.probe_days", "old": 90, "new": 0},
                {"name": "search.min_likeness", "old": 0.2, "new": 0.5},
            ]
        ]
        assert product.ledger_entries(1, 2)[0]["actor"]["authenticated"]
    with place.open(search={"min_likeness": 0.5, "probe_days": 0}, demo=True) as product:
        assert len(changes(product)) == 1
    with place.open() as product:
        back = changes(product)[1]
        assert {one["name"]: one["new"] for one in back} == {
            "demo": False,
            "search.min_likeness": 0.2,
            "retention.probe_days": 90,
        }


def test_it_counts_wherever_it_was_said(place: Place) -> None:
    with place.open():
        pass
    assert place.command("status", env={"COUNTENANCE_IMAGES__MAX_PIXELS": "1000000"}).code == 0
    (place.home / "countenance.toml").write_text("[crawl]\nrate = 50.0\n")
    assert place.command("status").code == 0
    assert place.command("status").code == 0
    with place.open(crawl={"rate": 50.0}) as product:
        assert [[(one["name"], one["new"]) for one in change] for change in changes(product)] == [
            [("images.max_pixels", 1_000_000)],
            [("crawl.rate", 50.0), ("images.max_pixels", 64_000_000)],
        ]


@pytest.mark.parametrize("part", [*PARTS, "demo"])
def test_every_setting_of_these_parts_is_watched_but_for_the_pack(part: str) -> None:
    known = effective(Settings())
    fields = type(getattr(Settings(), part)).model_fields if part != "demo" else {}
    expected = {f"{part}.{name}" for name in fields} - {"faces.pack"} or {"demo"}
    assert {name for name in known if name.split(".")[0] == part} == expected


def test_what_concerns_this_machine_alone_is_no_entry(place: Place) -> None:
    with place.open():
        pass
    with place.open(offline=True, ingest={"workers": 3}, serve={"port": 1234}) as product:
        assert kinds(product) == ["home.created"]


def test_of_a_path_only_that_it_changed_is_told(place: Place, tmp_path: Path) -> None:
    somebody = tmp_path / "ada lovelace"
    with place.open():
        pass
    for folder in (somebody, somebody / "more"):
        with place.open(faces={"weights": folder}):
            pass
    with place.open() as product:
        assert changes(product) == [
            [{"name": "faces.weights", "old": None, "new": "a path"}],
            [{"name": "faces.weights", "old": "a path", "new": "a path"}],
            [{"name": "faces.weights", "old": "a path", "new": None}],
        ]
    assert b"lovelace" not in (place.home / "ledger" / "entries.jsonl").read_bytes()


def test_numbers_that_json_does_not_have_do_not_lock_the_home(place: Place) -> None:
    with place.open(images={"max_bytes": 2**60, "max_seconds": float("inf")}) as product:
        said = product.ledger_entries(0, 1)[0]["body"]["settings"]
        assert (said["images.max_bytes"], said["images.max_seconds"]) == (str(2**60), "inf")
        product.ledger_verify()


def test_a_home_from_before_is_entered_once(place: Place) -> None:
    with place.open() as product, product.database.write() as c:
        c.exec_driver_sql("DELETE FROM meta WHERE key = ?", (REMEMBERED,))
    for _ in range(2):
        with place.open() as product:
            (first,) = changes(product)
            assert {"name": "search.limit", "old": None, "new": 20} in first


def test_a_change_that_cannot_be_entered_is_not_in_force(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with place.open():
        pass
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "append", _refuse)
        with pytest.raises(LedgerUnavailable):
            place.open(search={"limit": 1})
        place.open().close()
    with place.open(search={"limit": 1}) as product:
        assert len(changes(product)) == 1


def _refuse(*_: Any, **__: Any) -> None:
    raise LedgerUnavailable("no")


def test_many_processes_that_open_it_at_once_enter_it_once(place: Place) -> None:
    with place.open():
        pass
    changed = {"COUNTENANCE_SEARCH__LIMIT": "3"}
    running = [place.start("status", "--json", env=changed) for _ in range(5)]
    answers = [run.communicate(timeout=100) for run in running]
    assert [run.returncode for run in running] == [0] * 5, answers
    with place.open(search={"limit": 3}) as product:
        assert changes(product) == [[{"name": "search.limit", "old": 20, "new": 3}]]


@pytest.mark.parametrize(
    "point", ["countenance.services.effective:remember@1", "countenance.services.effective:remember@1+"]
)
def test_a_home_that_was_cut_off_while_it_was_made_remembers_all_the_same(place: Place, point: str) -> None:
    assert place.child("open", die=[point]) == KILLED
    with place.open() as product:
        assert kinds(product) == ["home.created"]
        assert "search.limit" in product.ledger_entries(0, 1)[0]["body"]["settings"]
