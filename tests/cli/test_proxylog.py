"""The analyser as its officer uses it: the JSON contract, tables, files, and clear words when something is wrong."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.places import Answer, Place
from tests.services.test_analyse import LOG, PEOPLE, REASON

Run = Callable[..., Answer]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / "access.log"
    file.write_text("\n".join(LOG) + "\n", encoding="utf-8")
    return file


def test_the_contract(run: Run, log: Path) -> None:
    answer = run("proxylog", "analyse", log, "--json")
    assert answer.code == 0
    body = answer.json
    assert set(body["input"][0]) == {"file", "sha256", "format", "lines", "rejected"}
    assert {"name", "version", "stale"} <= set(body["profiles"][0])
    assert set(body["totals"]) >= {"requests", "sessions", "users", "by_class", "searches", "indeterminate_requests"}
    assert set(body["totals"]["searches"]) == {"at_least", "at_most"}
    assert sum(body["totals"]["by_class"].values()) == body["totals"]["sessions"] == len(body["sessions"])
    for session in body["sessions"]:
        assert {"id", "user", "site", "start", "end", "class", "ceiling", "reasons", "evidence"} <= set(session)
        assert {"file", "line"} <= set(session["evidence"][0])
        assert session["reasons"]
    assert isinstance(body["coverage"], dict)
    assert body["receipt"]["seq"] > 0


def test_what_a_person_sees(run: Run, log: Path, tmp_path: Path) -> None:
    told = run("proxylog", "analyse", log, "--why", "complaint", "--rejected", tmp_path / "rejected.csv")
    assert told.code == 0
    assert "9 hits are 4 sessions by 4 users: at least 1 and at most" in told.out
    assert "RESULTS_VIEWED" in told.out
    assert not [name for name in PEOPLE if name in told.out + told.err]
    rows = list(csv.reader((tmp_path / "rejected.csv").read_text(encoding="utf-8").splitlines()))
    assert rows[0] == ["file", "line", "reason"]
    assert [row[:2] for row in rows[1:]] == [[str(log), str(len(LOG))]]
    listed = run("proxylog", "list", "--json").json["analyses"]
    assert listed[0]["totals"]["requests"] == 9
    assert listed[0]["id"] in run("proxylog", "list").out
    shown = run("proxylog", "show", listed[0]["id"], "--json").json
    (session,) = [s["id"] for s in shown["body"]["sessions"] if s["class"] == "RESULTS_VIEWED"]
    explained = run("proxylog", "explain", session)
    assert "POST pimeyes.com/api/search/new" in explained.out
    assert run("proxylog", "explain", session, "--json").json["session"]["id"] == session
    assert run("proxylog", "explain", "V-000000000000").code == 2


def test_as_csv_and_as_a_report(run: Run, log: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.pdf"
    answer = run("proxylog", "analyse", log, "--csv", "--report", report)
    assert answer.code == 0
    rows = list(csv.DictReader(io.StringIO(answer.out)))
    assert sorted(row["class"] for row in rows) == ["BLOCKED", "INDETERMINATE", "RESULTS_VIEWED", "VISIT"]
    first = report.read_bytes()
    assert first.startswith(b"%PDF-")
    assert run("proxylog", "analyse", log, "--report", report).code == 2, "a file that is there stays"
    assert report.read_bytes() == first
    assert run("proxylog", "analyse", log, "--report", report, "--force").code == 0
    assert report.read_bytes() == first, "the same input gives the same report"


def test_compressed_from_standard_input_and_by_folder(run: Run, house: Place, log: Path, tmp_path: Path) -> None:
    plain = run("proxylog", "analyse", log, "--json").json
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "access.log.1.gz").write_bytes(gzip.compress(("\n".join(LOG[:6]) + "\n").encode()))
    (folder / "access.log").write_text("\n".join(LOG[6:]) + "\n", encoding="utf-8")
    rotated = run("proxylog", "analyse", folder, "--json").json
    assert rotated["totals"] == plain["totals"]
    assert [f["lines"] for f in rotated["input"]] == [len(LOG) - 6, 6]

    piped = subprocess.run(
        [sys.executable, "-m", "countenance.cli.main", "proxylog", "analyse", "-", "--json"],
        input=log.read_bytes(),
        capture_output=True,
        env=house.environment,
        check=True,
    )

    assert json.loads(piped.stdout)["totals"] == plain["totals"]


def test_unmasking_takes_a_second_person(run: Run, log: Path, tmp_path: Path) -> None:
    body = run("proxylog", "analyse", log, "--json").json
    session = next(s["id"] for s in body["sessions"] if s["class"] == "RESULTS_VIEWED")
    token = tmp_path / "second"
    token.write_text("nothing of the kind\n", encoding="utf-8")
    asked = ("proxylog", "unmask", session, "--reason", REASON, "--second-token-file", token)
    refused = run(*asked, "--json")
    assert (refused.code, refused.json["error"]["code"]) == (4, "not-signed-in")
    made = run("token", "create", "second person", "--scope", "proxylog:unmask", "--json").json
    token.write_text(made["secret"] + "\n", encoding="utf-8")
    found = run(*asked, "--json").json
    assert found["who"] == "u-searcher"
    assert "u-searcher" in run(*asked).out
    kinds = [entry["type"] for entry in run("ledger", "show", "--json").json["entries"]]
    assert kinds.count("proxylog.unmasked") == 2


def test_an_analysis_is_erased(run: Run, log: Path) -> None:
    id = run("proxylog", "analyse", log, "--json").json["analysis"]
    asked = run("proxylog", "remove", id, "--json")
    assert (asked.code, asked.json["error"]["would_erase"]["analyses"]) == (2, 1)
    assert run("proxylog", "remove", id, "--yes", "--json").json["analyses"] == 1
    assert run("proxylog", "list", "--json").json == {"analyses": []}
    assert run("proxylog", "show", id).code == 2


def test_profiles_and_formats(run: Run, tmp_path: Path) -> None:
    names = {p["name"] for p in run("proxylog", "profiles", "--json").json["profiles"]}
    assert {"pimeyes", "facecheck", "search4faces", "lenso"} <= names
    assert "PimEyes" in run("proxylog", "profiles").out
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('name = "x"\n', encoding="utf-8")
    answer = run("proxylog", "profiles", "--check", wrong, "--json")
    assert (answer.code, answer.json["error"]["code"]) == (2, "bad-input")
    formats = {f["name"] for f in run("proxylog", "formats", "--json").json["formats"]}
    assert {"squid", "squid-custom", "ncsa", "w3c", "zscaler", "paloalto", "umbrella", "zeek", "defender"} <= {
        name.split("-")[0] if name.split("-")[0] in ("paloalto", "umbrella", "zeek", "zscaler") else name
        for name in formats
    }


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("nothing-there.log",), 2),
        (("LOG", "--users", "shoes"), 2),
        (("LOG", "--profile", "nowhere"), 2),
        (("LOG", "--format", "nonsense"), 2),
        (("LOG", "--time-zone", "Mars/Olympus"), 2),
        (("LOG", "--clock-offset", "soon"), 2),
        (("LOG", "--json", "--csv"), 2),
    ],
)
def test_what_cannot_be_used_is_said(run: Run, log: Path, words: tuple[str, ...], code: int) -> None:
    answer = run("proxylog", "analyse", *(log if word == "LOG" else word for word in words))
    assert answer.code == code
    if "--json" not in words:
        assert answer.err.strip()
    assert run("proxylog", "list", "--json").json == {"analyses": []}
