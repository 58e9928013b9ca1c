"""What is due by the clock while a server runs: each duty by itself, and how each of them stands.

A duty that fails stops no other. It is logged with its traceback, tried again after a while that doubles up to an hour,
and told by `status`, `doctor` and the pages until it has succeeded. How a duty stands is kept with the home, so that it
is told in any process; where it cannot be kept, the server that met the failure still tells it.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from countenance.domain.errors import CountenanceError
from countenance.store import moments
from countenance.store.database import Database

MINUTE, HOUR = 60.0, 3600.0
SAVED = timedelta(minutes=10)
"""How old the kept word on a duty that goes well may be: not every minute writes a row."""
LATE, LATE_TIMES = timedelta(minutes=30), 26
"""It is told that nobody does a duty after so many times its interval, at least: retention by cron runs once a day."""

_log = logging.getLogger("countenance.clock")


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to do every so often. Seconds throughout: `every` between two that went well, `again` after one that
    failed, which doubles with each further one up to an hour."""

    name: str
    what: str
    work: Callable[[], object]
    every: float = MINUTE
    again: float = MINUTE

    def wait(self, tries: int) -> float:
        """How long until the next, after so many failures in a row."""
        return self.every if not tries else min(self.again * 2 ** min(tries - 1, 20), HOUR)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a duty stands: when it `last` went well, since when it has `failed` and why, how often in a row."""

    last: datetime | None = None
    failed: datetime | None = None
    error: str | None = None
    tries: int = 0

    def written(self) -> str:
        """As it is kept."""
        return json.dumps(asdict(self), default=datetime.isoformat)

    @classmethod
    def read(cls, text: str | None) -> Standing:
        """The same back. Of anything that was not written here nothing is known: an edited row stops no clock."""
        try:
            told = json.loads(text or "{}")
            last, failed = (_moment(told.get(name)) for name in ("last", "failed"))
            error, tries = told.get("error"), told.get("tries", 0)
            sound = type(tries) is int and 0 <= tries < 10**9
            sound &= isinstance(error, str) if failed else error is None
            return cls(last, failed, error, tries) if sound else cls()
        except (AttributeError, TypeError, ValueError, RecursionError):
            return cls()


@dataclass(slots=True)
class Clock:
    """The duties of one home. One thread ticks; any may ask how they stand."""

    database: Database
    duties: tuple[Duty, ...]
    _next: dict[str, float] = field(default_factory=dict)
    _tries: dict[str, int] = field(default_factory=dict)
    _unkept: dict[str, Standing] = field(default_factory=dict)

    def hurried(self, seconds: float, every: float) -> Clock:
        """The same with other times: what is done each minute after `seconds`, what each hour after `every`."""
        paced = [
            replace(one, every=seconds if one.every <= MINUTE else every, again=min(one.again, seconds))
            for one in self.duties
        ]
        return Clock(self.database, tuple(paced))

    def tick(self) -> None:
        """Do what is due. Never raises: a failure is logged and remembered, and the next duty is done."""
        for duty in self.duties:
            now = time.monotonic()
            # What is done each hour was done when the server started.
            due = self._next.setdefault(duty.name, now if duty.every <= MINUTE else now + duty.every)
            if now < due:
                continue
            self._attempt(duty)

    def at_once(self, works: Mapping[str, Callable[[], object]]) -> None:
        """Do these duties now, in this way, as a server does before it answers. Raises no more than `tick`: what fails
        is due again after a while."""
        for duty in self.duties:
            if duty.name in works:
                self._attempt(replace(duty, work=works[duty.name]))

    def _attempt(self, duty: Duty) -> None:
        try:
            try:
                duty.work()
            except Exception as error:
                _log.exception("not done: %s", duty.what)
                self._failed(duty, _said(error))
            else:
                self.done(duty.name)
        except Exception:
            _log.exception("how this stands could not be found out: %s", duty.what)
        self._next[duty.name] = time.monotonic() + duty.wait(self._tries.get(duty.name, 0))

    def done(self, name: str) -> None:
        """A duty went well, here or by a person's command."""
        self._tries.pop(name, None)
        now, before = moments.now(), self._standing(name)
        if before.failed or before.last is None or not timedelta() <= now - before.last < SAVED:
            self._keep(name, Standing(last=now))

    def _failed(self, duty: Duty, why: str) -> None:
        tries = self._tries[duty.name] = self._tries.get(duty.name, 0) + 1
        before = self._standing(duty.name)
        self._keep(duty.name, Standing(before.last, before.failed or moments.now(), why, max(tries, before.tries + 1)))

    def state(self) -> list[dict[str, Any]]:
        """How each duty stands, as JSON values. `late`: it was done once, and then not for far too long."""
        now = moments.now()
        told = []
        for duty in self.duties:
            one = self._standing(duty.name)
            late = one.last is not None and now - one.last > max(LATE, LATE_TIMES * timedelta(seconds=duty.every))
            times = {"last": one.last and one.last.isoformat(), "failed": one.failed and one.failed.isoformat()}
            told.append(
                {"duty": duty.name, "what": duty.what, **times, "error": one.error, "tries": one.tries, "late": late}
            )
        return told

    def _standing(self, name: str) -> Standing:
        if (here := self._unkept.get(name)) is not None:
            return here
        with suppress(CountenanceError, SQLAlchemyError, ValueError):
            return Standing.read(self.database.meta(_key(name)))
        return Standing()

    def _keep(self, name: str, standing: Standing) -> None:
        self._unkept[name] = standing
        try:
            self.database.set_meta(_key(name), standing.written())
        except Exception:
            _log.exception("how this stands could not be kept: %s", name)
        else:
            self._unkept.pop(name, None)


def troubles(state: Iterable[dict[str, Any]], *, mail_told: bool = False) -> list[dict[str, Any]]:
    """The duties that fail or that nobody does; without that of mail where its failure is told by itself."""
    return [one for one in state if (one["error"] or one["late"]) and not (mail_told and one["duty"] == "mail")]


def sentence(one: dict[str, Any]) -> str:
    """One of `troubles` in words."""
    last = f"last done {one['last'][:16]} UTC" if one["last"] else "never done yet"
    if one["error"]:
        times = f", {one['tries']} times" if one["tries"] > 1 else ""
        return f"{one['what']}: fails since {one['failed'][:16]} UTC{times}: {one['error']}; {last}"
    return f"{one['what']}: {last}"


def _said(error: Exception) -> str:
    """Why, in words that hold nothing of what was worked on."""
    return error.message if isinstance(error, CountenanceError) else f"{type(error).__name__}, see the server's log"


def _moment(text: str | None) -> datetime | None:
    """A moment in UTC, as `Standing.written` has it. Raises TypeError, ValueError."""
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    if at.utcoffset() != timedelta():
        raise ValueError("not in UTC")
    return at


def _key(name: str) -> str:
    return f"clock:{name}"
