"""Worker processes: bytes → pixels → faces → templates, on every core.

One process a core, one inference thread each. A worker that dies or hangs on a hostile file is replaced, its batch is
tried again one picture at a time, and only the picture at fault is given up.

What is handed to a worker goes through a thread of its own: a pipe holds little, and a parent that waits for it to be
read while the worker waits for its answer to be read would wait for ever.

A worker is a program of its own and not a copy of this one: `multiprocessing` would have it run the program's main
module again, which costs a third of a second and makes a script without a guard start itself for ever.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.connection import Connection, Pipe, wait
from typing import TYPE_CHECKING, Any

from countenance.domain.errors import Broken, Unavailable, UnreadableImage
from countenance.domain.faces import Face
from countenance.imaging.pdq import PictureHash

if TYPE_CHECKING:
    from countenance.services.eyes import Eyes, EyesConfig

AHEAD = 2
"""Batches that wait at a worker, so that it never idles between two."""

AHEAD_SMALL = 6
AHEAD_BYTES = 2 << 20
"""Of small pictures more batches wait, up to so many bytes: they are seen faster than a batch is written."""

BATCH_BYTES = 4 << 20
"""Bytes of pictures at which a batch is full: of large ones few go together, so that all workers end together."""

HELD_BYTES = 32 << 20
"""Bytes of pictures at which a worker has enough to do."""

GRACE = 30.0
"""Seconds beyond the limit for its pictures until a silent worker is given up."""

STARTING = 180.0
"""Seconds that a worker may take to load its models."""

READY = "ready"
"""What a worker says once its models are loaded."""

_NEVER = str(1 << 30)
"""Bytes that nothing here reaches."""

ENVIRONMENT = {
    # Read when NumPy is imported: inference threads and BLAS threads fight.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    # Memory that was used is used again instead of going back to the system, which would clear each page of it: a
    # quarter of the time that the models take to load. In one arena, so that all threads share what is free.
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": _NEVER,
    "MALLOC_TRIM_THRESHOLD_": _NEVER,
}
"""What a worker is started with beside what this process has."""

MODULE = "countenance.services.workers"
"""Where a worker finds its `main`."""

_PROGRAM = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.path[:] = {path}
from {module} import main
main()
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a worker made of one picture. `pdq` and `mirrored` are the hashes of the picture and of its mirror image;
    `crops` are encoded, one a face, None for a face that is not indexed."""

    width: int
    height: int
    format: str
    taken: datetime | None
    pdq: PictureHash
    mirrored: PictureHash
    faces: tuple[Face, ...]
    crops: tuple[bytes | None, ...]


@dataclass(frozen=True, slots=True)
class Unseen:
    """A picture that was given up, and why: a word of IMAGE_REASONS."""

    reason: str
    detail: str = ""


Outcome = Seen | Unseen
Job = tuple[int, bytes]
"""A number that the caller chose, and the picture's bytes."""


@dataclass(slots=True)
class _Worker:
    process: subprocess.Popen[bytes]
    pipe: Connection
    feed: queue.SimpleQueue[Any]
    waiting: deque[list[Job]] = field(default_factory=deque)
    since: float = 0.0
    ready: bool = False
    held: int = 0
    """Bytes of the pictures that wait."""

    @property
    def room(self) -> bool:
        ahead = len(self.waiting)
        if ahead < AHEAD:
            return ahead == 0 or self.held < HELD_BYTES
        return ahead < AHEAD_SMALL and self.held < AHEAD_BYTES


