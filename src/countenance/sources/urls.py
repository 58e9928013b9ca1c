"""Reads a list of picture addresses: what it names is fetched, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from countenance.domain.errors import BadInput
from countenance.domain.sources import Finding, Skipped, Source
from countenance.sources.addresses import place
from countenance.sources.crawl.job import Job
from countenance.sources.crawl.parent import run_crawl
from countenance.sources.limits import CrawlSettings
from countenance.sources.lists import count_rows, read_list
from countenance.sources.reading import NotingReader

MAX_HOSTS = 100_000


class UrlsReader(NotingReader):
    """Reads the list at `source.location` (txt, CSV or Parquet). The hosts that it names are the registered ones: a
    redirect to any other is not followed. A picture without a page of its own has its own address as its page."""

    def __init__(self, source: Source, spool: Path, crawl: CrawlSettings) -> None:
        super().__init__()
        self._source = source
        self._spool = spool
        self._crawl = crawl

    def expected(self) -> int:
        """The rows of the list."""
        return count_rows(self._source.location)

    def findings(self) -> Iterator[Finding]:
        """Pictures in about the order of the list. Raises BadInput when the list cannot be read as one, and
        FetchFailed, after all that was found, when the crawl broke off."""
        hosts: set[str] = set()
        for row in read_list(self._source.location):
            if not isinstance(row, Skipped):
                hosts.add(place(row.image).netloc)
                if len(hosts) > MAX_HOSTS:
                    raise BadInput(
                        f"the list names more than {MAX_HOSTS} hosts", advice="Split it into several sources."
                    )
        job = Job(
            kind="urls",
            starts=(self._source.location,),
            hosts=tuple(sorted(hosts)),
            allow_private=self._source.allow_private,
            folder="",
            parent=0,
            limits=self._crawl,
        )
        yield from run_crawl(job, self._spool)
