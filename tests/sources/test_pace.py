"""How long a host is left alone between two requests."""

from __future__ import annotations

import asyncio
import time

from countenance.sources.crawl.pace import Pace
from countenance.sources.limits import CrawlSettings


def seconds_for_two(pace: Pace, *hosts: str) -> float:
    async def go() -> float:
        started = time.monotonic()
        for host in hosts:
            async with pace.turn(host):
                pass
        return time.monotonic() - started

    return asyncio.run(go())


def test_a_host_that_is_overloaded_is_left_alone_within_bounds() -> None:
    for says, least in (("3600", 0.3), ("0", 0.0), ("", 0.1), ("soon", 0.1), ("9" * 400, 0.1)):
        pace = Pace(CrawlSettings(rate=100, max_crawl_delay=0.3))
        pace.pause("a", says)
        took = seconds_for_two(pace, "b", "a")
        assert least - 0.02 <= took < least + 0.25, says


def test_the_longer_of_two_intervals_is_kept_for_its_host_alone() -> None:
    pace = Pace(CrawlSettings(rate=100, max_crawl_delay=0.2))
    pace.slow_down("a", 100)
    pace.slow_down("a", 0.001)
    assert seconds_for_two(pace, "a", "a", "b", "b") >= 0.2
    assert seconds_for_two(Pace(CrawlSettings(rate=10)), "a", "b", "c") < 0.1


def test_one_request_at_a_time_a_host() -> None:
    pace = Pace(CrawlSettings(rate=10_000))
    under_way: list[str] = []
    most: dict[str, int] = {}

    async def request(host: str) -> None:
        async with pace.turn(host):
            under_way.append(host)
            most[host] = max(most.get(host, 0), under_way.count(host))
            most["all"] = max(most.get("all", 0), len(under_way))
            await asyncio.sleep(0.01)
            under_way.remove(host)

    async def go() -> None:
        await asyncio.gather(*(request(host) for host in "aabbab"))

    asyncio.run(go())
    assert most == {"a": 1, "b": 1, "all": 2}
