"""What a crawl may cost: the site, the network and this machine."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class CrawlSettings:
    """Limits and manners of one crawl. Times are seconds, sizes bytes.

    `rate` is requests a second to one host name, one at a time; a longer `Crawl-delay` in robots.txt is kept up to
    `max_crawl_delay`. `timeout` is the deadline of one whole request, so that a server that drips is given up.
    A path pattern (digits made alike) is left when `barren_pages` of its pages in a row, each found through another of
    them, brought neither a new picture nor a new page of another pattern, or
    after `pattern_pages` in all; one path is left after `path_queries` different queries. `resolve` gives addresses
    to use in place of DNS, as ("name", ("address", …)); they are checked like any others. `contact` is shown to
    the sites in the User-Agent.
    """

    rate: float = 1.0
    max_crawl_delay: float = 30.0
    timeout: float = 60.0
    max_pages: int = 10_000
    max_images: int = 100_000
    max_depth: int = 16
    max_redirects: int = 5
    max_url_length: int = 2_000
    max_page_bytes: int = 4 * MIB
    max_image_bytes: int = 32 * MIB
    max_robots_bytes: int = 500 * 1024
    max_sitemap_bytes: int = 16 * MIB
    max_sitemaps: int = 100
    barren_pages: int = 50
    pattern_pages: int = 5_000
    path_queries: int = 2_000
    spool_bytes: int = 512 * MIB
    resolve: tuple[tuple[str, tuple[str, ...]], ...] = ()
    contact: str = ""
