"""What there is, in numbers."""

from __future__ import annotations

from typing import Any

from countenance.store import authorities, moments, pictures, runs, searches, sources
from countenance.store.database import Database

PACK = "pack"
"""The pack of a home: templates of two packs are never compared, so a home has one."""


def source(database: Database, name: str) -> dict[str, Any]:
    """Counts of one source, what was skipped in its last run, and that run. Raises UnknownThing."""
    with database.read() as c:
        id = sources.get(c, name).id
        counts: dict[str, Any] = dict(pictures.count(c, [id]))
        counts["skipped"] = runs.skipped(c, id)
        last = runs.every(c, name)
    return counts | {"last_run": last[0] if last else None}


def skipped(database: Database, name: str, after: int, count: int) -> list[dict[str, Any]]:
    """A page of what the newest run of a source did not read. Raises UnknownThing."""
    with database.read() as c:
        return runs.skips_of(c, sources.get(c, name).id, after=after, count=count)


def collections(database: Database) -> list[dict[str, Any]]:
    """Every collection with its sources and how many faces are indexed in it."""
    with database.read() as c:
        ids = {source.name: source.id for source in sources.every(c)}
        return [
            {"name": name, "sources": names, "faces": pictures.count(c, [ids[one] for one in names])["indexed"]}
            for name, names in sources.collection_names(c).items()
        ]


def self_approved_on_websites(database: Database) -> int:
    """How many kept searches covered a website under an authority that the searcher granted."""
    with database.read() as c:
        websites = {source.collection for source in sources.every(c) if source.kind == "website"}
        own = {one.id for one in authorities.every(c) if one.self_approved and websites & set(one.collections)}
        return searches.count_under(c, own)


def home(database: Database) -> dict[str, Any]:
    """Counts over every source, and what is live or running."""
    now = moments.now()
    with database.read() as c:
        registered = sources.every(c)
        counts = pictures.count(c, [source.id for source in registered])
        granted = authorities.every(c)
        running = [run for run in runs.every(c) if run["state"] == "running"]
    return {
        "pack": database.meta(PACK),
        "sources": len(registered),
        "expired_sources": sum(source.expires_at <= now for source in registered),
        "collections": len({source.collection for source in registered}),
        **counts,
        "authorities_live": sum(authority.state(now) == "live" for authority in granted),
        "runs": running,
    }
