"""A breach on paper and as a pack: what was exposed, to whom, since when. The same body gives the same bytes."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from countenance.reports.paper import printed
from countenance.reports.plain import printable

_FIXED = (1980, 1, 1, 0, 0, 0)
_MOST = 200
"""Rows of a table on paper; the JSON has them all."""


def as_pdf(body: dict[str, Any], *, demo: bool = False) -> bytes:
    """The report as PDF/A-2a and PDF/UA-1. Raises Unavailable when the extra `reports` is not installed."""
    return printed("breach", _sheet(body) | {"demo": demo})


def as_json(body: dict[str, Any]) -> bytes:
    """Everything, for programs."""
    return (json.dumps(body, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def receipt_json(receipt: dict[str, Any]) -> bytes:
    """The receipt of the reading, as `countenance.ledger.receipt` checks it."""
    return (json.dumps(receipt, indent=1) + "\n").encode()


def as_zip(body: dict[str, Any], receipt: dict[str, Any], ledger: bytes, *, demo: bool = False) -> bytes:
    """All of it in one file: the report, the data, the receipt of the entry that says it was read, and the ledger's
    bundle of the entries that it lists."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (
            ("breach.pdf", as_pdf(body, demo=demo)),
            ("breach.json", as_json(body)),
            ("receipt.json", receipt_json(receipt)),
            ("ledger.zip", ledger),
        ):
            archive.writestr(zipfile.ZipInfo(name, _FIXED), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _sheet(body: dict[str, Any]) -> dict[str, Any]:
    notice = body["notice"]
    named = (
        ("What happened", notice["nature"]),
        ("Which personal data", notice["categories"]),
        ("How much", notice["numbers"]),
        ("What may follow", notice["consequences"]),
        ("What was done about it", notice["measures_taken"]),
        ("What is still to be done", notice["measures_open"]),
    )
    return {
        "made": body["made"][:16].replace("T", " "),
        "entry": str(body["read"]),
        "from": body["period"]["from"][:16].replace("T", " "),
        "to": body["period"]["to"][:16].replace("T", " "),
        "aware": body["aware"][:16].replace("T", " "),
        "deadline": body["deadline"][:16].replace("T", " "),
        "parts": [{"title": title, "lines": [printable(line, 1000) for line in lines]} for title, lines in named],
        "told": notice["people_told"],
        "how": notice["how_to_read"],
        "tables": list(_tables(body)),
    }


def _tables(body: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for one in [*body["accounts"], *body["tokens"]]:
        who = printable(str(one["name"]), 80)
        rows = [[g["at"], g["type"], str(g.get("how") or g.get("token") or "")] for g in one["signing_in"]]
        found.append(_table(f"{who}: signing in, tokens and credentials", ["when", "what", "how"], rows))
        rows = [[s["at"], s["search"], str(s.get("shown", 0))] for s in one["searches"]]
        found.append(_table(f"{who}: searches", ["when", "search", "sightings shown"], rows))
        rows = [[o["at"], o["search"], o["sighting"]] for o in one["pictures_opened"]]
        found.append(_table(f"{who}: pictures opened whole", ["when", "search", "sighting"], rows))
        rows = [[g["at"], g["what"], str(g["recipient"] or "")] for g in one["handed_out"]]
        found.append(_table(f"{who}: handed out", ["when", "what", "to whom"], rows))
        rows = [
            [c["at"], c["type"], str(c.get("name") or c.get("authority") or c.get("request") or "")]
            for c in one["changed"]
        ]
        found.append(_table(f"{who}: changed", ["when", "what", "which"], rows))
    for one in body["files"]:
        rows = [[name, f"{count:,}", ""] for name, count in one["counts"].items()]
        notes = [["note", note, ""] for note in one["notes"]]
        said = [["protected", one["protected"], ""], ["what else is needed", one["needs"], ""]]
        found.append(_table(f"File: {printable(str(one['file']), 100)}", ["what", "how many", ""], said + rows + notes))
    return [one for one in found if one["rows"]]


def _table(title: str, heads: list[str], rows: list[list[str]]) -> dict[str, Any]:
    more = len(rows) - _MOST
    shown = [[printable(_moment(cell), 200) for cell in row] for row in rows[:_MOST]]
    return {"title": title, "heads": heads, "rows": shown, "more": max(0, more)}


def _moment(cell: str) -> str:
    """A time of the ledger to the second; anything else as it is."""
    return cell[:19].replace("T", " ") if len(cell) == 27 and cell.endswith("Z") and cell[10] == "T" else cell
