"""The threat model names tests: each is there, and the page claims nothing that nobody tries."""

from __future__ import annotations

import re

from tests.places import ROOT

PAGE = ROOT / "docs" / "threat-model.md"


def test_every_test_that_it_names_is_there() -> None:
    there = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        there |= set(re.findall(r"^(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text(encoding="utf-8")))
    assert len(named) > 30
    assert named - there == set()


def test_every_line_of_its_tables_names_one() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    claims = [row for row in rows if not row.startswith(("| --- ", "| they try ", "| it tries "))]
    assert len(claims) > 20
    assert [row for row in claims if "`test_" not in row] == []
