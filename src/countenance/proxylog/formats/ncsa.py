"""Apache's common and combined log formats, as a forward proxy writes them; Squid's `common` and `combined` too.

`host ident user [time] "method URL protocol" status bytes`, combined adds `"referrer" "agent"`. Squid ends its lines
with `TCP_MISS:HIER_DIRECT`; Apache's `combinedio` with the bytes received and sent. Sources: the documentation of
Apache's mod_log_config and mod_logio, and of Squid's logformat. Apache writes the time at which the request came in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from countenance.domain.proxy import WebRequest
from countenance.proxylog.formats.addresses import target
from countenance.proxylog.formats.columns import kind_of, method_of
from countenance.proxylog.formats.kind import BadLine, Example, Fast, Format, Reading
from countenance.proxylog.formats.lines import check, first_lines, mostly, number, said, status_code, word
from countenance.proxylog.formats.outcomes import by_result, by_status
from countenance.proxylog.formats.times import Moment, notation

CLF_TIME = "%d/%b/%Y:%H:%M:%S %z"
SURE_DAY = (
    "(?:(?:0[1-9]|1[0-9]|2[0-8])/(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
    "|(?:29|30)/(?:Jan|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)|31/(?:Jan|Mar|May|Jul|Aug|Oct|Dec))"
    "/20(?:0[1-9]|[1-8][0-9]|9[0-8])"
)
"""Days that exist in every year; 29 February is left to the slow way."""
SURE_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"

FAST = Fast(
    pattern=(
        r"^(?P<address>[!-~]+) [!-~]+ (?P<user>[!#-Z\\^-~]+) \[(?P<time>"
        + SURE_DAY
        + ":"
        + SURE_CLOCK
        + r' [+-](?:0[0-9]|1[0-4])[0-5][0-9])\] "(?P<method>[A-Z]{1,20}) [!#-\[\]-~]+ HTTP/[0-9.]{1,5}"'
        r' [0-9]{3} (?:[0-9]{1,18}|-)(?: "[ !#-\[\]-~]*" "[ !#-\[\]-~]*")?'
        r"(?: [A-Z_]+:[A-Z_]+| [0-9]{1,18} [0-9]{1,18})?$"
    ),
    time_format=CLF_TIME,
    zoned=True,
)
_QUOTED = r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"'
_LINE = re.compile(
    r"(\S+) (\S+) ([^\[\]\"]*) \[([^\]]{0,64})\] "
    + _QUOTED
    + r" ([0-9]{1,3}|-|) ([0-9]{1,18}|-|)(?: "
    + _QUOTED
    + " "
    + _QUOTED
    + r")?(?: ([A-Z_]+|-):([A-Z_]+|-)| ([0-9]{1,18}|-) ([0-9]{1,18}|-))?"
)
_REQUEST = re.compile(r"(\S*) (\S.*?)(?: HTTP/[0-9.]{1,5})?", re.DOTALL)
_ESCAPE = re.compile(r'\\(["\\])')


class _Lines:
    fast: Fast | None = FAST

    def __init__(self, reading: Reading) -> None:
        self._clock: Moment = notation(CLF_TIME, reading.zone)

    def read(self, text: str, number_: int) -> WebRequest | None:
        check(text)
        found = _LINE.fullmatch(text)
        if found is None:
            if not text.strip() or text.startswith("#"):
                return None
            raise BadLine("fields")
        address, _, user, time, asked, status, size, referrer, agent, result, hierarchy, got, gave = found.groups()
        at = self._clock(time)
        split = _REQUEST.fullmatch(asked)
        method, where = (method_of(split[1]), target(split[2])) if split else (None, target(None))
        kind, code = kind_of(method, where), status_code(status)
        outcome = by_status(code, kind) if result is None else by_result(word(result), code, word(hierarchy), kind)
        whole = kind == "request"
        return WebRequest(
            file="",
            line=number_,
            at=at,
            kind=kind,
            host=where.host,
            port=where.port,
            user=word(user),
            address=word(address),
            method=method,
            path=where.path if whole else None,
            query=where.query if whole else None,
            status=code,
            outcome=outcome,
            sent=number(got),
            received=number(gave) if gave is not None else number(size),
            referrer=_plain(referrer),
            agent=_plain(agent),
        )


def _plain(text: str | None) -> str | None:
    return _ESCAPE.sub(r"\1", text) if text and "\\" in text else said(text)


def _recognise(head: Sequence[str], reading: Reading) -> int:
    return 85 if mostly(first_lines(head), _LINE.fullmatch) else 0


def _open(head: Sequence[str], reading: Reading) -> _Lines:
    return _Lines(reading)


_AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/141.0"
_COMBINED = (
    f'10.20.3.41 - j.doe [02/Nov/2026:10:00:02 +0100] "GET https://pimeyes.com/en HTTP/1.1" 200 18342 "-" "{_AGENT}"',
    '10.20.3.41 - j.doe [02/Nov/2026:10:00:11 +0100] "POST https://pimeyes.com/api/upload/file HTTP/1.1" 200 914'
    f' "https://pimeyes.com/en" "{_AGENT}"',
    '10.20.3.41 - - [02/Nov/2026:10:00:12 +0100] "GET http://facecheck.id/ HTTP/1.1" 407 - "-" "-"',
    '10.20.3.41 - - [02/Nov/2026:10:00:13 +0100] "GET http://facecheck.id/ HTTP/1.1" 403 199 "" "say \\"hi\\""',
    f'10.20.3.41 - - [02/Nov/2026:10:00:14 +0100] "- https://pimeyes.com/en HTTP/1.1" - - "-" "{_AGENT}"',
    '10.20.3.41 - - [02/Nov/2026:10:00:15 +0100] "-" 408 - "-" "-"',
    '10.20.3.41 - - [31/Feb/2026:10:00:15 +0100] "GET http://facecheck.id/ HTTP/1.1" 200 1 "-" "-"',
    '10.20.3.41 - - [02/Nov/2026:10:00:16 +0100] "GET http://facecheck.id/ HTTP/1.1 200 1 "-" "-"',
    f'10.20.3.41 - j.doe [02/Nov/2026:10:00:17 +0100] "POST http://facecheck.id/api/upload_pic HTTP/1.1" 200 80 "-"'
    f' "{_AGENT}" 412300 391',
)
_COMMON = (
    '10.20.3.41 - j.doe [02/Nov/2026:10:00:02 +0000] "CONNECT pimeyes.com:443 HTTP/1.1" 200 48211',
    '10.20.3.42 - - [02/Nov/2026:10:00:03 +0000] "CONNECT facecheck.id:443 HTTP/1.1" 200 3900 TCP_TUNNEL:HIER_DIRECT',
    '10.20.3.42 - - [02/Nov/2026:10:00:04 +0000] "CONNECT facecheck.id:443 HTTP/1.1" 403 3900 TCP_DENIED:HIER_NONE',
    '10.20.3.42 - - [02/Nov/2026:10:00:05 +0000] "GET http://facecheck.id/ HTTP/1.1" 403 391 TCP_MISS:HIER_DIRECT',
    '10.20.3.42 - - [02/Nov/2026:10:00:06 +0000] "GET http://facecheck.id/ HTTP/1.1" 0 0 TCP_MISS_ABORTED:HIER_DIRECT',
)

FORMAT = Format(
    name="ncsa",
    title="Apache or NCSA, common and combined, of a forward proxy",
    recognise=_recognise,
    open=_open,
    examples=(
        Example(
            "Combined",
            _COMBINED,
            (
                {
                    "at": 1793610002.0,
                    "host": "pimeyes.com",
                    "path": "/en",
                    "user": "j.doe",
                    "address": "10.20.3.41",
                    "status": 200,
                    "outcome": "allowed",
                    "received": 18342,
                    "referrer": "",
                    "agent": _AGENT,
                },
                {"method": "POST", "path": "/api/upload/file", "referrer": "https://pimeyes.com/en"},
                {"status": 407, "outcome": "denied", "received": None, "agent": ""},
                {"status": 403, "outcome": None, "agent": 'say "hi"', "referrer": ""},
                {"method": None, "status": None, "outcome": None, "path": "/en", "kind": "request"},
                {"host": "", "status": 408, "path": None},
                "time",
                "fields",
                {"sent": 412300, "received": 391},
            ),
        ),
        Example(
            "Common, with Squid's result at the end of some",
            _COMMON,
            (
                {"kind": "tunnel", "host": "pimeyes.com", "port": 443, "outcome": "allowed", "referrer": None},
                {"kind": "tunnel", "outcome": "allowed", "received": 3900},
                {"kind": "tunnel", "outcome": "denied"},
                {"kind": "request", "status": 403, "outcome": "allowed", "agent": None},
                {"kind": "request", "status": 0, "outcome": "failed"},
            ),
            sees="host",
        ),
    ),
)
