"""One database, opened, migrated and locked the same way everywhere.

SQLite in the home (`sqlite.py`), or a PostgreSQL database that servers share (`postgresql.py`). In both, one writes at
a time, whoever reads sees one moment, and a commit that returned is on the disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, bindparam, insert, inspect, select, text, update

from countenance.domain.errors import AlreadyThere, NewerHome
from countenance.store import schema
from countenance.store.postgresql import PostgreSQL, parsed
from countenance.store.sqlite import Sqlite

HEAD = "0004"
"""The newest migration. A test compares it with the migrations folder."""

BUSY_MS = 30_000

Place = Path | str
"""Where rows are: the file of an SQLite database, or the address of a PostgreSQL one (which may hold a password)."""

_META = select(schema.meta.c.value).where(schema.meta.c.key == bindparam("fact"))  # made once: every search asks it


class Kind(Protocol):
    """What is done otherwise in SQLite and in PostgreSQL."""

    def connect(self) -> Engine: ...

    def admit(self, connection: Connection) -> None: ...

    def reading(self, engine: Engine) -> Connection: ...

    def writing(self, engine: Engine) -> AbstractContextManager[Connection]: ...

    def purge(self, engine: Engine) -> tuple[str, ...]: ...

    def shred(self, engine: Engine) -> tuple[str, ...]: ...

    def cut_journal(self, engine: Engine) -> None: ...

    def log_left(self, engine: Engine, mark: str) -> bool: ...

    def clear_errors(self) -> AbstractContextManager[None]: ...


class Database:
    """The rows of one home."""

    def __init__(self, kind: Kind, engine: Engine) -> None:
        self._kind = kind
        self.engine = engine

    @classmethod
    def open(cls, place: Place, *, busy_ms: int = BUSY_MS) -> Database:
        """Open or create the database at `place` and bring it to the newest schema.

        Raises NewerHome when a newer version wrote it, Busy when it stays locked, Broken when it is no database,
        BadInput for an address that is none, Unavailable when its server does not answer.
        """
        kind: Kind = Sqlite(place, busy_ms) if isinstance(place, Path) else PostgreSQL(parsed(place), busy_ms)
        engine = kind.connect()
        database = cls(kind, engine)
        try:
            with kind.clear_errors():
                database._migrate()
        except BaseException:
            engine.dispose()
            raise
        return database

    def _migrate(self) -> None:
        with self.engine.connect() as c:
            known = inspect(c).has_table("alembic_version")
            found = c.execute(text("SELECT version_num FROM alembic_version")).scalar() if known else None
        if found == HEAD:
            return
        # Alembic is slow to import, and a home that is up to date never needs it.
        from countenance.store.migrations import upgrade

        if found is not None and not upgrade.knows(found):
            raise NewerHome(
                f"this home was written by a newer version (its schema is {found}, this one knows {HEAD})",
                advice="upgrade countenance, or use the version that wrote it; nothing was changed",
            )
        with self._kind.writing(self.engine) as c:
            if found is None:
                self._kind.admit(c)
            upgrade.to_head(c)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read transaction: one consistent view."""
        with self._kind.clear_errors(), self._kind.reading(self.engine) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A write transaction, committed at the end of the block, durable when it returns. Raises Busy, Unavailable."""
        with self._kind.clear_errors(), self._kind.writing(self.engine) as connection:
            yield connection

    def reserve(self, name: str, count: int) -> range:
        """Reserve `count` ids that nobody else gets and that are never given again."""
        with self.write() as c:
            row = c.execute(select(schema.counters.c.next).where(schema.counters.c.name == name)).scalar()
            if row is None:
                row = 1
                c.execute(insert(schema.counters).values(name=name, next=1 + count))
            else:
                c.execute(update(schema.counters).where(schema.counters.c.name == name).values(next=row + count))
        return range(row, row + count)

    def meta(self, key: str) -> str | None:
        """One fact about the home."""
        with self.read() as c:
            return c.execute(_META, {"fact": key}).scalar()

    def set_meta(self, key: str, value: str, *, once: bool = False) -> None:
        """Write one fact about the home; with `once`, one that nobody has written yet. Raises AlreadyThere."""
        with self.write() as c:
            if once and c.execute(select(schema.meta.c.key).where(schema.meta.c.key == key)).first():
                raise AlreadyThere(f"another process has just written {key}", advice="look again")
            put_meta(c, key, value)

    def was_used(self) -> bool:
        """Whether any id was ever given out, or an analysis kept: what a home that was just made has not done."""
        with self.read() as c:
            return any(
                c.execute(select(column).limit(1)).first() is not None
                for column in (schema.counters.c.name, schema.analyses.c.id)
            )

    def purge(self) -> tuple[str, ...]:
        """Leave nothing deleted behind: write everything anew. Slow on a large home.

        Returns what is left and where (PostgreSQL alone; see `store.vacuum`). Raises Busy while somebody's reading
        holds it back.
        """
        with self._kind.clear_errors():
            return self._kind.purge(self.engine)

    def shred(self) -> tuple[str, ...]:
        """Leave nothing behind of what was just deleted, as cheaply as this database can. As `purge` otherwise."""
        with self._kind.clear_errors():
            return self._kind.shred(self.engine)

    def truncate_journal(self) -> None:
        """Copy SQLite's journal into the database and cut it to nothing.

        Raises Busy when a reader of another process holds it back.
        """
        with self._kind.clear_errors():
            self._kind.cut_journal(self.engine)

    def log_left(self, mark: str) -> bool:
        """Whether PostgreSQL's log still reaches back to before a mark that `purge` returned."""
        with self._kind.clear_errors():
            return self._kind.log_left(self.engine, mark)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def put_meta(connection: Connection, key: str, value: str) -> None:
    """Write one fact about the home inside the caller's transaction."""
    changed = connection.execute(update(schema.meta).where(schema.meta.c.key == key).values(value=value))
    if changed.rowcount == 0:
        connection.execute(insert(schema.meta).values(key=key, value=value))
