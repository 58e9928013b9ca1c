"""The rows in a PostgreSQL database of their own, for homes that several servers share.

A write transaction first takes one advisory lock, so that there is one writer at a time as in SQLite, and whatever is
right there is right here: a count that is read, raised and written back, an id that is given once. A read transaction
sees one moment (REPEATABLE READ) and waits for nobody. A commit that returned is on the server's disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, InterfaceError, OperationalError

from countenance.domain.errors import BadInput, Broken, Busy, CountenanceError, Unavailable

DRIVER = "postgresql+psycopg"
WRITER = 0x636F756E74656E61
"""The advisory lock of whoever writes; such locks are a database's own."""

_LOCK = text("SELECT pg_advisory_xact_lock(:lock)").bindparams(lock=WRITER)
_BUSY = ("55P03", "40P01", "40001", "57014")
"""A lock that was not had in time, a deadlock, transactions that met, a statement that took too long."""

_FULL = ("53100", "53200")
_GONE = ("08", "57P", "53300", "28", "3D000")
_MAY_NOT = ("42501", "25006")


@dataclass(frozen=True, slots=True)
class PostgreSQL:
    """One database of a server. `url` may hold a password and is never shown; `busy_ms` is how long locks are waited
    for."""

    url: URL = field(repr=False)
    busy_ms: int

    @property
    def name(self) -> str:
        """Host and database, without user and password."""
        return shown(self.url)

    def connect(self) -> Engine:
        """An engine whose connections are all prepared the same way. Raises Unavailable without the extra."""
        try:
            import psycopg  # noqa: F401
        except ModuleNotFoundError:
            raise Unavailable(
                "rows in PostgreSQL need a package that is not installed",
                advice="Run: pip install 'countenance[postgres]'",
            ) from None
        given = self.url.query.get("options", ())
        ours = f"-c lock_timeout={self.busy_ms} -c synchronous_commit=on -c client_encoding=UTF8"
        engine = create_engine(
            self.url,
            pool_size=8,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={
                "options": " ".join([*((given,) if isinstance(given, str) else given), ours]),
                "connect_timeout": int(str(self.url.query.get("connect_timeout", 10))),
                "application_name": "countenance",
            },
        )
        event.listen(engine, "connect", _take_any_text)
        return engine

    def admit(self, connection: Connection) -> None:
        """Refuse a new home a database that cannot hold every text. Raises Unavailable."""
        if connection.execute(text("SHOW server_encoding")).scalar() != "UTF8":
            raise Unavailable(
                "the database's encoding is not UTF8",
                advice="make it anew: CREATE DATABASE … ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0",
            )

    def reading(self, engine: Engine) -> Connection:
        """A connection whose transaction sees one moment."""
        return engine.connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @contextmanager
    def writing(self, engine: Engine) -> Iterator[Connection]:
        """A transaction that is the only one that writes."""
        # READ COMMITTED: under REPEATABLE READ what it sees would be from before it had the lock.
        with engine.connect().execution_options(isolation_level="READ COMMITTED") as connection, connection.begin():
            connection.execute(_LOCK)
            yield connection

    def purge(self, engine: Engine) -> tuple[str, ...]:
        """Leave no deleted byte in the server's files. Raises Busy."""
        from countenance.store import vacuum

        return vacuum.purge(engine, self.busy_ms / 1000)

    def shred(self, engine: Engine) -> tuple[str, ...]:
        """The same: PostgreSQL overwrites nothing that is deleted. Raises Busy."""
        return self.purge(engine)

    def cut_journal(self, engine: Engine) -> None:
        """Nothing is left to do after a purge."""

    def log_left(self, engine: Engine, mark: str) -> bool:
        """Whether the server's log reaches back to before a mark of `purge` still."""
        from countenance.store import vacuum

        return vacuum.log_left(engine, mark)

    @contextmanager
    def clear_errors(self) -> Iterator[None]:
        """The driver's errors, in our words; none of them holds a password."""
        try:
            yield
        except (OperationalError, InterfaceError) as error:
            raise self._told(error) from None
        except DatabaseError as error:
            # Its heirs (a broken constraint, say) are faults of the caller, unless the server forbids or lacks a thing.
            state = getattr(error.orig, "sqlstate", None) or ""
            if type(error) is not DatabaseError and not state.startswith(_MAY_NOT):
                raise
            raise self._told(error) from None

    def _told(self, error: DatabaseError | InterfaceError) -> CountenanceError:
        state = getattr(error.orig, "sqlstate", None) or ""
        cause = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else "no answer"
        if state in _BUSY:
            return Busy("the database is locked by another process", advice="wait for it to finish, or stop it")
        if state in _FULL:
            return Unavailable("the disk of the database server is full", advice="free some room, then try again")
        if state.startswith(_MAY_NOT):
            return Unavailable(f"the database server does not allow it: {cause}", advice="docs/postgresql.md says what")
        if not state or state.startswith(_GONE):
            return Unavailable(
                f"the database {self.name} cannot be reached: {cause}",
                advice="see that the server runs, and that database.url and the password are right",
            )
        return Broken(f"the database does not answer: {cause}", advice="run `countenance doctor`")


def _take_any_text(connection: Any, _record: Any) -> None:
    """Pages and lists come from strangers: of all their characters PostgreSQL keeps any but one, which is replaced."""
    from psycopg.types.string import StrDumperUnknown

    class Dumper(StrDumperUnknown):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", "\ufffd") if "\0" in obj else obj)

    connection.adapters.register_dumper(str, Dumper)


def parsed(address: str) -> URL:
    """The address of a database. Raises BadInput, without a word of what was given: it may hold a password."""
    advice = "write it as postgresql+psycopg://USER@HOST/DATABASE"
    try:
        url = make_url(address)
    except ArgumentError:
        raise BadInput("database.url is no address of a database", advice=advice) from None
    if url.drivername not in (DRIVER, "postgresql", "postgres"):
        raise BadInput("database.url names another kind of database than PostgreSQL", advice=advice)
    if not url.database:
        raise BadInput("database.url names no database", advice=advice)
    return url.set(drivername=DRIVER)


def shown(url: URL) -> str:
    """Host, port and database: what may be told of an address."""
    host = url.host or url.query.get("host") or "local"
    where = host if isinstance(host, str) else ",".join(host)
    return f"{where}{f':{url.port}' if url.port else ''}/{url.database}"
