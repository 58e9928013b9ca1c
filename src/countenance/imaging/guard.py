"""Two fences around decoding: a limit on time, and silence for what decoders warn about."""

from __future__ import annotations

import signal
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from countenance.domain.errors import UnreadableImage

_AGAIN = 0.1  # seconds: a library that swallows the first alarm gets another


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise UnreadableImage("too-slow") once the body has used this much processor time.

    Processor time and not the clock: a busy machine must not make pictures unreadable, and the bytes are in memory
    already, so that a hostile file can only burn the processor.

    In the main thread an interval timer (ITIMER_VIRTUAL, SIGVTALRM) interrupts Python code at once and compiled code
    as soon as it returns; pictures are fed to most decoders in blocks of 64 KiB, and what one call can do is
    bounded by the limit on pixels. The timer counts every thread of the process, so keep others idle. In other threads,
    where no signal can be caught, the thread's own time is compared when the body has ended: late, but not accepted.
    """
    if threading.current_thread() is not threading.main_thread():
        started = time.thread_time()
        yield
        if time.thread_time() - started > seconds:
            raise UnreadableImage("too-slow")
        return

    over = False

    def ring(_number: int, _frame: FrameType | None) -> None:
        if not over:
            raise UnreadableImage("too-slow")

    previous = signal.signal(signal.SIGVTALRM, ring)
    outer_left, outer_again = signal.setitimer(signal.ITIMER_VIRTUAL, seconds, _AGAIN)
    started = time.process_time()
    try:
        yield
    finally:
        over = True
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, previous)
        if outer_left:  # somebody's timer was running: let it run on
            left = max(1e-6, outer_left - (time.process_time() - started))
            signal.setitimer(signal.ITIMER_VIRTUAL, left, outer_again)


_quiet_lock = threading.Lock()
_quiet_depth = 0
_quiet_filters = warnings.catch_warnings()


@contextmanager
def without_warnings() -> Iterator[None]:
    """Drop the warnings of Pillow and pi_heif in the body: what is wrong with a file is told by an exception.

    `warnings.catch_warnings` is not made for threads; here the first to enter sets the filters and the last to leave
    restores them.
    """
    global _quiet_depth, _quiet_filters
    with _quiet_lock:
        if _quiet_depth == 0:
            _quiet_filters = warnings.catch_warnings()
            _quiet_filters.__enter__()
            warnings.filterwarnings("ignore", module=r"(PIL|pi_heif|countenance\.imaging)(\.|$)")
        _quiet_depth += 1
    try:
        yield
    finally:
        with _quiet_lock:
            _quiet_depth -= 1
            if _quiet_depth == 0:
                _quiet_filters.__exit__(None, None, None)
