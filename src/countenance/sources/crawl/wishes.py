"""What a page or a picture asks of robots: noindex, noai, and the reservation of text and data mining.

Meta elements and the X-Robots-Tag header share their words. A reservation counts wherever it stands (file, header
or element), even when another place says otherwise: the site may lift it by lifting all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

TOKEN = "countenance"  # noqa: S105 (the word for us in robots.txt and its relatives)

_WITH_VALUE = {"max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"}
_NO_INDEX = {"noindex", "none", "noimageindex"}
_NO_AI = {"noai", "noimageai"}
_NO_FOLLOW = {"nofollow", "none"}


@dataclass(frozen=True, slots=True)
class Wishes:
    """`reason` is why nothing is taken from here (`noindex`, `noai`, `tdm`) or None; `follow` whether links are."""

    reason: str | None = None
    follow: bool = True

    def and_also(self, other: Wishes) -> Wishes:
        """Both hold."""
        return Wishes(self.reason or other.reason, self.follow and other.follow)


def wishes(
    meta: Iterable[tuple[str, str]] = (), headers: Iterable[str] = (), reservations: Iterable[str] = ()
) -> Wishes:
    """Read (name, content) of meta elements, the values of X-Robots-Tag, and the values of `tdm-reservation` headers.

    Words for another robot do not count; words for all and for `countenance` do.
    """
    words: set[str] = set()
    reserved = any(value.strip() == "1" for value in reservations)
    for name, content in meta:
        name = name.strip().lower()
        if name in {"robots", TOKEN}:
            words |= _words(content)
        elif name == "tdm-reservation":
            reserved = reserved or content.strip() == "1"
    for value in headers:
        words |= _words(value)
    reason = None
    if words & _NO_INDEX:
        reason = "noindex"
    elif words & _NO_AI:
        reason = "noai"
    elif reserved:
        reason = "tdm"
    return Wishes(reason, not words & _NO_FOLLOW)


def _words(value: str) -> set[str]:
    words: set[str] = set()
    # A date may hold commas, so it is taken out first.
    expiry = re.search(r"unavailable_after\s*:\s*(.+)", value, re.IGNORECASE)
    if expiry:
        if _is_past(expiry[1]):
            words.add("noindex")
        value = value[: expiry.start()]
    for part in value.lower().split(","):
        name, colon, rest = part.partition(":")
        if colon and name.strip() not in _WITH_VALUE:
            if name.strip() not in {TOKEN, "*"}:
                return words  # what follows is for another robot
            part = rest
        words.add(part.strip())
    return words


def _is_past(text: str) -> bool:
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            date = parse(text.strip())
            return (date if date.tzinfo else date.replace(tzinfo=UTC)) < datetime.now(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return False
