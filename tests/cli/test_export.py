"""A search leaves the house only for a named recipient, and only while it is open."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

from tests import pretend
from tests.places import Answer, Place

Run = Callable[..., Answer]


def test_from_a_search_to_a_file_with_a_recipient(run: Run, house: Place, tmp_path: Path) -> None:
    photo = tmp_path / "probe.png"
    photo.write_bytes(pretend.photograph("ada", note="asked"))
    words = ("--purpose", "p", "--basis", "own", "--case", "C", "--collection", "album", "--by", "Me")
    leave = run("authority", "grant", *words, "--expires", "1d", "--searches", "9", "--json").json["id"]
    found = run("search", photo, "--authority", leave, "--json").json
    asked = ("export", found["search"], tmp_path / "found.zip", "--handle", found["handle"])
    nobody = run(*asked, "--recipient", " ", "--purpose", "notice", "--json")
    assert (nobody.code, nobody.json["error"]["code"]) == (2, "bad-input")
    wrong = run(*asked[:3], "--handle", "x" * 43, "--recipient", "Desk", "--purpose", "notice", "--json")
    assert wrong.code == 4
    assert not (tmp_path / "found.zip").exists()
    done = run(*asked, "--recipient", "Desk", "--purpose", "notice", "--json")
    assert done.code == 0
    assert "search.json" in zipfile.ZipFile(tmp_path / "found.zip").namelist()
    assert run(*asked, "--recipient", "Desk", "--purpose", "notice").code == 2, "a file that is there stays"
    kinds = [entry["type"] for entry in run("ledger", "show", "--json").json["entries"]]
    assert kinds.count("search.disclosed") == 1
