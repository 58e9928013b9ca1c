"""The rows of a home from one database into another, of the same kind or the other: one schema, two databases.

A backup holds rows as an SQLite file wherever they lived, so that either kind can be restored from it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine, event, func, insert, select, text
from sqlalchemy.pool import StaticPool

from countenance.domain.errors import AlreadyThere
from countenance.store import numbers
from countenance.store.database import HEAD, Database
from countenance.store.schema import meta, metadata

BATCH = 1000
RESTORING = "restoring"
"""Names what a restore has brought into a database and not yet put in its place."""


def copy(source: Connection, target: Connection) -> None:
    """Every row, and how far numbers were given. The target has the tables, and nothing in them."""
    for table in metadata.sorted_tables:
        rows = source.execution_options(yield_per=BATCH).execute(select(table))
        for part in rows.mappings().partitions(BATCH):
            target.execute(insert(table), [dict(row) for row in part])
    numbers.give_no_sighting_below(target, numbers.last_sighting(source))
    if target.dialect.name != "sqlite":
        _raise_sequences(target)


def write_file(source: Connection, file: sqlite3.Connection) -> None:
    """The rows that this connection sees, as an SQLite database at the newest schema."""
    engine = create_engine("sqlite://", creator=lambda: file, poolclass=StaticPool)
    # The driver begins transactions itself; closing this engine does not close the caller's connection.
    event.listen(engine, "connect", lambda connection, _: setattr(connection, "isolation_level", ""))
    with engine.connect() as target, target.begin():
        metadata.create_all(target)
        target.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
        target.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})
        copy(source, target)


@contextmanager
def brought_in(file: Path, database: Database, place: str) -> Iterator[None]:
    """The rows of an SQLite file in a database that holds no home. When the block fails, they are gone again.

    `place` is the folder that the home has meanwhile: one that is opened elsewhere has been put in its place. What a
    restore left that was killed goes first. Raises AlreadyThere when there is a home.
    """
    with database.read() as c:
        used = c.execute(select(func.count()).select_from(meta)).scalar_one()
    if used:
        if database.meta(RESTORING) is None:
            raise AlreadyThere(
                "there is a home in the database already", advice="restore into an empty one: set database.url"
            )
        empty(database)
    source = Database.open(file)
    try:
        with source.read() as from_file, database.write() as c:
            copy(from_file, c)
            c.execute(insert(meta).values(key=RESTORING, value=place))
    finally:
        source.close()
    try:
        yield
        with database.write() as c:
            c.execute(meta.delete().where(meta.c.key == RESTORING))
    except BaseException:
        empty(database)
        raise


def empty(database: Database) -> None:
    """Take every row out."""
    with database.write() as c:
        for table in reversed(metadata.sorted_tables):
            c.execute(table.delete())
    database.shred()


def _raise_sequences(target: Connection) -> None:
    """Rows were brought with their numbers: new ones begin above them."""
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is None or table.name == "sightings":
            continue
        sequence = target.execute(
            text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": table.name, "column": column.name}
        ).scalar()
        most = target.execute(select(func.max(column))).scalar()
        if sequence is not None and most is not None:
            target.execute(
                text("SELECT setval(CAST(:sequence AS regclass), :most)"), {"sequence": sequence, "most": most}
            )
