"""Who had an address when: a list of leases or of users, laid beside a log that knows addresses only.

A CSV file with a header. `address` and `user` are needed (also known as `ip` and `name`); `from` and `to`, ISO 8601 or
seconds since 1970, say when it was so, and an empty one leaves that side open. A time without an offset is in the zone
that the caller names. Where two entries name different users for one address and moment, nobody is named.
"""

from __future__ import annotations

import csv
import io
import ipaddress
import math
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from countenance.domain.errors import BadInput
from countenance.domain.proxy import WebRequest

MOST_BYTES = 256 * 2**20
COLUMNS = {
    "address": ("address", "ip", "ip_address", "ip address", "client"),
    "user": ("user", "name", "username", "user_name", "login"),
    "from": ("from", "start", "starts", "begin"),
    "to": ("to", "end", "ends", "until"),
}


@dataclass(frozen=True, slots=True)
class _Lease:
    start: float
    end: float
    user: str


@dataclass(frozen=True, slots=True)
class Directory:
    """Leases by address, in the order of their start."""

    leases: dict[str, list[_Lease]]

    def user_of(self, address: str, at: float) -> str | None:
        """The one user who had this address then, or None."""
        leases = self.leases.get(_address(address), [])
        upto = bisect_right(leases, at, key=lambda lease: lease.start)
        found = {lease.user for lease in leases[:upto] if at < lease.end}
        return found.pop() if len(found) == 1 else None

    def named(self, request: WebRequest) -> WebRequest:
        """The request with its user, where the log did not name one and the list does."""
        if request.user is not None or request.address is None:
            return request
        user = self.user_of(request.address, request.at)
        return request if user is None else replace(request, user=user)


def load(file: Path, zone: tzinfo | None = None) -> Directory:
    """Read the list. Raises BadInput, with the line at fault."""
    try:
        if file.stat().st_size > MOST_BYTES:
            raise BadInput(f"the list of users {file.name} is larger than 256 MiB", advice="split it by time")
        text = file.read_bytes().decode("utf-8-sig", "replace")
    except OSError as error:
        raise BadInput(f"the list of users cannot be read: {error.strerror}", advice="name a CSV file") from None
    rows = csv.reader(io.StringIO(text, newline=""))
    leases: dict[str, list[_Lease]] = defaultdict(list)
    try:
        at = _columns(next(rows, []))
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            address, lease = _lease(row, at, zone, rows.line_num)
            leases[address].append(lease)
    except csv.Error as error:
        raise BadInput(f"the list of users is no CSV: line {rows.line_num}: {error}", advice=_ADVICE) from None
    return Directory({address: sorted(known, key=lambda lease: lease.start) for address, known in leases.items()})


def _columns(header: list[str]) -> dict[str, int]:
    names = [name.strip().lower() for name in header]
    at = {
        column: names.index(known)
        for column, spellings in COLUMNS.items()
        for known in spellings[::-1]
        if known in names
    }
    if not {"address", "user"} <= at.keys():
        raise BadInput("the list of users lacks the columns address and user", advice=_ADVICE)
    return at


def _lease(row: list[str], at: dict[str, int], zone: tzinfo | None, line: int) -> tuple[str, _Lease]:
    def cell(column: str) -> str:
        place = at.get(column)
        return row[place].strip() if place is not None and place < len(row) else ""

    address, user = cell("address"), cell("user")
    if not address or not user:
        raise BadInput(f"line {line} of the list of users lacks an address or a user", advice=_ADVICE)
    start = _time(cell("from"), zone, line, -math.inf)
    end = _time(cell("to"), zone, line, math.inf)
    if end < start:
        raise BadInput(f"line {line} of the list of users ends before it begins", advice=_ADVICE)
    return _address(address), _Lease(start, end, user)


def _time(text: str, zone: tzinfo | None, line: int, otherwise: float) -> float:
    if not text:
        return otherwise
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"line {line} of the list of users has a time that cannot be read", advice=_ADVICE) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone or UTC)).timestamp()


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        return text.strip().lower()


_ADVICE = "it is a CSV file with a header: address,user,from,to (the last two may be left out)"
