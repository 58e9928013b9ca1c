"""One line of the ledger: what an entry holds, and the strict reading of it.

An entry is an object in the canonical JSON of RFC 8785::

    {"actor": {"authenticated": …, "stated": … or null}, "at": "2026-01-31T09:00:00.000000Z", "body": {…},
     "clock_back_seconds": 1.5, "sealed": [{"alg", "ct", "item"}, …], "seq": 0, "type": "source.registered", "v": 1}

`at` is what the machine's clock said, never bent: when it lies before the previous entry's, `clock_back_seconds`
says by how much, and otherwise that member is absent. An inspector needs to see a clock that was set back, and a log
that quietly straightens its times would hide it.

Reading needs nothing but the standard library; the form is checked by writing the value again and comparing bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from countenance.domain.errors import LedgerBroken

VERSION = 1
ROTATED = "ledger.key-rotated"
LOST = "ledger.key-lost"
RECOVERED = "ledger.recovered"

_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_KIND = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*", re.ASCII)
_MEMBERS = frozenset({"actor", "at", "body", "sealed", "seq", "type", "v"})
_ACTOR = frozenset({"authenticated", "stated"})
_MEMBERS_BACK = _MEMBERS | {"clock_back_seconds"}
_SAFE_INTEGER = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Entry:
    """A parsed entry; `raw` are its canonical bytes without the newline."""

    seq: int
    at: str
    kind: str
    actor: Mapping[str, Any]
    body: Mapping[str, Any]
    sealed: tuple[Mapping[str, Any], ...]
    clock_back_seconds: float | None
    raw: bytes


def valid_kind(kind: str) -> bool:
    """Whether `kind` is words of lower-case letters and digits, joined by dots and hyphens."""
    return len(kind) <= 100 and _KIND.fullmatch(kind) is not None


def time_text(moment: datetime) -> str:
    """A moment in UTC as RFC 3339 with microseconds, always the same length, so that text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").zfill(27)


def parse_time(text: str) -> datetime:
    """The moment that `time_text` wrote. Raises ValueError for anything else."""
    if not _AT.fullmatch(text):
        raise ValueError("not a time in the ledger's form")
    return datetime.fromisoformat(text)


def seconds_back(at: str, previous: str) -> float | None:
    """How many seconds `at` lies before `previous`, None when it does not."""
    if at >= previous:
        return None
    return (parse_time(previous) - parse_time(at)) / timedelta(seconds=1)


def canonical(value: Any) -> bytes:
    """`value`, as `json.loads` gave it, in the form of RFC 8785. Raises ValueError when it has none."""
    return _write(value).encode()


def _write(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int):
        return str(value) if abs(value) <= _SAFE_INTEGER else _write_number(float(value))
    if isinstance(value, float):
        return _write_number(value)
    if isinstance(value, list):
        return "[" + ",".join(map(_write, value)) + "]"
    members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
    return "{" + ",".join(f"{_write(name)}:{_write(item)}" for name, item in members) + "}"


def _write_number(value: float) -> str:
    """A double as ECMAScript prints it, which RFC 8785 section 3.2.2.3 prescribes."""
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError("a number that JSON does not have")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    point = len(whole) + int(exponent or 0)
    digits = whole + fraction
    leading = len(digits) - len(digits.lstrip("0"))
    digits, point = digits.lstrip("0").rstrip("0"), point - leading
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    power = point - 1
    shown = digits if len(digits) == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{sign}{shown}e{'+' if power > 0 else '-'}{abs(power)}"


def _read_number(text: str) -> float:
    value = float(text)
    if _write_number(value) != text:
        raise ValueError("it has a number that is not in canonical form")
    return value


_decode = json.JSONDecoder(parse_float=_read_number).raw_decode
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def next_in(raw: bytes, after: int) -> int:
    """The number that a line gives itself, in a selection in which it must be larger than `after`.

    Raises LedgerBroken when it gives none, or one that is not larger. The line is still to be read (`load`).
    """
    try:
        value, _ = _decode(raw.decode())
        seq = value["seq"]
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        raise LedgerBroken(f"the line after entry {after} is not an entry: it has no number") from error
    if type(seq) is not int or seq <= after:
        raise LedgerBroken(f"the line after entry {after} calls itself number {seq}", details={"entry": after})
    return seq


def parse(raw: bytes, seq: int) -> Entry:
    """Read the entry that should be number `seq`. Raises LedgerBroken, naming it, when it is not exactly that."""
    value = load(raw, seq)
    sealed, back = tuple(value["sealed"]), value.get("clock_back_seconds")
    return Entry(seq, value["at"], value["type"], value["actor"], value["body"], sealed, back, raw)


def load(raw: bytes, seq: int) -> dict[str, Any]:
    """The same as `parse`, as the plain object that stands in the line; quicker where millions are read."""
    try:
        text = raw.decode()
        value, _ = _decode(text)
        # Python's own writer is quick, and right but for very large and small numbers and for the order of keys with
        # characters from U+E000 on. (Integers that no double holds pass as they stand: there is one way to read them.)
        quick = (text.isascii() or max(text) < "\ue000") and _encode(value) == text
        if not quick and _write(value) != text:
            raise ValueError("it is not in canonical form")
        _check(value, seq)
    except (ValueError, RecursionError) as error:
        raise LedgerBroken(f"entry {seq} is not a valid entry: {_reason(error)}", details={"entry": seq}) from error
    return cast("dict[str, Any]", value)


def _reason(error: Exception) -> str:
    if isinstance(error, (UnicodeError, json.JSONDecodeError)):
        return "it is not JSON in UTF-8"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _check(value: Any, seq: int) -> None:
    if type(value) is not dict or (value.keys() != _MEMBERS and value.keys() != _MEMBERS_BACK):
        raise ValueError("it has not the members of an entry")
    number, at, kind, actor = value["seq"], value["at"], value["type"], value["actor"]
    if type(value["v"]) is not int or value["v"] != VERSION:
        raise ValueError("it is of a version unknown to this program")
    if type(number) is not int or number != seq:
        raise ValueError(f"it calls itself number {number}")
    if type(at) is not str or not _AT.fullmatch(at):
        raise ValueError("its time is not in the one valid form")
    datetime.fromisoformat(at)
    if type(kind) is not str or not valid_kind(kind):
        raise ValueError("its type is not in the one valid form")
    if type(actor) is not dict or actor.keys() != _ACTOR:
        raise ValueError("its actor is not what was authenticated and what was stated")
    if type(value["body"]) is not dict or type(value["sealed"]) is not list:
        raise ValueError("its body or its sealed items are of the wrong kind")
    if len(value) > len(_MEMBERS):
        back = value["clock_back_seconds"]
        if type(back) not in (int, float) or back <= 0:
            raise ValueError("it says wrongly that the clock was set back")


def check_time(seq: int, at: str, back: float | None, previous: str | None) -> None:
    """Check an entry's time against the one before. Raises LedgerBroken when it goes back and does not say so."""
    if back != (seconds_back(at, previous) if previous is not None else None):
        raise LedgerBroken(
            f"entry {seq} has a time before that of the entry before it and does not say so truly",
            details={"entry": seq},
        )
