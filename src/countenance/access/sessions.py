"""Browser sessions of one running server.

`serve` mints a link that is good once and not for long; the browser that follows it gets a session, kept here by the
SHA-256 of its secret and gone when the server stops. A session ends when it was idle too long, when it is old, or when
the person leaves. Safe for several threads.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from countenance.domain.errors import NotSignedIn

LINK_SECONDS = 15 * 60
IDLE_SECONDS = 60 * 60
LIFE_SECONDS = 8 * 60 * 60


@dataclass(frozen=True, slots=True)
class Opened:
    """A session as the browser gets it: `secret` goes into the cookie, `csrf` into its pages."""

    secret: str
    csrf: str


@dataclass(slots=True)
class _Session:
    csrf: str
    begun: float
    used: float


class Sessions:
    """The links that were minted and the sessions that they opened. Times in seconds of `clock`, which never jumps."""

    def __init__(
        self,
        *,
        link_seconds: float = LINK_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
        life_seconds: float = LIFE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._link_seconds = link_seconds
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._links: dict[bytes, float] = {}
        self._sessions: dict[bytes, _Session] = {}
        self.life_seconds = life_seconds

    def mint_link(self) -> str:
        """A code that opens one session, once, within `link_seconds`. An earlier code that was not used dies."""
        code = secrets.token_urlsafe(32)
        with self._lock:
            self._links = {_digest(code): self._clock() + self._link_seconds}
        return code

    def redeem(self, code: str) -> Opened:
        """Turn a code into a session. Raises NotSignedIn when it was used, is too old, or never was."""
        opened = Opened(secrets.token_urlsafe(32), secrets.token_urlsafe(32))
        with self._lock:
            now = self._clock()
            until = self._links.pop(_digest(code), None)
            if until is None or now >= until:
                raise NotSignedIn(
                    "this link was used already or is too old",
                    advice="the terminal where the server runs shows how to get a new one",
                )
            self._forget_dead(now)
            self._sessions[_digest(opened.secret)] = _Session(opened.csrf, now, now)
        return opened

    def check(self, secret: str) -> str:
        """The CSRF token of a live session, which this call keeps from being idle. Raises NotSignedIn."""
        with self._lock:
            now = self._clock()
            self._forget_dead(now)
            session = self._sessions.get(_digest(secret))
            if session is None:
                raise NotSignedIn(
                    "this browser is not signed in, or its session has ended",
                    advice="open the link that the server printed in its terminal",
                )
            session.used = now
            return session.csrf

    def close(self, secret: str) -> None:
        """End a session; nothing happens when there is none."""
        with self._lock:
            self._sessions.pop(_digest(secret), None)

    def _forget_dead(self, now: float) -> None:
        self._sessions = {
            key: s
            for key, s in self._sessions.items()
            if now - s.used < self._idle_seconds and now - s.begun < self.life_seconds
        }


def same(given: str, expected: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell how much of them is."""
    return hmac.compare_digest(given.encode(), expected.encode())


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
