"""A log of no known product, as CSV and as JSON lines: what a generic mapping is for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from tools.proxysim.views import Row, View
from tools.proxysim.writers.product import Product, login, when, who

_COLUMNS = (
    "started;took_ms;client;account;what;server_name;server_port;verb;address;answer;verdict;bytes_up;bytes_down;"
    "came_from;browser;document"
)
COLUMNS = _COLUMNS.split(";")
WHAT = {"dns": "lookup", "tunnel": "tunnel", "request": "request"}
VERDICT = {
    "answered": "passed",
    "denied": "refused",
    "challenged": "refused",
    "aborted": "broken off",
    "unanswered": "broken off",
}


def _cells(row: Row) -> dict[str, str]:
    seen = row.kind == "request"
    return {
        "started": f"{when(row.at):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z",
        "took_ms": str(round(row.seconds * 1_000)),
        "client": row.person.address,
        "account": who(row, login) or "",
        "what": WHAT[row.kind],
        "server_name": row.host,
        "server_port": str(row.port),
        "verb": row.method if seen else "CONNECT" if row.kind == "tunnel" else "",
        "address": row.url if seen else "",
        "answer": str(row.status) if row.kind != "dns" and row.status else "",
        "verdict": VERDICT[row.fate],
        "bytes_up": "" if row.sent is None else str(row.sent),
        "bytes_down": str(row.received),
        "came_from": row.referrer,
        "browser": row.agent,
        "document": row.file_name,
    }


def _csv(rows: Sequence[Row], view: View) -> Iterator[str]:
    yield ";".join(COLUMNS)
    for row in rows:
        cells = _cells(row)
        yield ";".join(_plain(cells[name]) for name in COLUMNS)


def _json(rows: Sequence[Row], view: View) -> Iterator[str]:
    for row in rows:
        yield json.dumps({name: value for name, value in _cells(row).items() if value})


def _plain(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ';"') else text


PRODUCTS: tuple[Product, ...] = ()
