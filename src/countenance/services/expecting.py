"""How many pictures a run has before it: counted while it reads, so that nothing waits for it."""

from __future__ import annotations

import contextlib
import threading

from countenance.domain.errors import CountenanceError
from countenance.domain.sources import Reader


class Expected:
    """What a reader expects, counted on a thread of its own; `last` is what an earlier run of the source had, for
    readers that cannot know."""

    def __init__(self, reader: Reader, last: int | None) -> None:
        self._reader = reader
        self._last = last
        self._total: int | None = None
        self._thread = threading.Thread(target=self._count, daemon=True)
        self._thread.start()

    def total(self, done: int) -> int | None:
        """How many there are in all; None while that is not known, or once there turned out to be more."""
        return self._total if self._total is not None and done <= self._total else None

    def _count(self) -> None:
        # Whatever is wrong with the source, its reader will say so.
        with contextlib.suppress(OSError, CountenanceError):
            expected = self._reader.expected()
            self._total = self._last if expected is None else expected
