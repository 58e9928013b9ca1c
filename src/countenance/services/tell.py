"""Put an analysis of proxy logs into words and numbers, under pseudonyms: the one form that every door renders.

Nothing here reads a clock, so that the same input in the same home gives the same text to the last byte.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from countenance.domain.proxy import Bounds, Evidence, Grade, Session
from countenance.services.fit import Fit

FACE = "face"
UNCLEAR = "these lines show that a site was reached, and not what was done there"


@dataclass(frozen=True, slots=True)
class Names:
    """Pseudonyms under the home's key: the same person is the same in every analysis of this home, and in no other."""

    key: bytes

    def person(self, session: Session) -> str:
        """P- and 10 hex digits."""
        return "P-" + self._of("person", session.by, session.who)[:10]

    def session(self, session: Session) -> str:
        """V- and 12 hex digits, of who, where and when."""
        parts = (session.by, session.who, session.site, f"{session.start:.6f}", *session.addresses)
        return "V-" + self._of("session", *parts)[:12]

    def analysis(self, *parts: str) -> str:
        """L- and 12 hex digits, of everything that the outcome depends on."""
        return "L-" + self._of("analysis", *parts)[:12]

    def _of(self, *parts: str) -> str:
        # Lengths go in, so that no two lists of parts are the same bytes.
        text = b"".join(
            f"{len(p.encode(errors='surrogateescape'))}:{p}".encode(errors="surrogateescape") for p in parts
        )
        return hmac.new(self.key, text, hashlib.sha256).hexdigest()


def moment(seconds: float) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def told(session: Session, names: Names, fit: Fit) -> dict[str, Any]:
    """A session for everybody who may read the analysis: nobody is named, and no line of the log is quoted."""
    return {
        "id": names.session(session),
        "user": names.person(session),
        "site": session.site,
        "category": session.category,
        "start": moment(session.start),
        "end": moment(session.end),
        "requests": session.requests,
        "class": session.grade.value,
        "ceiling": session.ceiling.name,
        "searches": session.searches.as_json(),
        "attempted": session.attempted,
        "reasons": list(session.reasons),
        "would_change": list(session.would_change),
        "authorised": fit.as_json(),
        "stale": session.stale,
        "evidence": [shown(line) for line in session.evidence],
        "evidence_left_out": max(0, session.requests - len(session.evidence)),
    }


def hidden(session: Session, fit: Fit) -> dict[str, Any]:
    """What is sealed of a session, and told when it is unmasked."""
    return {
        "who": session.who,
        "by": session.by,
        "addresses": list(session.addresses),
        "authorised": fit.as_json() | {"entry": fit.entry},
        "lines": [{"file": line.file, "line": line.line, "text": line.text} for line in session.evidence],
    }


def shown(line: Evidence) -> dict[str, Any]:
    """A line of the log without who: where it stands, when, and what it says of the request."""
    return {
        "file": line.file,
        "line": line.line,
        "at": moment(line.at),
        "role": line.role,
        "shown": line.shown,
    }


def summary(totals: dict[str, Any], reverse: dict[str, Any]) -> list[str]:
    """The answer in a few sentences."""
    requests, sessions, users = totals["requests"], totals["sessions"], totals["users"]
    if not requests:
        lines = ["No request to a face-search site stands in these logs."]
    else:
        bounds = Bounds(**totals["searches"])
        are = "is" if requests == 1 else "are"
        lines = [f"{_n(requests, 'hit')} {are} {_n(sessions, 'session')} by {_n(users, 'user')}: {in_words(bounds)}."]
        if totals["indeterminate_requests"]:
            lines.append(f"{_n(totals['indeterminate_requests'], 'hit')} cannot be told: {UNCLEAR}.")
        if totals["attempted"]:
            lines.append(f"{_n(totals['attempted'], 'further submission')} did not succeed and count as none.")
    if reverse["requests"]:
        lines.append(
            f"Apart from these, {_n(reverse['requests'], 'hit')} in {_n(reverse['sessions'], 'session')} went to sites"
            " that look for the same picture, not for a face."
        )
    return lines


def in_words(bounds: Bounds) -> str:
    """A count between two numbers."""
    if bounds.at_most == 0:
        return "no search"
    if bounds.at_least == bounds.at_most:
        return "exactly " + _n(bounds.at_least, "search", "searches")
    return f"at least {bounds.at_least:,} and at most {_n(bounds.at_most, 'search', 'searches')}"


def _n(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


@dataclass(frozen=True, slots=True)
class Read:
    """What was read: files and coverage as JSON, and the lines that could not be read."""

    files: Sequence[dict[str, Any]]
    coverage: dict[str, Any]
    rejected: int
    by_reason: dict[str, int]
    listed: Sequence[dict[str, Any]]


@dataclass(slots=True)
class Totals:
    """Counts over sessions. `requests` counts lines, exact duplicates of a line once."""

    sessions: int = 0
    requests: int = 0
    unclear: int = 0
    attempted: int = 0
    searches: Bounds = field(default_factory=lambda: Bounds(0, 0))
    by_class: Counter[Grade] = field(default_factory=Counter)
    users: set[tuple[str, str]] = field(default_factory=set)

    def add(self, session: Session) -> None:
        """Count one more."""
        self.sessions += 1
        self.requests += session.requests
        self.unclear += session.requests if session.grade is Grade.INDETERMINATE else 0
        self.attempted += session.attempted
        self.searches += session.searches
        self.by_class[session.grade] += 1
        self.users.add((session.by, session.who))

    def as_json(self) -> dict[str, Any]:
        """The `totals` of the JSON contract."""
        return {
            "requests": self.requests,
            "sessions": self.sessions,
            "users": len(self.users),
            "by_class": {grade.value: self.by_class[grade] for grade in Grade},
            "searches": self.searches.as_json(),
            "indeterminate_requests": self.unclear,
            "attempted": self.attempted,
        }


@dataclass(slots=True)
class Tally:
    """What sessions add up to: on face-search sites, on the others, and on each."""

    face: Totals = field(default_factory=Totals)
    reverse: Totals = field(default_factory=Totals)
    sites: dict[tuple[str, str], Totals] = field(default_factory=dict)
    """By category and site."""
    stale: set[str] = field(default_factory=set)
    """Sites whose profile was out of date for a finding."""

    def add(self, session: Session) -> None:
        """Count one more."""
        of = self.sites.setdefault((session.category, session.site), Totals())
        for totals in (of, self.face if session.category == FACE else self.reverse):
            totals.add(session)
        if session.stale:
            self.stale.add(session.site)


def body(
    read: Read, tally: Tally, profiles: Sequence[dict[str, Any]], options: dict[str, Any], names: Names
) -> dict[str, Any]:
    """The analysis without its sessions."""
    face, reverse = tally.face.as_json(), tally.reverse.as_json()
    titles = {profile["name"]: profile["title"] for profile in profiles}
    return {
        "analysis": names.analysis(
            *sorted(file["sha256"] for file in read.files),
            *(f"{profile['name']} {profile['version']}" for profile in profiles),
            repr(sorted(options.items())),
        ),
        "input": list(read.files),
        "coverage": read.coverage,
        "profiles": list(profiles),
        "options": options,
        "summary": summary(face, reverse),
        "totals": face,
        "sites": [
            {"site": site, "title": titles.get(site, site), "category": category} | totals.as_json()
            for (category, site), totals in sorted(tally.sites.items())
        ],
        "reverse_image": {"totals": reverse},
        "rejected": {"total": read.rejected, "by_reason": read.by_reason, "listed": list(read.listed)},
    }
