"""Read the acts of a time, and go on from there: a link from a figure reads only what came since.

What is sealed stays sealed unless it is asked for, and what was opened is not kept; whoever calls this enters the
reading first (`services.oversight`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from countenance.domain.acts import Acts
from countenance.domain.errors import KeyTrouble
from countenance.domain.traits import ProbeTraits
from countenance.ledger import seal
from countenance.ledger.entry import Entry, parse_time
from countenance.ledger.log import Ledger
from countenance.services.acts import AFTER, APPROVED, GRANTED, READERS, REQUESTED, STARTED, URGENT, Reading
from countenance.services.paperwork import item_of
from countenance.services.record import Record
from countenance.store import items, moments

_EVERY = '"type":"'
_CASES = '"type":"case.'
_AT_ONCE = 500

Traits = dict[str, tuple[ProbeTraits, ...]]
"""What the probes of searches are like, by the search."""


@dataclass(slots=True)
class _Kept:
    """What was read of a time: from entry `first` up to `upto`. `acts` are None when more was read since."""

    reading: Reading
    first: int
    upto: int
    acts: Acts | None = None


class Recall:
    """The time that was asked for last. Safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: tuple[tuple[datetime, datetime | None], _Kept] | None = None

    def acts(self, record: Record, since: datetime, until: datetime | None, *, opened: bool = False) -> Acts:
        """The acts from `since` up to `until` (aware; None: up to now). With `opened`, the traits of probes and the
        reasons of requests are opened as far as their keys exist. Raises LedgerBroken at an entry that is not what was
        signed."""
        kept = self._take(since, until)
        size = record.ledger.size
        if kept is None or kept.upto > size:
            first = first_at(record.ledger, since, size)
            kept = _Kept(Reading(since, until or datetime.max.replace(tzinfo=UTC)), first, first)
            for entry in record.ledger.mentioning(_CASES, 0, first):
                kept.reading.take(entry)
        traits = self._go_on(record, kept, size, opened=opened)
        if kept.acts is None:
            kept.acts = kept.reading.acts()
        acts = replace(kept.acts, until=until or moments.now(), entries=kept.reading.entries)
        asked = dict(kept.reading.asked)
        with self._lock:
            self._last = (since, until), kept
        return _with_reasons(record, _with_traits(acts, traits), asked) if opened else acts

    def _take(self, since: datetime, until: datetime | None) -> _Kept | None:
        """What is kept of this time, and nobody else's until it is put back."""
        with self._lock:
            last, self._last = self._last, None
            return last[1] if last is not None and last[0] == (since, until) else None

    def _go_on(self, record: Record, kept: _Kept, size: int, *, opened: bool) -> Traits:
        reading, traits, waiting = kept.reading, Traits(), list[Entry]()

        def look(entry: Entry) -> None:
            waiting.append(entry)
            if len(waiting) == _AT_ONCE:
                traits.update(_opened(record, waiting))
                waiting.clear()

        if opened:
            for entry in record.ledger.mentioning(f'"type":"{STARTED}"', kept.first, kept.upto):
                if entry.sealed and str(entry.body["search"]) in reading.searches:
                    look(entry)
        for entry in record.ledger.mentioning(_EVERY, kept.upto, size):
            if not _belongs(reading, entry):
                continue
            reading.take(entry)
            if entry.kind in READERS:
                kept.acts = None
            if opened and entry.kind == STARTED and entry.sealed:
                look(entry)
        kept.upto = size
        traits.update(_opened(record, waiting))
        if kept.acts is None:
            _what_it_rests_on(record.ledger, reading)
        return traits


def _belongs(reading: Reading, entry: Entry) -> bool:
    """Whether an entry is to be taken; counts it when it is of the time."""
    at = parse_time(entry.at)
    if at >= reading.until:
        # What became of a search is told even when it happened later: `until` bounds the searches, not their ends.
        return entry.kind in AFTER
    if at < reading.since:
        return entry.kind.startswith(("authority.", "case."))
    reading.entries += 1
    return True


def _what_it_rests_on(ledger: Ledger, reading: Reading) -> None:
    """Take what was granted, or asked for, long before."""
    resting = [one.authority for one in reading.searches.values()] + [one.authority for one in reading.lapses]
    for authority in dict.fromkeys(resting):
        if authority not in reading.grants:
            for entry in ledger.mentioning(f'"authority":"{authority}"'):
                if entry.kind in (GRANTED, URGENT, APPROVED) and parse_time(entry.at) < reading.until:
                    reading.take(entry)
    for grant in list(reading.grants.values()):
        if grant.request and grant.request not in reading.asked and grant.at >= reading.since:
            for entry in ledger.mentioning(f'"request":"{grant.request}"', 0, grant.seq):
                if entry.kind == REQUESTED:
                    reading.take(entry)


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


def _with_traits(acts: Acts, traits: Traits) -> Acts:
    searches = tuple(replace(one, traits=traits[one.search]) if one.search in traits else one for one in acts.searches)
    return replace(acts, searches=searches, opened=True)


def _with_reasons(record: Record, acts: Acts, asked: dict[str, int]) -> Acts:
    """With the words that the grants of this time were asked for with."""
    wanted = {one.request for one in acts.grants if acts.since <= one.at < acts.until} & asked.keys()
    found: dict[str, tuple[str, ...]] = {}
    for request in sorted(wanted):
        try:
            said = record.opened(record.ledger.entry(asked[request])).get(item_of(request))
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
