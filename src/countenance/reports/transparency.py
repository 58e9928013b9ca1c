"""The transparency report on paper and as CSV. The same body gives the same bytes."""

from __future__ import annotations

import csv
import io
from typing import Any

from countenance.reports.paper import printed
from countenance.reports.plain import printable

_HIDDEN = "suppressed"


def as_csv(body: dict[str, Any], titles: dict[str, str]) -> bytes:
    """One line a number: table, row, count, and for rates the trials, the rate and its interval."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(["table", "row", "count", "of", "rate", "low", "high"])
    writer.writerow(["period", f"{body['period']['from']}/{body['period']['to']}", "", "", "", "", ""])
    writer.writerow(["searches", "total", _count(body["searches"]), "", "", "", ""])
    for name, table in _tables(body):
        for row, count in table["cells"].items():
            writer.writerow([name, _safe(titles.get(row, row)), _count(count), _count(table["total"]), "", "", ""])
    for one in body["rates"]:
        writer.writerow(["rate", one["what"], one["errors"], one["trials"], one["rate"], one["low"], one["high"]])
    return buffer.getvalue().encode()


def as_pdf(body: dict[str, Any], titles: dict[str, str], *, demo: bool = False) -> bytes:
    """The report as PDF/A-2a and PDF/UA-1. Raises Unavailable when the extra `reports` is not installed."""
    return printed("transparency", _sheet(body, titles) | {"demo": demo})


def _sheet(body: dict[str, Any], titles: dict[str, str]) -> dict[str, Any]:
    return {
        "from": body["period"]["from"][:10],
        "to": body["period"]["to"][:10],
        "small": str(body["small"]),
        "searches": _count(body["searches"], words=True),
        "adjudicates": body["adjudicates"],
        "tables": [
            {
                "title": _TITLES[name],
                "rows": [
                    [printable(titles.get(row, row), 120), _count(count, words=True)]
                    for row, count in table["cells"].items()
                ],
                "hidden": table["hidden"] > 0,
            }
            for name, table in _tables(body)
            if table["cells"]
        ],
        "rates": [
            [
                one["what"],
                f"{one['errors']:,} of {one['trials']:,}",
                _percent(one["rate"]),
                f"{_percent(one['low'])} to {_percent(one['high'])}",
            ]
            for one in body["rates"]
        ],
    }


_TITLES = {
    "basis": "Legal bases",
    "disclosed": "Disclosures",
    "inspected": "What inspections of these searches found",
    "month": "Months",
    "outcome": "What came of them",
    "purpose": "Purposes",
    "refused": "Searches that were refused, by reason",
}


def _tables(body: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    named = [*body["tables"].items(), ("refused", body["refused"]), ("inspected", body["inspected"])]
    return [
        (name, table) for name, table in named if name != "inspected" or any(table["cells"].values()) or table["hidden"]
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _count(value: int | None, *, words: bool = False) -> str:
    if value is None:
        return _HIDDEN
    return f"{value:,}" if words else str(value)


def _safe(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
