"""The crawl's own process: `python -m countenance.sources.crawl`, one job on standard input, findings on standard
output. It is started by `countenance.sources.crawl.parent` and ends with whoever started it."""

from __future__ import annotations

import json
import os
import resource
import select
import sys
import threading
import warnings
from typing import Any

from countenance.domain.sources import Finding
from countenance.sources.crawl.job import END, MAX_LINE, Job, write_finding
from countenance.sources.netguard import Guard, table_resolver

MEMORY = 4 * 1024**3
"""Bytes of address space: a page that makes a parser run away ends this process and nothing else."""


def main() -> int:
    """Crawl, and return 0 when the crawl came to its end."""
    job = Job.from_line(sys.stdin.buffer.readline(MAX_LINE))
    threading.Thread(target=_end_with, args=(job.parent,), daemon=True).start()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    # Findings have standard output to themselves: whatever else prints goes to standard error.
    findings = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    warnings.simplefilter("ignore")  # they are for developers; standard error is shown to operators

    def write(finding: Finding) -> None:
        _write(findings.fileno(), write_finding(finding))

    guard = Guard(job.allow_private, table_resolver(dict(job.limits.resolve)))
    guard.watch_sockets()
    _crawl(job, guard, write)
    _write(findings.fileno(), json.dumps(END).encode() + b"\n")
    return 0


def _crawl(job: Job, guard: Guard, write: Any) -> None:
    from scrapy.crawler import AsyncCrawlerProcess

    from countenance.sources.crawl.spider import ListSpider
    from countenance.sources.crawl.website import WebsiteSpider

    spider = WebsiteSpider if job.kind == "website" else ListSpider
    process = AsyncCrawlerProcess(_settings(job), install_root_handler=False)
    crawl = process.crawl(spider, job=job, guard=guard, write=write)
    process.start(install_signal_handlers=False)
    crawl.result()  # raises what ended the crawl


def _settings(job: Job) -> dict[str, Any]:
    """Scrapy with only the parts that are needed. Everything that could fetch on its own account, keep cookies, follow
    a proxy, listen or open another kind of address is left out rather than switched off."""
    from importlib.metadata import version

    handler = "countenance.sources.crawl.pace.PacedHandler"
    contact = f"; {job.limits.contact}" if job.limits.contact else ""
    own = "scrapy.downloadermiddlewares."
    return {
        "USER_AGENT": f"countenance/{version('countenance')} (index of pictures; obeys robots.txt{contact})",
        "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
        "DOWNLOAD_HANDLERS_BASE": {},
        "DOWNLOAD_HANDLERS": {"http": handler, "https": handler},
        "DOWNLOADER_MIDDLEWARES_BASE": {
            "countenance.sources.crawl.gate.Gate": 100,
            own + "defaultheaders.DefaultHeadersMiddleware": 400,
            own + "useragent.UserAgentMiddleware": 500,
            own + "retry.RetryMiddleware": 550,
            own + "httpcompression.HttpCompressionMiddleware": 590,
        },
        "SPIDER_MIDDLEWARES_BASE": {},
        "EXTENSIONS_BASE": {},
        "DUPEFILTER_CLASS": "scrapy.dupefilters.BaseDupeFilter",
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "DOWNLOAD_MAXSIZE": job.limits.max_page_bytes,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_TIMEOUT": job.limits.timeout,
        "DOWNLOAD_DELAY": 0,
        "CONCURRENT_REQUESTS": 16,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "RETRY_TIMES": 1,
        "RETRY_HTTP_CODES": [429, 502, 503, 504],
        "RETRY_EXCEPTIONS": ["scrapy.exceptions.DownloadFailedError", "scrapy.exceptions.ResponseDataLossError"],
        "RETRY_PRIORITY_ADJUST": 0,
        # Findings wait in the spider while the reader is busy; beyond this many bytes nothing new is begun.
        "SCRAPER_SLOT_MAX_ACTIVE_SIZE": 1_000_000,
        # First found, first visited: the order of a page, not the other way round.
        "SCHEDULER_MEMORY_QUEUE": "scrapy.squeues.FifoMemoryQueue",
        "LOG_ENABLED": False,
        "STATS_DUMP": False,
    }


def _write(fd: int, line: bytes) -> None:
    try:
        while line:
            line = line[os.write(fd, line) :]
    except BrokenPipeError:
        os._exit(1)  # nobody listens any more


def _end_with(parent: int) -> None:
    """End as soon as the process that asked is gone. Its death closes our standard input, unless another process has
    inherited the other end; so its number is watched too."""
    while os.getppid() == parent:
        ready, _, _ = select.select([0], [], [], 1.0)
        if ready and not os.read(0, 1):
            break
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