class Workers:
    """A bounded pool. Use as a context manager."""

    def __init__(self, config: EyesConfig, count: int) -> None:
        self._config = config
        self._workers: list[_Worker] = []
        self._retry: deque[list[Job]] = deque()
        self._count = count
        self._stillborn = 0
        self._suspects: set[int] = set()

    def __enter__(self) -> Workers:
        try:
            for _ in range(self._count):
                self._workers.append(self._start())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.dismiss()
        for worker in self._workers:
            self._stop(worker)
        self._workers = []

    def dismiss(self) -> None:
        """Nothing more will come: they end while the caller does something else. Nothing can be handed over after."""
        for worker in self._workers:
            worker.feed.put(None)
            worker.pipe.close()

    def __len__(self) -> int:
        return self._count

    @property
    def room(self) -> bool:
        """Whether another batch can be handed over without waiting."""
        return not self._retry and any(w.room for w in self._workers)

    @property
    def hungry(self) -> bool:
        """Whether one will soon have nothing to do."""
        return not self._retry and any(w.room and len(w.waiting) < AHEAD for w in self._workers)

    @property
    def idle(self) -> bool:
        """Whether one has nothing to do."""
        return not self._retry and any(not w.waiting for w in self._workers)

    @property
    def busy(self) -> bool:
        """Whether anything is still out."""
        return bool(self._retry) or any(w.waiting for w in self._workers)

    def submit(self, batch: list[Job]) -> None:
        """Hand a batch to the worker with the least to do. Call only when there is room."""
        self._send(min((w for w in self._workers if w.room), key=lambda w: w.held), batch)

    def collect(self, timeout: float) -> Iterator[tuple[int, Outcome]]:
        """Whatever is ready, after waiting `timeout` seconds at most."""
        by_pipe = {w.pipe: w for w in self._workers}
        ready = wait(list(by_pipe), timeout)  # the pipe of one that has died is ready too
        for pipe, worker in by_pipe.items():
            if pipe in ready:
                yield from self._receive(worker)
            elif worker.waiting and time.monotonic() - worker.since > self._allowed(worker):
                yield from self._give_up(worker, "too-slow")
        while self._retry and any(not w.waiting for w in self._workers):
            self._send(next(w for w in self._workers if not w.waiting), self._retry.popleft())

    def _allowed(self, worker: _Worker) -> float:
        if not worker.ready:
            return STARTING
        return self._config.limits.max_seconds * len(worker.waiting[0]) + GRACE

    def _receive(self, worker: _Worker) -> Iterator[tuple[int, Outcome]]:
        try:
            answer = worker.pipe.recv()
        except (EOFError, OSError):
            killed = _ended(worker.process, 5) == -signal.SIGKILL
            yield from self._give_up(worker, "out-of-memory" if killed else "corrupt")
            return
        if isinstance(answer, BaseException):
            raise answer
        if answer == READY:
            worker.ready, worker.since, self._stillborn = True, time.monotonic(), 0
            return
        worker.held -= size_of(worker.waiting.popleft())
        worker.since = time.monotonic()
        yield from answer

    def _give_up(self, worker: _Worker, reason: str) -> Iterator[tuple[int, Outcome]]:
        """Replace a worker. If it was at work its first batch is at fault: split it, or name the one picture in it."""
        self._stop(worker, at_once=True)
        place = self._workers.index(worker)
        self._stillborn += not worker.ready
        if self._stillborn > 2 * self._count:
            del self._workers[place]
            raise Broken(
                "worker processes end before they have begun",
                advice="run `countenance doctor`; a machine short of memory does this",
            )
        self._workers[place] = self._start()
        batches = list(worker.waiting)
        if not worker.ready or not batches:
            self._retry.extend(batches)
            return
        first, rest = batches[0], batches[1:]
        self._retry.extend(rest)
        if len(first) == 1 and (reason == "too-slow" or first[0][0] in self._suspects):
            yield first[0][0], Unseen(reason, "the process that decoded it had to be stopped")
        else:
            # One that was alone gets a second chance: somebody else may have killed the worker.
            self._suspects.update(number for number, _ in first[:1] if len(first) == 1)
            self._retry.extendleft([job] for job in reversed(first))

    def _start(self) -> _Worker:
        ours, theirs = Pipe()
        place = theirs.fileno()
        program = _PROGRAM.format(path=sys.path, module=MODULE)
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-c", program, str(place)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(place,),
                env=os.environ | ENVIRONMENT,
            )
        except OSError as error:
            raise Unavailable("a worker could not be started", advice="look at the limits on processes") from error
        theirs.close()
        feed: queue.SimpleQueue[Any] = queue.SimpleQueue()
        feed.put(self._config)
        threading.Thread(target=_feed, args=(ours, feed), daemon=True).start()
        return _Worker(process, ours, feed)

    def _send(self, worker: _Worker, batch: list[Job]) -> None:
        if not worker.waiting:
            worker.since = time.monotonic()
        worker.waiting.append(batch)
        worker.held += size_of(batch)
        worker.feed.put(batch)

    def _stop(self, worker: _Worker, *, at_once: bool = False) -> None:
        worker.feed.put(None)
        if at_once:
            worker.process.kill()
        worker.pipe.close()
        if _ended(worker.process, 5) is None:
            worker.process.kill()
            worker.process.wait()


def _feed(pipe: Connection, feed: queue.SimpleQueue[Any]) -> None:
    """Hand over what is queued. A dead worker is noticed when collecting; a pipe closed in between is no fault."""
    with contextlib.suppress(OSError, TypeError, ValueError):
        while (given := feed.get()) is not None:
            pipe.send(given)


def _ended(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    """How it ended, after waiting so long at most; None when it has not."""
    if process.returncode is not None:
        return process.returncode
    try:
        handle = os.pidfd_open(process.pid)
    except (AttributeError, OSError):  # another system
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        return process.returncode
    try:
        wait([handle], seconds)  # at once, where the process is looked at every few hundredths of a second
    finally:
        os.close(handle)
    return process.poll()


def main() -> None:
    """A worker's life: until the pipe closes, which also happens when the parent is killed. The pipe's number is the
    argument, and the first that comes through it is the configuration."""
    pipe = Connection(int(sys.argv[1]))
    with contextlib.suppress(EOFError, OSError):
        config: EyesConfig = pipe.recv()
        _live(pipe, config)
    os._exit(0)  # taking the models apart would only take time


def _live(pipe: Connection, config: EyesConfig) -> None:
    from countenance.services.eyes import Eyes

    try:
        eyes = Eyes(config)
        eyes.warm()
    except BaseException as error:
        pipe.recv()
        pipe.send(error)
        return
    # The parent takes an answer when it has time, and the next batch need not wait for that.
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_feed, args=(pipe, answers), daemon=True).start()
    answers.put(READY)
    while True:
        batch: list[Job] = pipe.recv()
        answers.put(list(_work(eyes, batch)))


def _work(eyes: Eyes, batch: Sequence[Job]) -> Iterator[tuple[int, Outcome]]:
    yield from zip((n for n, _ in batch), eyes.see([data for _, data in batch]), strict=True)


def size_of(batch: Sequence[Job]) -> int:
    """Bytes of the pictures in a batch."""
    return sum(len(data) for _, data in batch)


def worker_count(asked: int) -> int:
    """One a core that this process may use, unless told otherwise."""
    return asked or len(os.sched_getaffinity(0))


def reason_of(error: UnreadableImage) -> Unseen:
    """A refusal as an outcome."""
    return Unseen(error.reason, str(error))
