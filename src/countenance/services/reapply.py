"""Erase from a restored home what was erased after its backup was made."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select, update

from countenance.domain.authority import Actor
from countenance.domain.errors import UnknownThing
from countenance.services.erase import Eraser
from countenance.services.erasure import REAPPLIED
from countenance.services.erasure_list import Gone
from countenance.store import analyses, items, reviews, searches, sources
from countenance.store.moments import now, to_row
from countenance.store.numbers import give_no_sighting_below
from countenance.store.pictures import chunks, sightings_by_id
from countenance.store.schema import suppressed, tokens

_PROBE = "probe:"
_PAIR = "control:"


def reapply(eraser: Eraser, gone: Gone, said: dict[str, Any], actor: Actor) -> dict[str, int]:
    """Sources, sightings, analyses, probes, notes and marks: whatever of it the backup still has goes as it went
    before, each with its entry.

    That the home was restored is entered first, and `said` is what that entry says. Every token and browser session
    ends. Doing it twice erases nothing more.
    Raises as `Eraser.erase` does.
    """
    database = eraser.record.database
    eraser.record.enter("home.restored", actor, said)
    with database.write() as c:
        # Nobody knows here which of them were revoked since.
        c.execute(update(tokens).where(tokens.c.revoked_at.is_(None)).values(revoked_at=to_row(now())))
    numbers: dict[str, list[int]] = {"sighting": [], "source": []}
    rest: list[str] = []
    for item in gone.items:
        kind, _, id = item.partition(":")
        if kind in numbers and id.isdigit():
            numbers[kind].append(int(id))
        else:
            rest.append(item)
    with database.read() as c:
        names = [source.name for source in sources.every(c) if source.id in set(numbers["source"])]
    if names:
        eraser.erase(eraser.plan_sources(names, REAPPLIED), actor)
    with database.read() as c:
        left = [one.id for part in chunks(numbers["sighting"]) for one in sightings_by_id(c, part)]
    if left:
        eraser.erase(eraser.plan_sightings(left, REAPPLIED), actor)
    kept = [id for id in gone.analyses if _there(eraser, id)]
    if kept:
        eraser.erase(eraser.plan_analyses(kept, REAPPLIED), actor)
    with database.read() as c:
        keys = sorted(items.open_keys(c, gone.items))
    if keys:
        # What is left of it has no row: sealed parts of entries whose key the backup brought back, probes, notes.
        body = {"scope": {"kind": REAPPLIED}, "sightings": 0, "items": keys}
        eraser.record.enter("erasure", actor, body)
    with database.write() as c:
        searches.forget_probes(c, [item.removeprefix(_PROBE) for item in rest if item.startswith(_PROBE)])
        reviews.drop(c, [item.removeprefix(_PAIR) for item in rest if item.startswith(_PAIR)])
        items.destroy(c, gone.items)
        marks = {bytes.fromhex(mark) for mark in gone.marks}
        known = set(c.execute(select(suppressed.c.mark)).scalars())
        for mark in sorted(marks - known):
            c.execute(insert(suppressed).values(mark=mark))
        # The list names numbers that this database never gave: they must not become somebody else's.
        give_no_sighting_below(c, max(numbers["sighting"], default=0))
    eraser.purge()
    return {"sources": len(names), "sightings": len(left), "analyses": len(kept), "keys": len(keys)}


def _there(eraser: Eraser, id: str) -> bool:
    try:
        with eraser.record.database.read() as c:
            analyses.get(c, id)
    except UnknownThing:
        return False
    return True
