"""One polite rate for each host, kept where a request leaves for the network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler

from countenance.sources.addresses import place
from countenance.sources.limits import CrawlSettings

MAX_HOSTS = 10_000


class Pace:
    """When the next request to a host may leave. Ports do not count: it is one machine that answers."""

    def __init__(self, limits: CrawlSettings) -> None:
        self._interval = 1 / limits.rate
        self._longest = limits.max_crawl_delay
        self._slow: dict[str, float] = {}
        self._next: dict[str, float] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    def slow_down(self, host: str, seconds: float) -> None:
        """The site asks for this interval. A shorter one than ours changes nothing, a longer is kept up to a bound."""
        interval = min(seconds, self._longest)
        if interval > max(self._interval, self._slow.get(host, 0.0)):
            self._slow[host] = interval

    def pause(self, host: str, retry_after: str) -> None:
        """The site is overloaded: leave it alone for as many seconds as it says, or ten turns, at most the bound."""
        seconds = float(retry_after) if retry_after.isdecimal() and len(retry_after) < 9 else 10 * self._interval
        self._next[host] = max(self._next.get(host, 0.0), monotonic() + min(seconds, self._longest))

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Holds the host's only turn for as long as a request lasts, after waiting until it may leave."""
        lock = self._turns.setdefault(host, asyncio.Lock())
        async with lock:
            wait = self._next.get(host, 0.0) - monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            self._next[host] = monotonic() + self._slow.get(host, self._interval)
            yield
        if len(self._turns) > MAX_HOSTS:
            self._forget()

    def _forget(self) -> None:
        now = monotonic()
        for host, turn in list(self._turns.items()):
            if not turn.locked() and self._next.get(host, 0.0) < now:
                del self._turns[host]
                self._next.pop(host, None)


class PacedHandler(HTTP11DownloadHandler):  # type: ignore[misc]
    """Scrapy's own HTTP/1.1 download, each in its host's turn. Its deadline begins with the turn."""

    async def download_request(self, request: Any) -> Any:
        pace: Pace = self._crawler.spider.pace
        host = place(request.url).host
        async with pace.turn(host):
            response = await super().download_request(request)
            if response.status in {429, 503}:
                # Told here, before anyone can ask again.
                pace.pause(host, (response.headers.get("Retry-After") or b"").decode("latin-1").strip())
            return response
