"""The rows in the home itself: SQLite.

WAL mode, `synchronous=FULL` (a commit that returned is on the disk), `secure_delete=ON` (what is deleted is
overwritten), foreign keys on. A write transaction begins IMMEDIATE, so two writers queue instead of failing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import QueuePool

from countenance.domain.errors import Broken, Busy, Unavailable


@dataclass(frozen=True, slots=True)
class Sqlite:
    """One file."""

    path: Path
    busy_ms: int

    def connect(self) -> Engine:
        """An engine whose connections are all prepared the same way."""
        engine = create_engine(
            f"sqlite:///{self.path}",
            poolclass=QueuePool,
            pool_size=8,
            # What a statement was given may be personal; an error, which a log may hold, says the statement alone.
            hide_parameters=True,
            connect_args={"check_same_thread": False, "timeout": self.busy_ms / 1000},
        )
        event.listen(engine, "connect", _prepare(self.busy_ms))
        event.listen(engine, "begin", _begin)
        return engine

    def admit(self, connection: Connection) -> None:
        """Any file will do."""

    def reading(self, engine: Engine) -> Connection:
        """A connection whose transaction sees one moment."""
        return engine.connect()

    @contextmanager
    def writing(self, engine: Engine) -> Iterator[Connection]:
        """A transaction that is the only one that writes."""
        with engine.connect().execution_options(immediate=True) as connection, connection.begin():
            yield connection

    def purge(self, engine: Engine) -> tuple[str, ...]:
        """Rewrite the file and cut the journal. Raises Busy."""
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
            c.execute(text("VACUUM"))
        self.cut_journal(engine)
        return ()

    def shred(self, engine: Engine) -> tuple[str, ...]:
        """What was deleted is overwritten already; the journal is cut. Raises Busy."""
        self.cut_journal(engine)
        return ()

    def cut_journal(self, engine: Engine) -> None:
        """Copy the journal into the file and cut it to nothing. Raises Busy while another process reads from it."""
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
            blocked, _, _ = c.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).one()
        if blocked:
            raise Busy(
                "the database's journal is in use by another process",
                advice="stop other searches on this home, then try again",
            )

    def log_left(self, engine: Engine, mark: str) -> bool:
        """There is no log but the journal."""
        return False

    @contextmanager
    def clear_errors(self) -> Iterator[None]:
        """The driver's errors, in our words."""
        try:
            yield
        except OperationalError as error:
            raise _told(str(error.orig)) from None
        except DatabaseError as error:
            # Only the class itself: its heirs (a broken constraint, say) are faults of the caller.
            if type(error) is not DatabaseError:
                raise
            raise Broken(
                f"the database is damaged: {error.orig}", advice="restore the home from a backup; nothing was changed"
            ) from None


def _told(cause: str) -> Exception:
    if "locked" in cause or "busy" in cause:
        return Busy("the database is locked by another process", advice="wait for it to finish, or stop it")
    if "full" in cause:
        return Unavailable("the disk is full", advice="free some room, then run the command again")
    if "readonly" in cause or "unable to open" in cause or "I/O" in cause:
        return Unavailable(f"the database cannot be written: {cause}", advice="run `countenance doctor`")
    return Broken(f"the database does not answer: {cause}", advice="run `countenance doctor`")


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
    # Past SQLAlchemy, which takes longer to pass the word on than SQLite to act on it.
    driver = connection.connection.driver_connection
    assert driver is not None
    try:
        driver.execute("BEGIN IMMEDIATE" if options.get("immediate") else "BEGIN")
    except sqlite3.OperationalError as error:
        raise _told(str(error)) from None
