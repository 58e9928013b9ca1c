"""A log of no known product, as CSV and as JSON lines: what a generic mapping is for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from tools.proxysim.views import Row, View
from tools.proxysim.writers.product import Ceiling, Product, login, when, who

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


MAPPING = """
[time]
column = "started"
format = "iso"

[columns]
user = "account"
address = "client"
method = "verb"
url = "address"
host = "server_name"
port = "server_port"
status = "answer"
sent = "bytes_up"
received = "bytes_down"
referrer = "came_from"
agent = "browser"
file_name = "document"
duration = "took_ms"

[duration]
unit = "ms"

[action]
column = "verdict"
allowed = ["passed"]
denied = ["refused"]
failed = ["broken off"]

[kinds]
column = "what"
dns = ["lookup"]
tunnel = ["tunnel"]
request = ["request"]
"""
SHOWS: dict[View, Ceiling] = {
    "dns": "V0",
    "host": "V1",
    "bytes": "V2",
    "inspected": "V3",
    "names": "V4",
    "mixed": "V3",
}
PRODUCTS = (
    Product(
        "csv",
        "csv",
        "csv",
        SHOWS,
        _csv,
        login,
        asks=lambda view: {"mapping": f'format = "csv"\ndelimiter = ";"\n{MAPPING}'},
    ),
    Product(
        "jsonl", "jsonl", "json", SHOWS, _json, login, asks=lambda view: {"mapping": f'format = "jsonl"\n{MAPPING}'}
    ),
)
