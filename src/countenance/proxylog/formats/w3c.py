"""W3C extended log files by their `#Fields`: Blue Coat (Symantec, Broadcom) ProxySG, and any other that has them.

Sources: W3C working draft WD-logfile; ProxySG's list of ELFF fields. Dates and times are UTC and those of the moment at
which the transaction was *complete*; `time-taken` is in milliseconds where it is a whole number (ProxySG, IIS) and in
seconds where it has a fraction (the draft). `#Fields` may change half-way. A connection that ProxySG does not inspect
makes a CONNECT row and a TUNNELED row: both are tunnels here, and joined where sessions are made.
"""

from __future__ import annotations

from collections.abc import Sequence

from countenance.domain.proxy import Kind, Outcome, WebRequest
from countenance.proxylog.formats.addresses import NOWHERE, Target, host, split, target
from countenance.proxylog.formats.columns import Columns, kind_of, method_of, request
from countenance.proxylog.formats.kind import BadLine, Example, Fast, Format, Reading
from countenance.proxylog.formats.lines import check, duration, plain, spaced, status_code, thousandths, word
from countenance.proxylog.formats.ncsa import SURE_CLOCK
from countenance.proxylog.formats.outcomes import by_both, by_result
from countenance.proxylog.formats.times import epoch, iso, notation

_NAMES = {
    "date": ("date",),
    "time": ("time",),
    "stamp": ("timestamp", "xtimestampunix", "xtimestampunixutc"),
    "local": ("gmttime", "localtime"),
    "taken": ("timetaken",),
    "user": ("csusername", "csuser", "cusername"),
    "address": ("cip",),
    "method": ("csmethod", "soperation"),
    "scheme": ("csurischeme",),
    "host": ("cshost", "csurihost", "csurihostname", "csuriaddress", "rhost", "rdns", "rip"),
    "port": ("csuriport", "rport"),
    "path": ("csuripath", "csuristem"),
    "query": ("csuriquery",),
    "url": ("csuri", "csurl", "curi"),
    "status": ("scstatus", "schttpstatus"),
    "action": ("saction", "scresultcode"),
    "filter": ("scfilterresult", "action"),
    "sent": ("csbytes",),
    "received": ("scbytes",),
    "referrer": ("csreferer", "csreferred"),
    "agent": ("csuseragent", "cagent"),
}
_DENIED = frozenset({"denied", "deny", "block", "blocked"})
_ANY_CELL = r'(?:[!#-~][!-~]*|"[ !#-~]*")'
_CELLS = {
    "csbytes": "(?:[0-9]{1,18}|-)",
    "scbytes": "(?:[0-9]{1,18}|-)",
    "scstatus": "(?:[0-9]{1,3}|-)",
    "schttpstatus": "(?:[0-9]{1,3}|-)",
    "timetaken": "(?:[0-9]{1,9}|-)",
    "csuriport": "(?:[0-9]{1,5}|-)",
    "rport": "(?:[0-9]{1,5}|-)",
    "cip": "(?P<address>[!#-~][!-~]*)",
    "csusername": "(?P<user>[!#-~][!-~]*)",
    "csmethod": "(?P<method>[!#-~][!-~]*)",
}
_SURE_DATE = (
    "20(?:0[1-9]|[1-8][0-9]|9[0-8])-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    "|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
)


