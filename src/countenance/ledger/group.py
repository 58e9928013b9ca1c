"""Group commit: of the callers who append at the same time, one writes for all.

A caller puts what it wants into the line. Who finds nobody writing leads: it takes everything that stands in line,
writes it as one, tells each of the others what became of its part, and lets the first who came meanwhile lead next.
So a write, its syncs and its checkpoint are paid once for all who waited for the one before, and nobody waits
longer than for the group under way and its own. Nothing is delayed to make a group larger.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from countenance.domain.errors import CountenanceError, LedgerUnavailable

T = TypeVar("T")
R = TypeVar("R")


class _Place(Generic[T, R]):
    """One caller's place in the line. `turn` opens when its part is done, or when it is to lead."""

    __slots__ = ("error", "given", "leads", "results", "turn")

    def __init__(self, given: Sequence[T]) -> None:
        self.given = given
        self.results: Sequence[R] = ()
        self.error: CountenanceError | None = None
        self.leads = False
        self.turn = threading.Lock()
        self.turn.acquire()


class Line(Generic[T, R]):
    """The line of those who append. `write` takes what several gave, in order, and gives a result for each, or raises:
    then none of it counts, and nobody of the group has a result."""

    def __init__(self, write: Callable[[Sequence[T]], Sequence[R]]) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._waiting: list[_Place[T, R]] = []
        self._led = False

    def submit(self, given: Sequence[T]) -> list[R]:
        """Write `given` together with what others give now; returns its results. Raises what `write` raised."""
        place: _Place[T, R] = _Place(given)
        with self._lock:
            self._waiting.append(place)
            place.leads = not self._led
            self._led = True
        if not place.leads:
            try:
                place.turn.acquire()
            except BaseException:
                self._leave(place)
                raise
        if place.leads:
            self._lead()
        elif place.error is not None:
            # A copy for each: an exception that several threads raise mixes up where it was raised.
            told = copy.copy(place.error)
            told.details = dict(told.details)
            raise told from place.error
        return list(place.results)

    def _lead(self) -> None:
        with self._lock:
            group, self._waiting = self._waiting, []
        try:
            results = self._write([part for place in group for part in place.given])
            start = 0
            for place in group:
                place.results = results[start : start + len(place.given)]
                start += len(place.given)
        except BaseException as raised:
            # Also the leader's own end (an interrupt): the others must learn that they have nothing.
            for place in group:
                place.error = raised if isinstance(raised, CountenanceError) else _STOPPED
            raise
        finally:
            for place in group:
                place.turn.release()
            with self._lock:
                self._next()

    def _next(self) -> None:
        """Let the first in line lead, if there is one. Under the lock."""
        self._led = bool(self._waiting)
        if self._led:
            self._waiting[0].leads = True
            self._waiting[0].turn.release()

    def _leave(self, place: _Place[T, R]) -> None:
        """Step out of the line when interrupted; a group that is being written already keeps what was given."""
        with self._lock:
            if place in self._waiting:
                self._waiting.remove(place)
                if place.leads:
                    self._next()


_STOPPED = LedgerUnavailable("whoever wrote the entry was stopped", advice="Nothing was shown. Try again.")
