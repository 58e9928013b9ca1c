"""Let go of what is over its time: expired sources, probes, results, analyses of proxy logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from countenance.domain.authority import Actor
from countenance.domain.errors import Busy
from countenance.services.erase import Eraser
from countenance.services.permit import probe_item
from countenance.store import analyses, items, moments, searches, sources


@dataclass(frozen=True, slots=True)
class Retained:
    """What a retention run did."""

    sources: tuple[str, ...]
    probes: int
    results: int
    analyses: tuple[str, ...]
    pending: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "sources": list(self.sources),
            "probes": self.probes,
            "results": self.results,
            "analyses": list(self.analyses),
            "pending": list(self.pending),
        }


def run_retention(eraser: Eraser, actor: Actor) -> Retained:
    """Erase expired sources and analyses whole, shred probes whose time is over, and close results whose handles have
    expired."""
    record = eraser.record
    now = moments.now()
    with record.database.read() as c:
        over = [source.name for source in sources.every(c) if source.expires_at <= now]
        probes = searches.probes_over(c, now=now)
        analysed = analyses.over(c, now=now)
    erased: list[str] = []
    pending: list[str] = []
    for name in over:
        try:
            pending.extend(eraser.erase(eraser.plan_sources([name], "expired"), actor).pending)
            erased.append(name)
        except Busy as error:
            pending.append(f"{name}: {error.message}")
    if analysed:
        pending.extend(eraser.erase(eraser.plan_analyses(analysed, "expired"), actor).pending)
    shredded = [probe_item(search) for search in probes]
    if probes:
        record.enter("probes.expired", actor, {"searches": probes, "items": shredded})
    with record.database.write() as c:
        searches.forget_probes(c, probes)
        items.destroy(c, shredded)
        results = searches.forget_results(c, now=now)
    try:
        # The journal still holds the keys that were just destroyed.
        record.database.truncate_journal()
    except Busy as error:
        pending.append(error.message)
    return Retained(tuple(erased), len(probes), results, tuple(analysed), tuple(pending))
