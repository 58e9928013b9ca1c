"""The crawler over the demo web: all that may be found is, nothing that asked to be left alone, no fence crossed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from countenance.domain.sources import Found, Skipped, Source
from countenance.sources.limits import CrawlSettings
from countenance.sources.website import WebsiteReader
from demo.people import PEOPLE
from demo.web import Web


@dataclass
class Crawled:
    """What the five crawls brought."""

    web: Web
    found: set[tuple[str, str]] = field(default_factory=set)
    captions: set[str | None] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    now = datetime.now(UTC)
    with Web() as web:
        result = Crawled(web)
        for number, (key, server) in enumerate(web.servers.items()):
            source = Source(
                id=number,
                name=key,
                kind="website",
                location=f"{server.base}/",
                owner=server.site.title,
                basis="consent",
                basis_document=None,
                purpose=None,
                note=None,
                retain_days=90,
                registered_at=now,
                expires_at=now + timedelta(days=90),
                collection="demo",
                allow_private=(server.place,),
            )
            spool: Path = tmp_path_factory.mktemp(key)
            limits = CrawlSettings(rate=200.0, max_image_bytes=4_000_000, barren_pages=8)
            for finding in WebsiteReader(source, spool, limits).read():
                if isinstance(finding, Found):
                    result.found.add((finding.page, finding.address))
                    result.captions.add(finding.caption)
                elif isinstance(finding, Skipped):
                    result.refused[finding.address] = finding.reason
                    result.reasons[finding.reason] += 1
    return result


def test_everything_expected_is_found(crawled: Crawled) -> None:
    missing = [
        one for one in crawled.web.expected(PEOPLE) if not {(one.page, image) for image in one.images} & crawled.found
    ]
    assert missing == []


def test_nothing_forbidden_is_found_and_the_wish_is_named(crawled: Crawled) -> None:
    forbidden = crawled.web.forbidden()
    assert [one for one in crawled.found if one[0] in forbidden or one[1] in forbidden] == []
    for site, base in crawled.web.sites():
        for page in site.pages.values():
            if page.forbidden:
                assert crawled.refused[base + page.path] == page.forbidden
        for path, wish in site.reserved.items():
            assert crawled.refused[base + path] == wish


def test_a_robots_rule_is_not_even_asked_for(crawled: Crawled) -> None:
    for server in crawled.web.servers.values():
        asked = [path for path in server.asked for folder in server.site.disallowed if path.startswith(folder)]
        assert asked == []


def test_the_fence_was_never_touched(crawled: Crawled) -> None:
    assert crawled.web.fenced.connections == 0
    assert crawled.reasons["private-address"] >= 10


def test_traps_end(crawled: Crawled) -> None:
    assert crawled.reasons["trap"] >= 1
    assert crawled.reasons["too-many-bytes"] == 2
    assert crawled.reasons["redirect-loop"] == 2
    assert crawled.reasons["http-404"] == 1
    calendar = [path for path in crawled.web.servers["blog"].asked if path.startswith("/calendar/")]
    assert len(calendar) < 40
    # The stream that does not say how long it is was cut at the limit, give or take what was under way.
    assert crawled.web.servers["fair"].streamed < 60_000_000


def test_captions_come_along(crawled: Crawled) -> None:
    assert "Tessa planted the first tree." in crawled.captions
    assert "Twenty of nine hundred visitors." in crawled.captions
