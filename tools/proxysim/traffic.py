"""What truly happened: one exchange of a browser with a site, the act that it belongs to, and who did it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Fate = Literal["answered", "denied", "challenged", "aborted", "unanswered"]
"""What became of an exchange: answered by the site (with whatever status), refused by the proxy, asked to sign in
first, cut off by the client after the site had it, or never answered because it never arrived."""

Class = Literal[
    "BLOCKED",
    "BACKGROUND",
    "VISIT",
    "UPLOAD",
    "OPT_OUT",
    "SEARCH_SUBMITTED",
    "RESULTS_VIEWED",
]
"""The true class of an act: what somebody who stood behind the person would say."""

ToldBy = Literal["url", "body", "nothing"]
"""What settles an act: method, path and status; only the body, because the site's calls look alike or the site profile
does not know them; or nothing, because the answer never came back."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at a desk. `signs_in` says whether the proxy knows who it is; `inspected` whether it sees into TLS."""

    login: str
    address: str
    agent: str
    proxy: str
    inspected: bool
    signs_in: bool = True
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer. `at` is its start, seconds since 1970, UTC; `sent` and `received` whole messages."""

    at: float
    seconds: float
    person: Person
    act: int
    host: str
    method: str
    path: str
    query: str
    status: int
    sent: int
    received: int
    referrer: str
    agent: str
    mime: str
    fate: Fate = "answered"
    body: int = 0
    """What was uploaded, in bytes without headers."""
    file_name: str = ""
    plain: bool = False
    """Sent without TLS, so that any proxy sees all of it."""
    quic: bool = False
    """Sent past the proxy, which therefore has no line of it."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that somebody did on one site, and what it truly was.

    `searches` counts faces that were truly searched for; `attempted` the submissions that came to nothing.
    """

    number: int
    kind: str
    person: Person
    site: str
    category: Literal["face", "reverse-image", "look-alike", "none"]
    truth: Class
    searches: int
    attempted: int
    told_by: ToldBy
    exchanges: tuple[Exchange, ...]

    @property
    def start(self) -> float:
        """When its first exchange began."""
        return min(one.at for one in self.exchanges)

    @property
    def end(self) -> float:
        """When its last exchange ended."""
        return max(one.at + one.seconds for one in self.exchanges)

    @property
    def logged(self) -> bool:
        """Whether any of it went through the proxy."""
        return any(not one.quic for one in self.exchanges)
