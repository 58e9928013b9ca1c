"""ProxySG's extended log (W3C ELFF), its `main` format.

Source: Blue Coat's and Broadcom's documentation of access logging and of the ELFF fields. A CONNECT is one row, and the
tunnel that it opens is another (`TUNNELED`, scheme `ssl`), which has the bytes. Times are those at which a transaction
was over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tools.proxysim.views import Row, View
from tools.proxysim.writers.product import Product, login, when, who

_FIELDS = (
    "date time time-taken c-ip cs-username cs-auth-group x-exception-id sc-filter-result cs-categories cs(Referer) "
    "sc-status s-action cs-method rs(Content-Type) cs-uri-scheme cs-host cs-uri-port cs-uri-path cs-uri-query "
    "cs-uri-extension cs(User-Agent) s-ip sc-bytes cs-bytes x-virus-id"
)
FIELDS = _FIELDS.split()


def _lines(rows: Sequence[Row], view: View) -> Iterator[str]:
    fields = [name for name in FIELDS if view != "host" or name != "cs-bytes"]
    yield "#Software: SGOS 7.3.12.1"
    yield "#Version: 1.0"
    if rows:
        yield f"#Date: {when(rows[0].end):%Y-%m-%d %H:%M:%S}"
    yield "#Fields: " + " ".join(fields)
    for row in rows:
        for cells in _of(row):
            yield " ".join(cells[name] for name in fields)


def _of(row: Row) -> Iterator[dict[str, str]]:
    if row.kind == "request":
        status, action = str(row.status), "TCP_NC_MISS"
        if row.fate == "unanswered":
            status, action = "503", "TCP_ERR_MISS"
        elif row.fate == "aborted":
            status, action = "0", "TCP_ERR_MISS"
        yield _cells(row, status, action, row.method, row.scheme, row.end)
    elif row.fate != "answered":
        yield _cells(row, str(row.status), "TCP_DENIED", "CONNECT", "tcp", row.end)
    else:
        opened = _cells(row, "200", "TCP_ACCELERATED", "CONNECT", "tcp", row.at + 0.05)
        yield opened | {"time-taken": "50", "sc-bytes": "39", "cs-bytes": "318"}
        if not row.inspected:
            yield _cells(row, "0", "TUNNELED", "unknown", "ssl", row.end) | {"cs(User-Agent)": "-"}


def _cells(row: Row, status: str, action: str, method: str, scheme: str, end: float) -> dict[str, str]:
    at = when(end)
    denied = row.fate in ("denied", "challenged")
    exception = {"denied": "policy_denied", "challenged": "authentication_failed", "unanswered": "tcp_error"}
    extension = row.path.rpartition(".")[2] if "." in row.path.rpartition("/")[2] else ""
    return {
        "date": f"{at:%Y-%m-%d}",
        "time": f"{at:%H:%M:%S}",
        "time-taken": str(round(row.seconds * 1_000)),
        "c-ip": row.person.address,
        "cs-username": who(row, login) or "-",
        "cs-auth-group": "-",
        "x-exception-id": exception.get(row.fate, "-"),
        "sc-filter-result": "DENIED" if denied else "OBSERVED",
        "cs-categories": '"Technology/Internet"',
        "cs(Referer)": row.referrer or "-",
        "sc-status": status,
        "s-action": action,
        "cs-method": method,
        "rs(Content-Type)": row.mime or "-",
        "cs-uri-scheme": scheme,
        "cs-host": row.host,
        "cs-uri-port": str(row.port),
        "cs-uri-path": row.path or "/",
        "cs-uri-query": f"?{row.query}" if row.query else "-",
        "cs-uri-extension": extension or "-",
        "cs(User-Agent)": f'"{row.agent}"' if row.agent else "-",
        "s-ip": "-" if denied else row.server,
        "sc-bytes": str(row.received),
        "cs-bytes": str(row.sent),
        "x-virus-id": "-",
    }


PRODUCTS = (
    Product("w3c", "w3c", "log", {"host": "V1", "bytes": "V2", "inspected": "V3", "mixed": "V3"}, _lines, login),
)
