"""An analysis as a table for spreadsheets: one row a session."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import chain
from typing import Any

from countenance.reports.plain import visible
from countenance.reports.proxylog_words import places

COLUMNS = (
    "id",
    "user",
    "site",
    "category",
    "start",
    "end",
    "requests",
    "class",
    "ceiling",
    "searches_at_least",
    "searches_at_most",
    "attempted",
    "authorised",
    "stale",
    "reasons",
    "would_change",
    "evidence",
    "evidence_left_out",
)

LONGEST = 30_000
"""Characters in a cell; spreadsheets cut at 32,767."""

_FORMULA = tuple("=+-@\t\r\n|%＝＋－＠")


def csv_of(body: dict[str, Any]) -> str:
    """All of `csv_lines`."""
    return "".join(csv_lines(body))


def csv_lines(body: dict[str, Any]) -> Iterator[str]:
    """RFC 4180 with a header line: face searches first, then the sites that look for the same picture.

    A cell that a spreadsheet would take for a formula begins with an apostrophe; control characters are written out.
    """
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for session in chain(body["sessions"], body["reverse_image"]["sessions"]):
        yield out.getvalue()
        out.seek(0)
        out.truncate()
        writer.writerow([cell if isinstance(cell, int) else defused(cell) for cell in _cells(session)])
    yield out.getvalue()


def defused(text: str) -> str:
    """The text as a cell that no spreadsheet runs."""
    # Looked at before and after: a blank or an invisible mark in front of `=` is skipped by some programs.
    harmful = text.startswith(_FORMULA) or text.strip().startswith(_FORMULA)
    return ("'" if harmful else "") + visible(text, LONGEST)


def _cells(session: dict[str, Any]) -> Iterator[str | int]:
    yield session["id"]
    yield session["user"]
    yield session["site"]
    yield session["category"]
    yield session["start"]
    yield session["end"]
    yield session["requests"]
    yield session["class"]
    yield session["ceiling"]
    yield session["searches"]["at_least"]
    yield session["searches"]["at_most"]
    yield session["attempted"]
    yield session["authorised"]["fit"]
    yield "yes" if session["stale"] else "no"
    yield " ".join(session["reasons"])
    yield " ".join(session["would_change"])
    yield "; ".join(places(session["evidence"], file=4096))
    yield session["evidence_left_out"]
