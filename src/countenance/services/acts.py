"""Read the ledger as acts of people: who searched for whom under which authority, what was shown, and what followed.

What is sealed stays sealed unless it is asked for; whoever calls this enters the reading first (`services.oversight`).
A new type of entry becomes visible here by one line in `READERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from countenance.domain.acts import Acts, Closed, Deed, Erasure, Grant, Lapse, Refusal, Search, Shown
from countenance.domain.errors import KeyTrouble
from countenance.domain.traits import ProbeTraits
from countenance.ledger import seal
from countenance.ledger.entry import Entry, parse_time
from countenance.ledger.log import Ledger
from countenance.services.paperwork import item_of
from countenance.services.record import Record
from countenance.store import items

STARTED = "search.started"
URGENT = "authority.urgent"
_BEFORE = ("authority.", "case.")
"""What still bears on searches that come much later."""
_ANY = '"type":"'
_AT_ONCE = 500


def read_acts(record: Record, since: datetime, until: datetime, *, opened: bool = False) -> Acts:
    """The acts from `since` up to `until` (aware). With `opened`, the traits of probes and the reasons of requests are
    opened as far as their keys exist. Raises LedgerBroken at an entry that is not what was signed."""
    ledger = record.ledger
    size = ledger.size
    first = first_at(ledger, since, size)
    reading = Reading(since, until)
    # What searches rest on may have been granted, and a case closed, long before.
    for kind in _BEFORE:
        for entry in ledger.mentioning(f"{_ANY}{kind}", 0, first):
            reading.take(entry)
    sealed: list[Entry] = []
    for entry in ledger.mentioning(_ANY, first, size):
        at = parse_time(entry.at)
        if at >= until:
            # What became of a search is told even when it happened later: `until` bounds the searches, not their ends.
            if entry.kind in _AFTER:
                reading.take(entry)
            continue
        if at < since:
            if entry.kind.startswith(_BEFORE):
                reading.take(entry)
            continue
        reading.entries += 1
        reading.take(entry)
        if opened and entry.kind == STARTED and entry.sealed:
            sealed.append(entry)
    acts = reading.acts()
    return _with_reasons(record, _with_traits(record, acts, sealed), reading.asked) if opened else acts


def first_at(ledger: Ledger, moment: datetime, size: int) -> int:
    """The number of the first entry at or after a moment, by halving. A clock that was set back by less than a day does
    not hide anything; where one was set back further, start earlier."""
    low, high = 0, size
    wanted = moment - timedelta(days=1) if moment > datetime(1, 1, 3, tzinfo=UTC) else moment
    while low < high:
        middle = (low + high) // 2
        if parse_time(ledger.entry(middle).at) < wanted:
            low = middle + 1
        else:
            high = middle
    return low


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
        self.asked: dict[str, Entry] = {}
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
            grants=tuple(self.grants.values()),
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
    """Where the reasons are sealed: in the newest entry that asks."""
    reading.asked[str(entry.body.get("request"))] = entry


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
    "authority.granted": _granted,
    URGENT: _granted,
    "authority.requested": _asked,
    "authority.approved": _approved,
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

_AFTER = frozenset({"search.shown", "picture.opened", "search.disclosed", "verdict.given", "action.recorded"})


def _with_traits(record: Record, acts: Acts, sealed: list[Entry]) -> Acts:
    traits = dict(_opened(record, sealed))
    searches = tuple(replace(one, traits=traits.get(one.search, ())) for one in acts.searches)
    return replace(acts, searches=searches, opened=True)


def _with_reasons(record: Record, acts: Acts, asked: dict[str, Entry]) -> Acts:
    """With the words that the grants of this time were asked for with."""
    wanted = {one.request for one in acts.grants if acts.since <= one.at < acts.until} & asked.keys()
    found: dict[str, tuple[str, ...]] = {}
    for request in sorted(wanted):
        try:
            said = record.opened(asked[request]).get(item_of(request))
        except KeyTrouble:
            continue  # the key of a row that somebody edited
        if said is not None:
            found[request] = (str(said["necessity"]), str(said["proportionality"]))
    grants = tuple(replace(one, reasons=found.get(one.request, ())) for one in acts.grants)
    return replace(acts, grants=grants)


def _opened(record: Record, sealed: list[Entry]) -> Iterator[tuple[str, tuple[ProbeTraits, ...]]]:
    for start in range(0, len(sealed), _AT_ONCE):
        part = sealed[start : start + _AT_ONCE]
        with record.database.read() as c:
            keys = items.open_keys(c, [item["item"] for entry in part for item in entry.sealed])
        for entry in part:
            for item in entry.sealed:
                if item["item"] not in keys:
                    continue  # shredded
                key = seal.ItemKey(item["item"], keys[item["item"]])
                try:
                    value = seal.open_sealed(key, entry.kind.encode(), item)
                    found = tuple(ProbeTraits.from_json(one) for one in value["photographs"])
                except (KeyTrouble, KeyError, TypeError):
                    continue  # the key of a row that somebody edited, or what a later version seals
                yield str(entry.body["search"]), found
