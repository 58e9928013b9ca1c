"""The crawl's process: it waits for its reader, ends with it, and its own end is never taken for the site's."""

from __future__ import annotations

import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from countenance.domain.errors import FetchFailed
from countenance.domain.sources import Found, PageSeen, Skipped
from countenance.sources.crawl.job import END, Job, read_finding, write_finding
from countenance.sources.limits import CrawlSettings
from countenance.sources.opening import open_reader

FAST = CrawlSettings(rate=10_000, timeout=10)


def gallery(site: Any, pictures: int, size: int = 10) -> None:
    site.html("/", "".join(f'<img src="/{at}.jpg">' for at in range(pictures)))
    site.picture(*[f"/{at}.jpg" for at in range(pictures)])
    for at in range(pictures):
        site.pages[f"/{at}.jpg"].body = bytes([at % 256]) * size


def reading(site: Any, source: Callable[..., Any], spool: Path, crawl: CrawlSettings = FAST) -> Iterator[Any]:
    registered = source("website", site.url + "/", allow_private=(site.netloc,))
    return iter(open_reader(registered, spool=spool, crawl=crawl).read())


def crawls() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "countenance.sources.crawl" in child.cmdline()]


def test_waits_while_its_reader_is_busy_and_loses_nothing(site: Any, source: Any, tmp_path: Path) -> None:
    gallery(site, 150, size=60_000)
    findings = reading(site, source, tmp_path, CrawlSettings(rate=10_000, timeout=1))
    first = next(findings)
    assert isinstance(first, Found)
    before = -1
    while before != len(site.asked):  # until it asks for nothing more
        before = len(site.asked)
        time.sleep(0.7)
    assert before < 100
    time.sleep(1)  # beyond the deadline of a request
    rest = list(findings)
    assert {type(each) for each in rest} == {Found, PageSeen}
    assert len(rest) == 150


def test_an_unfinished_reading_ends_the_crawl_and_leaves_nothing_behind(site: Any, source: Any, tmp_path: Path) -> None:
    gallery(site, 100)
    findings = reading(site, source, tmp_path, CrawlSettings(rate=50))
    found = [next(findings), next(findings)]
    (child,) = crawls()
    findings.close()  # type: ignore[attr-defined]
    assert not child.is_running()
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(each.path for each in found)
    for each in found:
        each.path.unlink()


def test_the_spool_is_empty_once_the_reader_took_everything(site: Any, source: Any, tmp_path: Path) -> None:
    gallery(site, 5)
    spool = tmp_path / "not" / "there"
    for finding in reading(site, source, spool):
        if isinstance(finding, Found):
            finding.path.unlink()
    assert list(spool.iterdir()) == []


def test_a_crawl_has_so_much_memory_and_no_more(site: Any, source: Any, tmp_path: Path) -> None:
    """A page that makes a parser run away ends the crawl's process, and not the machine."""
    gallery(site, 100)
    findings = reading(site, source, tmp_path, CrawlSettings(rate=50))
    next(findings)
    (child,) = crawls()
    memory, core = child.rlimit(psutil.RLIMIT_AS), child.rlimit(psutil.RLIMIT_CORE)
    findings.close()  # type: ignore[attr-defined]
    assert memory == (4 * 2**30, 4 * 2**30)
    assert core == (0, 0), "no picture of its memory is left on the disk"


def test_a_crawl_that_dies_is_an_error_after_what_it_found(site: Any, source: Any, tmp_path: Path) -> None:
    gallery(site, 1000)
    findings = reading(site, source, tmp_path, CrawlSettings(rate=50))
    next(findings)
    (child,) = crawls()
    child.kill()
    with pytest.raises(FetchFailed, match="signal 9"):
        list(findings)


