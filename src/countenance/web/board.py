"""Where the servers of one home tell each other of their runs: a small file each, beside the home's other work.

All servers of a home run on one machine, so files and the system's locks do: a run whose server is gone is known by the
lock that it no longer holds. Counts and names of sources stand there, which the ledger has too, until the first run
that starts after a day, or after the source was erased. A file that a power cut left half tells of no run.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import secrets
import time
from collections.abc import Container
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from countenance.services.tally import Progress

KEPT_SECONDS = 24 * 3600
_log = logging.getLogger("countenance.web")


@dataclass(frozen=True, slots=True)
class LiveRun:
    """One run. `state` is running, done, failed or stopped; `report` is what `ingest --json` prints."""

    id: str
    source: str
    state: str
    started: datetime
    ended: datetime | None = None
    progress: Progress | None = None
    report: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


class Board:
    """The runs of every server of a home. Written by one server, read by all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = secrets.token_hex(8)
        self._held: int | None = None

    def put(self, run: LiveRun) -> None:
        """Tell how a run of this server stands. A disk that takes nothing more does not end the run."""
        try:
            self._begin()
            made = self._folder / f".{run.id}"
            with os.fdopen(_private(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "w") as file:
                json.dump(asdict(run) | {"server": self._server}, file, default=datetime.isoformat)
            made.replace(self._folder / f"{run.id}.json")
        except OSError:
            _log.exception("the home's other servers are not told how far a run is")

    def get(self, id: str) -> LiveRun | None:
        """One run, of whichever server."""
        return self._read(self._folder / f"{id}.json")

    def running(self) -> list[LiveRun]:
        """The runs under way."""
        found = [self._read(path) for path in self._folder.glob("run-*.json")]
        return [run for run in found if run is not None and run.state == "running"]

    def tidy(self, sources: Container[str]) -> None:
        """Let go of what is over its time, and of what names a source that is not there; not of what is under way."""
        try:
            self._begin()
            for path in list(self._folder.iterdir()):
                with suppress(FileNotFoundError):
                    if self._over(path, sources):
                        path.unlink()
        except OSError:
            _log.exception("what was told of earlier runs stays for now")

    def close(self) -> None:
        """This server ends: none of its runs is under way any more."""
        if self._held is not None:
            self._lock(self._server).unlink(missing_ok=True)
            os.close(self._held)
            self._held = None

    def _begin(self) -> None:
        if self._held is not None:
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._held = _private(self._lock(self._server), os.O_RDWR | os.O_CREAT)
        fcntl.flock(self._held, fcntl.LOCK_EX)

    def _over(self, path: Path, sources: Container[str]) -> bool:
        old = path.stat().st_mtime < time.time() - KEPT_SECONDS
        if path.suffix == ".lock":
            return old and not self._lives(path.stem)
        run = self._read(path)
        if run is None:
            return old
        return run.state != "running" and (old or run.source not in sources)

    def _read(self, path: Path) -> LiveRun | None:
        try:
            told = json.loads(path.read_text())
            server = told.pop("server")
            times = {name: told[name] and datetime.fromisoformat(told[name]) for name in ("started", "ended")}
            progress = told["progress"] and Progress(**told["progress"])
            run = LiveRun(**told | times | {"progress": progress})
        except (FileNotFoundError, AttributeError, KeyError, TypeError, ValueError):
            return None
        return replace(run, state="stopped") if run.state == "running" and not self._lives(server) else run

    def _lives(self, server: str) -> bool:
        try:
            with self._lock(server).open() as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def _lock(self, server: str) -> Path:
        return self._folder / f"{server}.lock"


def _private(path: Path, flags: int) -> int:
    return os.open(path, flags, 0o600)
