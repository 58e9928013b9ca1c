"""Named columns of a row, or members of a JSON object → a request.

A format says which names a log may use for what (`Names`); a row then becomes a small dict of what it says, keyed by
the fields of `WebRequest` and a few more (`time`, `url`, `action` …). A column that is there and blank is "", one that
is not there is missing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NoReturn

from countenance.domain.proxy import Kind, Outcome, WebRequest
from countenance.proxylog.formats.addresses import Target
from countenance.proxylog.formats.kind import BadLine
from countenance.proxylog.formats.lines import check, number, plain, said, status_code, word

Names = Mapping[str, Sequence[str]]
"""What is looked for → the names that columns may have for it (in `plain` letters), the best first."""

Values = Mapping[str, str]

BLANK = frozenset({"", "-"})
_NO_METHOD = frozenset({"unknown", "invalid", "none", "na", "n/a", "-"})


class Columns:
    """Where in a row a header puts what is looked for."""

    __slots__ = ("_blank", "_places", "width")

    def __init__(self, header: Sequence[str], names: Names, blank: frozenset[str] = BLANK) -> None:
        self.width = len(header)
        self._blank = blank
        first = {name: place for place, name in reversed(list(enumerate(header)))}
        places = ((key, tuple(first[name] for name in wanted if name in first)) for key, wanted in names.items())
        self._places = tuple((key, found[0], found[1:]) for key, found in places if found)

    def __contains__(self, key: str) -> bool:
        return any(key == one for one, _, _ in self._places)

    def __call__(self, cells: Sequence[str]) -> dict[str, str]:
        """What a row says. Cells that a short row lacks are blank."""
        blank, count, values = self._blank, len(cells), {}
        for key, place, others in self._places:
            value = cells[place] if place < count else ""
            if value in blank:
                value = next((cells[one] for one in others if one < count and cells[one] not in blank), "")
            values[key] = value
        return values


class Members:
    """What is looked for in JSON objects, whose members come in any order. `inside` may hold the object proper."""

    __slots__ = ("_blank", "_inside", "_known", "_ranks")

    def __init__(self, names: Names, blank: frozenset[str] = BLANK, inside: str | None = None) -> None:
        self._blank, self._inside = blank, inside
        self._ranks = {name: (key, rank) for key, wanted in names.items() for rank, name in enumerate(wanted)}
        self._known: dict[str, tuple[str, int] | None] = {}

    def __call__(self, text: str) -> dict[str, str]:
        """What the object says, numbers as they are written. Raises BadLine("json")."""
        found = members(text)
        inner = found.get(self._inside) if self._inside else None
        values: dict[str, str] = {}
        ranks: dict[str, int] = {}
        for name, value in (inner if isinstance(inner, dict) else found).items():
            known = self._lookup(name)
            if known is None:
                continue
            key, rank = known
            said = _text(value)
            if said in self._blank:
                values.setdefault(key, "")
            elif rank < ranks.get(key, len(self._ranks) + 1):
                values[key], ranks[key] = said, rank
        return values

    def _lookup(self, name: str) -> tuple[str, int] | None:
        if name not in self._known:
            if len(self._known) > 1000:  # names come from strangers
                self._known.clear()
            self._known[name] = self._ranks.get(plain(name))
        return self._known[name]


def members(text: str) -> dict[str, object]:
    """A JSON object on one line; its numbers stay text. Raises BadLine("json") or BadLine("encoding")."""
    try:
        found = _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise BadLine("json") from None
    if not isinstance(found, dict):
        raise BadLine("json")
    if "\\u" in text:  # an escape can hide what `check` looks for
        check(text.replace("\0", " ") if _sound(found) else "\0")
    return found


def _text(value: object) -> str:
    """Text as it is, true and false as words, the first of a list; "" for all else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and value and isinstance(value[0], str):
        return value[0]
    return ""


def _sound(value: object) -> bool:
    """Whether all text inside is text: no half of a surrogate pair, no NUL."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += one.keys()
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str):
            try:
                check(one.replace("\n", " "))
            except BadLine:
                return False
    return True


def _refuse(word: str) -> NoReturn:
    raise ValueError(word)


_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse)


def method_of(text: str | None) -> str | None:
    """A method in capitals; None where none is named."""
    return None if not text or text.lower() in _NO_METHOD else text.upper()


def kind_of(method: str | None, where: Target) -> Kind:
    """A CONNECT is a tunnel; so is a line without a method whose target is `host:port`."""
    if method == "CONNECT" or (method is None and where.port and where.path is None and where.scheme is None):
        return "tunnel"
    return "request"


def request(
    line: int,
    at: float,
    values: Values,
    where: Target,
    kind: Kind,
    outcome: Outcome | None,
    seconds: float | None = None,
) -> WebRequest:
    """The request that a row tells of; a tunnel, a flow and a look-up have no path. Raises BadLine for bad numbers."""
    get = values.get
    whole = kind == "request"
    return WebRequest(
        file="",
        line=line,
        at=at,
        kind=kind,
        host=where.host,
        port=where.port,
        user=word(get("user")),
        address=word(get("address")),
        seconds=seconds,
        method=method_of(get("method")),
        path=where.path if whole else None,
        query=where.query if whole else None,
        status=status_code(get("status")),
        outcome=outcome,
        sent=number(get("sent")),
        received=number(get("received")),
        referrer=said(get("referrer")),
        agent=said(get("agent")),
        file_name=word(get("file_name")),
        connection=word(get("connection")),
    )
