"""Rows in PostgreSQL: one writer at a time, errors in our words, and nothing left of what was erased."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, insert, select, text

from countenance.domain.errors import AlreadyThere, BadInput, Busy, CountenanceError, NewerHome, Unavailable
from countenance.store import schema
from countenance.store.copying import RESTORING, brought_in, write_file
from countenance.store.database import HEAD, Database, put_meta
from countenance.store.numbers import give_no_sighting_below, last_sighting
from countenance.store.server import look
from countenance.store.vacuum import LOG
from tests import databases

pytestmark = pytest.mark.usefixtures("postgresql")
NEEDLE = "https://example.test/the-address-of-somebody-who-was-erased"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A database without a table."""
    databases.begin_empty(tmp_path)
    yield databases.url(databases.name_of(tmp_path))
    databases.drop(tmp_path)


@pytest.fixture
def database(address: str) -> Iterator[Database]:
    opened = Database.open(address, busy_ms=2_000)
    yield opened
    opened.close()


def everywhere(folder: Path, needle: bytes) -> list[str]:
    """The files of a server's whole data folder, its log too, that hold a needle."""
    databases.ask("CHECKPOINT")
    data = folder / "data"
    return [str(path.relative_to(data)) for path in data.rglob("*") if path.is_file() and needle in path.read_bytes()]


def fill(database: Database) -> None:
    """A table of which the needle is in rows, an index, the planner's statistics and the log."""
    with database.write() as c:
        c.execute(insert(schema.meta), [{"key": f"{NEEDLE}/{n % 190}/{n}", "value": NEEDLE} for n in range(400)])
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
        c.execute(text("ANALYZE meta"))


def take_out(database: Database) -> None:
    with database.write() as c:
        c.execute(schema.meta.delete())


def test_the_migrations_make_the_schema(database: Database) -> None:
    with database.engine.connect() as c:
        context = MigrationContext.configure(c)
        assert context.get_current_revision() == HEAD
        assert compare_metadata(context, schema.metadata) == []


def test_a_second_writer_waits_and_then_is_busy_and_reading_goes_on(address: str, database: Database) -> None:
    other = Database.open(address, busy_ms=100)
    with database.write() as c:
        put_meta(c, "a", "1")
        with pytest.raises(Busy):
            other.set_meta("b", "2")
        assert other.meta("a") is None
    other.set_meta("b", "2")
    assert database.meta("b") == "2"
    other.close()


def test_a_read_sees_one_moment_and_cannot_write(database: Database) -> None:
    database.set_meta("a", "old")
    query = select(schema.meta.c.value).where(schema.meta.c.key == "a")
    with database.read() as c:
        assert c.execute(query).scalar() == "old"
        database.set_meta("a", "new")
        assert c.execute(query).scalar() == "old"
    with pytest.raises(Unavailable, match="read-only"), database.read() as c:
        put_meta(c, "a", "newest")
    assert database.meta("a") == "new"


def test_writers_of_several_threads_queue(address: str) -> None:
    database = Database.open(address)
    taken: list[int] = []

    def take() -> None:
        for _ in range(20):
            taken.extend(database.reserve("face", 3))

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(1, 361))
    database.close()


CHILD = """
import os, sys
from countenance.store.database import Database, put_meta
database = Database.open(sys.argv[1])
list(database.reserve("x", 1))
if sys.argv[2] == "die":
    with database.write() as c:
        put_meta(c, "half", "not committed")
        os._exit(9)
"""


def test_several_processes_may_create_it_at_once_and_a_killed_writer_holds_nobody_up(address: str) -> None:
    words = [sys.executable, "-c", CHILD, address]
    children = [subprocess.Popen([*words, how], stderr=subprocess.PIPE) for how in ("live", "die", "live", "die")]
    assert [(child.communicate(timeout=60)[1], child.returncode) for child in children] == [(b"", 0), (b"", 9)] * 2
    database = Database.open(address)
    assert list(database.reserve("x", 1)) == [5]
    assert database.meta("half") is None
    database.close()


def test_a_fact_that_is_written_once_stays(database: Database) -> None:
    database.set_meta("home_id", "a", once=True)
    with pytest.raises(AlreadyThere):
        database.set_meta("home_id", "b", once=True)
    assert database.meta("home_id") == "a"


