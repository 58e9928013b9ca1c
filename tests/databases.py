"""Where the homes of the tests have their rows: in their folders, or, when `COUNTENANCE_TEST_DATABASE` says
`postgresql`, in databases of a PostgreSQL server that is started for these tests and gone afterwards.

A home's database is named after its folder, so that whoever knows the folder knows the database, in any process.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

SWITCH = "COUNTENANCE_TEST_DATABASE"
SERVER = "COUNTENANCE_TEST_SERVER"
"""The folder of the server's socket, told to every process of the tests."""

PURE = (
    "tests/demo",
    "tests/domain",
    "tests/faces",
    "tests/imaging",
    "tests/ledger",
    "tests/project",
    "tests/proxylog",
    "tests/reports",
    "tests/sources",
)
"""Whose tests open no home and touch no database: they need no second run."""

NOT_PURE = ("tests/project/test_python_page.py", "tests/project/test_readme_example.py")
"""What does, in one of these."""

TEMPLATE = "home"
OWNER = "countenance"
_known: set[str] = set()


def on_postgresql() -> bool:
    """Whether homes have their rows in PostgreSQL."""
    return os.environ.get(SWITCH) == "postgresql"


def is_pure(test: str) -> bool:
    """Whether a test (its id) says the same whichever database homes have."""
    return test.startswith(tuple(f"{folder}/" for folder in PURE)) and not test.startswith(NOT_PURE)


def url(name: str, user: str = OWNER) -> str:
    """The address of a database of the server of these tests."""
    return f"postgresql+psycopg://{user}@/{name}?host={os.environ[SERVER]}"


def name_of(home: Path) -> str:
    """The name of the database of the home in this folder."""
    return "h" + hashlib.sha256(os.path.abspath(home).encode()).hexdigest()[:24]  # noqa: PTH100


def address(home: Path) -> str | None:
    """The address of the rows of the home in this folder, whose database is there from now on; None with SQLite."""
    if not on_postgresql():
        return None
    name = name_of(home)
    if name not in _known:
        with contextlib.suppress(_there()):
            create(name)
        _known.add(name)
    return url(name)


def setting(home: Path) -> dict[str, Any]:
    """What `Settings` are told of the rows of the home in this folder."""
    return {"database": {"url": rows}} if (rows := address(home)) else {}


def place(file: Path) -> Any:
    """What `Database.open` takes for the rows of a home in this file's folder."""
    return address(file.parent) or file


class Hand:
    """The rows of a home as an administrator with a shell has them. SQL is written as for SQLite."""

    def __init__(self, connection: Any, translate: bool) -> None:
        self._connection, self._translate = connection, translate

    def execute(self, statement: str, values: Any = ()) -> Any:
        """Run a statement. Returns a cursor."""
        if self._translate:
            return self._connection.execute(translated(statement), tuple(values))
        return self._connection.execute(statement, tuple(values))


@contextlib.contextmanager
def by_hand(home: Path) -> Iterator[Hand]:
    """A connection past the program, committed at the end."""
    if on_postgresql():
        import psycopg

        with psycopg.connect(f"host={os.environ[SERVER]} dbname={name_of(home)} user={OWNER}") as c:
            # JSON as the text that it is kept as, as SQLite gives it.
            c.adapters.register_loader("json", psycopg.types.string.TextLoader)
            yield Hand(c, True)
        return
    connection = sqlite3.connect(home / "countenance.db", timeout=10, isolation_level=None)
    with contextlib.closing(connection):
        yield Hand(connection, False)


def translated(statement: str) -> str:
    """SQL that is written for SQLite's driver, for PostgreSQL's."""
    return statement.replace("%", "%%").replace("?", "%s")


def files(home: Path) -> dict[str, bytes]:
    """Every byte of the files of a home's database on the server; none with SQLite."""
    if not on_postgresql() or not exists(home):
        return {}
    ask("CHECKPOINT")
    number = ask(f"SELECT oid FROM pg_database WHERE datname = '{name_of(home)}'")[0][0]
    folder = Path(os.environ[SERVER]) / "data" / "base" / str(number)
    return {f"database/{path.name}": path.read_bytes() for path in folder.iterdir()}


def create(name: str, template: str = TEMPLATE) -> None:
    """A database that begins as another is, to which nobody may be connected for longer than a moment."""
    import psycopg

    for tries in range(200):
        try:
            return ask(f"CREATE DATABASE {name} TEMPLATE {template}")
        except psycopg.errors.ObjectInUse:
            # The server notices a moment later that a process which had it open is gone.
            if tries == 199:
                raise
            time.sleep(0.05)


def begin_empty(home: Path) -> None:
    """A database without a table, as an operator makes it, for the home in this folder."""
    if on_postgresql():
        drop(home)
        create(name_of(home), "template1")
        _known.add(name_of(home))


