"""Zeek: http.log, ssl.log, quic.log, dns.log and conn.log, as TSV with its `#` lines or as JSON lines.

Source: Zeek's documentation of its log files and of the ASCII writer. Zeek watches the wire, so it has no word for what
a proxy did. `uid` is the connection's name and ties the logs together: ssl.log has the host, conn.log the bytes. TSV
logs say `#fields`, which may change where files were joined.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from countenance.domain.proxy import Outcome, WebRequest
from countenance.proxylog.formats.addresses import Target, authority, host, target
from countenance.proxylog.formats.columns import BLANK, Columns, Members, kind_of, members, method_of, request
from countenance.proxylog.formats.kind import BadLine, Example, Fast, Format, Reading
from countenance.proxylog.formats.lines import check, duration, first_lines, mostly, plain, status_code
from countenance.proxylog.formats.outcomes import by_status
from countenance.proxylog.formats.times import epoch, iso

_NAMES = {
    "time": ("ts",),
    "connection": ("uid",),
    "address": ("idorigh",),
    "server": ("idresph",),
    "port": ("idrespp",),
    "log": ("path",),
    "method": ("method",),
    "host": ("host",),
    "uri": ("uri",),
    "referrer": ("referrer",),
    "agent": ("useragent",),
    "sent": ("requestbodylen", "origbytes"),
    "received": ("responsebodylen", "respbytes"),
    "status": ("statuscode",),
    "user": ("username",),
    "file_name": ("origfilenames",),
    "name": ("servername",),
    "established": ("established",),
    "query": ("query",),
    "rcode": ("rcodename",),
    "rejected": ("rejected",),
    "state": ("connstate",),
    "elapsed": ("duration",),
}
_NOTHING = BLANK | {"(empty)"}
_LOGS = frozenset({"http", "ssl", "quic", "dns", "conn"})
_FAILED_STATES = frozenset({"S0", "REJ", "RSTOS0", "RSTRH", "SH", "SHR"})
_NUMBER = "(?:[0-9]{1,18}|-)"
_CELLS = {
    "ts": r"(?P<epoch>[1-3][0-9]{9}\.[0-9]{6})",
    "id.orig_h": "(?P<address>[!-~]+)",
    "id.resp_p": "[0-9]{1,5}",
    "method": "(?P<method>[!-~]+)",
    "username": "(?P<user>[!-~]+)",
    "request_body_len": _NUMBER,
    "response_body_len": _NUMBER,
    "orig_bytes": _NUMBER,
    "resp_bytes": _NUMBER,
    "status_code": "(?:[0-9]{1,3}|-)",
    "duration": r"(?:[0-9]{1,9}\.[0-9]{6}|-)",
}


class _Lines:
    def __init__(self, head: Sequence[str]) -> None:
        self.fast: Fast | None = None
        self._columns: Columns | None = None
        self._log = ""
        self._separator = "\t"
        self._iso = iso(None)
        for line in head:
            self._directive(line)
            if self._columns is not None:
                break

    def read(self, text: str, number: int) -> WebRequest | None:
        check(text)
        if text.startswith("#"):
            self._directive(text)
            return None
        if not text.strip():
            return None
        if text.startswith("{"):
            values = _MEMBERS(text)
            log = values.get("log", "").lower() or _guess(values)
        elif self._columns is None:
            raise BadLine("header")
        else:
            cells = text.split(self._separator)
            if len(cells) != self._columns.width:
                raise BadLine("fields")
            values, log = self._columns(cells), self._log or _guess(self._columns)
        if log not in _LOGS:
            raise BadLine("other-log")
        time = values.get("time", "")
        at = self._iso(time) if "-" in time[1:] else epoch(time)
        if log == "http":
            return _http(number, at, values)
        if log == "dns":
            return request(number, at, values, Target(host(values.get("query", ""))), "dns", _answered(values))
        if log == "conn":
            where, seconds = Target(host(values.get("server", "")), _port(values)), duration(values.get("elapsed"))
            return request(number, at, values, where, "flow", _connected(values), seconds)
        established = {"t": "allowed", "true": "allowed", "f": "failed", "false": "failed"}
        outcome = established.get(values.get("established", "").lower())
        return request(number, at, values, Target(host(values.get("name", "")), _port(values)), "flow", outcome)  # type: ignore[arg-type]

    def _directive(self, line: str) -> None:
        if line.startswith("#separator "):
            self._separator = {"\\x09": "\t", "\\x2c": ",", "\\x7c": "|", "\\x20": " "}.get(line[11:].strip(), "\t")
        elif line.startswith("#path" + self._separator):
            self._log = line.split(self._separator)[1].strip().lower()
        elif line.startswith("#fields" + self._separator):
            names = line.split(self._separator)[1:]
            self._columns = Columns([plain(name) for name in names], _NAMES, _NOTHING)
            usable = self._separator == "\t" and "ts" in names and len(set(names)) == len(names)
            known = (self._log or _guess(self._columns)) in _LOGS
            self.fast = _fast(names) if usable and known else None


def _fast(names: Sequence[str]) -> Fast:
    return Fast("^" + r"\t".join(_CELLS.get(name, "[ -~]+") for name in names) + "$")


def _guess(names: Mapping[str, str] | Columns) -> str:
    """Which log has these columns."""
    for log, *needed in (
        ("http", "method", "uri"),
        ("http", "uri", "host"),
        ("dns", "query", "rcode"),
        ("ssl", "name"),
        ("conn", "state"),
        ("dns", "query"),
    ):
        if all(one in names for one in needed):
            return log
    return ""


def _http(line: int, at: float, values: dict[str, str]) -> WebRequest:
    uri, named = values.get("uri", ""), values.get("host", "")
    where = target(uri)
    if named:  # the Host header; seen on the way to a proxy, the URI has the host as well
        name, port = authority(named)
        where = where._replace(host=where.host or name, port=where.port or port)
    method = method_of(values.get("method"))
    if method != "CONNECT" and uri and "://" not in uri and not uri.startswith("/"):
        where = where._replace(path=None, query=None)
    where = where._replace(port=where.port or _port(values))
    kind = kind_of(method, where) if uri and not uri.startswith("/") else "request"
    values["file_name"] = values.get("file_name", "").split(",")[0]
    return request(line, at, values, where, kind, by_status(status_code(values.get("status")), kind))


def _port(values: Mapping[str, str]) -> int | None:
    text = values.get("port", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 65536 else None


def _answered(values: Mapping[str, str]) -> Outcome | None:
    if values.get("rejected", "").lower() in ("t", "true"):
        return "denied"
    code = values.get("rcode", "")
    return None if not code else "allowed" if code == "NOERROR" else "failed"


def _connected(values: Mapping[str, str]) -> Outcome | None:
    state = values.get("state", "")
    return None if not state else "failed" if state in _FAILED_STATES else "allowed"


_MEMBERS = Members(_NAMES, _NOTHING)


def _recognise(head: Sequence[str], reading: Reading) -> int:
    lines = first_lines(head)
    for line in lines:
        if line.startswith("#fields"):
            names = {plain(name) for name in line.split()[1:]}
            return (
                95 if "ts" in names and names & {"uid", "idorigh"} and _guess(dict.fromkeys(_found(names), "")) else 0
            )
    return 90 if mostly(lines, _is_member) else 0


def _found(names: set[str]) -> set[str]:
    return {key for key, wanted in _NAMES.items() if names & set(wanted)}


def _is_member(line: str) -> bool:
    if not line.startswith("{"):
        return False
    try:
        names = {plain(name) for name in members(line)}
    except BadLine:
        return False
    return {"ts", "uid"} <= names and bool(_guess(dict.fromkeys(_found(names), "")))


def _open(head: Sequence[str], reading: Reading) -> _Lines:
    return _Lines(head)


def _tabs(text: str) -> str:
    return "\t".join(text.split())


_HTTP = (
    "#separator \\x09",
    "#set_separator\t,",
    "#empty_field\t(empty)",
    "#unset_field\t-",
    "#path\thttp",
    "#open\t2026-11-02-10-00-00",
    _tabs(
        "#fields ts uid id.orig_h id.orig_p id.resp_h id.resp_p trans_depth method host uri referrer version"
        " user_agent request_body_len response_body_len status_code status_msg username orig_filenames"
    ),
    _tabs(
        "#types time string addr port addr port count string string string string string string count count count"
        " string string vector[string]"
    ),
    _tabs(
        "1793613602.112000 CabcD1 10.20.3.41 51514 203.0.113.7 80 1 GET pimeyes.com /en?x=1 - 1.1 Mozilla/5.0 0 18342"
        " 200 OK - -"
    ),
    _tabs(
        "1793613611.000000 CabcD1 10.20.3.41 51514 203.0.113.7 80 2 POST FaceCheck.ID:80 /api/upload_pic"
        " http://facecheck.id/ 1.1 - 412300 391 200 OK j.doe face.jpg,b.jpg"
    ),
    _tabs(
        "1793613612.000000 CabcD2 10.20.3.41 51515 10.20.0.8 3128 1 CONNECT - pimeyes.com:443 - 1.1 - 0 0 200 OK - -"
    ),
    _tabs("1793613613.000000 CabcD3 10.20.3.41 51516 203.0.113.7 80 1 - pimeyes.com - - - - - - - - - (empty)"),
    _tabs("1793613613.000000 CabcD3 10.20.3.41"),
    _tabs("#fields ts uid id.orig_h id.orig_p id.resp_h id.resp_p method host uri status_code"),
    _tabs("1793613614.000000 CabcD4 10.20.3.41 51517 203.0.113.7 80 GET pimeyes.com /en 404"),
    "#close\t2026-11-02-11-00-00",
)
_SSL = (
    "#separator \\x09",
    "#path\tssl",
    _tabs("#fields ts uid id.orig_h id.orig_p id.resp_h id.resp_p version cipher server_name resumed established"),
    _tabs("1793613602.112000 CabcD1 10.20.3.41 51514 203.0.113.7 443 TLSv13 TLS_AES_128 jsc11.pimeyes.com F T"),
    _tabs("1793613602.112000 CabcD1 10.20.3.41 51514 203.0.113.7 443 - - - - -"),
    _tabs("now CabcD1 10.20.3.41 51514 203.0.113.7 443 - - - - -"),
)
_JSON = (
    '{"ts":1793613602.112,"uid":"CabcD1","id.orig_h":"10.20.3.41","id.orig_p":51514,"id.resp_h":"203.0.113.7",'
    '"id.resp_p":443,"server_name":"pimeyes.com","established":true}',
    '{"ts":"2026-11-02T10:00:01.500000Z","uid":"CabcD2","id.orig_h":"10.20.3.41","id.resp_h":"10.20.0.53",'
    '"query":"pimeyes.com","rcode_name":"NOERROR","rejected":false}',
    '{"ts":1793613602.112,"uid":"CabcD1","id.orig_h":"10.20.3.41","id.resp_h":"203.0.113.7","id.resp_p":443,'
    '"proto":"tcp","duration":60.25,"orig_bytes":412300,"resp_bytes":18912,"conn_state":"SF"}',
    '{"_path":"files","ts":1793613602.112,"uid":"CabcD1"}',
    '{"ts":1793613602.112,"uid":"CabcD1","method":"POST","host":"pimeyes.com","uri":"/api/search/new",'
    '"status_code":200,"request_body_len":96}',
)

FORMAT = Format(
    name="zeek",
    title="Zeek: http, ssl, quic, dns and conn logs",
    recognise=_recognise,
    open=_open,
    headed=True,
    examples=(
        Example(
            "http.log, with fields that change half-way",
            _HTTP,
            (
                None,
                None,
                None,
                None,
                None,
                None,
                None,
                None,
                {
                    "at": 1793613602.112,
                    "kind": "request",
                    "host": "pimeyes.com",
                    "port": 80,
                    "path": "/en",
                    "query": "x=1",
                    "method": "GET",
                    "status": 200,
                    "outcome": "allowed",
                    "sent": 0,
                    "received": 18342,
                    "referrer": "",
                    "agent": "Mozilla/5.0",
                    "connection": "CabcD1",
                    "user": None,
                },
                {"host": "facecheck.id", "method": "POST", "user": "j.doe", "file_name": "face.jpg", "agent": ""},
                {"kind": "tunnel", "host": "pimeyes.com", "port": 443, "outcome": "allowed"},
                {"kind": "request", "host": "pimeyes.com", "method": None, "path": None, "outcome": None},
                "fields",
                None,
                {"status": 404, "agent": None, "outcome": "allowed"},
                None,
            ),
        ),
        Example(
            "ssl.log",
            _SSL,
            (
                None,
                None,
                None,
                {"kind": "flow", "host": "jsc11.pimeyes.com", "port": 443, "outcome": "allowed", "sent": None},
                {"host": "", "outcome": None},
                "time",
            ),
            sees="host",
        ),
        Example(
            "JSON lines of several logs",
            _JSON,
            (
                {"kind": "flow", "host": "pimeyes.com", "outcome": "allowed", "at": 1793613602.112},
                {"kind": "dns", "host": "pimeyes.com", "outcome": "allowed", "at": 1793613601.5},
                {"kind": "flow", "host": "203.0.113.7", "sent": 412300, "seconds": 60.25, "outcome": "allowed"},
                "other-log",
                {"kind": "request", "path": "/api/search/new", "sent": 96, "status": 200},
            ),
        ),
    ),
)
