"""What a PostgreSQL server says of itself, as far as the home's promises hang on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import text

from countenance.store.postgresql import PostgreSQL, parsed
from countenance.store.vacuum import hindrances

LOOK_MS = 5_000


@dataclass(frozen=True, slots=True)
class Server:
    """`where` is host and database, never user or password. `risks` are settings that break a promise, `advice` what
    could be better, each with how to mend it."""

    where: str
    version: str
    risks: tuple[tuple[str, str], ...]
    advice: tuple[tuple[str, str], ...]


def look(address: str) -> Server:
    """Ask a server, and change nothing there. Raises BadInput, Unavailable."""
    kind = PostgreSQL(parsed(address), LOOK_MS)
    engine = kind.connect()
    try:
        with kind.clear_errors(), engine.connect() as c:

            def ask(query: str) -> str:
                return str(c.execute(text(query)).scalar())

            risks, advice = [], []
            for setting in ("fsync", "full_page_writes"):
                if ask(f"SHOW {setting}") == "off":
                    what = f"{setting} is off on the database server: after a power cut, acknowledged rows may be gone"
                    risks.append((what, f"set {setting} = on in postgresql.conf"))
            if ask("SHOW server_encoding") != "UTF8":
                risks.append(("the database's encoding is not UTF8", "make it anew with ENCODING 'UTF8'"))
            for what in hindrances(c):
                advice.append((what, "docs/postgresql.md says how to end it"))
            if ask("SHOW archive_mode") != "off":
                what = "the database server archives its log, and what is erased stays in the archive"
                advice.append((what, "keep the archive no longer than you must, as docs/postgresql.md says"))
            if ask("SELECT has_function_privilege('pg_switch_wal()', 'EXECUTE')") != "True" or not _may_checkpoint(ask):
                what = "the role may not let the server's log begin anew, so erasures stay pending for a while"
                advice.append((what, "grant it pg_checkpoint and pg_switch_wal, as docs/postgresql.md says"))
            owner = "SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()"
            if ask(owner) != "True":
                what = "the role does not own the database, so erasures leave samples in the planner's statistics"
                advice.append((what, "ALTER DATABASE … OWNER TO …"))
            collation = ask("SELECT datcollate FROM pg_database WHERE datname = current_database()")
            if collation not in ("C", "POSIX", "C.UTF-8", "C.utf8"):
                what = f"the database sorts by {collation}, whose order may change with the server's system"
                advice.append((what, "make it with LOCALE 'C', or rebuild its indexes after each such upgrade"))
            far = "SELECT NOT ssl AND inet_server_addr() IS NOT NULL AND NOT inet_server_addr() << inet '127.0.0.0/8' "
            far += "AND inet_server_addr() <> inet '::1' FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            if ask(far) == "True":
                what = "rows travel to the database server without encryption"
                risks.append((what, "add ?sslmode=verify-full to database.url"))
            return Server(kind.name, ask("SHOW server_version"), tuple(risks), tuple(advice))
    finally:
        engine.dispose()


def _may_checkpoint(ask: Callable[[str], str]) -> bool:
    if ask("SHOW is_superuser") == "on":
        return True
    there = ask("SELECT count(*) FROM pg_roles WHERE rolname = 'pg_checkpoint'")
    return there == "1" and ask("SELECT pg_has_role('pg_checkpoint', 'USAGE')") == "True"
