"""Patterns of hosts and paths as a site profile writes them, compiled so that no input makes them slow.

A host is written whole (`pimeyes.com`), with `*.` for anything below it at a label's edge (`*.pimeyes.com`; neither
`notpimeyes.com` nor `pimeyes.com.evil.example` is below it), or with `#` for a few digits (`jsc#.pimeyes.com`).

A path is a glob: `*` is any run of characters, slashes too; `{lang}` a language such as `en` or `pt-BR`; `{id}` one
segment's worth of letters, digits, `-` and `_`. Letter case and a slash at the end do not matter. Every piece between
two stars is an atomic group, so that a match costs a few passes over the path, whatever the path is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MAX_PATTERN = 200
"""Characters of one pattern."""
MAX_PATH = 4096
"""Characters of a path that are looked at."""
MAX_STARS = 4

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(r"(?:\*\.)?(?:[a-z0-9_#-]{1,63}\.)+[a-z0-9-]{2,63}", re.ASCII)
_PATH = re.compile(r"[/*][!-~]*", re.ASCII)
_PIECES = {"{lang}": "[a-z]{2}(?:-[a-z]{2,4})?", "{id}": "[a-z0-9_-]{1,128}"}
_SLASHES = re.compile("/{2,}")


def host_expression(patterns: Sequence[str]) -> str:
    """A regular expression for all of them, without anchors; it needs no look-around, so the `regex` crate reads it.

    Raises ValueError for one that is no host pattern.
    """
    made = []
    for pattern in patterns:
        if len(pattern) > MAX_PATTERN or not _HOST.fullmatch(pattern) or pattern.count("#") > 1:
            raise ValueError(f"not a host: {pattern!r}")
        body = re.escape(pattern.removeprefix("*.")).replace(r"\#", "[0-9]{1,6}")
        made.append(rf"(?:{_LABEL}\.)+{body}" if pattern.startswith("*.") else body)
    return "(?:" + "|".join(made) + ")"


def path_expression(pattern: str) -> re.Pattern[str]:
    """A path's glob, to be matched whole against `plain_path`. Raises ValueError."""
    if len(pattern) > MAX_PATTERN or not _PATH.fullmatch(pattern) or "?" in pattern or "#" in pattern:
        raise ValueError(f"not a path: {pattern!r}")
    if pattern.count("*") > MAX_STARS or pattern.count("{id}") > 2 or "**" in pattern:
        raise ValueError(f"too many wildcards: {pattern!r}")
    pieces = [_piece(piece) for piece in pattern.split("*")]
    if len(pieces) == 1:
        return re.compile(pieces[0], re.IGNORECASE | re.ASCII)
    middle = "".join(f"(?>.*?{piece})" for piece in pieces[1:-1])
    return re.compile(f"(?>{pieces[0]}){middle}.*{pieces[-1]}", re.IGNORECASE | re.ASCII | re.DOTALL)


def _piece(text: str) -> str:
    parts = re.split(r"(\{lang\}|\{id\})", text)
    if any("{" in part or "}" in part for part in parts if part not in _PIECES):
        raise ValueError(f"braces that are neither {{lang}} nor {{id}}: {text!r}")
    return "".join(_PIECES.get(part) or re.escape(part) for part in parts)


def plain_path(path: str) -> str:
    """The path as it is compared: not too long, no doubled slashes, none at the end."""
    short = path[:MAX_PATH]
    if "//" in short:
        short = _SLASHES.sub("/", short)
    return short.rstrip("/") or "/"


def literal(pattern: str) -> str:
    """The longest run of a host's or path's pattern that stands in every text it matches, in lower case."""
    return max(re.split(r"\*|#|\{lang\}|\{id\}", pattern.lower()), key=len).strip(".")
