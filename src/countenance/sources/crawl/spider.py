"""The two spiders: through a website's pages to its pictures, and down a list of pictures."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from scrapy import Request, Spider, signals

from countenance.domain.sources import Finding, Skipped
from countenance.sources.addresses import BadAddress, Place, place
from countenance.sources.crawl.album import Album, Showing
from countenance.sources.crawl.gate import Gate
from countenance.sources.crawl.job import Job
from countenance.sources.crawl.pace import Pace
from countenance.sources.crawl.refusals import TRANSIENT, reason_of, reason_of_status
from countenance.sources.crawl.resolving import install_guard
from countenance.sources.crawl.wishes import Wishes, wishes
from countenance.sources.lists import read_list
from countenance.sources.netguard import Guard

IMAGE_PRIORITY = 1_000_000
"""Above every page's: pictures on their way are finished before new ones are found."""

Write = Callable[[Finding], None]


class PictureSpider(Spider):  # type: ignore[misc]
    """Fetches pictures and tells of them. Subclasses say which."""

    name = "countenance"
    gate: Gate

    def __init__(self, job: Job, guard: Guard, write: Write) -> None:
        super().__init__()
        self.job = job
        self.guard = guard
        self.hosts = set(job.hosts)
        self.pace = Pace(job.limits)
        self.album = Album(Path(job.folder), job.limits.spool_bytes)
        self._write = write
        self._writing = ThreadPoolExecutor(1)
        self._reported: set[tuple[str, str]] = set()
        self._refused: set[tuple[str, int]] = set()

    @classmethod
    def from_crawler(cls, crawler: Any, *args: Any, **kwargs: Any) -> PictureSpider:
        spider: PictureSpider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.finish, signal=signals.spider_closed)
        crawler.signals.connect(spider.stumbled, signal=signals.spider_error)
        return spider

    async def start(self) -> AsyncIterator[Any]:
        # The loop runs now and nothing was requested yet: the moment to put the resolver under guard.
        from twisted.internet import reactor

        self._refused = install_guard(reactor, self.guard)
        async for request in self.first_requests():
            yield request

    def first_requests(self) -> AsyncIterator[Any]:
        raise NotImplementedError

    def finish(self) -> None:
        self._writing.shutdown(wait=True)
        self.album.close()

    def stumbled(self, failure: Any, response: Any) -> None:
        """One answer that we cannot cope with is reported, and the crawl goes on. Without disk or memory it cannot."""
        if isinstance(failure.value, OSError | MemoryError):
            print(type(failure.value).__name__, failure.value.args[:2], file=sys.stderr, flush=True)  # noqa: T201
            os._exit(3)
        address = getattr(response, "url", "") or getattr(getattr(failure, "request", None), "url", "")
        self._writing.submit(self._write, Skipped(address, "unreadable", type(failure.value).__name__, hides=True))

    async def tell(self, findings: Iterable[Finding]) -> None:
        """Write findings, in order. Waits while the reader is busy: Scrapy takes no more on then, and goes on with what
        is under way, so that no download misses its deadline for want of attention."""
        for finding in findings:
            await asyncio.wrap_future(self._writing.submit(self._write, finding))

    async def skip(self, address: str, reason: str, detail: str = "", *, once: str | None = None) -> None:
        """Report what is not read; once for each address, or for each `once`."""
        key = (reason, once or address)
        if key not in self._reported:
            self._reported.add(key)
            hides = reason in TRANSIENT or (reason.startswith("http-") and reason_of_status(int(reason[5:]))[1])
            await self.tell([Skipped(address, reason, detail, hides)])

    async def want(self, target: Place, showing: Showing) -> AsyncIterator[Any]:
        """A picture is shown: yields the request for it when it is needed, and tells what is known already."""
        if not self.album.knows(target.url) and len(self.album) >= self.job.limits.max_images:
            if showing.page is not None:
                showing.page.whole = False
            await self.skip(target.url, "image-limit", once="image-limit")
            return
        needed, found = self.album.show(target.url, showing)
        await self.tell(found)
        if needed:
            yield self.request(target.url, "image", self.picture, self.no_picture, address=target.url)

    def request(self, url: str, role: str, done: Any, failed: Any, *, priority: int = 0, **meta: Any) -> Any:
        limits = self.job.limits
        sizes = {"image": limits.max_image_bytes, "page": limits.max_page_bytes, "sitemap": limits.max_sitemap_bytes}
        return Request(
            url,
            callback=done,
            errback=failed,
            dont_filter=True,
            priority=IMAGE_PRIORITY if role == "image" else priority,
            meta={"role": role, "download_maxsize": sizes[role], "download_timeout": limits.timeout} | meta,
        )

    async def picture(self, response: Any) -> AsyncIterator[Any]:
        """The answer to a request for a picture."""
        address = response.meta["address"]
        reason, transient = None, False
        if response.status != 200:
            reason, transient = reason_of_status(response.status)
        elif (refusal := header_wishes(response).reason) is not None:
            reason = refusal
        elif content_type(response).startswith(("text/html", "application/xhtml")):
            reason = "not-an-image"
        elif content_type(response).startswith("image/svg"):
            reason = "svg"
        if reason is None:
            await self.tell(self.album.arrived(address, response.body, validator_of(response)))
        else:
            await self.skip(address, reason)
            await self.tell(self.album.missed(address, transient=transient))
        return
        yield  # Scrapy takes an asynchronous generator or nothing

    async def no_picture(self, failure: Any) -> AsyncIterator[Any]:
        address = failure.request.meta["address"]
        reason, detail = self.why(failure.value, failure.request.url)
        await self.skip(address, reason, detail)
        await self.tell(self.album.missed(address, transient=reason in TRANSIENT))
        return
        yield

    def why(self, error: BaseException, url: str) -> tuple[str, str]:
        """The reason and detail of a request for this address that failed."""

        def was_private() -> bool:
            try:
                target = place(url)
            except BadAddress:
                return False
            return (target.host.strip("[]"), target.port) in self._refused

        return reason_of(error, was_private)


class ListSpider(PictureSpider):
    """Down the list, no faster than the pictures arrive."""

    async def first_requests(self) -> AsyncIterator[Any]:
        for row in read_list(self.job.starts[0]):
            if isinstance(row, Skipped):
                await self.tell([row])
                continue
            target = place(row.image)
            showing = Showing(None, row.page or target.url, row.title, row.alt, row.caption)
            async for request in self.want(target, showing):
                yield request
                # Not before what was asked for is under way, however long the list.
                await self.crawler.signals.wait_for(signals.scheduler_empty)

    def begin_page(self, request: Any, target: Place) -> None:
        """A list has no pages to visit."""


def header_wishes(response: Any) -> Wishes:
    """What the headers of an answer ask of robots."""

    def values(name: str) -> list[str]:
        return [value.decode("latin-1") for value in response.headers.getlist(name)]

    return wishes(headers=values("X-Robots-Tag"), reservations=values("TDM-Reservation"))


def content_type(response: Any) -> str:
    return (response.headers.get("Content-Type") or b"").decode("latin-1").strip().lower()


def validator_of(response: Any) -> str | None:
    """An HTTP validator of the picture, when the server sends one (RFC 9110, 8.8), with its length."""
    parts = [(response.headers.get(name) or b"").decode("latin-1") for name in ("ETag", "Last-Modified")]
    return "|".join([*parts, str(len(response.body))]) if any(parts) else None
