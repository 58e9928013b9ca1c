"""What the legal holds in force protect, worked out of the ledger and the rows as they are at this moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from countenance.domain.holds import Shield
from countenance.services.holding import reason_item
from countenance.services.paperwork import declined_item, item_of
from countenance.services.record import Record
from countenance.store import erasing, moments, searches, sources
from countenance.store.items import revoked_note


@dataclass(frozen=True, slots=True)
class Kept:
    """What of an erasure holds keep: which holds, and which sightings."""

    holds: tuple[str, ...] = ()
    sightings: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.holds)


NOTHING = Kept()
"""That no hold keeps anything."""


def restricted(record: Record) -> frozenset[int]:
    """The sightings whose erasure waits for a hold to end: nobody is shown them. Raises LedgerBroken."""
    return record.holding.read(record).restricted


def shield_of(record: Record, c: Connection) -> Shield:
    """What is protected now. Reads no row while nothing is held. Raises LedgerBroken."""
    held = record.holding.read(record).in_force(moments.now())
    if not held:
        return Shield()
    on: dict[str, dict[object, list[str]]] = defaultdict(lambda: defaultdict(list))
    registered = sources.every(c)
    papers = record.papers.read(record)
    for hold in held:
        scope = hold.scope
        for source in registered:
            if source.id in scope.sources or source.collection in scope.collections:
                on["sources"][source.id].append(hold.id)
        for analysis in scope.analyses:
            on["analyses"][analysis].append(hold.id)
        made = dict.fromkeys(scope.searches)
        for authority in scope.authorities:
            made |= dict.fromkeys(searches.under(c, authority))
            on["items"][revoked_note(authority)].append(hold.id)
            if (request := papers.of_authority(authority)) is not None:
                on["items"][item_of(request.id)].append(hold.id)
                on["items"][declined_item(request.id)].append(hold.id)
        on["items"][reason_item(hold.id)].append(hold.id)
        for search in made:
            on["searches"][search].append(hold.id)
        for sighting in shown_by(record, c, made):
            on["sightings"][sighting].append(hold.id)
    parts = {name: {thing: tuple(ids) for thing, ids in found.items()} for name, found in on.items()}
    return Shield(**parts)  # type: ignore[arg-type]


def shown_by(record: Record, c: Connection, made: Iterable[str]) -> set[int]:
    """The sightings that these searches showed, as their entries say."""
    found: set[int] = set()
    for seq in searches.result_entries(c, made):
        groups = record.ledger.entry(seq).body.get("groups") or ()
        found |= {int(str(item).removeprefix("sighting:")) for group in groups for item in group}
    return found


def kept_of(shield: Shield, c: Connection, work: erasing.Work) -> Kept:
    """What of this work holds keep."""
    if not shield:
        return NOTHING
    places = erasing.on_pages_of(c, work, shield.sources)
    sightings = {s for s in work.sightings if s in shield.sightings} | places.keys()
    holds = {hold for s in sightings for hold in shield.sightings.get(s, ())}
    holds |= {hold for source in places.values() for hold in shield.sources[source]}
    holds |= {hold for source in erasing.pages_of(c, work, shield.sources) for hold in shield.sources[source]}
    holds |= {hold for source in work.sources for hold in shield.sources.get(source, ())}
    holds |= {hold for analysis in work.analyses for hold in shield.analyses.get(analysis, ())}
    return Kept(tuple(sorted(holds)), tuple(sorted(sightings)))
