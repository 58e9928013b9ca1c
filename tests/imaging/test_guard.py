from __future__ import annotations

import signal
import threading
import time
import warnings

import pytest

from countenance.domain.errors import UnreadableImage
from countenance.imaging.guard import deadline, without_warnings


def burn(seconds: float) -> None:
    started = time.thread_time()
    while time.thread_time() - started < seconds:
        pass


def test_a_loop_is_interrupted() -> None:
    started = time.process_time()
    with pytest.raises(UnreadableImage) as caught, deadline(0.05):
        burn(20)
    assert caught.value.reason == "too-slow"
    assert time.process_time() - started < 5


def test_an_alarm_that_is_swallowed_comes_again() -> None:
    def swallowing() -> None:
        try:
            burn(20)
        except Exception:
            burn(20)

    started = time.process_time()
    with pytest.raises(UnreadableImage), deadline(0.05):
        swallowing()
    assert time.process_time() - started < 5


def test_waiting_costs_nothing() -> None:
    with deadline(0.02):
        time.sleep(0.05)


def test_what_was_there_before_is_there_again() -> None:
    rung: list[int] = []
    previous = signal.signal(signal.SIGVTALRM, lambda number, frame: rung.append(number))
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.08)
        with deadline(10):
            burn(0.02)
        assert rung == []
        left, again = signal.getitimer(signal.ITIMER_VIRTUAL)
        assert 0 < left < 0.08
        assert again == 0
        started = time.thread_time()
        while not rung and time.thread_time() - started < 5:
            pass
        assert len(rung) == 1
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, previous)


def test_no_alarm_rings_afterwards() -> None:
    with deadline(0.05):
        pass
    assert signal.getitimer(signal.ITIMER_VIRTUAL)[0] == 0
    burn(0.1)


def test_in_another_thread_it_is_late_but_not_accepted() -> None:
    seen: list[str] = []

    def work() -> None:
        try:
            with deadline(0.02):
                burn(0.06)
        except UnreadableImage as error:
            seen.append(error.reason)
        with deadline(5):
            seen.append("fine")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == ["too-slow", "fine"]


def test_only_the_decoders_are_silenced() -> None:
    before = list(warnings.filters)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with without_warnings():
            warnings.warn_explicit("hushed", UserWarning, "x.py", 1, module="PIL.TiffImagePlugin")
            with without_warnings():
                pass
            warnings.warn_explicit("hushed", UserWarning, "x.py", 2, module="PIL.Image")
            warnings.warn_explicit("heard", UserWarning, "y.py", 1, module="elsewhere")
        warnings.warn_explicit("heard again", UserWarning, "x.py", 3, module="PIL.Image")
    assert [str(one.message) for one in caught] == ["heard", "heard again"]
    assert list(warnings.filters) == before
