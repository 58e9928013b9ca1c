"""CSV and JSON lines of any other product, by a mapping in TOML that says what its columns are.

::

    format = "csv"              # or "jsonl"
    delimiter = ","             # csv: one character, "\\t" for tabs
    header = true               # csv: false where the file has none; columns are then named by number, from 1
    inside = "event"            # jsonl: the member that holds the rest, if one does
    blank = ["", "-", "N/A"]    # values that say nothing
    kind = "request"            # what every line is: request, tunnel, flow or dns

    [time]
    column = "When"
    format = "iso"              # iso, epoch, epoch-ms, or strftime's notation: "%d.%m.%Y %H:%M:%S"
    zone = "Europe/Stockholm"   # of times that name none; without it that of the command line, else UTC
    marks = "start"             # or "end", when the duration is taken off

    [columns]                   # each may be left out, but for host or url
    user = "User"               # also: address, method, url, host, port, path, query, status, sent, received,
    url = "URL"                 # referrer, agent, file_name, connection
    duration = "Took"

    [duration]
    unit = "ms"                 # or "s"

    [action]
    column = "Action"
    allowed = ["ALLOW"]         # words for what was done, in any case
    denied = ["BLOCK"]
    failed = ["ERROR"]

    [kinds]                     # where lines are of several kinds; a CONNECT is a tunnel without it
    column = "Type"
    tunnel = ["TUNNEL"]         # also request, flow, dns

Names of columns and members are compared without case and signs: `Client IP` is `client_ip`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import lru_cache
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from countenance.domain.errors import BadInput
from countenance.domain.proxy import Kind, Outcome
from countenance.proxylog.formats.columns import BLANK
from countenance.proxylog.formats.lines import plain
from countenance.proxylog.formats.times import Moment, epoch, epoch_milliseconds, iso, notation

_COLUMNS = """
user address method url host port path query status sent received referrer agent file_name connection duration
"""
KEYS = tuple(_COLUMNS.split())
"""What `[columns]` may name."""
LONGEST_MAPPING = 65_536
_KINDS: tuple[Kind, ...] = ("request", "tunnel", "flow", "dns")
_OUTCOMES: tuple[Outcome, ...] = ("allowed", "denied", "failed")
_TABLES = "format delimiter header inside blank kind time columns duration action kinds"
_TOP = frozenset(_TABLES.split())
_ADVICE = "The documentation of the formats csv and jsonl lists the keys of a mapping."


@dataclass(frozen=True, slots=True)
class Mapped:
    """A mapping, understood. `names` are the columns' names in `plain` letters, by what they are for."""

    format: Literal["csv", "jsonl"]
    names: Mapping[str, tuple[str, ...]]
    zone: tzinfo | None
    time_format: str
    delimiter: str = ","
    header: bool = True
    inside: str | None = None
    blank: frozenset[str] = BLANK
    kind: Kind | None = None
    ends: bool = False
    milliseconds: bool = False
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    kinds: Mapping[str, Kind] = field(default_factory=dict)

    def clock(self, default: tzinfo | None) -> Moment:
        """What reads its times; `default` is the zone of those that name none, if the mapping does not say."""
        zone = self.zone or default
        if self.time_format == "iso":
            return iso(zone)
        if self.time_format == "epoch":
            return epoch
        return epoch_milliseconds if self.time_format == "epoch-ms" else notation(self.time_format, zone)


@lru_cache(maxsize=16)
def understand(text: str) -> Mapped:
    """The text of a mapping. Raises BadInput, which says what is wrong."""
    if len(text) > LONGEST_MAPPING:
        raise _bad("is too long")
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        raise _bad("is not TOML") from None
    for name in found.keys() - _TOP:
        raise _bad(f"has a key that is none: {name[:64]}")
    shape = found.get("format")
    if shape not in ("csv", "jsonl"):
        raise _bad('needs format = "csv" or "jsonl"')
    time, columns = _table(found, "time"), _table(found, "columns")
    for name in columns.keys() - set(KEYS):
        raise _bad(f"has a column for what is not known: {str(name)[:64]}")
    if not {"host", "url"} & columns.keys():
        raise _bad("needs a column for url or host")
    action, kinds = _table(found, "action"), _table(found, "kinds")
    names = {key: (_name(value),) for key, value in columns.items()}
    names["time"] = (_name(time.get("column")),)
    for key, table in (("action", action), ("line_kind", kinds)):
        if table:
            names[key] = (_name(table.get("column")),)
    mapped = Mapped(
        format=cast(Literal["csv", "jsonl"], shape),
        names=names,
        zone=_zone(time.get("zone")),
        time_format=_text(time.get("format", "iso"), "time.format"),
        delimiter=_delimiter(found.get("delimiter", ",")),
        header=found.get("header", True) is not False,
        inside=_text(found["inside"], "inside") if "inside" in found else None,
        blank=BLANK | frozenset(_words(found.get("blank", []), "blank")),
        kind=_one_of(found.get("kind"), _KINDS, "kind"),
        ends=_one_of(time.get("marks", "start"), ("start", "end"), "time.marks") == "end",
        milliseconds=_one_of(_table(found, "duration").get("unit", "s"), ("s", "ms"), "duration.unit") == "ms",
        outcomes={word.lower(): one for one in _OUTCOMES for word in _words(action.get(one, []), f"action.{one}")},
        kinds={word.lower(): one for one in _KINDS for word in _words(kinds.get(one, []), f"kinds.{one}")},
    )
    try:
        mapped.clock(None)
    except ValueError:
        raise _bad(f"has a time format that is not understood: {mapped.time_format[:64]!r}") from None
    return mapped


def _table(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = found.get(name, {})
    if not isinstance(table, dict):
        raise _bad(f"needs [{name}] to be a table")
    return table


def _name(value: object) -> str:
    """A column's name in plain letters; a number is that of a column, from 1."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10_000:
        return str(value)
    if not isinstance(value, str) or not plain(value):
        raise _bad("needs the name or the number of a column for each thing it maps, and for the time")
    return plain(value)


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 256:
        raise _bad(f"needs a text for {where}")
    return value


def _words(value: object, where: str) -> Sequence[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _bad(f"needs a list of texts for {where}")
    return value


def _one_of(value: object, known: tuple[Any, ...], where: str) -> Any:
    if value is not None and value not in known:
        raise _bad(f"has a word that is not known for {where}: it is one of {', '.join(known)}")
    return value


def _delimiter(value: object) -> str:
    if not isinstance(value, str) or len(value) != 1 or value in '"\r\n\0':
        raise _bad("needs one character as delimiter")
    return value


def _zone(value: object) -> tzinfo | None:
    if value is None:
        return None
    try:
        return ZoneInfo(_text(value, "time.zone"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _bad(f"names a time zone that is not known: {str(value)[:64]}") from None


def _bad(what: str) -> BadInput:
    return BadInput(f"the mapping {what}", advice=_ADVICE)
