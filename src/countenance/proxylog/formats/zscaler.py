"""Zscaler Internet Access, web log of the Nanolog Streaming Service (NSS): CSV, tabs with names, JSON lines.

Source: Zscaler's "NSS Feed Output Format: Web Logs" and its feeds for CSV, Splunk and Cloud NSS. A feed's columns are
the operator's choice: by header where there is one, by name in JSON and in `name=value` cells, otherwise in the order
of the documented sample. The time is in the zone of the feed; `tz` or `epochtime` beside it settle which. `eurl` has no
scheme; what is not inspected is a CONNECT.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from functools import lru_cache

from countenance.domain.proxy import Outcome, WebRequest
from countenance.proxylog.formats.addresses import Target, host, target
from countenance.proxylog.formats.columns import BLANK, Columns, Members, kind_of, members, method_of, request
from countenance.proxylog.formats.kind import BadLine, Example, Fast, Format, Reading
from countenance.proxylog.formats.lines import check, first_lines, header, mostly, plain, row, status_code
from countenance.proxylog.formats.outcomes import by_both
from countenance.proxylog.formats.times import Moment, epoch, iso, notation

_NAMES = {
    "epoch": ("epochtime",),
    "time": ("datetime", "time"),
    "zone": ("tz", "timezone"),
    "user": ("login", "elogin", "user", "ologin"),
    "address": ("cip", "clientip", "cltip", "cltintip", "cintip", "clientpublicip", "cltpubip"),
    "method": ("reqmethod", "requestmethod"),
    "url": ("eurl", "url"),
    "url64": ("b64url",),
    "host": ("ehost", "host", "hostname"),
    "protocol": ("proto", "protocol"),
    "status": ("respcode", "status"),
    "sent": ("reqsize", "requestsize"),
    "received": ("respsize", "responsesize"),
    "action": ("action",),
    "agent": ("eua", "ua", "useragent"),
    "referrer": ("ereferer", "referer", "refererurl"),
    "referrer64": ("b64referer",),
    "file_name": ("uploadfilename", "euploadfilename"),
}
_NAMED = """
reqmethod respcode eurl ehost eua ereferer urlsupercat urlsupercategory urlclass appclass cltip dlpengine dlpeng
threatseverity unscannabletype clienttranstime bwthrottle refererurl transactionsize reqsize respsize
"""
_OWN = frozenset(_NAMED.split())
"""Names that only this product uses. Two of them make a header its own."""
_SAMPLED = """
time login proto eurl action appname appclass reqsize respsize stime ctime urlclass urlsupercat urlcat malwarecat
threatname riskscore dlpeng dlpdict location dept cip sip reqmethod respcode eua ereferer ruletype rulelabel contenttype
unscannabletype deviceowner devicehostname keyprotectiontype
"""
_ORDER = _SAMPLED.split()
_NOTHING = BLANK | {"None", "NA", "N/A"}
_TUNNELS = frozenset({"ssl", "tunnel", "tunnel_ssl", "http_tunnel"})


class _Lines:
    fast: Fast | None = None
    hides = True

    def __init__(self, values: Callable[[str], dict[str, str] | None], reading: Reading) -> None:
        self._values = values
        self._clocks: tuple[tuple[Moment, Moment], ...] = tuple(
            (iso(zone), notation("%c", zone)) for zone in (reading.zone, None)
        )

    def read(self, text: str, number: int) -> WebRequest | None:
        check(text)
        if not text.strip():
            return None
        values = self._values(text)
        if values is None:
            return None
        method, where = method_of(values.get("method")), _where(values)
        kind = kind_of(method, where)
        if values.get("protocol", "").lower() in _TUNNELS:
            kind = "tunnel"
        if "referrer64" in values and not values.get("referrer"):
            values["referrer"] = _from_base64(values["referrer64"])
        return request(number, self._when(values), values, where, kind, _outcome(values, kind == "tunnel"))

    def _when(self, values: dict[str, str]) -> float:
        if values.get("epoch"):
            return epoch(values["epoch"])
        time = values.get("time", "")
        numbers, words = self._clocks[values.get("zone", "").upper() in ("GMT", "UTC")]
        return numbers(time) if time[:1].isdigit() else words(time)


def _where(values: dict[str, str]) -> Target:
    url = values.get("url") or _from_base64(values.get("url64", ""))
    where = target(url)
    return where if where.host or not values.get("host") else where._replace(host=host(values["host"]))


def _from_base64(text: str) -> str:
    try:
        found = base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
    return found.replace("\0", "")


def _outcome(values: dict[str, str], tunnel: bool) -> Outcome | None:
    action, status = values.get("action", "").lower(), status_code(values.get("status"))
    denied = True if action.startswith(("block", "den")) else False if action else None
    return by_both(denied, status, "tunnel" if tunnel else "request")


def _by_header(names: Sequence[str], first: str) -> Callable[[str], dict[str, str] | None]:
    delimiter, columns = _delimiter(first), Columns(names, _NAMES, _NOTHING)

    def values(text: str) -> dict[str, str] | None:
        if text == first:
            return None
        cells = row(text, delimiter)
        if len(cells) != columns.width:
            raise BadLine("fields")
        return columns(cells)

    return values


def _by_order(text: str) -> dict[str, str]:
    cells = row(text)
    if not 25 <= len(cells) <= len(_ORDER):
        raise BadLine("fields")
    return _STANDING(cells)


def _by_pairs(text: str) -> dict[str, str]:
    first, *pairs = text.split("\t")
    if not pairs:
        raise BadLine("fields")
    split = [pair.partition("=") for pair in pairs]
    return _under(tuple(name for name, _, _ in split))([first, *(value for _, _, value in split)])


@lru_cache(maxsize=64)
def _under(names: tuple[str, ...]) -> Columns:
    return Columns(["time", *map(plain, names)], _NAMES, _NOTHING)


def _by_members(text: str) -> dict[str, str]:
    source = members(text).get("sourcetype")
    if isinstance(source, str) and source.startswith("zscalernss-") and source != "zscalernss-web":
        raise BadLine("other-log")
    return _MEMBERS(text)


_STANDING = Columns(_ORDER, _NAMES, _NOTHING)
_MEMBERS = Members(_NAMES, _NOTHING, inside="event")


def _delimiter(line: str) -> str:
    return "\t" if "\t" in line else ","


def _shape(head: Sequence[str]) -> tuple[int, Callable[[str], dict[str, str] | None]]:
    """How sure, and how lines are read."""
    lines = first_lines(head)
    first = lines[0] if lines else ""
    if first.startswith("{"):
        return (90 if mostly(lines, _is_member) else 0), _by_members
    names = header(first, _delimiter(first))
    if len(_OWN & set(names)) >= 2 and {"time", "datetime", "epochtime"} & set(names):
        return 90, _by_header(names, first)
    if "\t" in first and "=" in first:
        return (90 if "vendor=Zscaler" in first or "\tproduct=NSS" in first else 0), _by_pairs
    return (80 if mostly(lines, _is_standing) else 0), _by_order


def _is_member(line: str) -> bool:
    try:
        found = members(line)
    except BadLine:
        return False
    inner = found.get("event")
    names = {plain(name) for name in (inner if isinstance(inner, dict) else found)}
    return found.get("sourcetype") == "zscalernss-web" or len(_OWN & names) >= 2


def _is_standing(line: str) -> bool:
    try:
        values = _by_order(line)
        notation("%c", None)(values["time"])
    except BadLine:
        return False
    return True


def _recognise(head: Sequence[str], reading: Reading) -> int:
    return _shape(head)[0]


def _open(head: Sequence[str], reading: Reading) -> _Lines:
    return _Lines(_shape(head)[1], reading)


_AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/141.0"
_SAMPLE = (
    '"Mon Nov  2 10:00:02 2026","j.doe@example.org","HTTPS","pimeyes.com/en","Allowed","General Browsing",'
    '"General Browsing","611","18342","80","112","Productivity Loss","Internet Services","Portals","None","None","0",'
    f'"None","None","HQ","Records","10.20.3.41","203.0.113.7","GET","200","{_AGENT}","None","None","None","Other",'
    '"None","NA","PC-0041","N/A"',
    '"Mon Nov  2 10:00:20 2026","a.poe@example.org","SSL","facecheck.id:443","Allowed","SSL","General Browsing",'
    '"512044","40210","0","60004","Productivity Loss","Internet Services","Portals","None","None","0","None","None",'
    '"HQ","Records","10.20.3.42","198.51.100.9","CONNECT","200","None","None","None","None","Other","None","NA",'
    '"PC-0042","N/A"',
    '"Mon Nov  2 10:00:21 2026","a.poe@example.org","HTTPS","pimeyes.com/","Blocked","","","72","14061","0","0","","",'
    '"","None","None","0","None","None","HQ","Records","10.20.3.42","203.0.113.7","GET","403","curl/7.68.0","None",'
    '"FwFilter","Firewall_1","Other","None","NA","NA","N/A"',
    '"Mon Nov 31 10:00:21 2026","","","","","","","","","","","","","","","","","","","","","","","","","","","","","",'
    '"","","",""',
    '"Mon Nov  2 10:00:21 2026","a.poe@example.org"',
)
_HEADER = (
    "time,tz,login,cip,reqmethod,eurl,ehost,respcode,reqsize,respsize,action,ua,ereferer,upload_filename",
    "2026-11-02 10:00:11,GMT,j.doe@example.org,10.20.3.41,POST,pimeyes.com/api/upload/file,pimeyes.com,200,412300,914,"
    "Allowed,curl/8,https://pimeyes.com/en,face.jpg",
    ",,,,,,,,,,,,,",
    "2026-11-02 10:00:12,GMT,,,,,pimeyes.com,,,,,,,",
)
_JSON = (
    '{"sourcetype":"zscalernss-web","event":{"datetime":"2026-11-02 10:00:11","user":"j.doe@example.org",'
    '"ClientIP":"10.20.3.41","requestmethod":"POST","url":"pimeyes.com/api/search/new","hostname":"pimeyes.com",'
    '"status":"200","requestsize":"1300","responsesize":"611","action":"Allowed","useragent":"Mozilla/5.0",'
    '"refererURL":"None","protocol":"HTTPS"}}',
    '{"version":"v11","sourcetype":"zscalernss-web","event":{"epochtime":"1793613612","login":"j.doe@example.org",'
    '"cltip":"10.20.3.41","reqmethod":"GET","b64url":"cGltZXllcy5jb20vZW4=","host":"pimeyes.com","respcode":200,'
    '"reqsize":1300,"respsize":10500,"action":"Allowed"}}',
    '{"sourcetype":"zscalernss-dns","event":{"user":"j.doe@example.org"}}',
    '{"sourcetype":',
)
_PAIRS = (
    "2026-11-02 10:00:11\treason=Allowed\tevent_id=71\tprotocol=HTTPS\taction=Allowed\ttransactionsize=1911\t"
    "responsesize=611\trequestsize=1300\tserverip=203.0.113.7\tclienttranstime=80\trequestmethod=POST\trefererURL=None\t"
    "useragent=Mozilla/5.0\tproduct=NSS\tlocation=HQ\tClientIP=10.20.3.41\tstatus=200\tuser=j.doe@example.org\t"
    "url=pimeyes.com/api/search/new\tvendor=Zscaler\thostname=pimeyes.com",
)
_SEARCH: dict[str, object] = {
    "at": 1793613611.0,
    "host": "pimeyes.com",
    "path": "/api/search/new",
    "method": "POST",
    "user": "j.doe@example.org",
    "address": "10.20.3.41",
    "status": 200,
    "outcome": "allowed",
    "sent": 1300,
    "received": 611,
    "referrer": "",
    "agent": "Mozilla/5.0",
}

FORMAT = Format(
    name="zscaler",
    title="Zscaler Internet Access, NSS web log",
    recognise=_recognise,
    open=_open,
    examples=(
        Example(
            "CSV in the documented order",
            _SAMPLE,
            (
                {
                    "at": 1793613602.0,
                    "host": "pimeyes.com",
                    "path": "/en",
                    "user": "j.doe@example.org",
                    "address": "10.20.3.41",
                    "sent": 611,
                    "received": 18342,
                    "outcome": "allowed",
                    "referrer": "",
                    "agent": _AGENT,
                },
                {"kind": "tunnel", "host": "facecheck.id", "port": 443, "sent": 512044, "outcome": "allowed"},
                {"outcome": "denied", "status": 403},
                "time",
                "fields",
            ),
        ),
        Example(
            "CSV with a header",
            _HEADER,
            (
                None,
                {"method": "POST", "path": "/api/upload/file", "file_name": "face.jpg", "sent": 412300},
                "time",
                {"host": "pimeyes.com", "user": None, "method": None, "outcome": None, "agent": "", "path": None},
            ),
        ),
        Example(
            "JSON lines",
            _JSON,
            (_SEARCH, {"path": "/en", "host": "pimeyes.com", "at": 1793613612.0, "sent": 1300}, "other-log", "json"),
        ),
        Example("Tabs with names", _PAIRS, (_SEARCH,)),
    ),
)
