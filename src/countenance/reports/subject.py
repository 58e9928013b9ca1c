"""What somebody is told who asked what is held about them, on paper. The same body gives the same bytes."""

from __future__ import annotations

import base64
from typing import Any

from countenance.reports.paper import printed
from countenance.reports.plain import printable

PICTURES = 60
"""Pictures on paper; the table tells of all."""

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
    pictured = [one for one in body["indexed"] or () if one.get("picture")]
    return {
        "pictures": [
            {"content": list(base64.b64decode(one["picture"])), "words": _where(one), "day": one["first_seen"][:10]}
            for one in pictured[:PICTURES]
        ],
        "pictures_more": str(max(0, len(pictured) - PICTURES)),
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


def _where(one: dict[str, Any]) -> str:
    if one.get("somebody_else"):
        return "Somebody else, whom the machine took for you; a person looked, and it is not told where this is."
    return printable(f"{one['title'] or ''} {one['page']} · {one['image']}".strip(), 600)


def _row(part: str, one: dict[str, Any]) -> list[str]:
    if part == "indexed":
        return [_where(one), one["first_seen"][:10], one["last_seen"][:10]]
    purpose, basis = (printable(str(one[name] or "not known"), 200) for name in ("purpose", "basis"))
    if part == "disclosed":
        return [one["at"][:16].replace("T", " "), printable(str(one["recipient"]), 200), purpose]
    return [one["at"][:16].replace("T", " "), purpose, basis]
