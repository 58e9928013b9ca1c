"""What a site asks of robots as a whole: robots.txt (RFC 9309) and /.well-known/tdmrep.json (TDMRep)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from countenance.sources.crawl.wishes import TOKEN


@dataclass(frozen=True, slots=True)
class Robots:
    """One site's robots.txt. `parsed` is protego's, or None when everything is decided already by `allow_all`."""

    allow_all: bool = True
    parsed: Any = None

    def may_fetch(self, url: str) -> bool:
        """Whether `countenance` may fetch the address."""
        return self.allow_all if self.parsed is None else bool(self.parsed.can_fetch(url, TOKEN))

    @property
    def crawl_delay(self) -> float:
        """Seconds between two requests that the site asks for; 0 when it does not."""
        delay = None if self.parsed is None else self.parsed.crawl_delay(TOKEN)
        return float(delay or 0)

    @property
    def sitemaps(self) -> list[str]:
        return [] if self.parsed is None else list(self.parsed.sitemaps)


def read_robots(status: int | None, body: bytes, limit: int) -> Robots:
    """RFC 9309, 2.3.1: unavailable (4xx) means that everything may be fetched; unreachable (5xx, or None for no answer)
    that nothing may. 429 asks for less, and so counts as unreachable. Only the first `limit` bytes are read, to the
    end of the last whole line in them."""
    if status is None or status == 429 or not 200 <= status < 500:
        return Robots(allow_all=False)
    if status >= 300:
        # A redirect that led nowhere within the hops allowed is "unavailable" like any 4xx.
        return Robots(allow_all=True)
    from protego import Protego

    if len(body) > limit:
        body = body[: body.rfind(b"\n", 0, limit) + 1]
    return Robots(parsed=Protego.parse(body.decode("utf-8-sig", "replace")))


@dataclass(frozen=True, slots=True)
class Reservations:
    """The rules of tdmrep.json that reserve: paths with the wildcards of robots.txt."""

    patterns: tuple[str, ...] = ()
    everything: bool = False

    def covers(self, path: str) -> bool:
        """Whether text and data mining is reserved for this path with its query."""
        return self.everything or any(_matches(pattern, path) for pattern in self.patterns)


def read_reservations(status: int | None, body: bytes) -> Reservations:
    """A file that is not there or is not JSON (a page that says "not found" politely) reserves nothing. A server in
    trouble might reserve anything, so it reserves everything for now."""
    if status is None or status == 429 or status >= 500:
        return Reservations(everything=True)
    if status != 200:
        return Reservations()
    try:
        rules = json.loads(body)
    except (ValueError, RecursionError):
        return Reservations()
    patterns = [
        rule["location"]
        for rule in (rules if isinstance(rules, list) else [])
        if isinstance(rule, dict)
        and isinstance(rule.get("location"), str)
        and str(rule.get("tdm-reservation")).strip() == "1"
    ]
    return Reservations(tuple(patterns[:10_000]))


def _matches(location: str, path: str) -> bool:
    """`*` stands for anything, a closing `$` for the end. Linear, where a regular expression could be made to crawl."""
    if not location.startswith(("/", "*")):
        location = "/" + location
    first, *parts = location.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    if location.endswith("$"):
        if not parts:
            return path == first
        last = parts.pop()
        if not path.endswith(last):
            return False
        path = path[: len(path) - len(last)]
    for part in parts:
        found = path.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return at <= len(path)


@dataclass(frozen=True, slots=True)
class SitePolicy:
    """Both together, for one origin."""

    robots: Robots = field(default_factory=Robots)
    reservations: Reservations = field(default_factory=Reservations)
    trouble: str = ""
    """Why robots.txt could not be asked for, when it could not."""

    def refusal(self, url: str, path: str) -> str | None:
        """`robots`, `tdm` or None. `path` is the address after the host, with its query."""
        if not self.robots.may_fetch(url):
            return "robots"
        return "tdm" if self.reservations.covers(path) else None
