"""What somebody is told who asked what is held about them, on paper. The same body gives the same bytes."""

from __future__ import annotations

from typing import Any

from countenance.reports.paper import printed
from countenance.reports.plain import printable

_HEADS = {
    "indexed": ["where", "first seen", "last seen"],
    "shown": ["when", "for what", "on what basis"],
    "opened": ["when", "for what", "on what basis"],
    "disclosed": ["when", "to whom", "for what"],
    "sought": ["when", "for what", "on what basis"],
}


def as_pdf(body: dict[str, Any], titles: dict[str, str], *, demo: bool = False) -> bytes:
    """The report as PDF/A-2a and PDF/UA-1; `titles` has the words of each part. Raises Unavailable when the extra
    `reports` is not installed."""
    return printed("subject", _sheet(body, titles) | {"demo": demo})


def _sheet(body: dict[str, Any], titles: dict[str, str]) -> dict[str, Any]:
    return {
        "report": body["report"],
        "made": body["made"][:10],
        "sources": printable(", ".join(body["sources"]), 2000) or "none",
        "entry": str(body["receipt"]["seq"]),
        "complete": body["complete"],
        "parts": [
            {
                "title": words[:1].upper() + words[1:],
                "told": body[part] is not None,
                "heads": _HEADS[part],
                "rows": [_row(part, one) for one in body[part] or ()],
            }
            for part, words in titles.items()
        ],
    }


def _row(part: str, one: dict[str, Any]) -> list[str]:
    if part == "indexed":
        where = f"{one['title'] or ''} {one['page']} · {one['image']}".strip()
        return [printable(where, 600), one["first_seen"][:10], one["last_seen"][:10]]
    purpose, basis = (printable(str(one[name] or "not known"), 200) for name in ("purpose", "basis"))
    if part == "disclosed":
        return [one["at"][:16].replace("T", " "), printable(str(one["recipient"]), 200), purpose]
    return [one["at"][:16].replace("T", " "), purpose, basis]
