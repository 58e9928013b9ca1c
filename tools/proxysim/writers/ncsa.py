"""Apache's common log, and Squid's combined one, as a forward proxy writes them.

Source: the documentation of Apache's mod_log_config (a client that went away leaves the status that its request got),
and of Squid's predefined `combined`. The time is that at which the request came in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tools.proxysim.views import Row, View
from tools.proxysim.writers.product import Product, login, when, who
from tools.proxysim.writers.squid import method, peer, result, size, target

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _clf(row: Row) -> str:
    at = when(row.at)
    user = who(row, login) or "-"
    moment = f"{at.day:02d}/{MONTHS[at.month - 1]}/{at:%Y:%H:%M:%S} +0000"
    return f'{row.person.address} - {user} [{moment}] "{method(row)} {target(row)} HTTP/1.1"'


def _common(rows: Sequence[Row], view: View) -> Iterator[str]:
    for row in rows:
        status, length = row.status, str(row.received or "-")
        if row.fate == "unanswered":
            status, length = 502, "341"
        elif row.fate == "aborted":
            status = 200
        yield f"{_clf(row)} {status} {length}"


def _combined(rows: Sequence[Row], view: View) -> Iterator[str]:
    for row in rows:
        referrer = row.referrer if row.kind == "request" else ""
        yield (
            f'{_clf(row)} {row.status} {size(row)} "{referrer or "-"}" "{row.agent or "-"}" '
            f"{result(row)}:{peer(row).partition('/')[0]}"
        )


COMMON = Product("ncsa-common", "ncsa", "log", {"host": "V1", "inspected": "V3", "mixed": "V3"}, _common, login)
COMBINED = Product("ncsa-combined", "ncsa", "log", {"host": "V1", "inspected": "V3", "mixed": "V3"}, _combined, login)
PRODUCTS = (COMMON, COMBINED)
