"""From a search to its act, its inspection and its follow-up, and the checkpoint by mail: all of it by commands."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests import pretend
from tests.places import Answer, Place
from tests.post_office import PostOffice, post_office

GRANT = (
    "authority", "grant", "--purpose", "find ada", "--basis", "own", "--case", "T-1", "--collection", "album",
    "--expires", "1d", "--searches", "5", "--by", "A Tester", "--json",
)  # fmt: skip


def test_from_a_search_to_its_follow_up(house: Place, run: Callable[..., Answer]) -> None:
    authority = run(*GRANT).json["id"]
    photo = house.put("asked.png", pretend.photograph("ada", note="asked"))
    search = run("search", photo, "--authority", authority, "--json").json["search"]
    acts = run("oversee", "acts", "--purpose", "lawfulness", "--case", "T-1", "--json").json["acts"]
    assert [act["search"] for act in acts] == [search]
    assert search in run("oversee", "acts", "--purpose", "lawfulness").out
    assert run("oversee", "acts", "--purpose", "lawfulness", "--sign", "x", "--json").code == 2
    assert "search.shown" in run("oversee", "act", search, "--purpose", "lawfulness").out
    pdf = house.root / "oversight.pdf"
    assert run("report", "oversight", "--purpose", "lawfulness", "--from", "7d", "--out", pdf, "--json").code == 0
    assert pdf.read_bytes().startswith(b"%PDF")

    drawn = run("inspection", "draw", "--since", "1d", "--word", "blue heron", "--json").json
    (one,) = drawn["inspections"]
    assert (one["search"], one["state"]) == (search, "open")
    assert run("inspection", "check", drawn["id"], "--json").json["agrees"]
    assert one["id"] in run("inspection", "list").out
    assert run("inspection", "show", one["id"], "--json").json["file"]["search"] == search
    found = run("inspection", "find", one["id"], "--finding", "query", "--words", "at night?", "--json")
    assert found.json["state"] == "query"
    follow = ("inspection", "follow-up", one["id"], "--due", "2100-01-01", "--words", "explain", "--json")
    assert run(*follow, "--owner", "nobody").json["error"]["code"] == "unknown"
    done = run("inspection", "done", one["id"], "--words", "explained", "--json")
    assert (done.code, done.json["error"]["code"]) == (4, "refused")
    assert "at night?" in run("inspection", "show", one["id"]).out

    report = house.root / "report.pdf"
    told = run("subject-report", photo, "--authority", authority, "--pictures", "--out", report, "--json").json
    assert "picture" in told["indexed"][0]
    assert report.read_bytes().startswith(b"%PDF")


def test_the_checkpoint_by_mail(run: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch) -> None:
    off = run("ledger", "mail", "--json")
    assert (off.code, off.json["error"]["code"]) == (2, "bad-input")
    with post_office(PostOffice()) as office:
        for name, value in {
            "HOST": "127.0.0.1",
            "PORT": str(office.port),
            "SECURITY": "none",
            "SENDER": "ledger@example.org",
            "TO": '["overseer@example.org"]',
        }.items():
            monkeypatch.setenv(f"COUNTENANCE_MAIL__{name}", value)
        assert "Mailed the checkpoint" in run("ledger", "mail").out
        assert office.recipients == ["overseer@example.org"]
        assert run("ledger", "mail", "--to", "court@example.org", "--json").json["recipients"] == 1
    failed = run("ledger", "mail", "--json")
    assert (failed.code, failed.json["error"]["code"]) == (5, "unavailable")
    findings = [finding["what"] for finding in run("doctor", "--json").json["findings"]]
    assert any("was not mailed" in what for what in findings)
