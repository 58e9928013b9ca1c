"""Runs that the servers of this home started, and how far they are."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from dataclasses import replace
from typing import Any

from countenance.app import Countenance
from countenance.domain.authority import Actor
from countenance.domain.errors import Busy, CountenanceError, UnknownThing
from countenance.services.tally import Progress
from countenance.store.moments import now
from countenance.web.board import Board, LiveRun

TOLD_SECONDS = 0.5
"""How often the other servers of the home are told how far a run is."""

KEPT = 100
"""Most finished runs that are remembered; the home's own list of runs has them all."""

_log = logging.getLogger("countenance.web")


class _Stopped(Exception):
    """Raised inside a run's progress report, where a run can end with nothing lost."""


class Ingests:
    """Starts runs on threads of their own and remembers how they went. Safe for several threads."""

    def __init__(self, app: Countenance) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._runs: dict[str, LiveRun] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._stopping = threading.Event()
        self._board = Board(app.home / "spool" / "runs")
        self._told: dict[str, float] = {}

    def start(self, source: str, actor: Actor, *, dry_run: bool = False) -> LiveRun:
        """Begin to read a source. Raises UnknownThing, NotRegistered, and Busy while a run of it is under way."""
        self._app.source(source)
        run = LiveRun(f"run-{secrets.token_hex(6)}", source, "running", now())
        with self._lock:
            if any(r.source == source and r.state == "running" for r in (*self._runs.values(), *self._board.running())):
                raise Busy(f"a run of {source} is under way", advice="wait until it has ended")
            self._forget_old()
            self._board.tidy({source.name for source in self._app.sources()})
            self._runs[run.id] = run
            self._board.put(run)
            thread = threading.Thread(
                target=self._work, args=(run.id, source, actor, dry_run), name=run.id, daemon=True
            )
            self._threads[run.id] = thread
        thread.start()
        return run

    def get(self, id: str) -> LiveRun:
        """One run as it stands. Raises UnknownThing."""
        with self._lock:
            run = self._runs.get(id) or self._board.get(id)
        if run is None:
            raise UnknownThing(
                f"no server of this home has started a run {id} lately", advice="the source's page lists earlier runs"
            )
        return run

    def running(self) -> dict[str, LiveRun]:
        """The runs under way, by source, at this server or another of the home."""
        with self._lock:
            every = [*self._board.running(), *self._runs.values()]
            return {r.source: r for r in every if r.state == "running"}

    def stop(self, *, seconds: float) -> bool:
        """Ask every run to end, and wait. False when one did not end in time; it is resumed by the next run."""
        self._stopping.set()
        for thread in list(self._threads.values()):
            thread.join(seconds)
        self._board.close()
        return not any(thread.is_alive() for thread in self._threads.values())

    def _work(self, id: str, source: str, actor: Actor, dry_run: bool) -> None:
        def progressed(progress: Progress) -> None:
            self._change(id, progress=progress)
            if self._stopping.is_set():
                raise _Stopped

        try:
            report = self._app.ingest(source, actor, on_progress=progressed, dry_run=dry_run)
            self._change(id, state="done", report=report.as_json(), ended=now())
        except _Stopped:
            self._change(id, state="stopped", ended=now())
        except CountenanceError as error:
            self._change(id, state="failed", error=error.as_json(), ended=now())
        except Exception:
            _log.exception("a run failed that should not have")
            error_shown = {"code": "internal", "message": "the run failed; the server's log says where"}
            self._change(id, state="failed", error=error_shown, ended=now())

    def _change(self, id: str, **changes: Any) -> None:
        with self._lock:
            self._runs[id] = replace(self._runs[id], **changes)
            if "state" in changes:
                self._told.pop(id, None)
            elif time.monotonic() < self._told.get(id, 0.0) + TOLD_SECONDS:
                return
            else:
                self._told[id] = time.monotonic()
            self._board.put(self._runs[id])

    def _forget_old(self) -> None:
        ended = [r.id for r in self._runs.values() if r.state != "running"]
        for id in ended[: max(0, len(ended) - KEPT + 1)]:
            del self._runs[id]
            self._threads.pop(id, None)
