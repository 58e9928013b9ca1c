"""What logs cover and cannot show: hours, gaps, tunnels, users, shared addresses, clocks, QUIC."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from countenance.domain.proxy import WebRequest
from countenance.proxylog import coverage, shelf
from countenance.proxylog.coverage import moment
from countenance.proxylog.formats.kind import Fast, Format
from countenance.proxylog.shelf import Shelf
from countenance.proxylog.sift import Tally
from tests.proxylog.logs import FORMATS, START, found, lay, outcome, squid_line, tunnel_line

NEWS = "news.example.org"
HOUR = 3600
MIDNIGHT = START - START % 86400 - START  # of the day of START, from START


def covers(lines: Sequence[str], folder: Path, **more: Any) -> dict[str, Any]:
    said: dict[str, Any] = outcome([lay(folder / "log", lines)], folder / "work", **more)["coverage"]
    return said


def test_hours_first_and_last(tmp_path: Path) -> None:
    lines = [squid_line(at, NEWS) for at in (0, 1, 2 * HOUR, 2 * HOUR + 5)]
    said = covers(lines, tmp_path)
    assert (said["first"], said["last"]) == (moment(START), moment(START + 2 * HOUR + 5))
    assert said["hours"] == [[moment(START), 2], [moment(START + 2 * HOUR), 2]]
    assert said["hours_left_out"] == 0
    assert [(gap["from"], gap["to"], gap["seconds"]) for gap in said["gaps"]] == [
        (moment(START + 1), moment(START + 2 * HOUR), 7199)
    ]


def test_a_missing_morning_is_unusual_and_a_night_is_not(tmp_path: Path) -> None:
    # Five days of work from 6 to 18 hours, a line a minute; on the third day nothing between 9 and 11.
    times = [
        MIDNIGHT + day * 86400 + minute * 60
        for day in range(5)
        for minute in range(6 * 60, 18 * 60)
        if not (day == 2 and 9 * 60 <= minute < 11 * 60)
    ]
    said = covers([squid_line(at, NEWS) for at in times], tmp_path)
    unusual = [gap for gap in said["gaps"] if gap["unusual"]]
    assert len(said["gaps"]) == 5
    assert [(gap["from"], gap["usual_lines"]) for gap in unusual] == [
        (moment(START + MIDNIGHT + 2 * 86400 + 9 * HOUR - 60), 121)
    ]
    assert "usually hold about 121 lines" in " ".join(said["sentences"])
    assert any("missing hours" in words for words in said["remedies"])


def test_weekends_are_usual_once_weeks_can_be_compared(tmp_path: Path) -> None:
    # Twenty-eight days, the sixth and seventh of each week quiet, and one whole day missing.
    times = [
        MIDNIGHT + day * 86400 + slot * 120
        for day in range(28)
        for slot in range(720)
        if day % 7 < 5 and day != 15 and 200 < slot < 500
    ]
    said = covers([squid_line(at, NEWS) for at in times], tmp_path)
    unusual = [gap for gap in said["gaps"] if gap["unusual"]]
    assert [gap["from"][:10] for gap in unusual] == [moment(START + MIDNIGHT + 14 * 86400)[:10]]


def test_what_lines_show(tmp_path: Path) -> None:
    lines = [
        squid_line(0, NEWS),
        tunnel_line(1, NEWS),
        tunnel_line(2, "pimeyes.com", user="-"),
        squid_line(3, "pimeyes.com"),
        squid_line(3, "pimeyes.com"),
        tunnel_line(4, "x.facecheck.id"),
        "rubbish",
        "",
    ]
    said = covers(lines, tmp_path)
    assert said["lines"] == {"all": 8, "read": 6, "skipped": 1, "rejected": 1}
    assert said["shown"] == {"requests": 3, "tunnels": 3, "hosts_only": 0}
    assert said["uninspected_share"] == 0.5
    assert said["without_user"] == 1
    assert said["relevant"] == {
        "lines": 3,
        "duplicates": 1,
        "tunnels": 2,
        "hosts_only": 0,
        "without_user": 1,
        "shared_address": 0,
        "quic": 0,
        "hosts": [
            {"host": "pimeyes.com", "lines": 2, "uninspected": 1},
            {"host": "x.facecheck.id", "lines": 1, "uninspected": 1},
        ],
        "hosts_left_out": 0,
    }


def test_shared_addresses_are_told_from_all_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "REMEMBERED", 1)
    lines = [
        squid_line(0, NEWS, "b.low", "10.0.0.1"),
        squid_line(1, NEWS, "-", "10.0.0.2"),
        squid_line(2, "pimeyes.com", "a.poe", "10.0.0.1"),
        squid_line(3, "pimeyes.com", "a.poe", "10.0.0.2"),
        squid_line(4, NEWS, "a.poe", "10.0.0.2"),
    ]
    with found([lay(tmp_path / "log", lines)], tmp_path / "work") as said:
        covered = said.coverage.as_json()
        assert covered["addresses"] == {"with_user": 2, "shared": 1}
        assert covered["relevant"]["shared_address"] == 1
        assert (said.users_at("10.0.0.1"), said.users_at("10.0.0.2"), said.users_at("10.0.0.3")) == (2, 1, 0)
    assert not any(name in json.dumps(covered) for name in ("a.poe", "b.low", "10.0.0."))


def test_a_clock_that_goes_back_is_told_of_its_file(tmp_path: Path) -> None:
    times = [0, 100, 50, 200, -3400, -3390, 300]
    file = lay(tmp_path / "log", [squid_line(at, NEWS) for at in times])
    fine = lay(tmp_path / "fine", [squid_line(at, NEWS) for at in (0, 0, 50, 20, 100)])
    (order,) = outcome([file, fine], tmp_path / "work")["order"]
    assert order.as_json() == {"file": str(file), "backwards": 1, "furthest_seconds": 3600.0}


class _Flows:
    """`AT PROTOCOL PORT HOST`: connections and no more."""

    def __init__(self, quick: bool) -> None:
        self.fast = Fast(r"^(?P<epoch>[0-9]{10}) [a-z]+ [0-9]+ [a-z.]+$") if quick else None

    def read(self, text: str, number: int) -> WebRequest | None:
        at, _, port, host = text.split(" ")
        return WebRequest("", number, float(at), "flow", host, port=int(port))


@pytest.mark.parametrize("quick", [True, False])
def test_quic_is_seen_where_a_log_shows_flows(quick: bool, tmp_path: Path) -> None:
    flows = Format("flows", "Flows", lambda head, _: 1, lambda head, _: _Flows(quick))
    lines = [
        f"{START} udp 443 pimeyes.com",
        f"{START} tcp 443 pimeyes.com",
        f"{START} udp 53 {NEWS}",
        f"{START} quic 443 {NEWS}",
    ]
    said = covers(lines, tmp_path, formats=(flows,))
    assert (said["quic_lines"], said["relevant"]["quic"]) == (2, 1)
    assert said["shown"] == {"requests": 0, "tunnels": 0, "hosts_only": 4}
    assert said["without_user"] == 4
    assert any("UDP to port 443" in words for words in said["remedies"])


def test_lists_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LISTED_HOURS", "LISTED_GAPS", "LISTED_HOSTS"):
        monkeypatch.setattr(coverage, name, 2)
    lines = [squid_line(n * 2 * HOUR, f"w{n}.pimeyes.com") for n in range(6)]
    said = covers(lines, tmp_path)
    assert (len(said["hours"]), said["hours_left_out"]) == (2, 4)
    assert (len(said["gaps"]), said["gaps_left_out"]) == (2, 3)
    assert (len(said["relevant"]["hosts"]), said["relevant"]["hosts_left_out"]) == (2, 4)
    assert said["last"] == moment(START + 10 * HOUR)


def test_no_time_at_all(tmp_path: Path) -> None:
    said = covers(["rubbish"], tmp_path, format="squid")
    assert [said[name] for name in ("first", "last", "uninspected_share")] == [None] * 3
    assert (said["hours"], said["gaps"]) == ([], [])
    assert said["sentences"] == ["No line of these logs shows its time; 1 line could not be read at all."]


def test_shape_is_what_the_docstring_says(tmp_path: Path) -> None:
    said = covers([squid_line(0, NEWS)], tmp_path)
    text = coverage.Coverage.as_json.__doc__ or ""
    assert [f'"{name}"' for name in said if f'"{name}"' not in text] == []
    assert [f'"{name}"' for name in said["relevant"] if f'"{name}"' not in text] == []


def test_a_far_future_costs_nothing(tmp_path: Path) -> None:
    db = Shelf(tmp_path / "work", "")
    file, _ = db.enter("log")
    db.add_hours(file, [(0, 1, 0.0, 0.0), (70_000_000, 1, 252e9, 252e9)])
    said = coverage.covered(db, Tally(), 2, 0)
    assert len(said.gaps) == 1
    db.close()


def test_known_formats_are_used_where_none_are_given(tmp_path: Path) -> None:
    said = outcome([lay(tmp_path / "log", [squid_line(0, "pimeyes.com")])], tmp_path / "work", formats=None)
    assert said["files"][0].format == FORMATS[0].name
