"""Retention, holds and breaches on the command line: what is printed, written and refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from countenance.ledger.receipt import verify_receipt
from countenance.store import moments
from tests.places import Answer, Place, kinds


def test_the_policy_is_printed_and_written(
    house: Place, at: Callable[[Place], Callable[..., Answer]], tmp_path: Path
) -> None:
    run = at(house)
    assert "90 days from its registration" in run("retention", "policy").out
    for name, begins in (("p.md", b"# How long"), ("p.pdf", b"%PDF-"), ("p.json", b"{")):
        assert run("retention", "policy", "--out", tmp_path / name).code == 0
        assert (tmp_path / name).read_bytes().startswith(begins)
    assert run("retention", "policy", "--out", tmp_path / "p.md", "--json").code == 2
    assert run("retention", "policy", "--out", tmp_path / "p.odt", "--json").code == 2


def test_a_hold_stops_a_removal_and_ends(house: Place, at: Callable[[Place], Callable[..., Answer]]) -> None:
    run = at(house)
    placed = run("hold", "place", "--source", "wall", "--reason", "a court", "--until", "30d", "--json").json
    refused = run("source", "remove", "wall", "--yes", "--json")
    assert (refused.code, refused.json["error"]["code"], refused.json["error"]["holds"]) == (4, "held", [placed["id"]])
    assert [one["names"] for one in run("hold", "list", "--json").json["holds"]] == [["wall"]]
    assert run("hold", "show", placed["id"], "--json").json["reason"] == "a court"
    assert run("retention", "due", "--ahead", "100d", "--json").json["held"]["sources"] == 1
    assert run("hold", "release", placed["id"], "--reason", "over", "--json").json["state"] == "released"
    assert run("hold", "list", "--json").json["holds"] == []
    assert run("source", "remove", "wall", "--yes", "--json").code == 0


def test_a_run_is_told_and_its_receipt_is_written(
    house: Place, at: Callable[[Place], Callable[..., Answer]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with house.open() as product:
        over = product.source("wall").expires_at
    house.opened.clear()
    run = at(house)
    monkeypatch.setattr(moments, "now", lambda: over)
    done = run("retention", "run", "--json").json
    assert (done["destroyed"], done["sources"]) == ({"sources": 2}, ["album", "wall"])
    assert [one["receipt"] for one in run("retention", "receipts", "--json").json["receipts"]] == [done["entry"]]
    for name in ("r.json", "r.pdf"):
        assert run("retention", "receipt", done["entry"], "--out", tmp_path / name).code == 0
    kept = json.loads((tmp_path / "r.json").read_text())
    assert verify_receipt(kept["proof"], kept["key"]).kind == "retention.destroyed"
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF-")
    assert run("retention", "receipt", 0, "--json").json["error"]["code"] == "unknown"


def test_a_breach_is_told_and_its_pack_written(
    house: Place, at: Callable[[Place], Callable[..., Answer]], tmp_path: Path
) -> None:
    run = at(house)
    told = run("breach", "--from", "1d", "--user", "os:tester", "--file", "keys", "--json").json
    assert told["accounts"][0]["entries"] > 0
    assert told["hours_left"] == 72
    out = run("breach", "--from", "1d", "--file", house.home, "--out", tmp_path / "b.zip").out
    assert "has to be told by" in out
    assert (tmp_path / "b.zip").read_bytes().startswith(b"PK")
    assert run("breach", "--from", "1d", "--json").json["error"]["code"] == "bad-input"
    with house.open() as product:
        assert kinds(product).count("oversight.read") == 2
