"""Squid: its native access log, and one with a `logformat` of the house. Both log the end of a transaction.

Source: the documentation of Squid's `logformat` directive and of its result codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tools.proxysim.views import Row, View
from tools.proxysim.writers.product import Product, login, who

LOGFORMAT = (
    'logformat house %ts.%03tu %6tr %>a %Ss/%03>Hs %>st %<st %rm %ru %[un %ssl::>sni %ssl::bump_mode "%{Referer}>h"'
    ' "%{User-Agent}>h" %Sh/%<a %mt'
)


def result(row: Row) -> str:
    """`%Ss`: Squid's word for what it did."""
    if row.fate in ("denied", "challenged"):
        return "TCP_DENIED"
    if row.kind == "tunnel":
        return "NONE_NONE" if row.inspected else "TCP_TUNNEL"
    if row.fate in ("aborted", "unanswered"):
        return "TCP_MISS_ABORTED"
    return "TCP_REFRESH_UNMODIFIED" if row.status == 304 else "TCP_MISS"


def target(row: Row) -> str:
    """`%ru`: host and port of a CONNECT, the address of a request (its query cut, as Squid does unless told not to)."""
    if row.kind == "tunnel":
        return f"{row.host}:{row.port}"
    return f"{row.scheme}://{row.host}{row.path}" + ("?" if row.query else "")


def peer(row: Row) -> str:
    """`%Sh/%<a`."""
    direct = row.fate not in ("denied", "challenged") and not (row.kind == "tunnel" and row.inspected)
    return f"HIER_DIRECT/{row.server}" if direct else "HIER_NONE/-"


def size(row: Row) -> int:
    """`%<st`: of a bumped CONNECT Squid counts nothing."""
    return 0 if row.kind == "tunnel" and row.inspected else row.received


def method(row: Row) -> str:
    """`%rm`."""
    return "CONNECT" if row.kind == "tunnel" else row.method


def _native(rows: Sequence[Row], view: View) -> Iterator[str]:
    for row in rows:
        mime = row.mime or ("text/html" if row.fate in ("denied", "challenged") else "-")
        yield (
            f"{row.end:.3f} {round(row.seconds * 1_000):6d} {row.person.address} {result(row)}/{row.status:03d} "
            f"{size(row)} {method(row)} {target(row)} {who(row, login) or '-'} {peer(row)} {mime}"
        )


def _house(rows: Sequence[Row], view: View) -> Iterator[str]:
    for row in rows:
        bump = "-" if row.fate in ("denied", "challenged") or row.port == 80 else "bump" if row.inspected else "splice"
        bump = "bump" if row.kind == "request" and row.port == 443 else bump
        sni = row.host if row.kind == "tunnel" and bump != "-" else "-"
        seen = row.kind == "request"
        referrer, agent = (row.referrer or "-") if seen else "-", row.agent or "-"
        yield (
            f"{row.end:.3f} {round(row.seconds * 1_000):6d} {row.person.address} {result(row)}/{row.status:03d} "
            f"{row.sent or 0} {size(row)} {method(row)} {target(row)} {who(row, login) or '-'} {sni} {bump} "
            f'"{referrer}" "{agent}" {peer(row)} {row.mime or "-"}'
        )


SQUID = Product("squid", "squid", "log", {"host": "V1", "inspected": "V3", "mixed": "V3"}, _native, login)
HOUSE = Product(
    "squid-custom",
    "squid-custom",
    "log",
    {"bytes": "V2", "inspected": "V3", "mixed": "V3"},
    _house,
    login,
    asks=lambda view: {"logformat": LOGFORMAT},
)
PRODUCTS = (SQUID, HOUSE)
