"""Small things that every format reads: a line that may be read at all, numbers, words, rows of columns."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence

from countenance.proxylog.formats.kind import LONGEST, BadLine

_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,12})?")
_SURROGATE = re.compile("[\ud800-\udfff]")


def check(text: str) -> None:
    """Raises BadLine for a line that no format reads: too long, with a NUL or a line end inside, or not text."""
    if len(text) > LONGEST:
        raise BadLine("too-long")
    if "\0" in text or "\n" in text or (not text.isascii() and _SURROGATE.search(text)):
        raise BadLine("encoding")


def word(text: str | None) -> str | None:
    """What a column says; None where it is missing, empty or `-`."""
    return text if text and text != "-" else None


def said(text: str | None) -> str | None:
    """As `word`, but "" where the column is there and says nothing (for referrer and agent)."""
    return "" if text == "-" else text


def number(text: str | None) -> int | None:
    """A count of 0 or more; None where the column says nothing. Raises BadLine("number")."""
    if not text or text == "-":
        return None
    if len(text) > 18 or not (text.isascii() and text.isdigit()):
        raise BadLine("number")
    return int(text)


def status_code(text: str | None) -> int | None:
    """A status of up to three digits, 0 for an answer that never came; None where the column says nothing."""
    if not text or text == "-":
        return None
    if len(text) > 3 or not (text.isascii() and text.isdigit()):
        raise BadLine("status")
    return int(text)


def thousandths(text: str | None) -> float | None:
    """Milliseconds (digits, perhaps with a minus from a clock that was set) as seconds. Raises BadLine("number")."""
    if not text or text == "-":
        return None
    if text[0] == "-":
        number(text[1:])
        return 0.0
    value = number(text)
    if value is None or value > 9_999_999_999:
        raise BadLine("number")
    return value / 1000


def duration(text: str | None) -> float | None:
    """Seconds, with or without a fraction; None where the column says nothing. Raises BadLine("number")."""
    if not text or text == "-":
        return None
    if _SECONDS.fullmatch(text) is None:
        raise BadLine("number")
    return float(text)


def row(text: str, delimiter: str = ",") -> list[str]:
    """The columns of one row, quoted as in RFC 4180. Raises BadLine("quotes")."""
    if '"' not in text:
        return text.split(delimiter)
    try:
        found = next(csv.reader((text,), delimiter=delimiter, strict=True, skipinitialspace=True), None)
    except csv.Error:
        raise BadLine("quotes") from None
    if found is None:
        raise BadLine("fields")
    return found


def spaced(text: str) -> list[str]:
    """The columns of a row with single spaces between them; a quoted one may hold spaces and ends before a space."""
    if '"' not in text:
        return text.split(" ")
    cells: list[str] = []
    at, padded = 0, text + " "
    while at <= len(text):
        quoted = padded[at] == '"'
        end = padded.find('" ', at + 1) if quoted else padded.find(" ", at)
        if end < 0:  # a quote that nothing closes is a letter like any other
            return cells + text[at:].split(" ")
        cells.append(text[at + 1 : end].replace('""', '"') if quoted else text[at:end])
        at = end + (2 if quoted else 1)
    return cells


def plain(name: str) -> str:
    """A column's name in small letters and digits alone, so that `Client IP` and `client_ip` are one."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def header(text: str, delimiter: str = ",") -> list[str]:
    """The names in a header row, `plain`; [] when it is none."""
    try:
        check(text)
        return [plain(name) for name in row(text.removeprefix("\ufeff"), delimiter)]
    except BadLine:
        return []


def mostly(lines: Sequence[str], looks: Callable[[str], object]) -> bool:
    """Whether at least half of the lines look so."""
    return bool(lines) and sum(bool(looks(line)) for line in lines) * 2 >= len(lines)


def first_lines(head: Sequence[str]) -> list[str]:
    """The lines of a head that say something."""
    return [line for line in head if line.strip()]
