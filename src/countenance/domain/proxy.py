"""The words of a proxy's log: a request, what its line can show, how a session is graded, and the bounds of a count.

A visit is not a search. What happened on somebody else's site is judged from lines that a proxy wrote, and a line shows
only so much: `Ceiling` says how much, and no session is graded above what its lines can show.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, Literal

Kind = Literal["request", "tunnel", "flow", "dns"]
"""What a line is about: one HTTP request seen whole, a CONNECT, a connection without a request, a look-up of a name."""

Outcome = Literal["allowed", "denied", "failed"]
"""What became of it: let through, refused by the proxy (also: asked to sign in first, 407), or never answered."""


class Ceiling(IntEnum):
    """How much a line can show."""

    V0 = 0
    """A name was looked up."""
    V1 = 1
    """A host was reached."""
    V2 = 2
    """A host was reached and so many bytes were sent."""
    V3 = 3
    """Method, path and status of a request."""
    V4 = 4
    """The body, or the name of the file that was sent."""


class Grade(StrEnum):
    """What a session was, as far as its lines show."""

    BLOCKED = "BLOCKED"
    BACKGROUND = "BACKGROUND"
    VISIT = "VISIT"
    UPLOAD = "UPLOAD"
    OPT_OUT = "OPT_OUT"
    SEARCH_SUBMITTED = "SEARCH_SUBMITTED"
    RESULTS_VIEWED = "RESULTS_VIEWED"
    INDETERMINATE = "INDETERMINATE"


HIGHEST: dict[Ceiling, frozenset[Grade]] = {
    Ceiling.V0: frozenset({Grade.BLOCKED, Grade.BACKGROUND, Grade.VISIT, Grade.INDETERMINATE}),
    Ceiling.V1: frozenset({Grade.BLOCKED, Grade.BACKGROUND, Grade.VISIT, Grade.INDETERMINATE}),
    Ceiling.V2: frozenset({Grade.BLOCKED, Grade.BACKGROUND, Grade.VISIT, Grade.UPLOAD, Grade.INDETERMINATE}),
    Ceiling.V3: frozenset(Grade),
    Ceiling.V4: frozenset(Grade),
}
"""The grades that a session may have at each ceiling."""

WEIGHT: dict[Grade, int] = {
    Grade.INDETERMINATE: 0,
    Grade.BLOCKED: 0,
    Grade.BACKGROUND: 0,
    Grade.VISIT: 0,
    Grade.OPT_OUT: 1,
    Grade.UPLOAD: 1,
    Grade.SEARCH_SUBMITTED: 2,
    Grade.RESULTS_VIEWED: 3,
}
"""How far towards a search a grade goes. Taking a column out of a log never raises it."""


@dataclass(frozen=True, slots=True)
class WebRequest:
    """One line of a log, whatever its format.

    `at` is seconds since 1970 in UTC, and for a line with a duration the moment of its *start*; `seconds` is that
    duration. `host` is lower case, without port and without a dot at the end. `path` begins with a slash and has no
    query. Something that the line does not show is None; `referrer` and `agent` are "" where the log has that column
    and the line left it empty. `sent` and `received` are bytes as seen from the client. `connection` names the
    connection where the log does.
    """

    file: str
    line: int
    at: float
    kind: Kind
    host: str
    port: int | None = None
    user: str | None = None
    address: str | None = None
    seconds: float | None = None
    method: str | None = None
    path: str | None = None
    query: str | None = None
    status: int | None = None
    outcome: Outcome | None = None
    sent: int | None = None
    received: int | None = None
    referrer: str | None = None
    agent: str | None = None
    file_name: str | None = None
    connection: str | None = None
    text: str = ""

    @property
    def ceiling(self) -> Ceiling:
        """How much this line can show."""
        if self.kind == "dns":
            return Ceiling.V0
        if self.file_name:
            return Ceiling.V4
        if self.kind == "request" and self.method and self.path is not None and self.status is not None:
            return Ceiling.V3
        return Ceiling.V2 if self.sent is not None else Ceiling.V1

    def in_short(self) -> str:
        """What the line says, without saying of whom: a query may hold a name, so only its presence is told."""
        where = self.host + (f":{self.port}" if self.port not in (None, 80, 443) else "")
        if self.kind == "dns":
            text = f"name looked up: {where}"
        elif self.kind == "request":
            text = f"{self.method or '?'} {where}{self.path or '/…'}{'?…' if self.query else ''}"
        else:
            text = f"{'tunnel' if self.kind == 'tunnel' else 'connection'} to {where}"
        parts = [text]
        if self.status is not None:
            parts.append(str(self.status))
        if self.outcome in ("denied", "failed"):
            parts.append("refused by the proxy" if self.outcome == "denied" else "not answered")
        if self.sent is not None:
            parts.append(f"{self.sent:,} bytes up")
        if self.received is not None:
            parts.append(f"{self.received:,} bytes down")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A line that a finding rests on, what it was taken for (`stage` of a site profile, in words), and its text.

    `shown` is what may be shown under a pseudonym (`WebRequest.in_short`); `text`, the log's own line, names people.
    """

    file: str
    line: int
    at: float
    role: str
    text: str
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Bounds:
    """A count that is known only between two numbers."""

    at_least: int
    at_most: int

    def __post_init__(self) -> None:
        if not 0 <= self.at_least <= self.at_most:
            raise ValueError("at least is never above at most")

    def __add__(self, other: Bounds) -> Bounds:
        return Bounds(self.at_least + other.at_least, self.at_most + other.at_most)

    def as_json(self) -> dict[str, int]:
        """{"at_least", "at_most"}."""
        return {"at_least": self.at_least, "at_most": self.at_most}


@dataclass(frozen=True, slots=True)
class Session:
    """What one user did on one site in one stretch of time, graded.

    `who` is the user or the address as the log names them: it leaves the module only through a pseudonym. `by` says
    which of the two it is. `start` and `end` are seconds since 1970, UTC. `reasons` are whole sentences for people, the
    most important first; `would_change` says what further logging would settle it. `attempted` counts submissions that
    the site or the proxy refused. `stale` names the profile's dated knowledge that this finding rests on, if stale.
    """

    who: str
    by: Literal["user", "address"]
    site: str
    category: str
    start: float
    end: float
    requests: int
    grade: Grade
    ceiling: Ceiling
    searches: Bounds
    attempted: int
    reasons: tuple[str, ...]
    would_change: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    addresses: tuple[str, ...] = ()
    stale: bool = False


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file that was read: the SHA-256 of its bytes as they lay there, its format, and how many lines it had.

    `rejected` counts lines that could not be read; every one of them is listed with its reason in the analysis.
    """

    file: str
    sha256: str
    format: str
    lines: int
    rejected: int

    def as_json(self) -> dict[str, Any]:
        """{"file", "sha256", "format", "lines", "rejected"}."""
        return {
            "file": self.file,
            "sha256": self.sha256,
            "format": self.format,
            "lines": self.lines,
            "rejected": self.rejected,
        }


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that could not be read, and why (a short stable code)."""

    file: str
    line: int
    reason: str
