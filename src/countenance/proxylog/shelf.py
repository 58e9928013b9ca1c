"""What a scan found, on disk: requests to the sites of interest in their order, rejected lines, and counts.

One SQLite file in the work folder. Everything that was found up to a point of a file and the point itself are written
in one transaction, so that whatever kills the process, the next run goes on from a point at which nothing is lost and
nothing is there twice. The file holds lines of the log, which name people: its mode is 0600, and the caller removes the
work folder when the analysis is made.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from countenance.domain.errors import Busy, Unavailable
from countenance.domain.proxy import Rejected, WebRequest

CHECKPOINT = 64 * 2**20
"""Bytes of a log after which what was found is made durable."""
REMEMBERED = 100_000
"""Pairs of address and user that are known to be written."""
VERSION = 1

_COLUMNS = tuple(f.name for f in fields(WebRequest) if f.name not in ("file", "line", "at", "host", "text"))
_TABLES = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE files (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, state TEXT NOT NULL);
CREATE TABLE requests (host TEXT, at REAL, digest BLOB, file INTEGER, line INTEGER, said TEXT, text TEXT,
  PRIMARY KEY (host, at, digest, file, line)) WITHOUT ROWID;
CREATE TABLE rejected (file INTEGER, first INTEGER, last INTEGER, reason TEXT,
  PRIMARY KEY (file, first)) WITHOUT ROWID;
CREATE TABLE hours (hour INTEGER, file INTEGER, lines INTEGER, first REAL, last REAL,
  PRIMARY KEY (hour, file)) WITHOUT ROWID;
CREATE TABLE pairs (address TEXT, user TEXT, file INTEGER, PRIMARY KEY (address, user, file)) WITHOUT ROWID;
"""
_BY_FILE = ("requests", "rejected", "hours", "pairs")

Found = tuple[WebRequest, int]
"""A request and how many lines were exactly it."""


