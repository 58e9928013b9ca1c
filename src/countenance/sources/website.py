"""Reads a website: the crawl of its registered hosts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from countenance.domain.errors import BadInput
from countenance.domain.sources import Finding, Source
from countenance.sources.addresses import BadAddress, registered_hosts, start_addresses
from countenance.sources.crawl.job import Job
from countenance.sources.crawl.parent import run_crawl
from countenance.sources.limits import CrawlSettings
from countenance.sources.reading import NotingReader


class WebsiteReader(NotingReader):
    """Reads `source.location`, addresses separated by spaces. Their HOST:PORTs are the only ones visited."""

    def __init__(self, source: Source, spool: Path, crawl: CrawlSettings, known_pages: Iterable[str] = ()) -> None:
        super().__init__()
        self._source = source
        self._spool = spool
        self._crawl = crawl
        self._known_pages = tuple(known_pages)

    def findings(self) -> Iterator[Finding]:
        """Pictures as they arrive. Raises BadInput for a location that is no address, and FetchFailed, after all that
        was found, when the crawl broke off."""
        try:
            starts = start_addresses(self._source.location)
        except BadAddress as error:
            raise BadInput(f"not an address of a website: {error}", advice="Register the source again.") from None
        job = Job(
            kind="website",
            starts=tuple(start.url for start in starts),
            hosts=tuple(sorted(registered_hosts(starts))),
            allow_private=self._source.allow_private,
            folder="",
            parent=0,
            known_pages=self._known_pages,
            limits=self._crawl,
        )
        yield from run_crawl(job, self._spool)