def lose(home: Path) -> None:
    """The rows of a home are gone, as by an accident."""
    for file in home.glob("countenance.db*"):
        file.unlink()
    begin_empty(home)


def copy(source: Path, target: Path) -> None:
    """The rows of one home become those of another, in the place of what it had."""
    if on_postgresql() and exists(source):
        drop(target)
        create(name_of(target), name_of(source))
        _known.add(name_of(target))


def exists(home: Path) -> bool:
    """Whether the home in this folder has a database."""
    return bool(ask(f"SELECT 1 FROM pg_database WHERE datname = '{name_of(home)}'"))


def drop(home: Path) -> None:
    """Let go of a home's database."""
    if on_postgresql():
        ask(f"DROP DATABASE IF EXISTS {name_of(home)} WITH (FORCE)", user="postgres")
        _known.discard(name_of(home))


def ask(statement: str, database: str = "postgres", user: str = OWNER) -> Any:
    """Run one statement by itself. Returns its rows, if it has any."""
    import psycopg

    told = f"host={os.environ[SERVER]} dbname={database} user={user}"
    with psycopg.connect(told, autocommit=True) as c:
        result = c.execute(statement)  # type: ignore[arg-type]
        return result.fetchall() if result.description else None


def _there() -> type[Exception]:
    import psycopg

    return psycopg.errors.DuplicateDatabase


@contextlib.contextmanager
def server(*more: str) -> Iterator[Path]:
    """A PostgreSQL server on a socket in a folder of its own, with the role that docs/postgresql.md tells of.

    `more` are settings. PostgreSQL does not run as root: then Debian's user `postgres` runs it.
    """
    # In memory where there is room: there it costs nothing to wait for the disk, as a server must.
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 4 * 2**30
    folder = Path(tempfile.mkdtemp(prefix="countenance-pg-", dir=memory if roomy else None))
    data = folder / "data"
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    as_user: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        as_user = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"]
    initdb = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]
    subprocess.run([*as_user, *initdb, "--wal-segsize=1", "-N"], check=True, capture_output=True, cwd=folder)
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": folder,
        "max_connections": 400,
        "shared_buffers": "64MB",
        "wal_recycle": "off",
        "autovacuum_naptime": "1d",
        "log_min_messages": "panic",
        "log_min_error_statement": "panic",
        "logging_collector": "off",
    }
    words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    words += [word for setting in more for word in ("-c", setting)]
    # It dies with whoever started it.
    dying = [*(as_user or ["setpriv"]), "--pdeathsig", "QUIT"]
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(
            [*dying, programs / "postgres", "-D", data, *words], stdout=log, stderr=log, cwd=folder
        )
    before = os.environ.get(SERVER)
    os.environ[SERVER] = str(folder)
    try:
        _wait(running, folder / "log")
        for statement in (
            f"CREATE ROLE {OWNER} LOGIN CREATEDB IN ROLE pg_checkpoint",
            f"GRANT EXECUTE ON FUNCTION pg_switch_wal() TO {OWNER}",
        ):
            ask(statement, "template1", "postgres")
        yield folder
    finally:
        running.send_signal(signal.SIGQUIT)
        running.wait(30)
        shutil.rmtree(folder, ignore_errors=True)
        os.environ.pop(SERVER) if before is None else os.environ.update({SERVER: before})


def make_template() -> None:
    """The database that new homes begin with: empty, with every table."""
    from countenance.store.database import Database

    ask(f"CREATE DATABASE {TEMPLATE}")
    Database.open(url(TEMPLATE)).close()
    # Of SQLite's functions the one that the tests read digests with.
    ask("CREATE FUNCTION hex(bytea) RETURNS text LANGUAGE sql AS $$ SELECT upper(encode($1, 'hex')) $$", TEMPLATE)


def speak_as_sqlite() -> None:
    """Let the tests' own statements be written once: as for SQLite's driver."""

    def translate(_c: Any, _cursor: Any, statement: str, parameters: Any, context: Any, _many: bool) -> Any:
        one = parameters[0] if isinstance(parameters, list) and parameters else parameters
        named = isinstance(one, dict) and bool(one)
        by_test = context.compiled is None and context.dialect.name == "postgresql" and not named
        return (translated(statement) if by_test else statement), parameters

    event.listen(Engine, "before_cursor_execute", translate, retval=True)


def _wait(running: subprocess.Popen[bytes], log: Path) -> None:
    import psycopg

    for _ in range(600):
        with contextlib.suppress(psycopg.OperationalError):
            ask("SELECT 1", user="postgres")
            return
        if running.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL does not start: {log.read_text()}")
