"""Moments in logs: text → seconds since 1970, UTC.

A time that names no zone is read in the zone that the caller gives, UTC when none is given. Times before 2000 or after
2099 are refused: a clock that is so wrong tells nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from countenance.proxylog.formats.kind import BadLine

EARLIEST = 946_684_800.0
"""2000-01-01."""
LATEST = 4_102_444_800.0
"""2100-01-01."""

Moment = Callable[[str], float]
"""Reads a time: seconds since 1970, UTC. Raises BadLine("time")."""

_KEPT = 1024
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_PIECES = {
    "Y": r"(?P<Y>[0-9]{4})",
    "y": r"(?P<y>[0-9]{2})",
    "m": r"(?P<m>[0-9]{1,2})",
    "d": r"(?P<d>[0-9]{1,2})",
    "e": r" ?(?P<d>[0-9]{1,2})",
    "H": r"(?P<H>[0-9]{1,2})",
    "I": r"(?P<H>[0-9]{1,2})",
    "M": r"(?P<M>[0-9]{2})",
    "S": r"(?P<S>[0-9]{2})",
    "f": r"(?P<f>[0-9]{1,9})",
    "b": r"(?P<b>[A-Za-z]{3})",
    "h": r"(?P<b>[A-Za-z]{3})",
    "B": r"(?P<b>[A-Za-z]{3})[a-z]{0,6}",
    "a": r"[A-Za-z]{3}",
    "A": r"[A-Za-z]{3,9}",
    "p": r"(?P<p>[AaPp])\.?[Mm]\.?",
    "z": r"(?P<z>Z|[+-][0-9]{2}:?[0-9]{2})",
    "Z": r"(?P<Z>UTC|GMT|Z|[A-Z][A-Za-z/_+-]{1,31})",
    "s": r"(?P<s>[0-9]{1,11})",
    "n": r"\s",
    "t": r"\s",
    "%": "%",
}
_SHORT = {
    "T": "%H:%M:%S",
    "F": "%Y-%m-%d",
    "D": "%m/%d/%y",
    "R": "%H:%M",
    "c": "%a %b %e %H:%M:%S %Y",
    "r": "%I:%M:%S %p",
}
_ISO = re.compile(
    r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})[T ]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?"
    r" ?(Z|UTC|GMT|[+-][0-9]{2}:?(?:[0-9]{2})?)?"
)
_EPOCH = re.compile(r"[0-9]{9,10}(?:[.,][0-9]{0,9})?")


def in_range(at: float) -> float:
    """The same moment. Raises BadLine("time") when it is out of all reason."""
    if EARLIEST <= at < LATEST:
        return at
    raise BadLine("time")


def epoch(text: str) -> float:
    """`1793023402.123`: seconds since 1970, with or without a fraction."""
    if _EPOCH.fullmatch(text) is None:
        raise BadLine("time")
    return in_range(float(text.replace(",", ".")))


def epoch_milliseconds(text: str) -> float:
    """`1793023402123`: thousandths of a second since 1970."""
    if not 12 <= len(text) <= 13 or not (text.isascii() and text.isdigit()):
        raise BadLine("time")
    return in_range(int(text) / 1000)


def iso(zone: tzinfo | None) -> Moment:
    """ISO 8601 and what is taken for it: `2026-11-02 10:03:22`, `2026/11/02 10:03:22`, `2026-11-02T10:03:22.5Z`."""
    default = zone or UTC

    @lru_cache(maxsize=_KEPT)  # neighbouring lines share their second
    def read(text: str) -> float:
        found = _ISO.fullmatch(text)
        if found is None:
            raise BadLine("time")
        year, month, day, hour, minute, second, fraction, offset = found.groups()
        at = _minute(int(year), int(month), int(day), int(hour), int(minute), _offset(offset) if offset else default)
        return in_range(at + _seconds(second, fraction))

    return read


def notation(pattern: str, zone: tzinfo | None) -> Moment:
    """A reader for strftime's notation (`%d/%b/%Y:%H:%M:%S %z`); months are named in English.

    Raises ValueError for a notation that does not fix a moment or has a code that is not known.
    """
    expression, default = re.compile(expression_of(pattern)), zone or UTC
    has = frozenset(expression.groupindex)
    if "s" not in has and not ({"d", "H", "M"} <= has and has & {"Y", "y"} and has & {"m", "b"}):
        raise ValueError("the notation does not fix a moment")

    @lru_cache(maxsize=_KEPT)
    def read(text: str) -> float:
        found = expression.fullmatch(text)
        if found is None:
            raise BadLine("time")
        part = found.groupdict()
        fraction = part.get("f")
        if "s" in has:
            return in_range(int(part["s"]) + _seconds("0", fraction))
        year = int(part["Y"]) if "Y" in has else 2000 + int(part["y"])
        month = int(part["m"]) if "m" in has else _MONTHS.get(part["b"].lower(), 0)
        hour = int(part["H"])
        if "p" in has:
            hour = hour % 12 + (12 if part["p"] in "Pp" else 0)
        own = _offset(part["z"]) if "z" in has else _named(part["Z"], default) if "Z" in has else default
        at = _minute(year, month, int(part["d"]), hour, int(part["M"]), own)
        return in_range(at + _seconds(part.get("S"), fraction))

    return read


def expression_of(pattern: str) -> str:
    """A regular expression for strftime's notation. Raises ValueError for a code that is not known or comes twice."""
    whole, out, used = re.sub("%([TFDRcr])", lambda found: _SHORT[found[1]], pattern), [], set()
    at = 0
    while at < len(whole):
        if whole[at] != "%":
            out.append(re.escape(whole[at]))
            at += 1
            continue
        code = whole[at + 1 : at + 2]
        piece = _PIECES.get(code)
        name = piece and re.search(r"\?P<(\w)>", piece)
        if piece is None or (name and name[1] in used):
            raise ValueError(f"not a code for a time, or twice: %{code}")
        if name:
            used.add(name[1])
        out.append(piece)
        at += 2
    return "".join(out)


def _seconds(second: str | None, fraction: str | None) -> float:
    whole = int(second) if second else 0
    if whole > 60:  # 60 is a leap second
        raise BadLine("time")
    return whole + (float(f"0.{fraction}") if fraction else 0.0)


@lru_cache(maxsize=8192)
def _minute(year: int, month: int, day: int, hour: int, minute: int, zone: tzinfo) -> float:
    try:
        return datetime(year, month, day, hour, minute, tzinfo=zone).timestamp()
    except (ValueError, OverflowError):
        raise BadLine("time") from None


@lru_cache(maxsize=256)
def _offset(text: str) -> tzinfo:
    if text in ("Z", "UTC", "GMT"):
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 15 or minutes > 59:
        raise BadLine("time")
    shift = timedelta(hours=hours, minutes=minutes)
    return timezone(-shift if text[0] == "-" else shift)


def _named(text: str, default: tzinfo) -> tzinfo:
    """UTC where the name says so. Other names mean different zones in different places: then the caller's zone."""
    return UTC if text in ("UTC", "GMT", "Z") else default
