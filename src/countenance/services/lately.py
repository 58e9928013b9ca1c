"""What was just made for somebody, in memory alone and for a while: so that they can look at it before it is written
down, and take it in several forms, without its being made again."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

from countenance.store import moments

_KEPT = 20
"""Most that are kept; the oldest goes."""


class Kept:
    """Reports that were just made, each for whoever made it and for so many minutes."""

    def __init__(self, minutes: int) -> None:
        self._life = timedelta(minutes=minutes)
        self._lock = threading.Lock()
        self._reports: dict[str, tuple[datetime, str, dict[str, Any]]] = {}

    def put(self, report: str, user: str, body: dict[str, Any], *, copy_of: str | None = None) -> None:
        """Keep one more; the oldest goes when there are too many. What is made of another ends when that does."""
        with self._lock:
            now = moments.now()
            live = {id: one for id, one in self._reports.items() if one[0] > now}
            until = now + self._life
            if copy_of is not None:
                until = live[copy_of][0] if copy_of in live else now
            self._reports = dict(list(live.items())[-(_KEPT - 1) :]) | {report: (until, user, body)}

    def get(self, report: str, user: str) -> dict[str, Any] | None:
        """One's own, while it is kept."""
        with self._lock:
            until, whose, body = self._reports.get(report, (moments.now(), "", {}))
        return body if whose == user and until > moments.now() else None
