"""Entries as acts of people: who searched for whom under which authority, what was shown, and what followed.

`services.recall` reads the ledger with this. A new type of entry becomes visible by one line in `READERS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from countenance.domain.acts import Acts, Closed, Deed, Erasure, Grant, Lapse, Refusal, Search, Shown
from countenance.ledger.entry import Entry, parse_time

STARTED = "search.started"
REQUESTED = "authority.requested"
APPROVED = "authority.approved"
GRANTED = "authority.granted"
URGENT = "authority.urgent"


class Reading:
    """What was read so far: `take` entries in order, then ask for the `acts`."""

    def __init__(self, since: datetime, until: datetime) -> None:
        self.since, self.until = since, until
        self.entries = 0
        self.grants: dict[str, Grant] = {}
        self.searches: dict[str, Search] = {}
        self.shown: dict[str, Shown] = {}
        self.deeds: dict[str, list[Deed]] = {}
        self.refusals: list[Refusal] = []
        self.closed: list[Closed] = []
        self.erasures: list[Erasure] = []
        self.lapses: list[Lapse] = []
        self.asked: dict[str, int] = {}
        """Request → the newest entry that asks, in which its reasons are sealed."""
        self.adjudicates = False

    def take(self, entry: Entry) -> None:
        """Read one more entry."""
        reader = READERS.get(entry.kind)
        if reader is not None:
            reader(self, entry)

    def acts(self) -> Acts:
        """Everything taken, put together."""
        searches = [
            replace(
                one,
                shown=self.shown.get(id),
                deeds=tuple(self.deeds.get(id, ())),
                case=grant.case if (grant := self.grants.get(one.authority)) else "",
                purpose=grant.purpose if grant else "",
            )
            for id, one in self.searches.items()
        ]
        return Acts(
            since=self.since,
            until=self.until,
            entries=self.entries,
            grants=tuple(sorted(self.grants.values(), key=lambda one: one.seq)),
            searches=tuple(searches),
            refusals=tuple(self.refusals),
            closed=tuple(self.closed),
            erasures=tuple(self.erasures),
            lapses=tuple(self.lapses),
            adjudicates=self.adjudicates,
        )


def _who(entry: Entry) -> str:
    return str(entry.actor["authenticated"])


def _approved(reading: Reading, entry: Entry) -> None:
    """Somebody approved what was used before: it is theirs from now on."""
    id = str(entry.body.get("authority"))
    if (known := reading.grants.get(id)) is not None:
        by = _who(entry)
        reading.grants[id] = replace(known, by=by, self_approved=by == known.holder)


def _granted(reading: Reading, entry: Entry) -> None:
    said = entry.body
    by = str(said.get("granted_by") or _who(entry))
    holder = str(said.get("holder") or by)
    id = str(said.get("authority"))
    reading.grants[id] = Grant(
        seq=entry.seq,
        at=parse_time(entry.at),
        authority=id,
        by=by,
        holder=holder,
        case=str(said.get("case", "")),
        purpose=str(said.get("purpose", "")),
        basis=str(said.get("basis", "")),
        collections=tuple(said.get("collections") or ()),
        self_approved=bool(said.get("self_approved", by == holder)),
        request=str(said.get("request") or ""),
    )
    if entry.kind == URGENT:
        _asked(reading, entry)


def _asked(reading: Reading, entry: Entry) -> None:
    request = str(entry.body.get("request"))
    reading.asked[request] = max(entry.seq, reading.asked.get(request, -1))


def _refused(reading: Reading, entry: Entry) -> None:
    if reading.since <= (at := parse_time(entry.at)):
        reading.refusals.append(Refusal(entry.seq, at, _who(entry), str(entry.body.get("reason", ""))))


def _closed(reading: Reading, entry: Entry) -> None:
    reading.closed.append(Closed(entry.seq, parse_time(entry.at), str(entry.body["case"])))


def _reopened(reading: Reading, entry: Entry) -> None:
    case = str(entry.body["case"])
    reading.closed = [one for one in reading.closed if one.case != case]


def _lapsed(reading: Reading, entry: Entry) -> None:
    authority, at = entry.body.get("authority"), parse_time(entry.at)
    if authority is not None and reading.since <= at:
        reading.lapses.append(Lapse(entry.seq, at, str(authority), entry.kind == "authority.declined"))


def _started(reading: Reading, entry: Entry) -> None:
    body = entry.body
    reading.searches[str(body["search"])] = Search(
        seq=entry.seq,
        at=parse_time(entry.at),
        search=str(body["search"]),
        who=_who(entry),
        authority=str(body["authority"]),
        case="",
        purpose="",
        collections=tuple(body.get("collections") or ()),
        self_approved=bool(body.get("self_approved")),
    )


def _shown(reading: Reading, entry: Entry) -> None:
    groups = entry.body.get("groups") or ()
    reading.shown[str(entry.body["search"])] = Shown(
        seq=entry.seq,
        at=parse_time(entry.at),
        groups=len(groups),
        sightings=sum(len(group) for group in groups),
        reliable=bool(entry.body.get("reliable")),
    )


def _deed(kind: str, words: str = "") -> Callable[[Reading, Entry], None]:
    def read(reading: Reading, entry: Entry) -> None:
        said = str(entry.body.get(words) or "") if words else ""
        deed = Deed(kind, entry.seq, parse_time(entry.at), _who(entry), said)
        reading.deeds.setdefault(str(entry.body.get("search")), []).append(deed)
        reading.adjudicates |= kind == "verdict"

    return read


def _erased(reading: Reading, entry: Entry) -> None:
    kind = str(entry.body.get("scope", {}).get("kind", ""))
    count = int(entry.body.get("sightings", 0))
    reading.erasures.append(Erasure(entry.seq, parse_time(entry.at), _who(entry), kind, count))


READERS: dict[str, Callable[[Reading, Entry], None]] = {
    GRANTED: _granted,
    URGENT: _granted,
    REQUESTED: _asked,
    APPROVED: _approved,
    "authority.refused": _refused,
    "authority.declined": _lapsed,
    "authority.lapsed": _lapsed,
    "case.closed": _closed,
    "case.reopened": _reopened,
    STARTED: _started,
    "search.shown": _shown,
    "picture.opened": _deed("opened"),
    "search.disclosed": _deed("exported", "recipient"),
    "verdict.given": _deed("verdict", "verdict"),
    "action.recorded": _deed("action", "action"),
    "erasure": _erased,
}
"""What is read of each type of entry. An action nobody records yet: it is understood from the day somebody does."""

AFTER = frozenset({"search.shown", "picture.opened", "search.disclosed", "verdict.given", "action.recorded"})
"""What became of a search is told even when it happened after the time that is asked for."""
