"""Cisco Umbrella (Secure Access): the web log of its secure web gateway, and its DNS log. CSV, times in UTC.

Source: Umbrella's "Web Log Formats" and "DNS Log Formats". Newer versions of the schema add columns at the end, so the
documented order holds for all of them; where an export has a header, the header decides. The DNS log shows a name that
was looked up and nothing of what followed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from countenance.domain.proxy import WebRequest
from countenance.proxylog.formats.addresses import Target, host, target
from countenance.proxylog.formats.columns import Columns, kind_of, method_of, request
from countenance.proxylog.formats.kind import BadLine, Example, Fast, Format, Reading
from countenance.proxylog.formats.lines import check, first_lines, header, mostly, row, status_code
from countenance.proxylog.formats.outcomes import by_action, by_both
from countenance.proxylog.formats.times import iso

_NAMES = {
    "time": ("timestamp", "datetime", "time"),
    "label": ("policyidentitylabel", "mostgranularidentity", "policyidentity", "identity"),
    "label_type": ("policyidentitytype", "mostgranularidentitytype", "identitytype"),
    "labels": ("identities",),
    "label_types": ("identitytypes",),
    "address": ("internalclientip", "internalip", "externalclientip", "externalip"),
    "action": ("action", "verdict"),
    "url": ("url", "destinationurl"),
    "domain": ("domain",),
    "host": ("hostname",),
    "referrer": ("referer", "referrer"),
    "agent": ("useragent",),
    "status": ("statuscode",),
    "sent": ("requestsize",),
    "received": ("responsesize",),
    "method": ("requestmethod",),
    "file_name": ("filename",),
}
_WEB_ORDER = """
timestamp policyidentitylabel internalclientip externalclientip destinationip contenttype action url referer useragent
statuscode requestsize responsesize responsebodysize sha256 categories avdetections puas ampdisposition ampmalwarename
ampscore policyidentitytype blockedcategories identities identitytypes requestmethod dlpstatus certificateerrors
filename rulesetid ruleid destinationlistids isolateaction fileaction warnstatus
"""
_DNS_ORDER = """
timestamp mostgranularidentity identities internalip externalip action querytype responsecode domain categories
mostgranularidentitytype identitytypes blockedcategories
"""
_WEB, _DNS = _WEB_ORDER.split(), _DNS_ORDER.split()
_ALLOWED = frozenset({"allowed", "proxied", "isolated", "warned", "trusted"})
_DENIED = frozenset({"blocked", "block", "denied"})
_BODIES = frozenset({"POST", "PUT", "PATCH"})
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_QUERY_TYPE = re.compile(r"[0-9]{1,5} \([A-Z0-9]{1,12}\)")
_MAIL = re.compile(r"\(([^()\s@]{1,128}@[^()\s@]{1,255})\)")

Which = Literal["web", "dns", ""]
_ORDERS: tuple[tuple[Which, Sequence[str]], ...] = (("web", _WEB), ("dns", _DNS))


class _Lines:
    fast: Fast | None = None

    def __init__(self, which: Which, names: Sequence[str], first: str | None) -> None:
        self._first = first
        self._which = which
        self._width = len(names) if first is not None else 0
        self._least = 21 if which == "web" else 9
        self._columns = Columns(names, _NAMES)
        self._clock = iso(None)

    def read(self, text: str, number: int) -> WebRequest | None:
        check(text)
        if text == self._first or not text.strip():
            return None
        cells = row(text)
        if self._width:
            if len(cells) != self._width:
                raise BadLine("fields")
        elif len(cells) < self._least:
            raise BadLine("fields")
        values = self._columns(cells)
        at = self._clock(values.get("time", ""))
        get = values.get
        values["user"] = _user(get("label", ""), get("label_type", ""), get("labels", ""), get("label_types", ""))
        if self._which == "dns":
            where = Target(host(values.get("domain", "")))
            return request(number, at, values, where, "dns", by_action(values.get("action"), _ALLOWED, _DENIED))
        where, method = target(values.get("url")), method_of(values.get("method"))
        if not where.host and values.get("host"):
            where = where._replace(host=host(values["host"]))
        kind = kind_of(method, where)
        if method not in _BODIES:  # the name is that of a file that came down
            values.pop("file_name", None)
        denied = {"denied": True, "allowed": False}.get(by_action(values.get("action"), _ALLOWED, _DENIED) or "")
        return request(number, at, values, where, kind, by_both(denied, status_code(values.get("status")), kind))


@lru_cache(maxsize=1024)
def _user(label: str, label_type: str, labels: str, label_types: str) -> str:
    """The person, where one of the identities is one: networks, sites and computers are not."""
    if "user" in label_type.lower():
        return _mail(label)
    kinds = [one.strip().lower() for one in label_types.split(",")]
    names = [one.strip() for one in labels.split(",")]
    if len(kinds) == len(names):
        for kind, name in zip(kinds, names, strict=True):
            if "user" in kind:
                return _mail(name)
    return _mail(label) if _MAIL.search(label) else ""


def _mail(name: str) -> str:
    found = _MAIL.search(name)
    return found[1] if found else name


def _shape(head: Sequence[str]) -> tuple[int, Which, Sequence[str], str | None]:
    """How sure, which log, its columns, and its header if it has one."""
    lines = first_lines(head)
    first = lines[0] if lines else ""
    names = header(first)
    have = set(names)
    if "timestamp" in have and have & set(_NAMES["label"]):
        if {"url", "statuscode"} <= have:
            return 90, "web", names, first
        if {"domain", "action"} <= have:
            return 90, "dns", names, first
    for which, order in _ORDERS:
        if mostly(lines, lambda line, which=which: _looks(line) == which):  # type: ignore[misc]
            return 80, which, order, None
    return 0, "web", _WEB, None


def _looks(line: str) -> Which:
    try:
        check(line)
        cells = row(line)
    except BadLine:
        return ""
    if len(cells) < 9 or _TIME.fullmatch(cells[0]) is None:
        return ""
    if len(cells) >= 21 and (cells[6].lower() in _ALLOWED | _DENIED or "://" in cells[7]):
        return "web"
    if cells[5].lower() in _ALLOWED | _DENIED and (not cells[6] or _QUERY_TYPE.fullmatch(cells[6])):
        return "dns"
    return ""


def _recognise(head: Sequence[str], reading: Reading) -> int:
    return _shape(head)[0]


def _open(head: Sequence[str], reading: Reading) -> _Lines:
    return _Lines(*_shape(head)[1:])


_AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/141.0"
_WEB_LINES = (
    '"2026-11-02 10:00:02","Jo Doe (j.doe@example.org)","10.20.3.41","192.0.2.10","203.0.113.7","text/html","ALLOWED",'
    f'"https://pimeyes.com/en","","{_AGENT}","200","611","18342","18000","","Search Engines","","","","","","AD Users",'
    '"","Jo Doe (j.doe@example.org),HQ","AD Users,Networks","GET","","","en.html","","","","","",""',
    '"2026-11-02 10:00:11","HQ","10.20.3.41","192.0.2.10","203.0.113.7","application/json","ALLOWED",'
    f'"https://pimeyes.com/api/upload/file","https://pimeyes.com/en","{_AGENT}","200","412300","914","900","","Search'
    ' Engines","","","","","","Networks","","HQ,Jo Doe (j.doe@example.org)","Networks,AD Users","POST","","",'
    '"face.jpg","","","","","","","SWA",""',
    '"2026-11-02 10:00:12","HQ","10.20.3.42","192.0.2.10","","","BLOCKED","https://facecheck.id/","","","403","210","",'
    '"","","","","","","","","Networks","","HQ","Networks","GET","","","","","",""',
    '"2026-11-02 10:00:13","HQ","10.20.3.42","192.0.2.10","","","","facecheck.id:443","","","","","","","","","","","",'
    '"","","Networks","","HQ","Networks","","","","","","",""',
    '"2026-11-02 10:00:12","HQ","10.20.3.42"',
    '"2026-11-02 10:00:12,"HQ',
)
_DNS_LINES = (
    '"2026-11-02 10:00:01","Jo Doe (j.doe@example.org)","Jo Doe (j.doe@example.org),HQ","10.20.3.41","192.0.2.10",'
    '"Allowed","1 (A)","NOERROR","pimeyes.com.","Search Engines","AD Users","AD Users,Networks",""',
    '"2026-11-02 10:00:02","HQ","HQ","","192.0.2.10","Blocked","28 (AAAA)","NOERROR","FaceCheck.ID.","Adult",'
    '"Networks","Networks","Adult"',
)
_DNS_HEADED = (
    "Timestamp,Most Granular Identity,Identities,Internal IP,External IP,Action,Query Type,Response Code,Domain",
    "2026-11-02 10:00:01,HQ,HQ,10.20.3.41,192.0.2.10,,1 (A),NOERROR,jsc11.pimeyes.com.",
    "2026-11-02 10:00:01,HQ,HQ",
)

FORMAT = Format(
    name="umbrella",
    title="Cisco Umbrella, web and DNS logs",
    recognise=_recognise,
    open=_open,
    examples=(
        Example(
            "Web",
            _WEB_LINES,
            (
                {
                    "at": 1793613602.0,
                    "host": "pimeyes.com",
                    "path": "/en",
                    "user": "j.doe@example.org",
                    "address": "10.20.3.41",
                    "method": "GET",
                    "status": 200,
                    "outcome": "allowed",
                    "sent": 611,
                    "received": 18342,
                    "referrer": "",
                    "agent": _AGENT,
                    "file_name": None,
                },
                {"user": "j.doe@example.org", "method": "POST", "file_name": "face.jpg", "sent": 412300},
                {"user": None, "outcome": "denied", "agent": "", "received": None},
                {"kind": "tunnel", "host": "facecheck.id", "outcome": None},
                "fields",
                "quotes",
            ),
        ),
        Example(
            "DNS",
            _DNS_LINES,
            (
                {
                    "kind": "dns",
                    "host": "pimeyes.com",
                    "outcome": "allowed",
                    "user": "j.doe@example.org",
                    "agent": None,
                },
                {"kind": "dns", "host": "facecheck.id", "outcome": "denied", "address": "192.0.2.10"},
            ),
            sees="host",
        ),
        Example(
            "DNS with a header",
            _DNS_HEADED,
            (None, {"kind": "dns", "host": "jsc11.pimeyes.com", "outcome": None, "user": None}, "fields"),
            sees="host",
        ),
    ),
)
