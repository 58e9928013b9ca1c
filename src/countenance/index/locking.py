"""One writer at a time on a vector file, across threads and processes."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from countenance.domain.errors import Busy, Unavailable

POLL_S = 0.005


class WriterLock:
    """An advisory lock on a file, reentrant within a thread; the system releases it when its process dies."""

    def __init__(self, path: Path, *, wait_s: float) -> None:
        self._path = path
        self._wait_s = wait_s
        self._thread = threading.RLock()
        self._depth = 0

    @contextmanager
    def held(self, *, wait_s: float | None = None) -> Iterator[None]:
        """Hold the lock. Raises Busy when another keeps it for longer than `wait_s`."""
        wait = self._wait_s if wait_s is None else wait_s
        if not self._thread.acquire(timeout=wait):
            raise _busy()
        try:
            if self._depth:
                self._depth += 1
                try:
                    yield
                finally:
                    self._depth -= 1
                return
            file = self._lock(wait)
            self._depth = 1
            try:
                yield
            finally:
                self._depth = 0
                os.close(file)
        finally:
            self._thread.release()

    def _lock(self, wait: float) -> int:
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Unavailable(
                f"the index cannot be written: {error.strerror}", advice="run `countenance doctor`"
            ) from None
        deadline = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return file
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    os.close(file)
                    raise _busy() from None
                time.sleep(POLL_S)


def _busy() -> Busy:
    return Busy("the index is being written by another process", advice="wait for it to finish, or stop it")
