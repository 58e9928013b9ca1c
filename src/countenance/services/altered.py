"""Rows that do not say what their entries say: somebody edited the database, so that something ends late or early.

Of a source retention takes the end from its entry. Of what is left it can be told that a row was changed.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from countenance.domain.errors import NotRegistered
from countenance.domain.sources import Source
from countenance.services.authorise import borne_out
from countenance.services.record import Record
from countenance.services.register import REGISTERED, check_borne_out
from countenance.store import authorities, searches, sources

LENGTHS = ("retention.probe_days", "search.probe_days")
"""The setting's name, and what it was called before."""

CHANGED = '"type":"settings.changed"'
"""What such an entry holds, in canonical JSON."""


def end_of(record: Record, source: Source, seq: int) -> datetime:
    """When a source ends: as the entry that registered it says; of a row without such an entry, as the row does."""
    if 0 <= seq < record.ledger.size:
        entry = record.ledger.entry(seq)
        if entry.kind == REGISTERED and entry.body.get("source") == source.id:
            return datetime.fromisoformat(entry.body["expires"])
    return source.expires_at


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
        if until - ends[authority] not in days:
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