class _Lines:
    def __init__(self, head: Sequence[str]) -> None:
        self.fast: Fast | None = None
        self._columns: Columns | None = None
        self._tabs = False
        self._date = ""
        self._iso = iso(None)
        self._local = notation("%d/%b/%Y:%H:%M:%S %z", None)
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
        columns = self._columns
        if columns is None:
            raise BadLine("header")
        cells = text.split("\t") if self._tabs else spaced(text)
        if len(cells) != columns.width:
            cells = [cell for cell in cells if cell]
            if len(cells) != columns.width:
                raise BadLine("fields")
        values = columns(cells)
        at, seconds = self._when(values), _taken(values.get("taken"))
        where = _where(values)
        kind = _kind(values, where)
        if "+" in values.get("agent", "") and " " not in values["agent"]:
            values["agent"] = values["agent"].replace("+", " ")  # IIS writes spaces so
        return request(number, round(at - (seconds or 0.0), 3), values, where, kind, _outcome(values, kind), seconds)

    def _directive(self, line: str) -> None:
        name, colon, rest = line.removeprefix("\ufeff").partition(":")
        if not colon or not name.startswith("#"):
            return
        if name.lower() == "#fields":
            fields = rest.strip()
            self._tabs = "\t" in fields
            names = [plain(one) for one in (fields.split("\t") if self._tabs else fields.split())]
            self._columns = Columns(names, _NAMES) if names else None
            self.fast = None if self._tabs else _fast(names)
        elif name.lower() == "#date":
            self._date = rest.split()[0] if rest.split() else ""

    def _when(self, values: dict[str, str]) -> float:
        day = values.get("date") or self._date
        if day and values.get("time"):
            return self._iso(f"{day} {values['time']}")
        if values.get("stamp"):
            return epoch(values["stamp"])
        local = values.get("local", "").strip("[]").replace("GMT", "+0000")
        return self._local(local)


def _taken(text: str | None) -> float | None:
    return duration(text) if text and "." in text else thousandths(text)


def _where(values: dict[str, str]) -> Target:
    """From one URL, or from its parts in columns of their own, which go first."""
    get = values.get
    path, whole = get("path") or "", get("url") or ""
    if "://" in path:  # ProxySG's cs-uri-stem is the URL without its query
        whole, path = path, ""
    base = target(whole) if whole else NOWHERE
    scheme = get("scheme", "").lower() or base.scheme
    name = host(get("host", "").rpartition("@")[2].strip("[]")) if get("host") else ""
    port = get("port", "")
    way, query = split(path) if path else (base.path, base.query)
    asked = get("query")
    return Target(
        name if name and not base.host else base.host,
        int(port) if port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65536 else base.port,
        way,
        asked.removeprefix("?") if asked else query,
        scheme,
    )


def _kind(values: dict[str, str], where: Target) -> Kind:
    method = (values.get("method") or "").upper()
    says = values.get("action", "").upper() + values.get("filter", "").upper()
    if method.startswith("TUNNEL") or "TUNNEL" in says or where.scheme in ("tcp", "ssl", "tunnel"):
        return "tunnel"
    return kind_of(method_of(method), where)


def _outcome(values: dict[str, str], kind: Kind) -> Outcome | None:
    status, action, verdict = status_code(values.get("status")), word(values.get("action")), values.get("filter", "")
    if verdict.lower() in _DENIED:
        return by_both(True, status, kind)
    if action is None:
        return by_both(False if verdict else None, status, kind)
    return by_result(action.upper(), status, "DIRECT", kind)  # an error of its own is TCP_ERR_MISS


def _fast(names: list[str]) -> Fast | None:
    """An expression for rows with these fields, where date and time stand side by side."""
    at = names.index("date") if "date" in names else -1
    if at < 0 or names[at + 1 : at + 2] != ["time"] or len(set(names)) != len(names):
        return None
    cells = [_CELLS.get(name, _ANY_CELL) for name in names]
    cells[at : at + 2] = [f"(?P<time>{_SURE_DATE} {SURE_CLOCK})"]
    return Fast("^" + " ".join(cells) + "$", time_format="%Y-%m-%d %H:%M:%S")


def _recognise(head: Sequence[str], reading: Reading) -> int:
    for line in head:
        name, _, rest = line.removeprefix("\ufeff").partition(":")
        if name.lower() == "#fields":
            names = {plain(one) for one in rest.split()}
            timed = "time" in names or names & {*_NAMES["stamp"], *_NAMES["local"]}
            web = names & {*_NAMES["host"], *_NAMES["url"], *_NAMES["path"]}
            return 90 if timed and web else 0
    return 0


def _open(head: Sequence[str], reading: Reading) -> _Lines:
    return _Lines(head)


