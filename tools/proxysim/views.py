"""What is seen of a world: by a resolver, by a proxy that only passes tunnels on, by one that sees into them.

| view | ceiling | rows |
| --- | --- | --- |
| `dns` | V0 | names looked up |
| `host` | V1 | tunnels, without what was sent |
| `bytes` | V2 | tunnels with bytes in both directions |
| `inspected` | V3 | tunnels, and the requests in them |
| `names` | V4 | the same, and the names of files that were sent |
| `mixed` | both | desks behind one proxy inspected, the others tunnels only |
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from tools.proxysim.traffic import Exchange, Fate, Person
from tools.proxysim.world import World

View = Literal["dns", "host", "bytes", "inspected", "names", "mixed"]
VIEWS: tuple[View, ...] = ("dns", "host", "bytes", "inspected", "names", "mixed")
IDLE = 60.0
"""Seconds after which an unused connection is closed."""
REMEMBERED = 300.0
"""Seconds for which a desk remembers where a name leads."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line to be written, in nobody's format. `at` is the start; times are as that proxy's clock showed them.

    `kind` is a name looked up, a connection (a CONNECT, or a flow where nothing is asked of a proxy) or a request.
    `connection` numbers the connection that a row belongs to. `sent` is None where the view does not show it.
    """

    kind: Literal["dns", "tunnel", "request"]
    at: float
    seconds: float
    person: Person
    host: str
    port: int
    act: int
    connection: int
    fate: Fate
    status: int
    sent: int | None
    received: int
    inspected: bool = False
    """Of a tunnel: whether its requests have rows of their own."""
    method: str = ""
    path: str = ""
    query: str = ""
    referrer: str = ""
    agent: str = ""
    mime: str = ""
    body: int = 0
    file_name: str = ""

    @property
    def end(self) -> float:
        """When it was over."""
        return self.at + self.seconds

    @property
    def scheme(self) -> str:
        """`http` where no TLS was used."""
        return "http" if self.port == 80 else "https"

    @property
    def url(self) -> str:
        """The whole address of a request."""
        return f"{self.scheme}://{self.host}{self.path}" + (f"?{self.query}" if self.query else "")

    @property
    def server(self) -> str:
        """An address for the host, out of the ranges kept for documentation."""
        total = sum(ord(letter) * place for place, letter in enumerate(self.host, 1))
        return f"{('203.0.113', '198.51.100', '192.0.2')[total % 3]}.{total % 250 + 1}"


def seen(world: World, view: View) -> list[Row]:
    """The rows of a view, in the order in which they end (which is the order in which most products write)."""
    rows = list(_lookups(world) if view == "dns" else _proxied(world, view))
    kept = [row for row in rows if view == "dns" or not any(gap.hides(row.person.proxy, row.end) for gap in world.gaps)]
    if view != "dns":
        kept = [_shifted(row, world.skew.get(row.person.proxy, 0.0)) for row in kept]
    return sorted(
        kept, key=lambda row: (round(row.end, 3), row.person.address, row.connection, row.at, row.kind, row.path)
    )


def _lookups(world: World) -> Iterable[Row]:
    last: dict[tuple[str, str], float] = {}
    for one in world.exchanges():
        key = (one.person.address, one.host)
        if one.at - last.get(key, -REMEMBERED) < REMEMBERED:
            continue
        last[key] = one.at
        yield Row(
            "dns", round(one.at - 0.02, 3), 0.012, one.person, one.host, 53, one.act, len(last), "answered", 0, None, 0
        )


def _proxied(world: World, view: View) -> Iterable[Row]:
    number = 0
    open_now: dict[tuple[str, int, str, bool], list[Exchange]] = {}
    for one in world.exchanges():
        if one.quic:
            continue
        if one.fate in ("denied", "challenged"):
            number += 1
            yield _refused(one, number)
            continue
        key = (one.person.address, one.act, one.host, one.plain)
        together = open_now.setdefault(key, [])
        if together and one.at - max(other.at + other.seconds for other in together[-3:]) > IDLE:
            number += 1
            yield from _connection(together, number, view)
            together.clear()
        together.append(one)
    for together in open_now.values():
        number += 1
        yield from _connection(together, number, view)


def _connection(together: list[Exchange], number: int, view: View) -> Iterable[Row]:
    first, last = together[0], together[-1]
    sees_in = view in ("inspected", "names") or (view == "mixed" and first.person.inspected)
    shows_bytes = view != "host"
    if not first.plain:
        begin = first.at - 0.05
        yield Row(
            "tunnel",
            round(begin, 3),
            round(last.at + last.seconds - begin + (0.4 if len(together) % 2 else 12.0), 3),
            first.person,
            first.host,
            443,
            first.act,
            number,
            "answered",
            200,
            sum(one.sent for one in together) + 1_900 + 40 * len(together) if shows_bytes else None,
            sum(one.received for one in together) + 4_800 + 60 * len(together),
            inspected=sees_in,
            agent=first.agent,
        )
    if sees_in or first.plain:
        for one in together:
            yield Row(
                "request",
                one.at,
                one.seconds,
                one.person,
                one.host,
                80 if one.plain else 443,
                one.act,
                number,
                one.fate,
                one.status,
                one.sent if shows_bytes else None,
                one.received,
                method=one.method,
                path=one.path,
                query=one.query,
                referrer=one.referrer,
                agent=one.agent,
                mime=one.mime,
                body=one.body,
                file_name=one.file_name if view == "names" else "",
            )


def _refused(one: Exchange, number: int) -> Row:
    return Row(
        "tunnel",
        one.at,
        one.seconds,
        one.person,
        one.host,
        443,
        one.act,
        number,
        one.fate,
        one.status,
        310,
        one.received,
        agent=one.agent,
    )


def _shifted(row: Row, seconds: float) -> Row:
    if not seconds:
        return row
    return replace(row, at=round(row.at + seconds, 3))
