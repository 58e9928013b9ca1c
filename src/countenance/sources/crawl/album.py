"""The pictures of one crawl: each fetched once, shown on many pages; and which pages are complete."""

from __future__ import annotations

import os
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from countenance.domain.sources import Finding, Found, PageSeen


@dataclass(slots=True)
class OpenPage:
    """A page whose pictures are on their way. It is whole when each arrived or is known to be gone or not wanted."""

    url: str
    title: str | None = None
    waiting: int = 0
    whole: bool = True
    read: bool = False


@dataclass(frozen=True, slots=True)
class Showing:
    """One picture on one page. `page` None means a row of a list: there is no page to complete."""

    page: OpenPage | None
    page_url: str
    title: str | None
    alt: str | None
    caption: str | None


@dataclass(slots=True)
class _Picture:
    waiting: list[Showing] = field(default_factory=list)
    held: str | None = None
    size: int = 0
    validator: str | None = None
    fetched_at: datetime | None = None
    failed: bool = False
    transient: bool = False


class Album:
    """Writes pictures into `folder`. Each finding has a link of its own in `ready`, named by a number; the picture
    itself is `held` back for further pages, up to `budget` bytes for all of them."""

    def __init__(self, folder: Path, budget: int) -> None:
        self._ready = folder / "ready"
        self._held = folder / "held"
        self._ready.mkdir()
        self._held.mkdir()
        self._budget = budget
        self._pictures: dict[str, _Picture] = {}
        self._order: OrderedDict[str, None] = OrderedDict()
        self._bytes = 0
        self._blobs = 0
        self._links = 0

    def __len__(self) -> int:
        return len(self._pictures)

    def knows(self, address: str) -> bool:
        return address in self._pictures

    def show(self, address: str, showing: Showing) -> tuple[bool, list[Finding]]:
        """A page shows the picture. Returns whether it has to be fetched now, and what is found already."""
        picture = self._pictures.get(address)
        if picture is None or (picture.held is None and not picture.waiting and not picture.failed):
            # New, or let go of to make room: fetched again.
            self._pictures[address] = _Picture(waiting=[showing])
            self._count(showing, 1)
            return True, []
        if picture.failed:
            if showing.page is not None and picture.transient:
                showing.page.whole = False
            return False, []
        if picture.held is None:
            picture.waiting.append(showing)
            self._count(showing, 1)
            return False, []
        return False, [self._found(address, picture, showing)]

    def arrived(self, address: str, body: bytes, validator: str | None) -> list[Finding]:
        """The picture's bytes. Returns a finding for each page that waits. Raises OSError when it cannot be kept."""
        picture = self._pictures[address]
        self._blobs += 1
        picture.held = str(self._blobs)
        picture.size = len(body)
        picture.validator = validator
        picture.fetched_at = datetime.now(UTC)
        (self._held / picture.held).write_bytes(body)
        self._bytes += len(body)
        self._order[address] = None
        waiting, picture.waiting = picture.waiting, []
        findings: list[Finding] = []
        for showing in waiting:
            findings.append(self._found(address, picture, showing))
            findings += self._done(showing)
        while self._bytes > self._budget and self._order:
            self._let_go(self._order.popitem(last=False)[0])
        return findings

    def missed(self, address: str, *, transient: bool) -> list[Finding]:
        """The picture will not come. `transient` says that it may well be there: pages that show it are not whole."""
        picture = self._pictures[address]
        picture.failed, picture.transient = True, transient
        waiting, picture.waiting = picture.waiting, []
        findings: list[Finding] = []
        for showing in waiting:
            if showing.page is not None and transient:
                showing.page.whole = False
            findings += self._done(showing)
        return findings

    def close_page(self, page: OpenPage) -> list[Finding]:
        """All that the page shows has been shown: it is complete once nothing is on its way any more."""
        page.read = True
        return self._complete(page)

    def close(self) -> None:
        """Let go of everything that is held back. Findings keep their own links."""
        for address in list(self._order):
            self._let_go(address)
        self._order.clear()
        self._held.rmdir()

    def _found(self, address: str, picture: _Picture, showing: Showing) -> Found:
        self._links += 1
        path = self._ready / str(self._links)
        os.link(self._held / str(picture.held), path)
        return Found(
            address=address,
            page=showing.page_url,
            path=path,
            title=showing.title,
            alt=showing.alt,
            caption=showing.caption,
            fetched_at=picture.fetched_at,
            spooled=True,
            unchanged_key=picture.validator,
        )

    def _done(self, showing: Showing) -> list[Finding]:
        self._count(showing, -1)
        return [] if showing.page is None else self._complete(showing.page)

    @staticmethod
    def _count(showing: Showing, by: int) -> None:
        if showing.page is not None:
            showing.page.waiting += by

    @staticmethod
    def _complete(page: OpenPage) -> list[Finding]:
        return [PageSeen(page.url)] if page.read and page.whole and page.waiting == 0 else []

    def _let_go(self, address: str) -> None:
        picture = self._pictures[address]
        (self._held / str(picture.held)).unlink()
        self._bytes -= picture.size
        picture.held = None
