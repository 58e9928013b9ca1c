"""Through a website: start pages and sitemaps, then from link to link, as far as the limits and the site allow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from scrapy import signals
from scrapy.exceptions import DontCloseSpider

from countenance.domain.sources import PageSeen
from countenance.sources.addresses import BadAddress, Place, place
from countenance.sources.crawl.album import OpenPage, Showing
from countenance.sources.crawl.frontier import SEEN, Frontier, pattern_of
from countenance.sources.crawl.pages import Page, read_page
from countenance.sources.crawl.refusals import TRANSIENT, Refusal, reason_of_status
from countenance.sources.crawl.sitemaps import SitemapUnusable, read_sitemap
from countenance.sources.crawl.spider import PictureSpider, content_type, header_wishes
from countenance.sources.crawl.wishes import wishes

_ONCE_A_PATTERN = {"trap", "too-deep"}
_FORBIDDEN = {"robots", "tdm", "outside-hosts", "private-address"}
_GONE = {404, 410}


class WebsiteSpider(PictureSpider):
    """Pages come breadth first; a page's pictures before the next page."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.frontier = Frontier(self.job.limits)
        self._known = list(reversed(self.job.known_pages))
        self._was_known = frozenset(self.job.known_pages)
        self._sitemaps: set[str] = set()

    @classmethod
    def from_crawler(cls, crawler: Any, *args: Any, **kwargs: Any) -> WebsiteSpider:
        spider: WebsiteSpider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.visit_known, signal=signals.spider_idle)
        return spider

    async def first_requests(self) -> AsyncIterator[Any]:
        starts = [place(address) for address in self.job.starts]
        for start in starts:
            async for request in self._follow(start, depth=0, via=None):
                yield request
        for origin in {start.origin: start for start in starts}.values():
            for address in await self.gate.sitemaps_of(origin):
                async for request in self._sitemap(address, guessed=False):
                    yield request
            async for request in self._sitemap(f"{origin.origin}/sitemap.xml", guessed=True):
                yield request

    def visit_known(self) -> None:
        """Nothing is left to do: visit the pages again that earlier runs saw and that this one did not come by."""
        while self._known:
            url = self._known.pop()
            if self.frontier.admit(url, self.job.limits.max_depth) is None:
                request = self._page_request(url, depth=self.job.limits.max_depth, via=None)
                self.crawler.engine.crawl(request)
                raise DontCloseSpider

    def begin_page(self, request: Any, target: Place) -> None:
        """The gate asks for each page just before its visit. Raises Refusal."""
        if request.meta.get("chain") and self.frontier.admit(target.url, request.meta["depth"]) == SEEN:
            raise Refusal(SEEN)
        reason = self.frontier.start(target.url)
        if reason is not None:
            raise Refusal(reason)

    async def _follow(self, target: Place, *, depth: int, via: str | None) -> AsyncIterator[Any]:
        if target.netloc not in self.hosts:
            await self.skip(target.url, "outside-hosts", target.netloc, once=f"link {target.netloc}")
            return
        reason = self.frontier.admit(target.url, depth)
        if reason is None:
            yield self._page_request(target.url, depth=depth, via=via)
        elif reason != SEEN:
            await self._skip_page(target.url, reason)

    def _page_request(self, url: str, *, depth: int, via: str | None) -> Any:
        return self.request(url, "page", self.page, self.no_page, priority=-depth, depth=depth, via=via, asked=url)

    async def _skip_page(self, url: str, reason: str, detail: str = "") -> None:
        once = None
        if reason in _ONCE_A_PATTERN:
            detail = once = pattern_of(url)
        elif reason == "page-limit":
            once = reason
        await self.skip(url, reason, detail, once=once)

    async def page(self, response: Any) -> AsyncIterator[Any]:
        """The answer to a request for a page."""
        asked, url = response.meta["asked"], place(response.url).url
        if response.status != 200:
            reason, _ = reason_of_status(response.status)
            await self.skip(asked, reason)
            if response.status in _GONE:
                await self.tell([PageSeen(asked, response.status)])
            return
        if asked != url:
            await self.tell([PageSeen(asked, 301)])
        kind = content_type(response)
        if kind.startswith("image/"):
            # A link without a picture's name that led to one: the page that showed the link is not known any more.
            async for request in self._image_page(response, url):
                yield request
        elif (kind.startswith(("text/html", "application/xhtml")) or not kind) and hasattr(response, "text"):
            async for request in self._read(response, url):
                yield request
        elif "xml" in kind:
            async for request in self._sitemap_pages(response, quiet=True):
                yield request
        else:
            await self.skip(url, "not-html", kind.partition(";")[0][:80])

    async def no_page(self, failure: Any) -> AsyncIterator[Any]:
        asked = failure.request.meta["asked"]
        reason, detail = self.why(failure.value, failure.request.url)
        if reason == SEEN:
            await self.tell([PageSeen(asked, 301)])
        else:
            await self._skip_page(asked, reason, detail)
            if reason in _FORBIDDEN and asked in self._was_known:
                await self.tell([PageSeen(asked, 403)])
            elif reason not in TRANSIENT and failure.request.meta.get("chain"):
                await self.tell([PageSeen(asked, 301)])
        return
        yield

    async def _read(self, response: Any, url: str) -> AsyncIterator[Any]:
        page = read_page(response.text, url)
        asks = header_wishes(response).and_also(wishes(page.meta))
        brought_new = False
        if asks.reason is not None:
            await self.skip(url, asks.reason)
            await self.tell([PageSeen(url)])
        else:
            brought_new = any(not self.album.knows(address) for address in page.images)
            async for request in self._pictures(page, url):
                yield request
        here = pattern_of(url)
        if asks.follow and response.meta["depth"] < self.job.limits.max_depth + 1:
            for link in page.links.values():
                async for request in self._follow(link, depth=response.meta["depth"] + 1, via=here):
                    brought_new = brought_new or pattern_of(link.url) != here
                    yield request
        self.frontier.read(url, via=response.meta["via"], brought_new=brought_new)

    async def _pictures(self, page: Page, url: str) -> AsyncIterator[Any]:
        opened = OpenPage(url)
        for text in page.unusable:
            await self.skip(text, "bad-address")
        for image in page.images.values():
            if image.place.url.partition("?")[0].lower().endswith((".svg", ".svgz")):
                await self.skip(image.place.url, "svg")
                continue
            showing = Showing(opened, url, page.title, image.alt, image.caption)
            async for request in self.want(image.place, showing):
                yield request
        await self.tell(self.album.close_page(opened))

    async def _image_page(self, response: Any, url: str) -> AsyncIterator[Any]:
        target = place(url)
        async for _ in self.want(target, Showing(None, url, None, None, None)):
            response.meta["address"] = url
            async for request in self.picture(response):
                yield request

    async def _sitemap(self, address: str, *, guessed: bool) -> AsyncIterator[Any]:
        try:
            target = place(address)
        except BadAddress:
            await self.skip(address, "bad-address")
            return
        if target.url in self._sitemaps:
            return
        if len(self._sitemaps) >= self.job.limits.max_sitemaps:
            await self.skip(target.url, "sitemap-limit", once="sitemap-limit")
            return
        self._sitemaps.add(target.url)
        yield self.request(target.url, "sitemap", self.sitemap, self.no_sitemap, address=target.url, guessed=guessed)

    async def sitemap(self, response: Any) -> AsyncIterator[Any]:
        """The answer to a request for a sitemap."""
        if response.status != 200:
            if not response.meta["guessed"]:
                await self.skip(response.meta["address"], reason_of_status(response.status)[0])
            return
        async for request in self._sitemap_pages(response, quiet=response.meta["guessed"]):
            yield request

    async def no_sitemap(self, failure: Any) -> AsyncIterator[Any]:
        if not failure.request.meta["guessed"]:
            await self.skip(failure.request.meta["address"], *self.why(failure.value, failure.request.url))
        return
        yield

    async def _sitemap_pages(self, response: Any, *, quiet: bool) -> AsyncIterator[Any]:
        try:
            found = read_sitemap(response.body, self.job.limits.max_sitemap_bytes)
        except SitemapUnusable as error:
            if not quiet:
                await self.skip(response.url, str(error))
            return
        for location in found.locations:
            if found.is_index:
                async for request in self._sitemap(location, guessed=False):
                    yield request
                continue
            try:
                target = place(location)
            except BadAddress:
                await self.skip(location[:500], "bad-address")
                continue
            async for request in self._follow(target, depth=1, via=None):
                yield request
