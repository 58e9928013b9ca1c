"""The database that everything else rests on: durable, alone when it writes, and without remains."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError

from countenance.domain.errors import Broken, Busy, NewerHome, Unavailable
from countenance.store import schema
from countenance.store.database import HEAD, Database, put_meta
from countenance.store.migrations import upgrade


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "countenance.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    opened = Database.open(path, busy_ms=200)
    yield opened
    opened.close()


def test_head_is_the_newest_migration_and_the_migrations_make_the_schema(database: Database) -> None:
    scripts = ScriptDirectory(str(Path(upgrade.__file__).parent))
    assert scripts.get_heads() == [HEAD]
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert context.get_current_revision() == HEAD
        assert compare_metadata(context, schema.metadata) == []


def test_every_connection_is_prepared_the_same_way(database: Database) -> None:
    with database.read() as one, database.read() as two:
        for connection in (one, two):
            pragmas = {
                name: connection.execute(text(f"PRAGMA {name}")).scalar()
                for name in ("journal_mode", "synchronous", "secure_delete", "foreign_keys")
            }
            assert pragmas == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1}


def test_foreign_keys_hold(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as c:
        c.execute(insert(schema.vector_attributes).values(id=1, name="source", value=1))


def test_a_write_is_whole_or_not_at_all(database: Database) -> None:
    def half() -> None:
        with database.write() as c:
            put_meta(c, "a", "1")
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        half()
    assert database.meta("a") is None
    database.set_meta("a", "2")
    database.set_meta("a", "3")
    assert database.meta("a") == "3"


def test_a_read_sees_one_moment(database: Database) -> None:
    database.set_meta("a", "old")
    with database.read() as c:
        query = select(schema.meta.c.value).where(schema.meta.c.key == "a")
        assert c.execute(query).scalar() == "old"
        database.set_meta("a", "new")
        assert c.execute(query).scalar() == "old"
    assert database.meta("a") == "new"


def test_a_second_writer_waits_and_then_is_busy(path: Path, database: Database) -> None:
    other = Database.open(path, busy_ms=100)
    with database.write() as c:
        put_meta(c, "a", "1")
        with pytest.raises(Busy) as caught:
            other.set_meta("b", "2")
        assert caught.value.advice
        # Reading goes on meanwhile, and sees nothing of it.
        assert other.meta("a") is None
    other.set_meta("b", "2")
    assert database.meta("b") == "2"
    other.close()


def test_writers_of_several_threads_queue(path: Path) -> None:
    database = Database.open(path)
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


def test_ids_are_never_given_twice_not_even_after_a_purge(path: Path) -> None:
    database = Database.open(path)
    first = database.reserve("face", 5)
    assert list(first) == [1, 2, 3, 4, 5]
    assert list(database.reserve("picture", 1)) == [1]
    assert list(database.reserve("face", 0)) == []
    database.purge()
    database.close()
    database = Database.open(path)
    assert list(database.reserve("face", 2)) == [6, 7]
    database.close()


CHILD = """
import os, sys
from pathlib import Path
from countenance.store.database import Database, put_meta
database = Database.open(Path(sys.argv[1]))
for n in range(1000):
    database.set_meta("acknowledged", str(n))
    print(n, flush=True)
    if n == int(sys.argv[2]):
        with database.write() as c:
            put_meta(c, "acknowledged", "not committed")
            os._exit(9)
"""


def test_what_was_acknowledged_survives_a_kill_and_what_was_not_committed_does_not(path: Path) -> None:
    process = subprocess.run([sys.executable, "-c", CHILD, str(path), "7"], capture_output=True, text=True, check=False)
    assert process.returncode == 9
    assert process.stdout.split()[-1] == "7"
    database = Database.open(path)
    assert database.meta("acknowledged") == "7"
    with database.read() as c:
        assert c.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    database.close()


def test_a_home_from_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    Database.open(path).close()
    with sqlite3.connect(path) as c:
        c.execute("UPDATE alembic_version SET version_num = '9999'")
    c.close()
    before = path.read_bytes()
    with pytest.raises(NewerHome, match="9999"):
        Database.open(path)
    assert path.read_bytes() == before


def test_two_processes_may_create_one_home_at_once(path: Path) -> None:
    code = "import sys; from pathlib import Path; from countenance.store.database import Database as D;"
    code += "D.open(Path(sys.argv[1])).reserve('x', 1)"
    children = [subprocess.Popen([sys.executable, "-c", code, str(path)], stderr=subprocess.PIPE) for _ in range(3)]
    for process in children:
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, b"")
    database = Database.open(path)
    assert list(database.reserve("x", 1)) == [4]
    database.close()


def test_what_is_no_database_is_broken_and_what_cannot_be_opened_unavailable(tmp_path: Path) -> None:
    text_file = tmp_path / "text.db"
    text_file.write_bytes(b"this is a text and not a database. " * 100)
    with pytest.raises(Broken):
        Database.open(text_file)
    assert text_file.read_bytes().startswith(b"this is a text")
    with pytest.raises(Unavailable):
        Database.open(tmp_path / "no" / "such" / "folder.db")
    folder = tmp_path / "folder.db"
    folder.mkdir()
    with pytest.raises(Unavailable):
        Database.open(folder)


def test_deleted_words_leave_no_bytes(path: Path, database: Database) -> None:
    secret = "https://example.test/the-address-that-was-erased"
    with database.write() as c:
        for n in range(200):
            c.execute(insert(schema.meta).values(key=f"{n:04}", value=secret + "x" * 50))
    with database.write() as c:
        c.execute(schema.meta.delete().where(schema.meta.c.key < "0190"))
    with database.write() as c:
        c.execute(schema.meta.update().values(value="gone"))
    # secure_delete alone does it in the file; the journal still knows, until it is cut.
    database.truncate_journal()
    assert secret.encode() not in path.read_bytes()
    wal = path.with_name(path.name + "-wal")
    assert not wal.exists() or wal.stat().st_size == 0
    with database.read() as c:
        assert c.execute(select(func.count()).select_from(schema.meta)).scalar() == 10


def test_a_purge_leaves_a_file_without_free_pages(path: Path, database: Database) -> None:
    with database.write() as c:
        c.execute(insert(schema.meta), [{"key": f"k{n}", "value": "v" * 2000} for n in range(300)])
    size = path.stat().st_size
    with database.write() as c:
        c.execute(schema.meta.delete())
    database.purge()
    with database.read() as c:
        assert c.execute(text("PRAGMA freelist_count")).scalar() == 0
    assert path.stat().st_size < max(size, 300 * 2000)


def test_a_journal_that_another_reads_is_busy(path: Path, database: Database) -> None:
    other = Database.open(path)
    database.set_meta("a", "1")
    with other.read() as c:
        c.execute(select(schema.meta)).all()
        database.set_meta("a", "2")
        with pytest.raises(Busy):
            database.truncate_journal()
    database.truncate_journal()
    other.close()


def test_a_full_disk_is_unavailable_and_loses_nothing(path: Path, database: Database) -> None:
    import resource

    database.set_meta("kept", "1")
    database.truncate_journal()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, hard))
    try:
        with pytest.raises(Unavailable) as caught, database.write() as c:
            c.execute(insert(schema.meta), [{"key": f"k{n}", "value": "v" * 2000} for n in range(2_000)])
        assert re.search("full|cannot be written", caught.value.message)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert database.meta("kept") == "1"
    assert database.meta("k1") is None
    database.set_meta("after", "1")
