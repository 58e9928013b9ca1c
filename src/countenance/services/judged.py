"""Sessions on their way from the judging to the store, on disk and in their order: a log may hold any number of them.

One SQLite file in the analysis's work folder, 0600 like all that lies there, since it names people.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from countenance.domain.errors import Unavailable
from countenance.domain.proxy import Bounds, Ceiling, Evidence, Grade, Session
from countenance.services.tell import Tally

_TABLE = """
CREATE TABLE sessions (place INTEGER PRIMARY KEY, start REAL, site TEXT, who TEXT, kind TEXT, addresses TEXT,
  finish REAL, said TEXT)
"""
_ORDER = "start, site, who, kind, addresses, finish, place"
_FULL = "Make room on the disk of the home and run again: what was read of the logs is not read again."
AT_ONCE = 500


class Judged:
    """Sessions, kept one after another and read in the order of `proxylog.sessions.place`. `tally` is what they add up
    to, and `people` who they are where the log says so. Raises Unavailable when the disk takes no more."""

    def __init__(self, work: Path) -> None:
        self.tally = Tally()
        self.people: set[str] = set()
        self._file = work / "judged.db"
        self._file.unlink(missing_ok=True)
        os.close(os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._db = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False)
        # Nothing of it outlives the analysis: what is cut off is judged again.
        pragmas = ("journal_mode = OFF", "synchronous = OFF", "cache_size = -16384", "temp_store = MEMORY")
        with _disk_errors():
            for statement in (*(f"PRAGMA {pragma}" for pragma in pragmas), _TABLE):
                self._db.execute(statement)

    def close(self) -> None:
        """Close and remove the file."""
        self._db.close()
        self._file.unlink(missing_ok=True)

    def keep(self, sessions: Iterable[Session]) -> None:
        """Take them all."""
        with _disk_errors():
            self._db.execute("BEGIN")
            for session in sessions:
                self.tally.add(session)
                if session.by == "user":
                    self.people.add(session.who)
                self._db.execute("INSERT INTO sessions VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", _row(session))
            self._db.execute("COMMIT")

    def __iter__(self) -> Iterator[Session]:
        # Only places are sorted, in memory: what names people stays in the one file.
        with _disk_errors():
            places = self._db.execute(f"SELECT place FROM sessions ORDER BY {_ORDER}").fetchall()  # noqa: S608 (our names)
        for place in places:
            with _disk_errors():
                (said,) = self._db.execute("SELECT said FROM sessions WHERE place = ?", place).fetchone()
            yield _session(json.loads(said))


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise Unavailable(f"what was found in the logs cannot be kept: {error}", advice=_FULL) from None


def _row(session: Session) -> tuple[Any, ...]:
    said = {
        "requests": session.requests,
        "category": session.category,
        "grade": session.grade.value,
        "ceiling": session.ceiling.value,
        "searches": [session.searches.at_least, session.searches.at_most],
        "attempted": session.attempted,
        "reasons": session.reasons,
        "would_change": session.would_change,
        "evidence": [[e.file, e.line, e.at, e.role, e.text, e.shown] for e in session.evidence],
        "addresses": session.addresses,
        "stale": session.stale,
        "place": [session.who, session.by, session.site, session.start, session.end],
    }
    # No address holds a NUL, which comes before anything else: joined by it they sort as the list does.
    addresses = "\0".join(session.addresses)
    return session.start, session.site, session.who, session.by, addresses, session.end, json.dumps(said)


def _session(said: dict[str, Any]) -> Session:
    who, by, site, start, end = said["place"]
    return Session(
        who=who,
        by=by,
        site=site,
        category=said["category"],
        start=start,
        end=end,
        requests=said["requests"],
        grade=Grade(said["grade"]),
        ceiling=Ceiling(said["ceiling"]),
        searches=Bounds(*said["searches"]),
        attempted=said["attempted"],
        reasons=tuple(said["reasons"]),
        would_change=tuple(said["would_change"]),
        evidence=tuple(Evidence(*one) for one in said["evidence"]),
        addresses=tuple(said["addresses"]),
        stale=said["stale"],
    )
