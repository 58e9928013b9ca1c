"""What a run would do, without doing it: files are read and counted, no model runs, nothing is written."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from countenance.domain.errors import UnreadableImage
from countenance.domain.sources import Found, PageSeen, Reader, Skipped, Source
from countenance.imaging.limits import Limits
from countenance.imaging.reading import read_file
from countenance.imaging.sniff import sniff
from countenance.services.expecting import Expected
from countenance.services.home import Home
from countenance.services.tally import IngestReport, Progress, Tally, bump, rate, silent
from countenance.sources.limits import CrawlSettings
from countenance.sources.opening import open_reader
from countenance.store import erasing, pictures, runs
from countenance.store.blobs import Blobs
from countenance.store.database import Database


def rehearse(
    home: Home,
    source: Source,
    limits: Limits,
    crawl: CrawlSettings,
    on_progress: Callable[[Progress], None] | None = None,
) -> IngestReport:
    """Read a source as a run would, and count. What it fetches goes to a folder outside the home.

    Raises what the reader and the store raise.
    """
    with TemporaryDirectory() as spool:
        reader = open_reader(source, spool=Path(spool), crawl=crawl)
        with home.database.read() as c:
            expected = Expected(reader, runs.last_total(c, source.id))
        return _count(home.database, home.blobs, limits, source, reader, expected, on_progress)


def _count(
    database: Database,
    blobs: Blobs,
    limits: Limits,
    source: Source,
    reader: Reader,
    expected: Expected,
    on_progress: Callable[[Progress], None] | None,
) -> IngestReport:
    started = time.monotonic()
    tally = Tally()
    notify = on_progress or silent
    met: set[bytes] = set()
    for finding in reader.read():
        if isinstance(finding, Skipped):
            bump(tally.skipped, finding.reason)
        elif isinstance(finding, PageSeen):
            tally.pages += 1
        else:
            _one(database, blobs, limits, finding, tally, met)
        skipped = sum(tally.skipped.values())
        done = tally.images + skipped
        notify(Progress(done, expected.total(done), 0, skipped, rate(done, started), "reading"))
    return IngestReport(source.name, None, True, tally, time.monotonic() - started, getattr(reader, "complete", True))


def _one(database: Database, blobs: Blobs, limits: Limits, found: Found, tally: Tally, met: set[bytes]) -> None:
    try:
        data = read_file(found.path, limits)
        if sniff(data[:64]) is None:
            raise UnreadableImage("not-an-image" if data else "empty")
    except UnreadableImage as error:
        bump(tally.skipped, error.reason)
        return
    finally:
        if found.spooled:
            found.path.unlink(missing_ok=True)
    digest = hashlib.sha256(data).digest()
    with database.read() as c:
        if erasing.were_erased(c, blobs, [(digest, found)]) == [True]:
            bump(tally.skipped, "erased")
            return
        known = digest in met or bool(pictures.images_by_digest(c, [digest]))
    met.add(digest)
    tally.images += 1
    tally.new += not known
    tally.unchanged += known
