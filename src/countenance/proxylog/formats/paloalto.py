"""Palo Alto Networks PAN-OS: URL filtering, traffic and data filtering logs, as syslog or exported as CSV.

Source: PAN-OS "Syslog Field Descriptions" (traffic, URL filtering and data filtering log fields). Positions
have been the same since PAN-OS 8; newer versions add columns at the end; an export's header decides where there is
one. Times are in the firewall's own zone. The URL log has method and action but no status; the traffic log has bytes
but no host beyond the address; the data filtering log names a file and which way it went. `connection` is the
session's number, by which the three belong together (numbers are used again after a while).
"""

from __future__ import annotations

from collections.abc import Sequence

from countenance.domain.proxy import Kind, Outcome, WebRequest
from countenance.proxylog.formats.addresses import NOWHERE, Target, host, target
from countenance.proxylog.formats.columns import Columns, method_of, request
from countenance.proxylog.formats.kind import BadLine, Example, Fast, Format, Reading
from countenance.proxylog.formats.lines import check, duration, first_lines, header, mostly, row
from countenance.proxylog.formats.outcomes import by_action
from countenance.proxylog.formats.times import iso

_NAMES = {
    "type": ("type", "logtype"),
    "subtype": ("threatcontenttype", "subtype", "logsubtype"),
    "time": ("generatetime", "generatedtime", "timegenerated", "receivetime"),
    "start": ("starttime",),
    "elapsed": ("elapsedtimesec", "elapsedtime"),
    "address": ("sourceaddress", "sourceip", "src"),
    "server": ("destinationaddress", "destinationip", "dst"),
    "port": ("destinationport", "dport"),
    "user": ("sourceuser", "srcuser"),
    "app": ("application", "app"),
    "action": ("action",),
    "url": ("urlfilename", "url", "misc"),
    "file_url": ("fileurl",),
    "direction": ("direction", "directionofattack"),
    "agent": ("useragent",),
    "referrer": ("referer", "referrer"),
    "method": ("httpmethod",),
    "sent": ("bytessent",),
    "received": ("bytesreceived",),
    "connection": ("sessionid",),
}
_SHARED = """
future receivetime serial type subtype future generatedtime src dst natsrc natdst rule srcuser dstuser app vsys from to
inbound outbound logset future sessionid repeatcnt sport dport natsport natdport flags proto action
"""
_MORE_TRAFFIC = """
bytes bytessent bytesreceived packets starttime elapsedtime category future seqno actionflags srcloc dstloc future
pktssent pktsreceived sessionendreason
"""
_MORE_THREAT = """
misc threatid category severity direction seqno actionflags srcloc dstloc future contenttype pcapid filedigest cloud
urlidx useragent filetype xff referer sender subject recipient reportid dg1 dg2 dg3 dg4 vsysname devicename future
srcuuid dstuuid httpmethod
"""
_TRAFFIC, _THREAT = (_SHARED + _MORE_TRAFFIC).split(), (_SHARED + _MORE_THREAT).split()
_ALLOWED = frozenset({"allow", "alert", "continue", "override"})
_REFUSALS = """
deny drop drop-icmp reset-client reset-server reset-both block block-url block-continue block-override override-lockout
sinkhole
"""
_DENIED = frozenset(_REFUSALS.split())
_OPAQUE = frozenset({"ssl", "quic"})
_FILES = frozenset({"file", "data", "wildfire", "dlp"})


class _Lines:
    fast: Fast | None = None

    def __init__(self, names: Sequence[str], first: str | None, reading: Reading) -> None:
        self._first = first
        self._header = Columns(names, _NAMES) if first is not None else None
        self._clock = iso(reading.zone)

    def read(self, text: str, number: int) -> WebRequest | None:
        check(text)
        if text == self._first or not text.strip():
            return None
        cells = row(text)
        if self._header is not None:
            if len(cells) != self._header.width:
                raise BadLine("fields")
            values = self._header(cells)
        else:
            values = _by_order(cells)
        log, subtype = values.get("type", "").upper(), values.get("subtype", "").lower()
        if log == "TRAFFIC" or (not log and "sent" in values):
            return self._traffic(number, values)
        if log not in ("THREAT", "URL", "DATA", ""):
            raise BadLine("other-log")
        if subtype in _FILES:
            return self._file(number, values)
        if subtype not in ("url", ""):
            raise BadLine("other-log")
        return self._url(number, values)

    def _traffic(self, line: int, values: dict[str, str]) -> WebRequest:
        seconds = duration(values.get("elapsed"))
        if values.get("start"):
            at = self._clock(values["start"])
        else:
            at = self._clock(values.get("time", "")) - (seconds or 0.0)
        return request(line, at, values, _server(values), "flow", _outcome(values), seconds)

    def _url(self, line: int, values: dict[str, str]) -> WebRequest:
        where, method = target(values.get("url")), method_of(values.get("method"))
        opaque = values.get("app", "").lower() in _OPAQUE or (method is None and where.path in (None, "/"))
        kind: Kind = "tunnel" if method == "CONNECT" else "flow" if opaque else "request"
        where = where._replace(port=where.port or _server(values).port)
        return request(line, self._clock(values.get("time", "")), values, where, kind, _outcome(values))

    def _file(self, line: int, values: dict[str, str]) -> WebRequest:
        up = values.get("direction", "").lower() in ("client-to-server", "client to server")
        if up:
            values["file_name"] = values.get("url", "")
        where = target(values.get("file_url")) if values.get("file_url") else NOWHERE
        where = where if where.host else _server(values)
        return request(line, self._clock(values.get("time", "")), values, where, "flow", _outcome(values))


