"""Rows of registered sources and the collections they belong to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select

from countenance.domain.errors import AlreadyThere, UnknownThing
from countenance.domain.sources import Source
from countenance.store.moments import from_row, to_row
from countenance.store.schema import collection_sources, collections, sources

_SELECT = (
    select(sources, collections.c.name.label("collection"))
    .join(collection_sources, collection_sources.c.source_id == sources.c.id)
    .join(collections, collections.c.id == collection_sources.c.collection_id)
)

# Made once, as every search asks them.
_IN = _SELECT.where(
    collections.c.name.in_(bindparam("names", expanding=True)), sources.c.expires_at > bindparam("live_at")
).order_by(sources.c.id)
_NAMED = select(collections.c.name).where(collections.c.name.in_(bindparam("names", expanding=True)))
_REGISTERED = select(sources.c.registered_seq).where(sources.c.id == bindparam("source"))


def _source(row: Row[Any]) -> Source:
    return Source(
        id=row.id,
        name=row.name,
        kind=row.kind,
        location=row.location,
        owner=row.owner,
        basis=row.basis,
        basis_document=row.basis_document,
        purpose=row.purpose,
        note=row.note,
        retain_days=row.retain_days,
        registered_at=from_row(row.registered_at),
        expires_at=from_row(row.expires_at),
        collection=row.collection,
        keep_originals=row.keep_originals,
        allow_private=tuple(row.allow_private),
    )


def add(connection: Connection, source: Source, *, registered_seq: int) -> None:
    """Write a source and put it into its collection, which is made when it is new. Raises AlreadyThere."""
    if connection.execute(select(sources.c.id).where(sources.c.name == source.name)).first():
        raise AlreadyThere(f"there is a source called {source.name} already", advice="choose another name")
    connection.execute(
        insert(sources).values(
            id=source.id,
            name=source.name,
            kind=source.kind,
            location=source.location,
            owner=source.owner,
            basis=source.basis,
            basis_document=source.basis_document,
            purpose=source.purpose,
            note=source.note,
            retain_days=source.retain_days,
            registered_at=to_row(source.registered_at),
            expires_at=to_row(source.expires_at),
            keep_originals=source.keep_originals,
            allow_private=list(source.allow_private),
            registered_seq=registered_seq,
        )
    )
    found = connection.execute(select(collections.c.id).where(collections.c.name == source.collection)).scalar()
    if found is None:
        connection.execute(insert(collections).values(name=source.collection))
        found = connection.execute(select(collections.c.id).where(collections.c.name == source.collection)).scalar_one()
    connection.execute(insert(collection_sources).values(collection_id=found, source_id=source.id))


def get(connection: Connection, name: str) -> Source:
    """One source by name. Raises UnknownThing."""
    row = connection.execute(_SELECT.where(sources.c.name == name)).first()
    if row is None:
        raise UnknownThing(f"there is no source called {name}", advice="`countenance source list` shows them")
    return _source(row)


def exists(connection: Connection, name: str) -> bool:
    """Whether the name is taken."""
    return connection.execute(select(sources.c.id).where(sources.c.name == name)).first() is not None


def there(connection: Connection, ids: Iterable[int]) -> list[int]:
    """Those of these ids that are sources still."""
    return sorted(connection.execute(select(sources.c.id).where(sources.c.id.in_(list(ids)))).scalars())


def registered_seq(connection: Connection, source_id: int) -> int:
    """The ledger entry that registered it."""
    return int(connection.execute(_REGISTERED, {"source": source_id}).scalar_one())


def every(connection: Connection) -> list[Source]:
    """All of them, by name."""
    return [_source(row) for row in connection.execute(_SELECT.order_by(sources.c.name))]


def in_collections(connection: Connection, names: Iterable[str], *, live_at: datetime) -> list[Source]:
    """The unexpired sources of these collections. Raises UnknownThing for a collection that is not there."""
    wanted = list(names)
    known = those_there(connection, wanted)
    for name in wanted:
        if name not in known:
            raise UnknownThing(
                f"there is no collection called {name}",
                advice="every source is in the collection of its own name unless it was added with --collection",
            )
    rows = connection.execute(_IN, {"names": wanted, "live_at": to_row(live_at)})
    return [_source(row) for row in rows]


def those_there(connection: Connection, names: Iterable[str]) -> list[str]:
    """Those of these collections that are there, in the order given."""
    wanted = list(names)
    known = set(connection.execute(_NAMED, {"names": wanted}).scalars())
    return [name for name in wanted if name in known]


def collection_names(connection: Connection) -> dict[str, list[str]]:
    """Every collection with the names of its sources."""
    found: dict[str, list[str]] = {}
    for source in every(connection):
        found.setdefault(source.collection, []).append(source.name)
    return dict(sorted(found.items()))


def remove(connection: Connection, source_ids: Iterable[int]) -> None:
    """Delete sources (rows that hang on them go too) and the collections that are left empty."""
    connection.execute(delete(sources).where(sources.c.id.in_(list(source_ids))))
    connection.execute(delete(collections).where(collections.c.id.not_in(select(collection_sources.c.collection_id))))
