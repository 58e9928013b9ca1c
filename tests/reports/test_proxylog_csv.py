"""One row a session, and nothing that a spreadsheet runs."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countenance.reports.proxylog_csv import COLUMNS, csv_of, defused
from tests.reports.sample import body


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_every_session_is_a_row() -> None:
    analysis = body(30)
    text = csv_of(analysis)
    found = rows(text)
    told = [*analysis["sessions"], *analysis["reverse_image"]["sessions"]]
    assert [row["id"] for row in found] == [s["id"] for s in told]
    assert [int(row["searches_at_most"]) for row in found] == [s["searches"]["at_most"] for s in told]
    assert tuple(found[0]) == COLUMNS
    assert found[-1]["category"] == "reverse-image"
    assert text.count("\r\n") == text.count("\n") == len(told) + 1
    first = told[0]["evidence"]
    assert found[0]["evidence"] == f"{first[0]['file']}:{first[0]['line']}–{first[-1]['line']}"


@pytest.mark.parametrize(
    "start", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\n=1", "＝1", "|calc", "%0A"]
)
def test_formulas_are_defused(start: str) -> None:
    analysis = body(3)
    for session in analysis["sessions"]:
        session["reasons"] = [start]
        session["user"] = start
        session["evidence"][0]["file"] = start
    for row in rows(csv_of(analysis))[:3]:
        for column in ("reasons", "user", "evidence"):
            assert not row[column].lstrip().startswith(("=", "+", "-", "@", "＝", "|", "%")), column


@given(st.text(max_size=40))
def test_no_cell_begins_like_a_formula(text: str) -> None:
    cell = defused(text)
    assert not cell.strip().startswith(("=", "+", "-", "@"))
    assert "\n" not in cell
    assert "\x00" not in cell


def test_quotes_commas_and_long_cells_survive() -> None:
    analysis = body(1)
    analysis["sessions"][0]["reasons"] = ['say "yes", or\r\nno']
    analysis["sessions"][0]["would_change"] = ["x" * 40_000]
    row = rows(csv_of(analysis))[0]
    assert row["reasons"] == 'say "yes", or\\u{d}\\u{a}no'
    assert len(row["would_change"]) < 32_767
    assert row["would_change"].endswith("(40,000 characters)")