def _by_order(cells: list[str]) -> dict[str, str]:
    if len(cells) < 32:
        raise BadLine("fields")
    log = cells[3]
    if log == "TRAFFIC":
        if len(cells) < 34:
            raise BadLine("fields")
        return _AT_TRAFFIC(cells)
    if log == "THREAT":
        # An older firewall writes fewer columns: what it has none for is missing, not blank.
        return _AT_THREAT(cells) if len(cells) >= len(_THREAT) else Columns(_THREAT[: len(cells)], _NAMES)(cells)
    raise BadLine("other-log" if log in ("SYSTEM", "CONFIG", "HIP-MATCH", "USERID", "GLOBALPROTECT") else "fields")


_AT_TRAFFIC = Columns(_TRAFFIC, _NAMES)
_AT_THREAT = Columns(_THREAT, _NAMES)


def _server(values: dict[str, str]) -> Target:
    return target(f"{host(values.get('server', '')) or '-'}")._replace(port=_port(values.get("port", "")), path=None)


def _port(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 65536 else None


def _outcome(values: dict[str, str]) -> Outcome | None:
    return by_action(values.get("action"), _ALLOWED, _DENIED)


def _shape(head: Sequence[str]) -> tuple[int, Sequence[str], str | None]:
    lines = first_lines(head)
    first = lines[0] if lines else ""
    names = header(first)
    have = set(names)
    timed = have & {"generatetime", "generatedtime", "receivetime"} and have & set(_NAMES["server"])
    if timed and (have & set(_NAMES["url"]) or "bytessent" in have):
        return 90, names, first
    return (85 if mostly(lines, _looks) else 0), (), None


def _looks(line: str) -> bool:
    cells = line.split(",", 7)
    return len(cells) == 8 and cells[3] in ("TRAFFIC", "THREAT", "SYSTEM", "CONFIG") and cells[1][4:5] == "/"


def _recognise(head: Sequence[str], reading: Reading) -> int:
    return _shape(head)[0]


def _open(head: Sequence[str], reading: Reading) -> _Lines:
    return _Lines(*_shape(head)[1:], reading)


_AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/141.0"
_START = "Nov  2 10:00:12 fw1.example.org 1,2026/11/02 10:00:12,012345678901,"
_MIDDLE = (
    "10.20.3.41,203.0.113.7,192.0.2.10,203.0.113.7,staff-web,example\\j.doe,,{app},vsys1,trust,untrust,ethernet1/1,"
    "ethernet1/2,forward,2026/11/02 10:00:12,{session},1,51514,443,30112,443,0x400000,tcp,"
)
_MID = _MIDDLE.format(app="web-browsing", session="48211")
_SSL = _MIDDLE.format(app="ssl", session="48212")
_END = "1,0x0,10.0.0.0-10.255.255.255,Sweden,,text/html,0,,,1,"
_TAIL = ",0,0,0,0,,fw1,,,,"
_LINES = (
    f'{_START}THREAT,url,2561,2026/11/02 10:00:02,{_MID}alert,"pimeyes.com/en?a=1,2",(9999),search-engines,'
    f'informational,client-to-server,{_END}"{_AGENT}",,,"",,,,0{_TAIL}get,0,,0,,N/A',
    f'{_START}THREAT,url,2561,2026/11/02 10:00:11,{_MID}alert,"pimeyes.com/api/search/new",(9999),search-engines,'
    f'informational,client-to-server,{_END}"{_AGENT}",,,"https://pimeyes.com/en",,,,0{_TAIL}post,0,,0,,N/A',
    f'{_START}THREAT,url,2561,2026/11/02 10:00:11,{_SSL}block-url,"facecheck.id/",(9999),search-engines,informational,'
    f"client-to-server,{_END},,,,,,,0{_TAIL},0,,0,,N/A",
    f"{_START}THREAT,file,2561,2026/11/02 10:00:11,{_MID}alert,face.jpg,JPEG File Upload(52017),any,low,"
    f"client-to-server,{_END},,,,,,,0{_TAIL}",
    f"{_START}THREAT,file,2561,2026/11/02 10:00:11,{_MID}alert,logo.png,PNG File(52018),any,low,server-to-client,{_END}"
    f",,,,,,,0{_TAIL}",
    f"{_START}TRAFFIC,end,2561,2026/11/02 10:01:12,{_MID}allow,431212,412300,18912,402,2026/11/02 10:00:02,60,"
    "search-engines,,1,0x0,10.0.0.0-10.255.255.255,Sweden,,201,201,tcp-fin",
    f"{_START}TRAFFIC,drop,2561,2026/11/02 10:01:12,{_MID}deny,70,70,0,1,2026/11/02 10:01:12,0,any,,1,0x0,"
    "10.0.0.0-10.255.255.255,Sweden,,1,0,policy-deny",
    f"{_START}SYSTEM,general,0,2026/11/02 10:00:11,,general,,0,0,general,informational,saved",
    f"{_START}THREAT,vulnerability,2561,2026/11/02 10:00:11,{_MID}alert,x,X(1),any,low,client-to-server,{_END}",
)
_EXPORT = (
    "Domain,Receive Time,Serial #,Type,Threat/Content Type,Config Version,Generate Time,Source address,"
    "Destination address,Source User,Application,Session ID,Destination Port,Action,URL/Filename,Category,Direction,"
    "user_agent,referer,HTTP Method",
    "1,2026/11/02 10:00:12,012345678901,THREAT,url,2561,2026/11/02 10:00:11,10.20.3.41,203.0.113.7,example\\j.doe,"
    'web-browsing,48211,443,alert,"pimeyes.com/api/upload/file",search-engines,client-to-server,,,post',
    "1,2026/11/02 10:00:12,012345678901,THREAT,url,2561,2026/11/02 10:00:11,,,,,,,,pimeyes.com/api/search/new,,,,,",
    "1,2026/11/02 10:00:12,012345678901,THREAT,url,2561,today,,,,,,,,pimeyes.com/,,,,,",
    "1,2026/11/02 10:00:12",
)

FORMAT = Format(
    name="paloalto",
    title="Palo Alto Networks PAN-OS: URL, traffic and data filtering logs",
    recognise=_recognise,
    open=_open,
    examples=(
        Example(
            "Syslog",
            _LINES,
            (
                {
                    "at": 1793613602.0,
                    "kind": "request",
                    "host": "pimeyes.com",
                    "port": 443,
                    "path": "/en",
                    "query": "a=1,2",
                    "method": "GET",
                    "status": None,
                    "outcome": "allowed",
                    "user": "example\\j.doe",
                    "address": "10.20.3.41",
                    "agent": _AGENT,
                    "referrer": "",
                    "connection": "48211",
                },
                {"method": "POST", "path": "/api/search/new", "referrer": "https://pimeyes.com/en"},
                {"kind": "flow", "host": "facecheck.id", "path": None, "outcome": "denied", "connection": "48212"},
                {"kind": "flow", "host": "203.0.113.7", "file_name": "face.jpg", "method": None},
                {"kind": "flow", "file_name": None},
                {
                    "at": 1793613602.0,
                    "kind": "flow",
                    "host": "203.0.113.7",
                    "port": 443,
                    "sent": 412300,
                    "received": 18912,
                    "seconds": 60.0,
                    "outcome": "allowed",
                    "connection": "48211",
                },
                {"outcome": "denied"},
                "fields",
                "other-log",
            ),
        ),
        Example(
            "Exported as CSV",
            _EXPORT,
            (
                None,
                {
                    "at": 1793613611.0,
                    "method": "POST",
                    "path": "/api/upload/file",
                    "user": "example\\j.doe",
                    "port": 443,
                },
                {
                    "kind": "request",
                    "method": None,
                    "outcome": None,
                    "path": "/api/search/new",
                    "user": None,
                    "agent": "",
                },
                "time",
                "fields",
            ),
        ),
    ),
)