_FIELDS = (
    "#Fields: date time time-taken c-ip cs-username cs-auth-group x-exception-id sc-filter-result cs-categories"
    " cs(Referer) sc-status s-action cs-method rs(Content-Type) cs-uri-scheme cs-host cs-uri-port cs-uri-path"
    " cs-uri-query cs-uri-extension cs(User-Agent) s-ip sc-bytes cs-bytes x-virus-id"
)
_AGENT = '"Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/141.0"'
_PROXYSG = (
    "#Software: SGOS 7.3.14.1",
    "#Version: 1.0",
    "#Start-Date: 2026-11-02 10:00:00",
    "#Date: 2026-11-02 09:59:41",
    _FIELDS,
    '2026-11-02 10:00:02 112 10.20.3.41 j.doe Staff - OBSERVED "Search Engines/Portals" - 200 TCP_NC_MISS GET'
    f" text/html;%20charset=utf-8 https pimeyes.com 443 /en - - {_AGENT} 10.20.0.8 18342 611 -",
    '2026-11-02 10:00:11 2340 10.20.3.41 j.doe Staff - OBSERVED "Search Engines/Portals" https://pimeyes.com/en 200'
    f" TCP_NC_MISS POST application/json https pimeyes.com 443 /api/upload/file ?v=2 - {_AGENT} 10.20.0.8 914 412300 -",
    '2026-11-02 10:00:20 3 10.20.3.42 - - authentication_failed DENIED "none" - 407 TCP_DENIED CONNECT - tcp'
    f" facecheck.id 443 / - - {_AGENT} 10.20.0.8 391 210 -",
    '2026-11-02 10:00:21 4 10.20.3.42 a.poe Staff - OBSERVED "none" - 200 TCP_ACCELERATED CONNECT - tcp'
    f" facecheck.id 443 / - - {_AGENT} 10.20.0.8 39 210 -",
    '2026-11-02 10:01:21 60004 10.20.3.42 a.poe Staff - OBSERVED "none" - 200 TCP_TUNNELED unknown - ssl'
    f" facecheck.id 443 / - - {_AGENT} 10.20.0.8 40210 512044 -",
    '2026-11-02 10:01:22 90 10.20.3.42 a.poe Staff - - "none" - - - POST - https facecheck.id 443 /api/search'
    " - - - 10.20.0.8 - - -",
    "2026-11-02 10:01:22 90 10.20.3.42",
    "#Fields: date time c-ip cs-method cs-uri sc-status time-taken",
    "2026-11-02 10:02:00 10.20.3.42 GET https://facecheck.id/ 304 0.250",
    "2026-11-32 10:02:00 10.20.3.42 GET https://facecheck.id/ 304 0.250",
    "2026-11-02 10:02:00 10.20.3.42 GET https://facecheck.id/ many 0.250",
)

FORMAT = Format(
    name="w3c",
    title="W3C extended log file (Blue Coat ProxySG and others)",
    recognise=_recognise,
    open=_open,
    headed=True,
    examples=(
        Example(
            "ProxySG, inspected and not, with fields that change half-way",
            _PROXYSG,
            (
                None,
                None,
                None,
                None,
                None,
                {
                    "at": 1793613601.888,
                    "seconds": 0.112,
                    "host": "pimeyes.com",
                    "port": 443,
                    "path": "/en",
                    "query": None,
                    "user": "j.doe",
                    "address": "10.20.3.41",
                    "method": "GET",
                    "status": 200,
                    "outcome": "allowed",
                    "sent": 611,
                    "received": 18342,
                    "referrer": "",
                    "agent": _AGENT.strip('"'),
                },
                {"method": "POST", "query": "v=2", "sent": 412300, "referrer": "https://pimeyes.com/en"},
                {"kind": "tunnel", "outcome": "denied", "status": 407, "user": None},
                {"kind": "tunnel", "method": "CONNECT", "outcome": "allowed", "path": None},
                {"kind": "tunnel", "method": None, "at": 1793613620.996, "sent": 512044, "seconds": 60.004},
                {"kind": "request", "outcome": None, "status": None, "sent": None, "agent": "", "path": "/api/search"},
                "fields",
                None,
                {"host": "facecheck.id", "path": "/", "status": 304, "outcome": "allowed", "at": 1793613719.75},
                "time",
                "status",
            ),
        ),
    ),
)