def test_a_home_from_a_newer_version_is_refused(address: str, database: Database) -> None:
    with database.write() as c:
        c.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerHome, match="9999"):
        Database.open(address)


def test_an_encoding_that_cannot_hold_every_text_is_refused_before_a_table_is_made(postgresql: Path) -> None:
    databases.ask("CREATE DATABASE narrow TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    with pytest.raises(Unavailable, match="UTF8"):
        Database.open(databases.url("narrow"))
    assert databases.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", "narrow") == [(0,)]


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        ("postgresql+psycopg://u:s3cr3t@127.0.0.1:9/x", Unavailable),
        ("postgresql+psycopg://u:s3cr3t@/nothing-there?host={server}", Unavailable),
        ("postgresql+psycopg://nobody:s3cr3t@/home?host={server}", Unavailable),
        ("mysql://u:s3cr3t@host/x", BadInput),
        ("postgresql+psycopg://u:s3cr3t@host", BadInput),
        ("s3cr3t", BadInput),
    ],
)
def test_what_cannot_be_opened_is_said_without_the_password(
    postgresql: Path, made: str, kind: type[CountenanceError]
) -> None:
    with pytest.raises(kind) as caught:
        Database.open(made.format(server=postgresql))
    assert caught.value.advice
    told = f"{caught.value.message} {caught.value.advice} {caught.value!r} {caught.value.__cause__!r}"
    assert "s3cr3t" not in told


def test_without_the_extra_it_is_said(address: str) -> None:
    code = "import sys; sys.modules['psycopg'] = None\nfrom countenance.store.database import Database\n"
    code += "Database.open(sys.argv[1])"
    run = subprocess.run([sys.executable, "-c", code, address], capture_output=True, text=True, check=False)
    assert "need a package that is not installed" in run.stderr


def test_text_that_postgresql_cannot_hold_is_kept_but_for_that_character(database: Database) -> None:
    database.set_meta("title\0", "a\0b")
    assert database.meta("title\0") == "a\ufffdb"


def test_a_purge_leaves_no_byte_in_any_file_of_the_server(postgresql: Path, address: str) -> None:
    database = Database.open(address)
    fill(database)
    found = everywhere(postgresql, NEEDLE.encode())
    assert any(name.startswith("pg_wal/") for name in found)
    assert len([name for name in found if name.startswith("base/")]) >= 3, "the table, its index, the statistics"
    take_out(database)
    assert everywhere(postgresql, NEEDLE.encode()), "deleting alone removes nothing"
    assert database.purge() == ()
    assert everywhere(postgresql, NEEDLE.encode()) == []
    database.close()


def test_a_purge_waits_for_whoever_sees_what_was_deleted(address: str, database: Database) -> None:
    fill(database)
    other = Database.open(address)
    with other.read() as c:
        assert c.execute(text("SELECT 1")).scalar() == 1  # another table's reader sees the same old moment
        take_out(database)
        with pytest.raises(Busy, match="began before"):
            database.purge()
    assert database.purge() == ()
    other.close()


def test_a_purge_waits_for_whoever_writes_in_another_database_of_the_server(address: str, database: Database) -> None:
    fill(database)
    elsewhere, reader = create_engine(databases.url("home")), Database.open(address)
    with elsewhere.connect() as writing:
        writing.execute(text("SELECT pg_current_xact_id()"))  # older than the deletion, and goes on
        take_out(database)
        # Whoever looks now goes back to before the deletion, because of it, although it is in another database.
        with reader.read() as c:
            c.execute(text("SELECT 1"))
        with pytest.raises(Busy, match="began before"):
            database.purge()
    assert database.purge() == ()
    elsewhere.dispose()
    reader.close()


