"""Addresses in logs: URL or authority → host, port, path, query.

A host is compared as the DNS sees it: lower case, no dot at the end, no port, no user before an @, IDN in its ASCII
form (RFC 5890), an IPv6 address without its brackets. The splitting is RFC 3986's; nothing here raises.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import unquote

_PLAIN = re.compile(r"[a-z0-9._-]{1,253}")
_END = re.compile(r"[/?#\\]")
_SIGNS = re.compile(r"[/?#\\@]")
_NUMBERS = re.compile(r"[0-9A-Fa-f:.]+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,31}")


class Target(NamedTuple):
    """Where a request went. `host` is "" where none is named; `scheme` is in lower case."""

    host: str
    port: int | None = None
    path: str | None = None
    query: str | None = None
    scheme: str | None = None


NOWHERE = Target("")
"""Of a line that names no target."""


def host(text: str) -> str:
    """A host as it is compared. "" for none."""
    name = text.strip().lower()
    if "%" in name and ":" not in name:
        name = unquote(name).lower()
    if not name.isascii() and len(name) <= 253:
        with suppress(UnicodeError):  # not a name that the DNS can hold: compared as it stands
            name = name.encode("idna").decode("ascii").lower()
    if _SIGNS.search(name):  # more than a host: what is one in it
        name = _END.split(name.partition("://")[2] or name, maxsplit=1)[0].rpartition("@")[2]
    return name.rstrip(".") if name != "-" else ""


def authority(text: str) -> tuple[str, int | None]:
    """`user@host:port` → host and port. An IPv6 address may come with or without brackets."""
    name = text.rpartition("@")[2]
    if name.startswith("["):
        inside, _, after = name[1:].partition("]")
        return host(inside), _port(after[1:]) if after.startswith(":") else None
    before, colon, after = name.partition(":")
    if colon and ":" in after:  # an IPv6 address without brackets
        return host(name), None
    if _PLAIN.fullmatch(before):
        return before.rstrip("."), _port(after)
    return host(before), _port(after)


def target(url: str | None) -> Target:
    """Of an absolute URL, a `host/path` without a scheme, `host:port` of a CONNECT, or a bare path."""
    if not url or url in ("-", "*"):
        return NOWHERE
    scheme, found, rest = url.partition("://")
    if found and _SCHEME.fullmatch(scheme):
        name: str | None = scheme.lower()
    elif url.startswith("/") and not url.startswith("//"):
        name, rest = None, url
    else:
        name, rest = None, url.removeprefix("//")
        if _opaque(rest):
            return NOWHERE
    end = _END.search(rest)
    if end is None:
        where, port = authority(rest)
        return Target(where, port, "/" if name else None, None, name)
    where, port = authority(rest[: end.start()]) if end.start() else ("", None)
    path, query = split(rest[end.start() :])
    return Target(where, port, path, query, name)


def split(text: str) -> tuple[str, str | None]:
    """`/path?query#fragment` → path (with a slash before it) and query (None when there is no `?`)."""
    text = text.partition("#")[0]
    path, asked, query = text.partition("?")
    if not path.startswith("/"):
        path = "/" + path.lstrip("\\")
    return path, query if asked else None


def _opaque(text: str) -> bool:
    """`error:transaction-end-before-headers`, `urn:isbn:1`: a scheme, and no host."""
    before, _, after = text.partition(":")
    if _SCHEME.fullmatch(before) is None or "." in before or "@" in text or _NUMBERS.fullmatch(text):
        return False
    return after[:1].isalpha()


def _port(text: str) -> int | None:
    if 0 < len(text) <= 5 and text.isascii() and text.isdigit():
        value = int(text)
        return value if value <= 65535 else None
    return None
