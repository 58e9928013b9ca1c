"""Leaving no deleted byte in the files of a PostgreSQL server, as far as its rights allow.

A deleted row stays in its table's file, in the indexes, in the planner's statistics and in the write-ahead log. In
order: whoever still sees a time before the deletion is waited for; every table is written anew into new files, with its
indexes; the statistics are made and written anew; the log begins a new file, and a checkpoint lets go of the old ones.
What the role may not do, or the server's settings prevent, is said.
"""

from __future__ import annotations

import time

from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from countenance.domain.errors import Busy
from countenance.store.schema import metadata

LOG = "log:"
"""Begins what is still to be waited for: the place in the log (LSN) that has to be passed."""

KEPT = "the database server's write-ahead log keeps what was erased"
_POLL_S = 0.02

_OLDER = text(
    """
    SELECT count(*) FROM (
        SELECT backend_xmin AS seen FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND (datname = current_database() OR datname IS NULL)
        UNION ALL SELECT xmin FROM pg_replication_slots
        UNION ALL SELECT transaction FROM pg_prepared_xacts WHERE database = current_database()
    ) AS others
    WHERE age(seen) > age(CAST(CAST(:mine AS text) AS xid))
    """
)

# A snapshot goes back to the oldest transaction that goes on in any database of the server, so that whoever begins to
# look now may see back to before the deletion while one elsewhere is older than it.
_GOES_ON = text("SELECT pg_snapshot_xmin(pg_current_snapshot()) <= CAST(CAST(:mine AS text) AS xid8)")

_SAMPLED = text(
    """
    SELECT s.tablename AS table, s.attname AS column, format_type(a.atttypid, a.atttypmod) AS type FROM pg_stats AS s
    JOIN pg_class AS t ON t.relname = s.tablename AND t.relnamespace = CAST(current_schema() AS regnamespace)
    JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attname = s.attname
    WHERE s.schemaname = current_schema() AND a.atttypid IN (CAST('text' AS regtype), CAST('bytea' AS regtype))
    """
)


def purge(engine: Engine, wait_s: float) -> tuple[str, ...]:
    """Write everything anew. Returns what is left and where; one that begins with `LOG` goes by itself, and
    `log_left` says when. Raises Busy when somebody looks at an older state for longer than `wait_s` (seconds)."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
        _wait_for_others(c, wait_s)
        _forget_samples(c)
        tables = [f'"{table.name}"' for table in metadata.sorted_tables]
        c.execute(text(f"VACUUM (FULL, ANALYZE) {', '.join(tables)}"))
        left = []
        if not _statistics(c):
            left.append("the planner's statistics of the database: only its owner may have them written anew")
        return (*left, *_log(c))


def log_left(engine: Engine, mark: str) -> bool:
    """Whether the files of the log reach back to before a mark of `purge`."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
        return not _passed(c, mark.removeprefix(LOG))


def _wait_for_others(c: Connection, wait_s: float) -> None:
    """Until nobody sees, or may yet see, a state from before this moment: rows that somebody sees would be written anew
    too."""
    ours = "SELECT CAST(id AS text), CAST(CAST(id AS xid) AS text) FROM (SELECT pg_current_xact_id() AS id) AS one"
    whole, mine = c.execute(text(ours)).one()
    deadline = time.monotonic() + wait_s
    # In this order: who begins to look after the second was answered sees nothing so old.
    while c.execute(_GOES_ON, {"mine": whole}).scalar_one() or c.execute(_OLDER, {"mine": mine}).scalar_one():
        if time.monotonic() >= deadline:
            raise Busy(
                "a transaction that began before the erasure goes on, here or in another database of the server",
                advice="end it (pg_stat_activity shows it), then run any command: it completes the erasure",
            )
        time.sleep(_POLL_S)


def _forget_samples(c: Connection) -> None:
    """Drop the statistics of empty tables: making them anew leaves those as they were, with samples of what was there.

    Whoever declares a column to be of the type that it is of has its statistics dropped, and nothing else.
    """
    held: dict[str, list[str]] = {}
    for row in c.execute(_SAMPLED):
        held.setdefault(row.table, []).append(f'ALTER COLUMN "{row.column}" TYPE {row.type}')
    for table in metadata.sorted_tables:
        if table.name in held and c.execute(select(table).limit(1)).first() is None:
            c.execute(text(f'ALTER TABLE "{table.name}" {", ".join(held[table.name])}'))


def _statistics(c: Connection) -> bool:
    """Write the statistics' own table anew: it holds samples of every column. Returns whether that was allowed."""
    owner = "SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()"
    if not c.execute(text(owner)).scalar_one():
        return False
    c.execute(text("VACUUM (FULL) pg_catalog.pg_statistic"))
    return True


def _log(c: Connection) -> list[str]:
    """Let the log begin anew behind what was erased. Returns what is left of it."""
    here = str(c.execute(text("SELECT pg_current_wal_lsn()")).scalar_one())
    for statement in ("SELECT pg_switch_wal()", "CHECKPOINT"):
        try:
            c.execute(text(statement))
        except (ProgrammingError, OperationalError):
            # The role may not, or the server cannot now: what is left is found out below.
            c.rollback()
    if not _passed(c, here):
        return [LOG + here]
    return hindrances(c)


def _passed(c: Connection, lsn: str) -> bool:
    """Whether the newest checkpoint begins in a later file of the log than the one this place is in."""
    query = "SELECT pg_walfile_name(redo_lsn) > pg_walfile_name(CAST(:lsn AS pg_lsn)) FROM pg_control_checkpoint()"
    return bool(c.execute(text(query), {"lsn": lsn}).scalar_one())


def hindrances(c: Connection) -> list[str]:
    """The settings of the server because of which passed files of the log stay readable."""
    found = []
    if c.execute(text("SHOW wal_recycle")).scalar() == "on":
        found.append(f"{KEPT} in files that are kept for new use (wal_recycle is on) until they are overwritten")
    if c.execute(text("SHOW wal_keep_size")).scalar() not in ("0", "0MB"):
        found.append(f"{KEPT} for standbys (wal_keep_size is not 0)")
    slots = text("SELECT count(*) FROM pg_replication_slots WHERE restart_lsn IS NOT NULL")
    if c.execute(slots).scalar_one():
        found.append(f"{KEPT} until every replication slot has read it")
    return found
