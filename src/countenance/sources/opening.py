"""From a registered source to its reader; and whether a place can be registered at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from countenance.domain.errors import BadInput
from countenance.domain.sources import Reader, Source
from countenance.sources.addresses import BadAddress, Place, parse_allowed, start_addresses
from countenance.sources.limits import CrawlSettings

KINDS = ("folder", "urls", "website")


def open_reader(
    source: Source, *, spool: Path, crawl: CrawlSettings | None = None, known_pages: Iterable[str] = ()
) -> Reader:
    """The reader of a registered source. Nothing is read or fetched before its `read()` is iterated.

    `spool` is a folder for this run alone, where fetched pictures wait for the caller; what is left in it after the run
    may be removed. `known_pages` are pages that earlier runs saw pictures on: a website's reader visits those
    again that it did not come by, so that a page which nothing links to any more is known to have vanished.
    Raises BadInput for an unknown kind.
    """
    settings = crawl or CrawlSettings()
    if source.kind == "folder":
        from countenance.sources.folder import FolderReader

        return FolderReader(source)
    if source.kind == "urls":
        from countenance.sources.urls import UrlsReader

        return UrlsReader(source, spool, settings)
    if source.kind == "website":
        from countenance.sources.website import WebsiteReader

        return WebsiteReader(source, spool, settings, known_pages)
    raise _unknown_kind(source.kind)


def validate_location(kind: str, location: str, allow_private: Iterable[str] = ()) -> str:
    """The location as it is registered: an absolute path without links, or normal addresses separated by spaces.

    Raises BadInput when the folder or the list is not there, when an address is not http or https with a host, or
    when an `allow_private` is not an exact HOST:PORT. Nothing is fetched and no name is looked up.
    """
    try:
        allowed = {parse_allowed(text) for text in allow_private}
    except BadAddress as error:
        raise BadInput(
            f"not an exact HOST:PORT: {error}",
            advice="Write it as in --allow-private 127.0.0.1:8080, one for each port.",
        ) from None
    if kind == "folder":
        return _existing(location, "folder", os.path.isdir)
    if kind == "urls":
        path = _existing(location, "list", os.path.isfile)
        if Path(path).suffix.lower() == ".parquet":
            from countenance.sources.lists import require_parquet

            require_parquet()
        return path
    if kind == "website":
        try:
            return " ".join(_reachable(place, allowed) for place in start_addresses(location))
        except BadAddress as error:
            raise BadInput(
                f"not an address of a website: {error}",
                advice="Write it whole, as in https://example.org/gallery/; several are separated by spaces or commas.",
            ) from None
    raise _unknown_kind(kind)


def _reachable(place: Place, allowed: set[tuple[str, int]]) -> str:
    from countenance.sources.netguard import is_public

    if place.literal is not None and not is_public(place.literal) and (place.host, place.port) not in allowed:
        raise BadInput(
            f"{place.host}:{place.port} is not a public address",
            advice=f"If you answer for that machine, add --allow-private {place.host}:{place.port}.",
        )
    return place.url


def _existing(location: str, what: str, test: Callable[[str], bool]) -> str:
    path = os.path.realpath(Path(location).expanduser()) if location and "\0" not in location else ""
    if not path or not test(path):
        raise BadInput(f"there is no such {what}: {location}", advice=f"Give the path of a {what} that exists.")
    return path


def _unknown_kind(kind: str) -> BadInput:
    return BadInput(f"unknown kind of source: {kind}", advice=f"Choose one of {', '.join(KINDS)}.")
