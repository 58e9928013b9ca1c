"""Rows of ingest runs and of what they skipped."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, ScalarSelect, delete, func, insert, select, update

from countenance.domain.sources import Skipped
from countenance.store.moments import from_row, maybe, to_row
from countenance.store.schema import runs, skips, sources


def begin(connection: Connection, id: int, *, source_id: int, kind: str, at: datetime) -> None:
    """Start a run. Runs of the same source that never ended were interrupted: the caller holds its lock."""
    connection.execute(
        update(runs).where(runs.c.source_id == source_id, runs.c.state == "running").values(state="interrupted")
    )
    connection.execute(
        insert(runs).values(
            id=id,
            source_id=source_id,
            kind=kind,
            state="running",
            started_at=to_row(at),
            heartbeat_at=to_row(at),
            counts={},
        )
    )


def progress(connection: Connection, id: int, counts: dict[str, Any], *, at: datetime) -> None:
    """Where a run stands."""
    connection.execute(update(runs).where(runs.c.id == id).values(counts=counts, heartbeat_at=to_row(at)))


def end(connection: Connection, id: int, *, state: str, counts: dict[str, Any], at: datetime) -> None:
    """Finish a run: done, failed or interrupted."""
    connection.execute(
        update(runs)
        .where(runs.c.id == id)
        .values(state=state, counts=counts, heartbeat_at=to_row(at), ended_at=to_row(at))
    )


def skip(connection: Connection, found: Iterable[Skipped], *, source_id: int, run_id: int) -> None:
    """Record what was not read; the newest reason for an address replaces the older."""
    rows = [
        {
            "source_id": source_id,
            "run_id": run_id,
            "address": s.address,
            "reason": s.reason,
            "detail": s.detail[:500],
        }
        for s in found
    ]
    for row in rows:
        connection.execute(delete(skips).where(skips.c.source_id == source_id, skips.c.address == row["address"]))
    if rows:
        connection.execute(insert(skips), rows)


def skipped(connection: Connection, source_id: int) -> dict[str, int]:
    """How many addresses of a source were skipped, by reason, in its newest run."""
    rows = connection.execute(
        select(skips.c.reason, func.count())
        .where(skips.c.source_id == source_id, skips.c.run_id == _newest(source_id))
        .group_by(skips.c.reason)
        .order_by(skips.c.reason)
    )
    return {row[0]: row[1] for row in rows}


def skips_of(connection: Connection, source_id: int, *, after: int, count: int) -> list[dict[str, Any]]:
    """What the newest run of a source did not read, as JSON values in the order of their numbers, beyond `after`."""
    rows = connection.execute(
        select(skips.c.id, skips.c.address, skips.c.reason, skips.c.detail)
        .where(skips.c.source_id == source_id, skips.c.run_id == _newest(source_id), skips.c.id > after)
        .order_by(skips.c.id)
        .limit(count)
    )
    return [{"n": row.id, "address": row.address, "reason": row.reason, "detail": row.detail} for row in rows]


def _newest(source_id: int) -> ScalarSelect[int]:
    return select(func.max(runs.c.id)).where(runs.c.source_id == source_id).scalar_subquery()


def last_total(connection: Connection, source_id: int) -> int | None:
    """How many pictures, read or skipped, the newest run of a source that came to its end had met."""
    query = select(runs.c.counts).where(runs.c.source_id == source_id, runs.c.state == "done")
    counts = connection.execute(query.order_by(runs.c.id.desc()).limit(1)).scalar()
    return None if counts is None else int(counts["images"]) + sum(counts["skipped"].values())


def every(connection: Connection, source_name: str | None = None) -> list[dict[str, Any]]:
    """Runs, newest first, as JSON values."""
    query = select(runs, sources.c.name.label("source")).join(sources, sources.c.id == runs.c.source_id)
    if source_name is not None:
        query = query.where(sources.c.name == source_name)
    return [
        {
            "id": row.id,
            "source": row.source,
            "kind": row.kind,
            "state": row.state,
            "started": from_row(row.started_at).isoformat(),
            "heartbeat": from_row(row.heartbeat_at).isoformat(),
            "ended": ended.isoformat() if (ended := maybe(row.ended_at)) else None,
            "counts": row.counts,
        }
        for row in connection.execute(query.order_by(runs.c.id.desc()).limit(200))
    ]
