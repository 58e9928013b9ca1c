"""Squid's access log under a `logformat` of one's own, which has to be given: nothing in the lines says it.

Source: Squid's documentation of `logformat`. Worth having in it: `%>st` (what the client sent), `%ssl::>sni` and
`%ssl::bump_mode` (what is behind a CONNECT), `"%{Referer}>h"` and `"%{User-Agent}>h"`. The time is that of the end of
the transaction (`%tS` apart), so the start is the time less `%tr`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import unquote

from countenance.domain.errors import BadInput
from countenance.domain.proxy import WebRequest
from countenance.proxylog.formats.addresses import Target, host, split, target
from countenance.proxylog.formats.columns import kind_of, method_of, request
from countenance.proxylog.formats.kind import BadLine, Example, Fast, Format, Reading
from countenance.proxylog.formats.lines import check, first_lines, mostly, status_code, thousandths, word
from countenance.proxylog.formats.logformat import CLF, USERS, Written, understand
from countenance.proxylog.formats.outcomes import by_result
from countenance.proxylog.formats.times import epoch, in_range, notation

_understand = lru_cache(maxsize=16)(understand)
_URLS = ("client_url", "url", "server_url")
_NUMBERS = re.compile(r"[0-9.]+|[0-9a-f:.]*:[0-9a-f:.]*")
_ESCAPE = re.compile(r'\\(["\\/])')


class _Lines:
    def __init__(self, written: Written, reading: Reading) -> None:
        self.fast: Fast | None = Fast(written.fast) if written.fast else None
        self._written = written
        self._clock = notation(written.times or CLF, reading.zone)

    def read(self, text: str, number: int) -> WebRequest | None:
        check(text)
        found = self._written.expression.fullmatch(text)
        if found is None:
            if not text.strip() or text.startswith("#"):
                return None
            raise BadLine("fields")
        values = dict(zip(self._written.keys, found.groups(), strict=True))
        for key in ("status", "server_status", "elapsed", "sent", "received"):
            if key in values:
                values[key] = values[key].strip(" ")
        for key in ("referrer", "agent"):
            if key in values:
                values[key] = _plain(values[key], quoted=key in self._written.quoted)
        values["user"] = next((values[one] for one in USERS if word(values.get(one))), "")
        values["address"] = next((values[one].strip(" ") for one in ("address", "client") if word(values.get(one))), "")
        values["status"] = next((values[one] for one in ("status", "server_status") if word(values.get(one))), "")
        method, result = method_of(values.get("method")), word(values.get("result"))
        where = _where(values)
        kind = "tunnel" if (result or "").startswith("TCP_TUNNEL") else kind_of(method, where)
        sni = values.get("sni", "")
        if word(sni) and (not where.host or (kind == "tunnel" and _NUMBERS.fullmatch(where.host))):
            where = where._replace(host=host(sni))
        at, seconds = self._when(values)
        status = status_code(values.get("status"))
        outcome = by_result(result, status, word(values.get("hierarchy")), kind)
        bump = values.get("bump")
        if bump == "terminate":
            outcome = "denied"
        elif kind == "tunnel" and bump is not None and not word(bump) and outcome == "allowed":
            outcome = None  # it could have been terminated
        return request(number, at, values, where, kind, outcome, seconds)

    def _when(self, values: dict[str, str]) -> tuple[float, float | None]:
        seconds = thousandths(values.get("elapsed"))
        if "begun" in values:
            return epoch(values["begun"]), seconds
        if "second" in values:
            at = in_range(int(values["second"]) + int(values.get("part") or 0) / 1000)
        else:
            at = self._clock(values["time"])
        return round(at - (seconds or 0.0), 3), seconds


def _plain(text: str, *, quoted: bool) -> str:
    if quoted:
        return _ESCAPE.sub(r"\1", text) if "\\" in text else text
    return unquote(text).replace("\0", "") if "%" in text else text


def _where(values: dict[str, str]) -> Target:
    """From the URL that the client asked for, or from its parts."""
    url = next((values[one] for one in _URLS if word(values.get(one))), "")
    if url:
        return target(url)
    port, path = values.get("port", ""), values.get("path", "")
    name = next((values[one] for one in ("domain", "host_header") if word(values.get(one))), "")
    base = target(name.partition("/")[0])
    way, query = split(path) if path.startswith("/") else (None, None)
    number = int(port) if port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65536 else base.port
    return Target(base.host, number, way, query, word(values.get("scheme")))


def _recognise(head: Sequence[str], reading: Reading) -> int:
    if not reading.logformat:
        return 0
    return 99 if mostly(first_lines(head), _understand(reading.logformat).expression.fullmatch) else 0


def _open(head: Sequence[str], reading: Reading) -> _Lines:
    if not reading.logformat:
        raise BadInput("this format needs Squid's logformat line", advice="Give it as squid.conf has it.")
    return _Lines(_understand(reading.logformat), reading)


_AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/141.0"
_RICH = (
    "logformat rich %ts.%03tu %6tr %>a %Ss/%03>Hs %<st %>st %rm %>ru %[un %Sh/%<a %ssl::bump_mode %ssl::>sni"
    ' "%{Referer}>h" "%{User-Agent}>h"'
)
_RICH_LINES = (
    "1793613611.020   2340 10.20.3.41 TCP_MISS/200 914 412300 POST https://pimeyes.com/api/upload/file j.doe"
    f' HIER_DIRECT/203.0.113.7 bump pimeyes.com "https://pimeyes.com/en" "{_AGENT}"',
    "1793613640.000  60000 10.20.3.42 TCP_TUNNEL/200 40210 512044 CONNECT 198.51.100.9:443 - HIER_DIRECT/198.51.100.9"
    ' splice FaceCheck.ID "-" "-"',
    "1793613641.000      2 10.20.3.42 NONE_NONE/200 0 300 CONNECT 198.51.100.9:443 - HIER_NONE/- terminate facecheck.id"
    ' "-" "-"',
    '1793613642.000      - - -/- - - - https://pimeyes.com/api/search/new - -/- - - "" "say \\"hi\\""',
    '1793613642.000      2 10.20.3.42 TCP_MISS/200 914 many GET http://pimeyes.com/ - HIER_NONE/- - - "-" "-"',
)
_LOCAL = '%tl %>a:%>p "%rm %ru HTTP/%rv" %>Hs %<st %{User-Agent}>h %Ss:%Sh %ui %ul'
_LOCAL_LINES = (
    '02/Nov/2026:10:00:02 +0100 2001:db8::41:51514 "GET http://pimeyes.com:80/en?a=1 HTTP/1.1" 200 18342'
    " Mozilla/5.0%20(X11) TCP_MISS:HIER_DIRECT - j.doe",
    '31/Nov/2026:10:00:02 +0100 2001:db8::41:51514 "GET http://pimeyes.com/ HTTP/1.1" 200 1 - TCP_MISS:HIER_DIRECT - -',
)
_PARTS = "%{%Y-%m-%dT%H:%M:%S}tg|%>a|%>rm|%>rs|%>rd|%>rP|%rp|%>Hs"
_PART_LINES = (
    "2026-11-02T10:00:02|10.20.3.41|GET|https|pimeyes.com|443|/en/results/a_b?query=x|200",
    "2026-11-02T10:00:03|10.20.3.41|GET|https|pimeyes.com|443|/en|302",
)

FORMAT = Format(
    name="squid-custom",
    title="Squid, with a logformat of one's own",
    recognise=_recognise,
    open=_open,
    examples=(
        Example(
            "With bytes sent, SNI and bump mode",
            _RICH_LINES,
            (
                {
                    "at": 1793613608.68,
                    "seconds": 2.34,
                    "kind": "request",
                    "host": "pimeyes.com",
                    "path": "/api/upload/file",
                    "user": "j.doe",
                    "address": "10.20.3.41",
                    "sent": 412300,
                    "received": 914,
                    "status": 200,
                    "outcome": "allowed",
                    "referrer": "https://pimeyes.com/en",
                    "agent": _AGENT,
                },
                {"kind": "tunnel", "host": "facecheck.id", "port": 443, "sent": 512044, "agent": "", "user": None},
                {"kind": "tunnel", "outcome": "denied"},
                {"outcome": None, "sent": None, "method": None, "agent": 'say "hi"', "path": "/api/search/new"},
                "fields",
            ),
            reading=Reading(logformat=_RICH),
        ),
        Example(
            "With local times",
            _LOCAL_LINES,
            (
                {
                    "at": 1793610002.0,
                    "address": "2001:db8::41",
                    "host": "pimeyes.com",
                    "path": "/en",
                    "query": "a=1",
                    "user": "j.doe",
                    "agent": "Mozilla/5.0 (X11)",
                    "referrer": None,
                    "seconds": None,
                },
                "time",
            ),
            reading=Reading(logformat=_LOCAL),
        ),
        Example(
            "With the parts of the URL, and no word of what Squid did",
            _PART_LINES,
            (
                {
                    "at": 1793613602.0,
                    "host": "pimeyes.com",
                    "port": 443,
                    "path": "/en/results/a_b",
                    "query": "query=x",
                    "outcome": "allowed",
                    "user": None,
                },
                {"status": 302, "outcome": None},
            ),
            reading=Reading(logformat=_PARTS),
        ),
    ),
)
