"""A registered place that pictures come from, and what is found there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Source:
    """A registered source. Times are aware UTC.

    `location` is a folder, a list file or a start address, by `kind` (folder, urls, website). `allow_private` holds
    exact "HOST:PORT" strings that may be fetched though they are not public.
    """

    id: int
    name: str
    kind: str
    location: str
    owner: str
    basis: str
    basis_document: str | None
    purpose: str | None
    note: str | None
    retain_days: int
    registered_at: datetime
    expires_at: datetime
    collection: str
    keep_originals: bool = False
    allow_private: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """One picture on one page, on this machine and ready to be read.

    `address` is where the picture came from (a `file:` URI for folders), `page` the page it was on (the folder's
    `file:` URI for folders). `path` holds the bytes; the reader opens it without following symlinks. A `spooled` file
    is deleted by the reader once its rows are durable. `unchanged_key` is a cheap fingerprint (size and mtime, or an
    HTTP validator): a run skips reading when the same address was ingested with the same key.
    """

    address: str
    page: str
    path: Path
    title: str | None = None
    alt: str | None = None
    caption: str | None = None
    fetched_at: datetime | None = None
    dated: datetime | None = None
    spooled: bool = False
    unchanged_key: str | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was not read, and why. `reason` is a short stable code such as `fifo` or `robots`.

    `hides` says that what is at or below the address may well be there and could not be looked at (no permission,
    a server in trouble): nothing under it is known to have vanished.
    """

    address: str
    reason: str
    detail: str = ""
    hides: bool = False


@dataclass(frozen=True, slots=True)
class PageSeen:
    """A page that was read whole, so that what is no longer on it is known to have vanished.

    It follows the last finding of the page. A page that is gone has its `status` (404, 410, or 3xx when it now leads
    elsewhere), one that no longer wants to be indexed has 200 and nothing found on it, or 403 when it may not even
    be fetched any more.
    """

    page: str
    status: int = 200


Finding = Found | Skipped | PageSeen


class Reader(Protocol):
    """Reads one kind of source. Implemented by `folder`, `urls` and `website`.

    `complete` is true once everything was read and nothing was skipped that `hides`: what was not found then has
    vanished. Otherwise only the pages of a `PageSeen` are known.
    """

    complete: bool

    def read(self) -> Iterator[Finding]:
        """Every finding, in a stable order where the source has one. One bad item never ends the iteration."""
        ...

    def expected(self) -> int | None:
        """About how many pictures `read` will come by, by their names alone; None where that cannot be known.

        May be called from another thread while `read` is under way."""
        ...


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a run read completely: after a complete run, whatever was not seen again has vanished."""

    complete: bool
    pages: int = 0
    images: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
