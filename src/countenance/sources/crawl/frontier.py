"""Which pages are worth going to: each once, not too deep, and out of a trap that makes pages without end."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from urllib.parse import parse_qsl, urlsplit

from countenance.sources.limits import CrawlSettings

SEEN = "seen"
MAX_REPEATS = 3


def pattern_of(url: str) -> str:
    """The kind of page: numbers made alike, parameters by name only. `/cal/2026/11?d=3` → `/cal/#/#?d`."""
    parts = urlsplit(url)
    names = sorted({name for name, _ in parse_qsl(parts.query, keep_blank_values=True)})
    return f"{parts.netloc}{re.sub(r'[0-9]+', '#', parts.path)}" + (f"?{'&'.join(names)}" if names else "")


class Frontier:
    """Keeps count for one crawl. Reasons: `seen` (nothing to report), `too-long`, `too-deep`, `trap`, `page-limit`."""

    def __init__(self, limits: CrawlSettings) -> None:
        self._limits = limits
        self._seen: set[str] = set()
        self._started = 0
        self._pages: Counter[str] = Counter()
        self._barren: Counter[str] = Counter()
        self._queries: defaultdict[str, set[int]] = defaultdict(set)

    def admit(self, url: str, depth: int) -> str | None:
        """Whether the page joins the queue: None, or why not. Asked once for each link; a page counts as seen then."""
        if url in self._seen:
            return SEEN
        if len(url) > self._limits.max_url_length:
            return "too-long"
        if depth > self._limits.max_depth:
            return "too-deep"
        # The queue is bounded too: a page of a trap costs memory before it costs a visit.
        if len(self._seen) > 4 * self._limits.max_pages:
            return "page-limit"
        self._seen.add(url)
        parts = urlsplit(url)
        if any(count > MAX_REPEATS for count in Counter(filter(None, parts.path.split("/"))).values()):
            return "trap"
        if parts.query:
            queries = self._queries[parts.netloc + parts.path]
            queries.add(hash(parts.query))
            if len(queries) > self._limits.path_queries:
                return "trap"
        return None

    def start(self, url: str) -> str | None:
        """Whether the page is still worth its visit, asked just before it."""
        pattern = pattern_of(url)
        if self._barren[pattern] >= self._limits.barren_pages or self._pages[pattern] >= self._limits.pattern_pages:
            return "trap"
        if self._started >= self._limits.max_pages:
            return "page-limit"
        self._started += 1
        self._pages[pattern] += 1
        return None

    def read(self, url: str, *, via: str | None, brought_new: bool) -> None:
        """The page was read. `via` is the pattern of the page that it was found through; `brought_new` says that it
        showed a picture or a page of another pattern that were not known before.

        A list of months links to further months and to nothing else; the pages of a gallery are found through the
        gallery, or show pictures. So only what is found through its own kind can be barren.
        """
        pattern = pattern_of(url)
        if brought_new:
            self._barren[pattern] = 0
        elif via == pattern:
            self._barren[pattern] += 1

    @property
    def pages(self) -> int:
        """How many visits were begun."""
        return self._started