class Shelf:
    """The spool. Raises Busy when another process works in the folder, Unavailable when it cannot be written."""

    def __init__(self, work: Path, key: str) -> None:
        """`key` says what the run depends on; whatever lies there from a run with another key is removed."""
        path = work / "scan.db"
        self._pairs: set[tuple[str, str]] = set()
        self._pairs_of = -1
        try:
            work.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._db = _opened(path)
            if self._about("key") != key or self._about("version") != str(VERSION):
                self._db.close()
                for old in work.glob("scan.db*"):
                    old.unlink()
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
                self._db = _opened(path)
                self._db.executescript(f"BEGIN IMMEDIATE; {_TABLES}")
                self._db.executemany("INSERT INTO about VALUES (?, ?)", [("key", key), ("version", str(VERSION))])
                self._db.execute("COMMIT")
            self._db.execute("BEGIN IMMEDIATE")
        except (OSError, sqlite3.Error) as error:
            raise _trouble(error) from None

    def close(self) -> None:
        """Close the file; what was not made durable is as if it had not been."""
        self._db.close()

    def _about(self, name: str) -> str | None:
        try:
            row = self._db.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise
            return None
        except sqlite3.DatabaseError:
            return None
        return row[0] if row else None

    def enter(self, name: str) -> tuple[int, dict[str, Any] | None]:
        """A file's id, and the state in which a broken run left it."""
        row = self._db.execute("SELECT id, state FROM files WHERE name = ?", (name,)).fetchone()
        if row:
            return row[0], json.loads(row[1])
        made = self._db.execute("INSERT INTO files (name, state) VALUES (?, 'null')", (name,))
        return int(made.lastrowid or 0), None

    def forget_others(self, names: Iterable[str]) -> None:
        """Remove what belongs to files that are not among the inputs any more."""
        kept = set(names)
        for file, name in self._db.execute("SELECT id, name FROM files").fetchall():
            if name not in kept:
                self.empty(file)
                self._db.execute("DELETE FROM files WHERE id = ?", (file,))

    def empty(self, file: int) -> None:
        """Remove all that was found in a file."""
        self._pairs_of = -1
        for table in _BY_FILE:
            self._db.execute(f"DELETE FROM {table} WHERE file = ?", (file,))  # noqa: S608 (our own names)
        self._db.execute("UPDATE files SET state = 'null' WHERE id = ?", (file,))

    def add_request(self, file: int, request: WebRequest) -> None:
        """Keep a request with its text. Strings in it are valid Unicode."""
        said = json.dumps([getattr(request, name) for name in _COLUMNS], ensure_ascii=True)
        digest = hashlib.sha256(request.text.encode("utf-8")).digest()[:16]
        row = (request.host, request.at, digest, file, request.line, said, request.text)
        self._write("INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?, ?)", [row])

    def add_rejected(self, file: int, runs: Iterable[tuple[int, int, str]]) -> None:
        """Lines that could not be read: (first, last, reason), in order. each reason with its stretch of lines."""
        self._write("INSERT INTO rejected VALUES (?, ?, ?, ?)", [(file, *run) for run in runs])

    def add_hours(self, file: int, hours: Iterable[tuple[int, int, float, float]]) -> None:
        """(hours since 1970, lines, first time, last time)."""
        self._write(
            "INSERT INTO hours VALUES (?2, ?1, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET lines = lines + excluded.lines,"
            " first = min(first, excluded.first), last = max(last, excluded.last)",
            [(file, *one) for one in hours],
        )

    def add_pairs(self, file: int, pairs: Iterable[tuple[str, str]]) -> None:
        """(address, user) that were seen in one line. Those of late are remembered, since nearly all come again."""
        if self._pairs_of != file or len(self._pairs) > REMEMBERED:
            self._pairs_of, self._pairs = file, set()
        new = set(pairs) - self._pairs
        self._pairs |= new
        self._write("INSERT OR IGNORE INTO pairs VALUES (?2, ?3, ?1)", [(file, *pair) for pair in sorted(new)])

    def checkpoint(self, file: int, state: dict[str, Any]) -> None:
        """Make durable what was found so far, with the state from which to go on."""
        self._write("UPDATE files SET state = ?2 WHERE id = ?1", [(file, json.dumps(state))])
        try:
            self._db.execute("COMMIT")
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise _trouble(error) from None

    def _write(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            try:
                self._db.executemany(sql, rows)
            except sqlite3.Error as error:
                raise _trouble(error) from None

    def requests(self) -> Iterator[Found]:
        """Requests sorted by (host, at, text), each exact line once with the smallest (file, line) that has it."""
        names = dict(self._db.execute("SELECT id, name FROM files"))
        last: tuple[Any, ...] = ()
        found, count, where = None, 0, ("", 0)
        for host, at, digest, file, line, said, text in self._db.execute(
            "SELECT host, at, digest, file, line, said, text FROM requests ORDER BY host, at, digest, file, line"
        ):
            here = names[file], line
            if (host, at, digest) != last:
                if found:
                    yield _request(found, where), count
                last, count, where = (host, at, digest), 0, here
                found = host, at, said, text
            count += 1
            if here < where:
                # Two files may read the same line in different ways: the evidence and what it says stay together.
                where, found = here, (host, at, said, text)
        if found:
            yield _request(found, where), count

    def rejected(self) -> Iterator[Rejected]:
        """Every line that could not be read, sorted by file and line."""
        for name, first, last, reason in self._db.execute(
            "SELECT name, first, last, reason FROM files JOIN rejected ON file = id ORDER BY name, first"
        ):
            for line in range(first, last + 1):
                yield Rejected(name, line, reason)

    def hours(self) -> Iterator[tuple[int, int, float, float]]:
        """(hours since 1970, lines, first time, last time) of all files together, in order."""
        yield from self._db.execute(
            "SELECT hour, sum(lines), min(first), max(last) FROM hours GROUP BY hour ORDER BY hour"
        )

    def addresses(self) -> tuple[int, int]:
        """How many addresses were seen with a user, and how many of these with several."""
        row = self._db.execute(
            "SELECT count(*), coalesce(sum(users > 1), 0) FROM"
            " (SELECT count(DISTINCT user) AS users FROM pairs GROUP BY address)"
        ).fetchone()
        return int(row[0]), int(row[1])

    def users_at(self, address: str) -> int:
        """How many users were seen at an address."""
        row = self._db.execute("SELECT count(DISTINCT user) FROM pairs WHERE address = ?", (address,)).fetchone()
        return int(row[0])


def _opened(path: Path) -> sqlite3.Connection:
    # One thread at a time uses it; a page of the web may read what a worker has written.
    db = sqlite3.connect(path, isolation_level=None, timeout=1.0, check_same_thread=False)
    try:
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL", "cache_size = -16384"):
            db.execute(f"PRAGMA {pragma}")
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            db.close()
            raise
    return db


def _request(found: tuple[Any, ...], where: tuple[str, int]) -> WebRequest:
    host, at, said, text = found
    return WebRequest(
        file=where[0], line=where[1], at=at, host=host, text=text, **dict(zip(_COLUMNS, json.loads(said), strict=True))
    )


def _trouble(error: Exception) -> Exception:
    if "locked" in str(error):
        return Busy("these logs are being read already", advice="Wait for the other run, or give another work folder.")
    return Unavailable(
        f"what was found in the logs could not be written down: {error}",
        advice="Make room on the disk of the work folder and run again: the run goes on where it stopped.",
    )
