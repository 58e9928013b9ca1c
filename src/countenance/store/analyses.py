"""Rows of analyses of proxy logs and of their sessions."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from countenance.domain.errors import UnknownThing
from countenance.store import items
from countenance.store.moments import from_row, to_row
from countenance.store.schema import analyses, log_sessions

BATCH = 500


@dataclass(frozen=True, slots=True)
class Analysis:
    """One analysis without its sessions. Times are aware UTC; `seq` is its ledger entry."""

    id: str
    at: datetime
    seq: int
    actor: str
    why: str
    dpia: str | None
    body: dict[str, Any]
    keep_until: datetime


@dataclass(frozen=True, slots=True)
class LogSession:
    """One session as it is told, and what is sealed of it."""

    analysis: str
    id: str
    body: dict[str, Any]
    sealed: dict[str, Any]


def put(connection: Connection, analysis: Analysis, sessions: Iterable[LogSession]) -> None:
    """Keep an analysis in the place of an older one of the same id."""
    connection.execute(delete(analyses).where(analyses.c.id == analysis.id))
    connection.execute(
        insert(analyses).values(
            id=analysis.id,
            at=to_row(analysis.at),
            seq=analysis.seq,
            actor=analysis.actor,
            why=analysis.why,
            dpia=analysis.dpia,
            body=analysis.body,
            keep_until=to_row(analysis.keep_until),
        )
    )
    rows = (
        {"analysis_id": analysis.id, "id": s.id, "place": n, "body": s.body, "sealed": s.sealed}
        for n, s in enumerate(sessions)
    )
    while part := list(itertools.islice(rows, BATCH)):
        connection.execute(insert(log_sessions), part)


def every(connection: Connection) -> list[Analysis]:
    """All, the newest first."""
    return [
        _analysis(row) for row in connection.execute(select(analyses).order_by(analyses.c.at.desc(), analyses.c.id))
    ]


def get(connection: Connection, id: str) -> Analysis:
    """One. Raises UnknownThing."""
    row = connection.execute(select(analyses).where(analyses.c.id == id)).first()
    if row is None:
        raise UnknownThing(f"there is no analysis {id}", advice="`countenance proxylog list` shows them")
    return _analysis(row)


def session_ids(connection: Connection, analysis: str) -> list[str]:
    """The ids of its sessions, in their order."""
    query = select(log_sessions.c.id).where(log_sessions.c.analysis_id == analysis)
    return list(connection.execute(query.order_by(log_sessions.c.place)).scalars())


def bodies(connection: Connection, analysis: str, ids: Sequence[str]) -> list[dict[str, Any]]:
    """What is told of these of its sessions, in this order; those that are gone are left out."""
    query = select(log_sessions.c.id, log_sessions.c.body).where(log_sessions.c.analysis_id == analysis)
    found = {row.id: row.body for row in connection.execute(query.where(log_sessions.c.id.in_(ids)))}
    return [found[id] for id in ids if id in found]


def session(connection: Connection, id: str, analysis: str | None = None) -> LogSession:
    """One session, of the newest analysis that has it unless one is named. Raises UnknownThing."""
    query = (
        select(log_sessions)
        .join(analyses, analyses.c.id == log_sessions.c.analysis_id)
        .where(log_sessions.c.id == id)
        .order_by(analyses.c.at.desc())
    )
    if analysis is not None:
        query = query.where(analyses.c.id == analysis)
    row = connection.execute(query).first()
    if row is None:
        raise UnknownThing(
            f"there is no session {id}", advice="`countenance proxylog show ANALYSIS` lists its sessions"
        )
    return _session(row)


def over(connection: Connection, *, before: datetime) -> list[tuple[str, datetime]]:
    """Analyses whose time ends up to a moment, and when."""
    query = select(analyses.c.id, analyses.c.keep_until).where(analyses.c.keep_until <= to_row(before))
    return sorted((row.id, from_row(row.keep_until)) for row in connection.execute(query))


def session_item(analysis: str, session: str) -> str:
    """The item under whose key a session's person and lines are sealed."""
    return f"log-session:{analysis}:{session}"


def note_item(analysis: str, session: str | None = None) -> str:
    """The item of what was said in the ledger about an analysis, or of why one of its sessions was unmasked."""
    return f"note:{analysis}" if session is None else f"note:{analysis}:{session}"


def notes_of(connection: Connection, analysis: str) -> list[str]:
    """The items that ledger entries about this analysis sealed, as far as their keys are there."""
    sessions = connection.execute(select(log_sessions.c.id).where(log_sessions.c.analysis_id == analysis)).scalars()
    wanted = [note_item(analysis), *(note_item(analysis, session) for session in sessions)]
    return sorted(items.open_keys(connection, wanted))


def remove(connection: Connection, id: str) -> None:
    """Forget one: its rows, its sessions' and the keys that sealed them."""
    sessions = connection.execute(select(log_sessions.c.id).where(log_sessions.c.analysis_id == id)).scalars()
    items.destroy(connection, [session_item(id, session) for session in sessions])
    connection.execute(delete(analyses).where(analyses.c.id == id))


def _analysis(row: Row[Any]) -> Analysis:
    return Analysis(row.id, from_row(row.at), row.seq, row.actor, row.why, row.dpia, row.body, from_row(row.keep_until))


def _session(row: Row[Any]) -> LogSession:
    return LogSession(row.analysis_id, row.id, row.body, row.sealed)
