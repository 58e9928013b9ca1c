"""Let go of what is over its time: expired sources, probes, notes, results, analyses of proxy logs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from countenance.domain.authority import Actor
from countenance.domain.errors import Busy, UnknownThing
from countenance.services.erase import Eraser
from countenance.services.erasure_list import Gone, note
from countenance.services.permit import probe_item
from countenance.services.request import notes_over
from countenance.store import analyses, items, moments, reviews, searches, sources


@dataclass(frozen=True, slots=True)
class Retained:
    """What a retention run did."""

    sources: tuple[str, ...]
    probes: int
    notes: int
    results: int
    analyses: tuple[str, ...]
    pending: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "sources": list(self.sources),
            "probes": self.probes,
            "notes": self.notes,
            "results": self.results,
            "analyses": list(self.analyses),
            "pending": list(self.pending),
        }


def run_retention(eraser: Eraser, actor: Actor, keep_days: int) -> Retained:
    """Erase expired sources and analyses whole, shred probes and notes whose time is over, and close results whose
    handles have expired. What was noted of an authority is kept `keep_days` after its end, as its probes are."""
    record = eraser.record
    now = moments.now()
    with record.database.read() as c:
        over = [source.name for source in sources.every(c) if source.expires_at <= now]
        probes = searches.probes_over(c, now=now)
        analysed = analyses.over(c, now=now)
        notes = items.notes_over(c, now=now, keep=timedelta(days=keep_days))
        asked = items.open_keys(c, notes_over(record, keep=timedelta(days=keep_days)))
    erased: list[str] = []
    pending: list[str] = []
    for name in over:
        try:
            pending.extend(eraser.erase(eraser.plan_sources([name], "expired"), actor).pending)
            erased.append(name)
        except Busy as error:
            pending.append(f"{name}: {error.message}")
        except UnknownThing:
            continue  # another retention run was quicker
    if analysed:
        pending.extend(eraser.erase(eraser.plan_analyses(analysed, "expired"), actor).pending)
    shredded = [probe_item(search) for search in probes] + notes + sorted(asked)
    if shredded:
        receipt = record.enter("probes.expired", actor, {"searches": probes, "items": shredded})
        if why := note(eraser.home.keys, Gone(receipt.seq, tuple(shredded))):
            pending.append(why)
    with record.database.write() as c:
        searches.forget_probes(c, probes)
        items.destroy(c, shredded)
        results = searches.forget_results(c, now=now)
        pictures = reviews.drop_over(c, now=now)
    if shredded or results or pictures:
        # What was just destroyed still lies in the journal, or in the files of a database server.
        pending.extend(eraser.shred())
    return Retained(tuple(erased), len(probes), len(notes), results, tuple(analysed), tuple(pending))
