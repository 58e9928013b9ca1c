"""Rows that do not say what their entries say: somebody edited the database, so that something ends late or early.

Of a source retention takes the end from its entry, also when the row names another entry or none. Of what is left it
can be told that a row was changed.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from countenance.domain.errors import NotRegistered
from countenance.domain.sources import Source
from countenance.ledger.entry import Entry
from countenance.services.authorise import borne_out
from countenance.services.record import Record
from countenance.services.register import REGISTERED, check_borne_out
from countenance.store import authorities, searches, sources

LENGTHS = ("retention.probe_days", "search.probe_days")
"""The setting's name, and what it was called before."""

TYPE = f'"type":"{REGISTERED}"'
"""What the entry of a source holds, in canonical JSON."""

CHANGED = '"type":"settings.changed"'
"""What such an entry holds, in canonical JSON."""


def end_of(record: Record, source: Source, seq: int) -> datetime | None:
    """When a source ends: as the entry that registered it says, whichever the row names. None: nobody registered it.

    Raises LedgerBroken.
    """
    if 0 <= seq < record.ledger.size and (end := _end_in(record.ledger.entry(seq), source)) is not None:
        return end
    ends = (_end_in(entry, source) for entry in record.ledger.mentioning(TYPE))
    return next((end for end in ends if end is not None), None)


def _end_in(entry: Entry, source: Source) -> datetime | None:
    if entry.kind != REGISTERED or entry.body.get("source") != source.id:
        return None
    return datetime.fromisoformat(entry.body["expires"])


def altered(record: Record, probe_days: int) -> list[str]:
    """Every source, authority and probe whose row is not borne out, in words. `probe_days` is the length in force.

    Raises LedgerBroken.
    """
    with record.database.read() as c:
        registered, granted, kept = sources.every(c), authorities.every(c), searches.probes_kept(c)
    found = [f"the source {one.name}" for one in registered if not _registered(record, one)]
    found += [f"the authority {one.id}" for one in granted if not borne_out(record, one)]
    ends = {one.id: one.expires_at for one in granted}
    days = _lengths(record, probe_days)
    for search, authority, until in kept:
        if authority not in ends:
            found.append(f"the search {search}, whose authority {authority} has no row")
        elif until - ends[authority] not in days:
            found.append(f"the search {search}, as to when its probe goes")
    return found


def _registered(record: Record, source: Source) -> bool:
    try:
        with record.database.read() as c:
            check_borne_out(record, source, c)
    except NotRegistered:
        return False
    return True


def _lengths(record: Record, now: int) -> set[timedelta]:
    """For how long beyond its authority a probe is, or ever was, kept."""
    found = {now}
    for entry in record.ledger.mentioning(CHANGED):
        for one in entry.body["changed"] if entry.kind == "settings.changed" else ():
            if one["name"] in LENGTHS:
                found |= {value for value in (one["old"], one["new"]) if isinstance(value, int)}
    return {timedelta(days=days) for days in found}
