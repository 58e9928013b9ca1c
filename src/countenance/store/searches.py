"""Rows of searches: what was asked, what was shown, and the handle that opens it for a while."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, null, select, update

from countenance.store.moments import from_row, to_row
from countenance.store.schema import candidates, searches

# Made once, as every search asks them.
_BEGIN = insert(searches)
_SHOWN = update(searches).where(searches.c.id == bindparam("search"))
_CANDIDATES = insert(candidates)


def begin(
    connection: Connection, id: str, *, authority: str, actor: str, probe: Any, at: datetime, keep_until: datetime
) -> None:
    """Record a search whose use is reserved. `probe` is the sealed, rotated template."""
    connection.execute(
        _BEGIN,
        {
            "id": id,
            "authority_id": authority,
            "actor": actor,
            "started_at": to_row(at),
            "state": "started",
            "probe": probe,
            "keep_until": to_row(keep_until),
        },
    )


def count_under(connection: Connection, authorities: Iterable[str]) -> int:
    """How many searches were begun under these authorities, of those that are kept."""
    query = select(func.count()).where(searches.c.authority_id.in_(list(authorities)))
    return int(connection.execute(query).scalar_one())


def started(connection: Connection, id: str, *, seq: int) -> None:
    """Name the ledger entry that says the search began."""
    connection.execute(update(searches).where(searches.c.id == id).values(started_seq=seq))


def unentered(connection: Connection, *, before: datetime) -> list[Row[Any]]:
    """Searches begun before a moment that showed nothing, and whose first entry is not looked up yet."""
    query = select(searches).where(
        searches.c.state == "started", searches.c.started_seq.is_(None), searches.c.started_at < to_row(before)
    )
    return list(connection.execute(query.order_by(searches.c.started_at)))


def shown(
    connection: Connection,
    id: str,
    *,
    started_seq: int,
    seq: int,
    result: dict[str, Any],
    handle: str,
    handle_until: datetime,
    rows: Iterable[dict[str, Any]],
) -> None:
    """Record what is about to be shown, and the entries that say so; `rows` have sighting_id, rank and likeness."""
    connection.execute(
        _SHOWN,
        {
            "search": id,
            "state": "shown",
            "started_seq": started_seq,
            "result_seq": seq,
            "result": result,
            "handle": digest(handle),
            "handle_until": to_row(handle_until),
        },
    )
    values = [{"search_id": id} | row for row in rows]
    if values:
        connection.execute(_CANDIDATES, values)


def by_handle(connection: Connection, id: str, handle: str, *, now: datetime) -> Row[Any] | None:
    """The search that this handle opens now, or None."""
    return connection.execute(
        select(searches).where(
            searches.c.id == id,
            searches.c.handle == digest(handle),
            searches.c.handle_until > to_row(now),
            searches.c.state == "shown",
        )
    ).first()


def candidates_of(connection: Connection, id: str) -> list[Row[Any]]:
    """What a search showed, best first."""
    return list(
        connection.execute(
            select(candidates)
            .where(candidates.c.search_id == id)
            .order_by(candidates.c.rank, candidates.c.likeness.desc(), candidates.c.sighting_id)
        )
    )


def probes_over(connection: Connection, *, before: datetime) -> list[tuple[str, datetime]]:
    """The searches whose probes' time ends up to a moment, and when."""
    query = select(searches.c.id, searches.c.keep_until)
    query = query.where(searches.c.keep_until <= to_row(before), searches.c.probe.is_not(None))
    return [(row.id, from_row(row.keep_until)) for row in connection.execute(query.order_by(searches.c.id))]


def probes_kept(connection: Connection) -> list[tuple[str, str, datetime]]:
    """(search, its authority, until when) of every probe that is there."""
    query = select(searches.c.id, searches.c.authority_id, searches.c.keep_until).where(searches.c.probe.is_not(None))
    return [(row.id, row.authority_id, from_row(row.keep_until)) for row in connection.execute(query)]


def results_over(connection: Connection, *, before: datetime) -> list[tuple[str, datetime]]:
    """The searches whose handles expire up to a moment, and when."""
    query = select(searches.c.id, searches.c.handle_until).where(searches.c.handle_until <= to_row(before))
    return [(row.id, from_row(row.handle_until)) for row in connection.execute(query.order_by(searches.c.id))]


def keep_until(connection: Connection, ids: Iterable[str]) -> dict[str, datetime]:
    """Until when the probes of these searches are kept, and what was noted of them."""
    found: dict[str, datetime] = {}
    wanted = list(ids)
    for start in range(0, len(wanted), 500):
        query = select(searches.c.id, searches.c.keep_until).where(searches.c.id.in_(wanted[start : start + 500]))
        found.update((row.id, from_row(row.keep_until)) for row in connection.execute(query))
    return found


def forget_probes(connection: Connection, ids: Iterable[str]) -> None:
    """Drop the probes of these searches."""
    for id in ids:
        connection.execute(update(searches).where(searches.c.id == id).values(probe=null()))


def forget_results(connection: Connection, ids: Iterable[str]) -> int:
    """Drop what these searches showed. Returns how many candidates there were."""
    gone = 0
    for id in ids:
        gone += connection.execute(delete(candidates).where(candidates.c.search_id == id)).rowcount
        connection.execute(
            update(searches).where(searches.c.id == id).values(handle=None, handle_until=None, result=null())
        )
    return gone


def close(connection: Connection, ids: Iterable[str]) -> None:
    """Let nobody open these any more; what they showed stays."""
    for id in ids:
        connection.execute(update(searches).where(searches.c.id == id).values(handle=None, handle_until=None))


def get(connection: Connection, id: str) -> Row[Any]:
    """One search. Raises NoResultFound."""
    return connection.execute(select(searches).where(searches.c.id == id)).one()


def under(connection: Connection, authority: str) -> list[str]:
    """The searches made under an authority, oldest first."""
    query = select(searches.c.id).where(searches.c.authority_id == authority)
    return list(connection.execute(query.order_by(searches.c.started_at, searches.c.id)).scalars())


def result_entries(connection: Connection, ids: Iterable[str]) -> list[int]:
    """The entries that say what these searches showed."""
    wanted = list(ids)
    found: list[int] = []
    for start in range(0, len(wanted), 500):
        query = select(searches.c.result_seq).where(searches.c.id.in_(wanted[start : start + 500]))
        found.extend(connection.execute(query.where(searches.c.result_seq.is_not(None))).scalars())
    return sorted(found)


def with_results(connection: Connection, authority: str) -> list[str]:
    """Those of them of which a probe, a result or a candidate is kept still."""
    kept = searches.c.probe.is_not(None) | searches.c.result.is_not(None) | searches.c.handle.is_not(None)
    shown = select(candidates.c.search_id).where(candidates.c.search_id == searches.c.id).exists()
    query = select(searches.c.id).where(searches.c.authority_id == authority, kept | shown)
    return list(connection.execute(query.order_by(searches.c.id)).scalars())


def delete_results(connection: Connection, ids: Iterable[str]) -> None:
    """Delete what these searches found and what they looked for."""
    for id in ids:
        connection.execute(delete(candidates).where(candidates.c.search_id == id))
        connection.execute(
            update(searches)
            .where(searches.c.id == id)
            .values(probe=null(), result=null(), handle=None, handle_until=None)
        )


def digest(handle: str) -> bytes:
    """What a row keeps of a handle."""
    return hashlib.sha256(handle.encode()).digest()