def test_what_the_role_may_not_do_is_told_and_goes_by_itself(postgresql: Path, address: str) -> None:
    for statement in (
        "CREATE ROLE clerk LOGIN",
        f"GRANT ALL ON DATABASE {address.partition('@/')[2].partition('?')[0]} TO clerk",
    ):
        databases.ask(statement, user="postgres")
    databases.ask("GRANT ALL ON SCHEMA public TO clerk", address.partition("@/")[2].partition("?")[0])
    database = Database.open(address.replace("countenance@", "clerk@"))
    fill(database)
    take_out(database)
    left = database.purge()
    assert any("statistics" in place for place in left)
    (mark,) = [place for place in left if place.startswith(LOG)]
    assert database.log_left(mark)
    databases.ask("SELECT pg_switch_wal()", user="postgres")
    databases.ask("CHECKPOINT")
    assert not database.log_left(mark)
    assert [what for what, _ in look(address.replace("countenance@", "clerk@")).advice if "role" in what]
    database.close()


@pytest.mark.parametrize(
    ("setting", "words"), [("wal_recycle = on", "wal_recycle"), ("wal_keep_size = 64", "wal_keep_size")]
)
def test_a_server_that_keeps_its_log_is_told(postgresql: Path, database: Database, setting: str, words: str) -> None:
    name = setting.partition(" ")[0]
    # What is given at the start wins over the file, so the file cannot be asked to: of this database it can.
    databases.ask(f"ALTER SYSTEM SET {setting}", user="postgres")
    databases.ask("SELECT pg_reload_conf()", user="postgres")
    try:
        if name == "wal_keep_size":
            assert any(words in place for place in database.purge())
        assert not [what for what, _ in look(databases.url("home")).advice if "role" in what]
    finally:
        databases.ask(f"ALTER SYSTEM RESET {name}", user="postgres")
        databases.ask("SELECT pg_reload_conf()", user="postgres")


def test_a_replication_slot_is_told(database: Database) -> None:
    databases.ask("SELECT pg_create_physical_replication_slot('standby', true)", user="postgres")
    try:
        assert any("replication slot" in place for place in database.purge())
    finally:
        databases.ask("SELECT pg_drop_replication_slot('standby')", user="postgres")


def test_rows_go_to_a_file_and_back_with_their_numbers(database: Database, tmp_path: Path) -> None:
    import sqlite3

    database.set_meta("home_id", "a")
    with database.write() as c:
        c.execute(insert(schema.collections), [{"name": "one"}, {"name": "two"}])
        c.execute(insert(schema.tokens).values(id="t", name="é\n", secret=b"\0\xff", scopes=["search"], created_at=1))
        give_no_sighting_below(c, 77)
    file = sqlite3.connect(tmp_path / "rows.db")
    with database.read() as c:
        write_file(c, file)
    file.close()
    copy = Database.open(tmp_path / "rows.db")
    with copy.read() as c:
        assert last_sighting(c) == 77
        assert c.execute(select(schema.tokens.c.secret, schema.tokens.c.scopes)).one() == (b"\0\xff", ["search"])
    copy.close()
    home = tmp_path / "home"
    databases.begin_empty(home)
    back = Database.open(databases.url(databases.name_of(home)))
    with brought_in(tmp_path / "rows.db", back, str(home)):
        assert back.meta(RESTORING) == str(home)
    with back.write() as c:
        assert last_sighting(c) == 77
        c.execute(insert(schema.collections).values(name="three"))
        assert list(c.execute(select(schema.collections.c.id).order_by(schema.collections.c.id)).scalars()) == [1, 2, 3]
    with pytest.raises(AlreadyThere), brought_in(tmp_path / "rows.db", back, str(home)):
        raise AssertionError("another home's rows are replaced by none")
    back.close()
    databases.drop(home)


def test_what_a_restore_brought_goes_when_it_fails(database: Database, tmp_path: Path) -> None:
    source = Database.open(tmp_path / "rows.db")
    source.set_meta("a", NEEDLE)
    source.close()

    def fail() -> None:
        with brought_in(tmp_path / "rows.db", database, "place"):
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        fail()
    with database.read() as c:
        assert c.execute(select(schema.meta)).all() == []
    # As a killed one leaves it: the next one begins anew.
    database.set_meta(RESTORING, "place")
    database.set_meta("b", "left behind")
    with brought_in(tmp_path / "rows.db", database, "place"):
        assert (database.meta("a"), database.meta("b")) == (NEEDLE, None)
