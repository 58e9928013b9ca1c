"""One database, opened, migrated and locked the same way everywhere.

Embedded: SQLite in WAL mode, `synchronous=FULL` (a commit that returned is on the disk), `secure_delete=ON` (what is
deleted is overwritten), foreign keys on. A write transaction begins IMMEDIATE, so two writers queue instead of failing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, select, text, update
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import QueuePool

from countenance.domain.errors import Broken, Busy, NewerHome, Unavailable
from countenance.store import schema

HEAD = "0004"
"""The newest migration. A test compares it with the migrations folder."""

BUSY_MS = 30_000


class Database:
    """The rows of one home."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, path: Path, *, busy_ms: int = BUSY_MS) -> Database:
        """Open or create the SQLite database at `path` and bring it to the newest schema.

        Raises NewerHome when a newer version wrote it, Busy when it stays locked, Broken when it is no database.
        """
        engine = create_engine(
            f"sqlite:///{path}",
            poolclass=QueuePool,
            pool_size=8,
            connect_args={"check_same_thread": False, "timeout": busy_ms / 1000},
        )
        event.listen(engine, "connect", _prepare(busy_ms))
        event.listen(engine, "begin", _begin)
        database = cls(engine)
        try:
            with _clear_errors():
                database._migrate()
        except BaseException:
            engine.dispose()
            raise
        return database

    def _migrate(self) -> None:
        with self.engine.connect() as c:
            known = c.execute(text("SELECT name FROM sqlite_master WHERE name = 'alembic_version'")).scalar()
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
        upgrade.to_head(self.engine)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read transaction: one consistent view."""
        with _clear_errors(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A write transaction, committed at the end of the block, durable when it returns. Raises Busy, Unavailable."""
        with (
            _clear_errors(),
            self.engine.connect().execution_options(immediate=True) as connection,
            connection.begin(),
        ):
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
            return c.execute(select(schema.meta.c.value).where(schema.meta.c.key == key)).scalar()

    def set_meta(self, key: str, value: str) -> None:
        """Write one fact about the home."""
        with self.write() as c:
            put_meta(c, key, value)

    def was_used(self) -> bool:
        """Whether any id was ever given out, or an analysis kept: what a home that was just made has not done."""
        with self.read() as c:
            return any(
                c.execute(select(column).limit(1)).first() is not None
                for column in (schema.counters.c.name, schema.analyses.c.id)
            )

    def purge(self) -> None:
        """Leave nothing deleted behind: rewrite the file and truncate the journal. Slow on a large home."""
        with _clear_errors(), self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
            c.execute(text("VACUUM"))
        self.truncate_journal()

    def truncate_journal(self) -> None:
        """Copy the journal into the database and cut it to nothing.

        Raises Busy when a reader of another process holds it back.
        """
        with _clear_errors(), self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
            blocked, _, _ = c.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).one()
        if blocked:
            raise Busy("the database's journal is in use", advice="stop other searches on this home, then try again")

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def put_meta(connection: Connection, key: str, value: str) -> None:
    """Write one fact about the home inside the caller's transaction."""
    changed = connection.execute(update(schema.meta).where(schema.meta.c.key == key).values(value=value))
    if changed.rowcount == 0:
        connection.execute(insert(schema.meta).values(key=key, value=value))


def _prepare(busy_ms: int) -> Any:
    def prepare(connection: Any, _record: Any) -> None:
        # The driver's own BEGIN comes too late for reads and is never IMMEDIATE: transactions are begun in `_begin`.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={int(busy_ms)}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA temp_store=MEMORY")
        cursor.close()

    return prepare


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("isolation_level") == "AUTOCOMMIT":
        return
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("immediate") else "BEGIN")


@contextmanager
def _clear_errors() -> Iterator[None]:
    """The driver's errors, in our words."""
    try:
        yield
    except OperationalError as error:
        cause = str(error.orig)
        if "locked" in cause or "busy" in cause:
            raise Busy(
                "the database is locked by another process", advice="wait for it to finish, or stop it"
            ) from None
        if "full" in cause:
            raise Unavailable("the disk is full", advice="free some room, then run the command again") from None
        if "readonly" in cause or "unable to open" in cause or "I/O" in cause:
            raise Unavailable(f"the database cannot be written: {cause}", advice="run `countenance doctor`") from None
        raise Broken(f"the database does not answer: {cause}", advice="run `countenance doctor`") from error
    except DatabaseError as error:
        # Only the class itself: its heirs (a broken constraint, say) are faults of the caller.
        if type(error) is not DatabaseError:
            raise
        raise Broken(
            f"the database is damaged: {error.orig}", advice="restore the home from a backup; nothing was changed"
        ) from None
