"""What somebody wrote beside a picture: `photo.jpg.json`, a small JSON object."""

from __future__ import annotations

import json
import os
import stat
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

SUFFIX = ".json"
MAX_BYTES = 64 * 1024
MAX_CHARACTERS = 1_000


class SidecarUnusable(ValueError):
    """The file beside a picture is not an object of the known keys. Its text never holds the content."""


@dataclass(frozen=True, slots=True)
class Sidecar:
    """All optional: the page it was on (http or https), its title, alternative text, caption and date (aware UTC).

    `fingerprint` changes with the file's bytes.
    """

    page: str | None = None
    title: str | None = None
    alt: str | None = None
    caption: str | None = None
    date: datetime | None = None
    fingerprint: int = 0


def open_regular(path: str | os.PathLike[str]) -> int:
    """A descriptor to read a regular file from; the caller closes it.

    Neither follows a link nor waits at a FIFO, whatever was put there since the folder was listed.
    Raises OSError, of which PermissionError when it is no regular file.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise PermissionError("not a regular file")
    return fd


def read_sidecar(path: str) -> Sidecar:
    """Raises OSError or SidecarUnusable."""
    with os.fdopen(open_regular(path), "rb") as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise SidecarUnusable("it is too large")
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise SidecarUnusable("it is not JSON") from None
    if not isinstance(value, dict):
        raise SidecarUnusable("it is not an object")
    page = _text(value, "page")
    if page is not None and not page.lower().startswith(("http://", "https://")):
        raise SidecarUnusable("its page is not an http or https address")
    return Sidecar(
        page=page,
        title=_text(value, "title"),
        alt=_text(value, "alt"),
        caption=_text(value, "caption"),
        date=_date(value),
        fingerprint=zlib.crc32(raw),
    )


def _text(value: dict[str, Any], key: str) -> str | None:
    text = value.get(key)
    if text is None:
        return None
    if not isinstance(text, str):
        raise SidecarUnusable(f"its {key} is not text")
    # Lone surrogates can be written in JSON and in no encoding.
    return text.encode("utf-8", "replace").decode().strip()[:MAX_CHARACTERS] or None


def _date(value: dict[str, Any]) -> datetime | None:
    text = _text(value, "date")
    if text is None:
        return None
    try:
        date = datetime.fromisoformat(text)
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, OverflowError):
        raise SidecarUnusable("its date is not ISO 8601") from None
