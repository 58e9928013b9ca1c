"""One-time links and browser sessions, by a clock that the test turns."""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest

from countenance.access.sessions import Opened, Sessions, same
from countenance.domain.errors import NotSignedIn


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> Sessions:
    return Sessions(link_seconds=60, idle_seconds=600, life_seconds=3600, clock=clock)


def test_a_link_is_good_once(sessions: Sessions) -> None:
    code = sessions.mint_link()
    opened = sessions.redeem(code)
    assert sessions.check(opened.secret) == opened.csrf
    with pytest.raises(NotSignedIn):
        sessions.redeem(code)


def test_a_link_is_good_once_among_many_who_try_together(sessions: Sessions) -> None:
    code = sessions.mint_link()
    ready = threading.Barrier(16)
    opened: list[Opened] = []

    def attempt() -> None:
        ready.wait()
        with suppress(NotSignedIn):
            opened.append(sessions.redeem(code))

    threads = [threading.Thread(target=attempt) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 1


def test_a_link_that_waited_too_long_is_dead(sessions: Sessions, clock: Clock) -> None:
    code = sessions.mint_link()
    clock.now += 60
    with pytest.raises(NotSignedIn):
        sessions.redeem(code)


def test_a_new_link_ends_the_one_before(sessions: Sessions) -> None:
    old, new = sessions.mint_link(), sessions.mint_link()
    with pytest.raises(NotSignedIn):
        sessions.redeem(old)
    sessions.redeem(new)


@pytest.mark.parametrize("code", ["", "A" * 43])
def test_what_was_never_minted_opens_nothing(sessions: Sessions, code: str) -> None:
    sessions.mint_link()
    with pytest.raises(NotSignedIn):
        sessions.redeem(code)
    with pytest.raises(NotSignedIn):
        sessions.check(code)


def test_an_idle_session_ends_and_a_used_one_goes_on(sessions: Sessions, clock: Clock) -> None:
    used, idle = (sessions.redeem(sessions.mint_link()) for _ in range(2))
    clock.now += 599
    sessions.check(used.secret)
    clock.now += 1
    sessions.check(used.secret)
    with pytest.raises(NotSignedIn):
        sessions.check(idle.secret)


def test_no_session_lives_for_ever(sessions: Sessions, clock: Clock) -> None:
    opened = sessions.redeem(sessions.mint_link())
    for _ in range(35):
        clock.now += 100
        sessions.check(opened.secret)
    clock.now += 100
    with pytest.raises(NotSignedIn):
        sessions.check(opened.secret)


def test_leaving_ends_this_session_alone(sessions: Sessions) -> None:
    mine, theirs = (sessions.redeem(sessions.mint_link()) for _ in range(2))
    sessions.close(mine.secret)
    sessions.close("never was")
    with pytest.raises(NotSignedIn):
        sessions.check(mine.secret)
    assert sessions.check(theirs.secret) == theirs.csrf


def test_the_csrf_token_is_not_the_session_and_opens_none(sessions: Sessions) -> None:
    opened = sessions.redeem(sessions.mint_link())
    assert opened.csrf != opened.secret
    with pytest.raises(NotSignedIn):
        sessions.check(opened.csrf)


def test_same() -> None:
    assert same("ä", "ä")
    assert not same("", "a")
    assert not same("a", "aa")