def test_a_crawl_dies_with_the_process_that_asked_for_it(site: Any, tmp_path: Path) -> None:
    silent = threading.Event()
    gallery(site, 5)
    # It says nothing more, so it does not learn from its pipe that nobody listens.
    site.pages["/1.jpg"] = lambda handler: silent.wait(60) and None
    script = f"""
import sys, time
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from conftest import make_source
from countenance.sources.limits import CrawlSettings
from countenance.sources.opening import open_reader
source = make_source("website", "{site.url}/", allow_private=("{site.netloc}",))
findings = open_reader(source, spool=Path({str(tmp_path)!r}), crawl=CrawlSettings(rate=1000)).read()
next(iter(findings))
print("reading", flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"reading\n"
        (child,) = psutil.Process(parent.pid).children()
        parent.kill()
    _, alive = psutil.wait_procs([child], timeout=10)
    silent.set()
    assert alive == []


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_takes_no_more_breaks_the_crawl_off(site: Any, source: Any, tmp_path: Path) -> None:
    gallery(site, 3, size=10)
    site.pages["/1.jpg"].body = b"x" * 2_000_000
    findings = reading(site, source, tmp_path)
    with no_file_larger_than(1_000_000):  # the crawl's process inherits it
        found = [next(findings)]
    with pytest.raises(FetchFailed, match="status 3, OSError"):
        found.extend(findings)
    assert all(isinstance(each, Found) for each in found)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(each.path for each in found)


def test_pictures_on_many_pages_are_fetched_once_and_within_the_budget(site: Any, source: Any, tmp_path: Path) -> None:
    site.html("/", "".join(f'<a href="/p{at}">x</a>' for at in range(40)))
    for at in range(40):
        site.html(f"/p{at}", '<img src="/same.jpg"><img src="/also.jpg">')
    site.picture("/same.jpg", "/also.jpg")
    findings = list(reading(site, source, tmp_path))
    assert len([each for each in findings if isinstance(each, Found)]) == 80
    assert (site.asked.count("/same.jpg"), site.asked.count("/also.jpg")) == (1, 1)
    # Without room to hold them back they are fetched again, and still found everywhere.
    again = list(reading(site, source, tmp_path, CrawlSettings(rate=10_000, spool_bytes=0)))
    found = [each for each in again if isinstance(each, Found)]
    assert len(found) == 80
    assert all(each.path.read_bytes().startswith(b"\xff\xd8") for each in found)
    assert site.asked.count("/same.jpg") + site.asked.count("/also.jpg") > 4


def test_a_validator_is_kept_for_the_next_run(site: Any, source: Any, tmp_path: Path) -> None:
    site.html("/", '<img src="/a.jpg"><img src="/b.jpg">')
    site.picture("/a.jpg", ETag='"1"', Last_Modified="Fri, 25 Jun 2010 15:00:00 GMT")
    site.picture("/b.jpg")
    keys = {each.address: each.unchanged_key for each in reading(site, source, tmp_path) if isinstance(each, Found)}
    assert keys == {f"{site.url}/a.jpg": '"1"|Fri, 25 Jun 2010 15:00:00 GMT|9', f"{site.url}/b.jpg": None}


def test_the_job_and_its_findings_survive_the_way(tmp_path: Path) -> None:
    limits = CrawlSettings(rate=2, resolve=(("a.example", ("1.1.1.1",)),))
    job = Job("website", ("http://a/",), ("a:80",), (), "/folder", 7, ("http://a/x",), limits)
    assert Job.from_line(job.line()) == job
    for finding in (
        Found("http://a/x", "http://a/", tmp_path / "12", spooled=True),
        Skipped("é", "robots", hides=True),
    ):
        assert read_finding(write_finding(finding), tmp_path) == finding


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"not json\n",
        b"[]\n",
        b'{"kind": "other"}\n',
        b'{"kind": "found", "address": "x", "page": "y", "path": "../../etc/passwd"}\n',
        b'{"kind": "found", "address": "x", "page": "y", "path": 3}\n',
        b'{"kind": "found", "address": "x", "page": "y", "path": "1", "unheard": 1}\n',
        b'{"kind": "found", "address": "x", "page": "y", "path": "1", "fetched_at": "soon"}\n',
    ],
)
def test_what_the_crawl_says_is_not_believed(line: bytes, tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        read_finding(line, tmp_path)


def test_the_end_is_told_apart(tmp_path: Path) -> None:
    assert END == {"kind": "end"}
    assert read_finding(b'{"kind": "end"}\n', tmp_path) is None
