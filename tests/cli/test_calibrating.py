"""Hard impostors that people judged raise an upper bound, and nothing else of a calibration."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from countenance.cli import options
from countenance.services import calibrate
from tests import pretend
from tests.places import Answer, Place


@pytest.fixture
def measured(
    place: Place, at: Callable[[Place], Callable[..., Answer]], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Answer]:
    """`countenance calibrate` over two folders of different people."""
    monkeypatch.setattr(calibrate, "Workers", pretend.Workers)
    monkeypatch.setattr(options, "install_pack", lambda *_, **__: [])
    for folder in ("a", "b"):
        for n in range(calibrate.LEAST):
            place.put(f"{folder}/{n}.png", pretend.photograph(f"{folder}{n}"))
    run = at(place)
    folders = ("--impostors", place.photos / "a", "--impostors", place.photos / "b")

    def measure(*more: object) -> Answer:
        return run("calibrate", "open", *folders, "--out", place.root / "out.json", "--json", *more)

    return measure


def test_verdicts_raise_upper_bounds_alone(measured: Callable[..., Answer], tmp_path: Path) -> None:
    hard: dict[str, Any] = {"format": "countenance-verdicts/1", "pack": "open", "comparisons": 10_000, "z": [40.0] * 30}
    file = tmp_path / "verdicts.json"
    plain = measured().json
    assert "verdicts" not in plain
    file.write_text(json.dumps(hard))
    answer = measured("--verdicts", file)
    assert answer.code == 0, answer
    raised = answer.json
    assert raised["verdicts"]["different"] == 30
    assert raised["verdicts"]["raised"] > 0
    assert [row[:3] for row in raised["curve"]] == [row[:3] for row in plain["curve"]]
    assert all(more[3] >= less[3] for more, less in zip(raised["curve"], plain["curve"], strict=True))
    assert raised["curve"][-1][3] > plain["curve"][-1][3]


def test_verdicts_on_another_pack_are_refused(measured: Callable[..., Answer], tmp_path: Path) -> None:
    file = tmp_path / "verdicts.json"
    for text, words in (
        (
            json.dumps({"format": "countenance-verdicts/1", "pack": "research", "comparisons": 1, "z": []}),
            "of the pack",
        ),
        ("[]", "no verdicts"),
        ("{", "no verdicts"),
    ):
        file.write_text(text)
        answer = measured("--verdicts", file)
        assert answer.code == 2
        assert words in answer.json["error"]["message"]
