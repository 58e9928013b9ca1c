"""The gate in front of every request, those after a redirect among them: the registered hosts, nothing private,
and what the site asks of robots."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any
from urllib.parse import urlsplit

from countenance.domain.errors import PrivateAddress
from countenance.sources.addresses import BadAddress, Place, place
from countenance.sources.crawl.policy import Robots, SitePolicy, read_reservations, read_robots
from countenance.sources.crawl.refusals import Refusal, reason_of_status

MAX_SITES = 2_000
_REDIRECTS = {301, 302, 303, 307, 308}
_OWN_WORDS = ("robots", "tdm")
"""Roles of requests for what a site says to robots; these cannot wait for themselves."""


class Gate:
    """A Scrapy downloader middleware. Every request carries `meta["role"]`: page, image, sitemap, robots or tdm."""

    def __init__(self, crawler: Any) -> None:
        self._crawler = crawler
        self._sites: OrderedDict[str, asyncio.Future[SitePolicy]] = OrderedDict()

    @classmethod
    def from_crawler(cls, crawler: Any) -> Gate:
        gate = cls(crawler)
        crawler.spider.gate = gate
        return gate

    async def process_request(self, request: Any) -> None:
        spider = self._crawler.spider
        try:
            target = place(request.url)
        except BadAddress as error:
            raise Refusal("bad-address", str(error)) from None
        try:
            spider.guard.judge(target.host, target.port)
        except PrivateAddress:
            raise Refusal("private-address", target.netloc) from None
        if target.netloc not in spider.hosts:
            raise Refusal("outside-hosts", target.netloc)
        if len(target.url) > spider.job.limits.max_url_length:
            raise Refusal("too-long")
        role = request.meta["role"]
        if role not in _OWN_WORDS:
            policy = await self._policy(target)
            reason = policy.refusal(target.url, _after_host(target.url))
            if reason is not None:
                if reason == "robots" and policy.robots.parsed is None:
                    private = policy.trouble == "private-address"
                    raise Refusal(policy.trouble if private else "robots-unreachable", policy.trouble)
                raise Refusal(reason)
            if role == "page" and not request.meta.get("begun"):
                spider.begin_page(request, target)
                request.meta["begun"] = True

    async def process_response(self, request: Any, response: Any) -> Any:
        location = response.headers.get("Location")
        if response.status not in _REDIRECTS or location is None:
            return response
        chain = [*request.meta.get("chain", ()), request.url]
        try:
            target = place(location.decode("utf-8", "replace"), request.url)
        except BadAddress as error:
            raise Refusal("bad-address", str(error)) from None
        if target.url in chain or len(chain) > self._crawler.spider.job.limits.max_redirects:
            raise Refusal("redirect-loop")
        meta = {key: value for key, value in request.meta.items() if key not in {"begun", "retry_times"}}
        return request.replace(url=target.url, meta=meta | {"chain": chain}, dont_filter=True)

    async def sitemaps_of(self, origin: Place) -> list[str]:
        """The sitemaps that robots.txt names. Never raises: a site that cannot be asked names none."""
        return (await self._policy(origin)).robots.sitemaps

    async def _policy(self, target: Place) -> SitePolicy:
        known = self._sites.get(target.origin)
        if known is None:
            known = self._sites[target.origin] = asyncio.get_running_loop().create_future()
            while len(self._sites) > MAX_SITES and next(iter(self._sites.values())).done():
                self._sites.popitem(last=False)
            known.set_result(await self._ask(target))
        return await known

    async def _ask(self, target: Place) -> SitePolicy:
        limits = self._crawler.spider.job.limits
        status, body, trouble = await self._fetch(f"{target.origin}/robots.txt", "robots", 4 * limits.max_robots_bytes)
        robots: Robots = read_robots(status, body, limits.max_robots_bytes)
        self._crawler.spider.pace.slow_down(target.host, robots.crawl_delay)
        if robots.parsed is None and not robots.allow_all:
            return SitePolicy(robots, trouble=trouble)  # nothing may be fetched, so nothing more is asked
        status, body, _ = await self._fetch(f"{target.origin}/.well-known/tdmrep.json", "tdm", limits.max_page_bytes)
        return SitePolicy(robots, read_reservations(status, body))

    async def _fetch(self, url: str, role: str, max_bytes: int) -> tuple[int | None, bytes, str]:
        from scrapy import Request

        request = Request(
            url,
            meta={
                "role": role,
                "download_maxsize": max_bytes,
                "download_timeout": self._crawler.spider.job.limits.timeout,
            },
            dont_filter=True,
        )
        try:
            response = await self._crawler.engine.download_async(request)
        except Exception as error:  # whatever went wrong, there is no answer
            return None, b"", self._crawler.spider.why(error, url)[0]
        return response.status, response.body, reason_of_status(response.status)[0]


def _after_host(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")
