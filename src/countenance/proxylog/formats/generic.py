"""The formats `csv` and `jsonl`: rows and objects of any product, read as a mapping says (see `mapping`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from countenance.domain.errors import BadInput
from countenance.domain.proxy import Kind, Outcome, WebRequest
from countenance.proxylog.formats.addresses import Target, authority, split, target
from countenance.proxylog.formats.columns import Columns, Members, kind_of, method_of, request
from countenance.proxylog.formats.kind import BadLine, Example, Fast, Format, Reading
from countenance.proxylog.formats.lines import (
    check,
    duration,
    first_lines,
    header,
    mostly,
    row,
    status_code,
    thousandths,
)
from countenance.proxylog.formats.mapping import Mapped, understand
from countenance.proxylog.formats.outcomes import by_status


class _Lines:
    fast: Fast | None = None

    def __init__(self, mapped: Mapped, values: Callable[[str], dict[str, str] | None], reading: Reading) -> None:
        self._mapped = mapped
        self._values = values
        self._clock = mapped.clock(reading.zone)

    def read(self, text: str, number: int) -> WebRequest | None:
        check(text)
        if not text.strip():
            return None
        values = self._values(text)
        if values is None:
            return None
        mapped, where, method = self._mapped, _where(values), method_of(values.get("method"))
        kind = mapped.kinds.get(values.get("line_kind", "").lower()) or mapped.kind or kind_of(method, where)
        if method == "CONNECT":
            kind = "tunnel"
        took = values.get("duration")
        seconds = thousandths(took) if mapped.milliseconds else duration(took)
        at = self._clock(values.get("time", ""))
        if mapped.ends:
            at = round(at - (seconds or 0.0), 6)
        return request(number, at, values, where, kind, self._outcome(values, kind), seconds)

    def _outcome(self, values: dict[str, str], kind: Kind) -> Outcome | None:
        """By the word for what was done, where the log has one; else by the status."""
        status = status_code(values.get("status"))
        if "action" not in values or status in (0, 407):
            return by_status(status, kind)
        done = self._mapped.outcomes.get(values["action"].lower())
        if done == "allowed" and "status" in values and status is None:
            return None
        return done


def _where(values: dict[str, str]) -> Target:
    base = target(values.get("url"))
    name, own = authority(values["host"]) if values.get("host") else ("", None)
    port, path = values.get("port", ""), values.get("path", "")
    way, query = split(path) if path else (base.path, base.query)
    number = int(port) if port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65536 else None
    asked = values.get("query", "")
    return Target(
        base.host or name, number or base.port or own, way, asked.removeprefix("?") if asked else query, base.scheme
    )


def _rows(mapped: Mapped, first: str) -> Callable[[str], dict[str, str] | None]:
    names = _names(mapped, first)
    columns = Columns(names, mapped.names, mapped.blank)

    def values(text: str) -> dict[str, str] | None:
        if mapped.header and text == first:
            return None
        cells = row(text, mapped.delimiter)
        if len(cells) != columns.width:
            raise BadLine("fields")
        return columns(cells)

    return values


def _names(mapped: Mapped, first: str) -> list[str]:
    """The columns' names: the header's, or numbers from 1."""
    if mapped.header:
        return header(first, mapped.delimiter)
    try:
        width = len(row(first, mapped.delimiter))
    except BadLine:
        width = 0
    return [str(place) for place in range(1, width + 1)]


def _fits(mapped: Mapped, first: str) -> bool:
    """Whether the columns that the mapping names are there: all of those that a line cannot be read without."""
    names = set(_names(mapped, first))
    needed = [mapped.names["time"], *(mapped.names[key] for key in ("url", "host") if key in mapped.names)]
    return all(names & set(wanted) for wanted in needed)


def _mapped(reading: Reading, shape: str) -> Mapped | None:
    mapped = understand(reading.mapping) if reading.mapping else None
    return mapped if mapped and mapped.format == shape else None


def _recognise_rows(head: Sequence[str], reading: Reading) -> int:
    mapped, lines = _mapped(reading, "csv"), first_lines(head)
    return 98 if mapped and lines and _fits(mapped, lines[0]) else 0


def _open_rows(head: Sequence[str], reading: Reading) -> _Lines:
    mapped, lines = _mapped(reading, "csv"), first_lines(head)
    if mapped is None:
        raise BadInput("the format csv needs a mapping for csv", advice="Write one that says what the columns are.")
    return _Lines(mapped, _rows(mapped, lines[0] if lines else ""), reading)


def _recognise_objects(head: Sequence[str], reading: Reading) -> int:
    mapped = _mapped(reading, "jsonl")
    if mapped is None:
        return 0
    members = Members(mapped.names, mapped.blank, mapped.inside)

    def fits(line: str) -> bool:
        try:
            found = members(line)
        except BadLine:
            return False
        return "time" in found and bool({"url", "host"} & found.keys())

    return 98 if mostly(first_lines(head), fits) else 0


def _open_objects(head: Sequence[str], reading: Reading) -> _Lines:
    mapped = _mapped(reading, "jsonl")
    if mapped is None:
        raise BadInput("the format jsonl needs a mapping for jsonl", advice="Write one that says what the members are.")
    return _Lines(mapped, Members(mapped.names, mapped.blank, mapped.inside), reading)


_CSV_MAPPING = """
format = "csv"
delimiter = ";"
blank = ["n/a"]
[time]
column = "Time stamp"
format = "%d.%m.%Y %H:%M:%S"
zone = "Europe/Stockholm"
marks = "end"
[columns]
user = "User"
address = "Client"
method = "Method"
url = "URL"
status = "Code"
sent = "Up"
received = "Down"
agent = "Agent"
duration = "Took"
[duration]
unit = "ms"
[action]
column = "Done"
allowed = ["PASS"]
denied = ["BLOCK"]
"""
_CSV = (
    "Time stamp;User;Client;Method;URL;Code;Up;Down;Agent;Took;Done",
    '02.11.2026 11:00:02;j.doe;10.20.3.41;post;https://pimeyes.com/api/search/new;200;96;611;"Mozilla; 5.0";1500;Pass',
    "02.11.2026 11:00:03;n/a;10.20.3.41;CONNECT;facecheck.id:443;403;;;;;block",
    "02.11.2026 11:00:03;;;;https://pimeyes.com/en;;;;;;",
    "2026-11-02 11:00:03;;;;https://pimeyes.com/en;;;;;;",
    "02.11.2026 11:00:03;;;",
    "02.11.2026 11:00:03;;;;https://pimeyes.com/en;;lots;;;;",
)
_BARE_MAPPING = """
format = "csv"
header = false
kind = "dns"
[time]
column = 1
format = "epoch"
[columns]
address = 2
host = 3
"""
_JSON_MAPPING = """
format = "jsonl"
inside = "log"
[time]
column = "ts"
format = "epoch-ms"
[columns]
user = "who"
host = "dest.host"
port = "dest.port"
path = "path"
method = "verb"
status = "code"
file_name = "upload"
[kinds]
column = "type"
tunnel = ["pipe"]
"""
_JSON = (
    '{"log":{"ts":1793613602500,"who":"j.doe","dest.host":"FaceCheck.ID","dest.port":443,"path":"/api/upload_pic?x=1",'
    '"verb":"POST","code":200,"upload":"face.jpg"}}',
    '{"log":{"ts":"1793613602500","dest.host":"pimeyes.com","type":"Pipe","code":null}}',
    '{"log":{"ts":1793613602500.5,"dest.host":"pimeyes.com"}}',
    '{"log":',
)

CSV = Format(
    name="csv",
    title="CSV, by a mapping",
    recognise=_recognise_rows,
    open=_open_rows,
    headed=True,
    examples=(
        Example(
            "With a header",
            _CSV,
            (
                None,
                {
                    "at": 1793613600.5,
                    "seconds": 1.5,
                    "host": "pimeyes.com",
                    "path": "/api/search/new",
                    "method": "POST",
                    "user": "j.doe",
                    "address": "10.20.3.41",
                    "status": 200,
                    "outcome": "allowed",
                    "sent": 96,
                    "received": 611,
                    "agent": "Mozilla; 5.0",
                    "referrer": None,
                },
                {"kind": "tunnel", "outcome": "denied", "user": None, "agent": ""},
                {"kind": "request", "outcome": None, "method": None, "status": None},
                "time",
                "fields",
                "number",
            ),
            reading=Reading(mapping=_CSV_MAPPING),
        ),
        Example(
            "Without one",
            ("1793613602.5,10.20.3.41,pimeyes.com.", "1793613603,10.20.3.41,"),
            ({"at": 1793613602.5, "kind": "dns", "host": "pimeyes.com"}, {"host": "", "user": None}),
            reading=Reading(mapping=_BARE_MAPPING),
            sees="host",
        ),
    ),
)

JSONL = Format(
    name="jsonl",
    title="JSON lines, by a mapping",
    recognise=_recognise_objects,
    open=_open_objects,
    examples=(
        Example(
            "Members inside another",
            _JSON,
            (
                {
                    "at": 1793613602.5,
                    "host": "facecheck.id",
                    "port": 443,
                    "path": "/api/upload_pic",
                    "query": "x=1",
                    "method": "POST",
                    "status": 200,
                    "outcome": "allowed",
                    "file_name": "face.jpg",
                    "user": "j.doe",
                },
                {"kind": "tunnel", "status": None, "outcome": None},
                "time",
                "json",
            ),
            reading=Reading(mapping=_JSON_MAPPING),
        ),
    ),
)
