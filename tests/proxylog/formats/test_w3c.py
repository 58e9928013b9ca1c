"""W3C extended logs: fields that change, quotes, tabs, and the fast way that follows them."""

from __future__ import annotations

import re

import pytest

from countenance.domain.proxy import WebRequest
from countenance.proxylog.formats import w3c, zeek
from countenance.proxylog.formats.kind import Reading
from tests.proxylog.formats import kit

FIELDS = "#Fields: date time c-ip cs-username cs-method cs-host cs-uri-path sc-status cs(User-Agent)"
LINE = '2026-11-02 10:00:02 10.20.3.41 j.doe GET pimeyes.com /en 200 "Mozilla 5"'


def read(*lines: str) -> WebRequest:
    """The last of the lines."""
    layout = w3c.FORMAT.open((), Reading())
    found = [kit.outcome(layout, line, number) for number, line in enumerate(lines, 1)][-1]
    assert isinstance(found, WebRequest), found
    return found


def test_the_fast_way_follows_the_fields() -> None:
    layout = w3c.FORMAT.open((FIELDS, LINE), Reading())
    first = layout.fast
    assert first is not None
    assert re.fullmatch(first.pattern, LINE)
    assert (
        layout.read("#Fields: date time cs-method c-ip cs-username cs-host cs-uri-path sc-status cs(User-Agent)", 3)
        is None
    )
    assert layout.fast not in (None, first)
    assert layout.read("#Fields: time date c-ip cs-host", 4) is None
    assert layout.fast is None  # date and time apart: no group holds both
    assert layout.read("#Remark: nothing", 5) is None
    assert layout.read(FIELDS, 6) is None
    assert layout.fast == first


def test_without_fields_nothing_is_read() -> None:
    assert kit.outcome(w3c.FORMAT.open((), Reading()), LINE, 1) == "header"


def test_tabs() -> None:
    fields = "#Fields: date\ttime\tc-ip\tcs-username\tr-host\tcs-uri\tcs-bytes\taction\tc-agent"
    found = read(
        fields, "2026-11-02\t10:00:02\t10.20.3.41\texample\\j doe\tpimeyes.com\thttp://pimeyes.com/en\t96\tDenied\tA b"
    )
    assert (found.user, found.path, found.sent, found.agent) == ("example\\j doe", "/en", 96, "A b")
    assert found.outcome == "denied"


@pytest.mark.parametrize(
    ("fields", "line", "expected"),
    [
        ("time cs-host", "10:00:02 a.example", {"at": 1793613602.0}),
        ("timestamp cs-url", "1793613602.5 http://a.example/", {"at": 1793613602.5, "path": "/"}),
        ("localtime cs-host", '"[02/Nov/2026:11:00:02 +0100]" a.example', {"at": 1793613602.0}),
        ("gmttime cs-host", '"[02/Nov/2026:10:00:02 GMT]" a.example', {"at": 1793613602.0}),
        (
            "date time cs-uri-stem cs-uri-query",
            "2026-11-02 10:00:02 https://A.example:81/b c=1",
            {"port": 81, "query": "c=1"},
        ),
        ("date time cs-host cs-uri-stem", "2026-11-02 10:00:02 a.example /b", {"host": "a.example", "path": "/b"}),
        ("date time cs-host r-ip", "2026-11-02 10:00:02 - 203.0.113.7", {"host": "203.0.113.7"}),
        ("date time cs-host time-taken", "2026-11-02 10:00:02 a.example 1500", {"at": 1793613600.5, "seconds": 1.5}),
        ("date time cs-host time-taken", "2026-11-02 10:00:02 a.example 1.5", {"at": 1793613600.5, "seconds": 1.5}),
        ("date time cs-host cs(User-Agent)", "2026-11-02 10:00:02 a.example Mozilla+5", {"agent": "Mozilla 5"}),
        ("date time cs-host s-action", "2026-11-02 10:00:02 a.example TCP_TUNNELED", {"kind": "tunnel"}),
        ("date time cs-host sc-filter-result", "2026-11-02 10:00:02 a.example TUNNELED", {"kind": "tunnel"}),
        ("date time cs-method cs-uri", "2026-11-02 10:00:02 TUNNELED ssl://a.example:443/", {"kind": "tunnel"}),
        ("date time cs-host sc-status s-action", "2026-11-02 10:00:02 a.example 302 -", {"outcome": None}),
        (
            "date time cs-host sc-status s-action",
            "2026-11-02 10:00:02 a.example 503 TCP_NC_MISS",
            {"outcome": "allowed"},
        ),
        ("date time cs-host sc-status s-action", "2026-11-02 10:00:02 a.example 0 TCP_NC_MISS", {"outcome": "failed"}),
        ("date time cs-host sc-status", "2026-11-02 10:00:02  a.example  200", {"outcome": "allowed"}),
    ],
)
def test_fields(fields: str, line: str, expected: dict[str, object]) -> None:
    found = read("#Date: 2026-11-02 09:00:00", "#Fields: " + fields, line)
    assert {key: getattr(found, key) for key in expected} == expected


def test_a_quote_in_an_agent_hides_no_line() -> None:
    assert read(FIELDS, LINE.replace("Mozilla 5", 'Mozilla "5')).agent == 'Mozilla "5'
    assert read(FIELDS, LINE.replace('"Mozilla 5"', '"Mozilla')).agent == '"Mozilla'


def test_zeek_with_another_separator() -> None:
    lines = (
        "#separator \\x2c",
        "#path,dns",
        "#fields,ts,uid,id.orig_h,query,rcode_name",
        "1793613602.1,C1,10.0.0.1,A.example,-",
    )
    layout = zeek.FORMAT.open(lines, Reading())
    assert layout.fast is None
    found = layout.read(lines[-1], 4)
    assert found is not None
    assert (found.host, found.outcome, found.kind) == ("a.example", None, "dns")


def test_a_tunnel_that_was_passed_on_has_no_status_and_was_let_through_all_the_same() -> None:
    """ProxySG writes 0 where no HTTP answer came back: of a tunnel that says nothing, of a request that it failed."""
    names = "date time time-taken c-ip cs-username sc-status s-action cs-method cs-uri-scheme cs-host cs-bytes"
    fields = f"#Fields: {names}"
    tunnel = read(fields, "2026-11-02 10:01:21 60004 10.20.3.42 a.poe 0 TUNNELED unknown ssl pimeyes.com 512044")
    assert (tunnel.kind, tunnel.outcome, tunnel.sent) == ("tunnel", "allowed", 512044)
    request = read(fields, "2026-11-02 10:01:21 60004 10.20.3.42 a.poe 0 TCP_NC_MISS GET https pimeyes.com 512")
    assert request.outcome == "failed"
