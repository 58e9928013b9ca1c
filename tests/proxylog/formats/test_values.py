"""What formats share: moments, addresses, rows, outcomes."""

from __future__ import annotations

import random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countenance.proxylog.formats.addresses import Target, authority, host, target
from countenance.proxylog.formats.columns import Columns, Members
from countenance.proxylog.formats.kind import LONGEST, BadLine
from countenance.proxylog.formats.lines import check, duration, number, row, spaced, status_code, thousandths
from countenance.proxylog.formats.outcomes import by_action, by_both, by_result, by_status
from countenance.proxylog.formats.times import epoch, epoch_milliseconds, iso, notation

NOON = 1793620800.0


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://pimeyes.com", Target("pimeyes.com", None, "/", None, "http")),
        ("HTTPS://User:pw@PimEyes.COM.:8443/en?a=1#top", Target("pimeyes.com", 8443, "/en", "a=1", "https")),
        ("https://pimeyes.com@evil.example/en", Target("evil.example", None, "/en", None, "https")),
        (
            "http://evil.example/https://pimeyes.com/",
            Target("evil.example", None, "/https://pimeyes.com/", None, "http"),
        ),
        ("http://pimeyes.com?x", Target("pimeyes.com", None, "/", "x", "http")),
        ("http://pimeyes.com\\@evil.example/", Target("pimeyes.com", None, "/@evil.example/", None, "http")),
        ("http://[2001:DB8::7]:81/a", Target("2001:db8::7", 81, "/a", None, "http")),
        ("http://%70imeyes.com/", Target("pimeyes.com", None, "/", None, "http")),
        ("http://pimeyes%2Ecom%2F.evil.example/", Target("pimeyes.com", None, "/", None, "http")),
        ("http://bücher.example/", Target("xn--bcher-kva.example", None, "/", None, "http")),
        ("http://ｐｉｍｅｙｅｓ。com/", Target("pimeyes.com", None, "/", None, "http")),
        ("pimeyes.com:443", Target("pimeyes.com", 443)),
        ("pimeyes.com:99999", Target("pimeyes.com")),
        ("[2001:db8::7]:443", Target("2001:db8::7", 443)),
        ("2001:db8::7", Target("2001:db8::7")),
        ("pimeyes.com/en?", Target("pimeyes.com", None, "/en", "")),
        ("//pimeyes.com/en", Target("pimeyes.com", None, "/en")),
        ("/en?x=http://pimeyes.com/", Target("", None, "/en", "x=http://pimeyes.com/")),
        ("error:transaction-end-before-headers", Target("")),
        ("urn:isbn:123", Target("")),
        ("*", Target("")),
        ("-", Target("")),
        ("", Target("")),
        (None, Target("")),
    ],
)
def test_a_url_is_split(url: str | None, expected: Target) -> None:
    assert target(url) == expected


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_address_is_split_without_a_fault(text: str) -> None:
    for found in (target(text), target("http://" + text), Target(*authority(text))):
        assert found.path is None or found.path.startswith("/")
    assert not set("/?#@") & set(host(text))
    assert not host(text).endswith(".")


@pytest.mark.parametrize(
    ("pattern", "text", "at"),
    [
        ("%d/%b/%Y:%H:%M:%S %z", "02/Nov/2026:13:00:00 +0100", NOON),
        ("%d/%b/%Y:%H:%M:%S %z", "02/Nov/2026:06:30:00 -05:30", NOON),
        ("%c", "Mon Nov  2 12:00:00 2026", NOON),
        ("%s.%f", "1793620800.25", NOON + 0.25),
        ("%Y%m%d %H%M%S", "20261102 120000", NOON),
        ("%m/%d/%y %I:%M:%S %p", "11/02/26 12:00:00 PM", NOON),
        ("%F %I:%M %p", "2026-11-02 12:00 am", NOON - 43200),
        ("%FT%T%z", "2026-11-02T12:00:60Z", NOON + 60),
        ("%e %B %Y %H:%M", " 2 November 2026 12:00", NOON),
        ("%F %T %Z", "2026-11-02 12:00:00 GMT", NOON),
    ],
)
def test_times_in_a_notation(pattern: str, text: str, at: float) -> None:
    assert notation(pattern, None)(text) == at


def test_times_in_a_zone() -> None:
    stockholm = ZoneInfo("Europe/Stockholm")
    assert iso(stockholm)("2026-11-02 13:00:00") == NOON
    assert iso(stockholm)("2026/11/02 13:00:00.5") == NOON + 0.5
    assert iso(stockholm)("2026-07-01 12:00") - iso(None)("2026-07-01 12:00") == -7200
    assert iso(stockholm)("2026-11-02T12:00:00Z") == iso(stockholm)("2026-11-02T14:00:00+02:00") == NOON
    assert notation("%F %T %Z", stockholm)("2026-11-02 13:00:00 CET") == NOON


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "2026-02-30 12:00:00",
        "2026-11-02 24:00:00",
        "2026-11-02 12:60:00",
        "2026-11-02 12:00:61",
        "1999-12-31 23:59:59",
        "2100-01-01 00:00:00",
        "2026-11-02",
        "2026-11-02 12:00:00 +99:00",
        "٢٠٢٦-11-02 12:00:00",
        "2026-11-02 12:00:00\n",
        " 2026-11-02 12:00:00",
    ],
)
def test_no_such_time(text: str) -> None:
    for read in (iso(None), notation("%F %T", None), epoch, epoch_milliseconds):
        with pytest.raises(BadLine, match="time"):
            read(text)


@pytest.mark.parametrize("pattern", ["", "%H:%M:%S", "%Y-%m-%d", "%Y %Y %m %d %H %M", "%Q %F %T", "%"])
def test_a_notation_has_to_fix_a_moment(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"moment|code"):
        notation(pattern, None)


def test_epochs() -> None:
    assert epoch("1793620800.125") == NOON + 0.125
    assert epoch("946684800") == 946684800.0
    assert epoch_milliseconds("1793620800125") == NOON + 0.125
    for bad in ("1e9", "946684799", "4102444800", "17936208001", "-1793620800", "1793620800.1234567890"):
        with pytest.raises(BadLine, match="time"):
            epoch(bad)


def test_numbers() -> None:
    assert [number(text) for text in ("0", "007", "", "-", None)] == [0, 7, None, None, None]
    assert [status_code(text) for text in ("200", "000", "-", None)] == [200, 0, None, None]
    assert [thousandths(text) for text in ("1500", "-5", "-", "")] == [1.5, 0.0, None, None]
    assert [duration(text) for text in ("1.5", "60", "", "-")] == [1.5, 60.0, None, None]
    for bad in ("-1", "1.0", "٣", "1" * 19, "0x1", " 1"):
        with pytest.raises(BadLine):
            number(bad)
    for bad in ("2000", "20x", "-1"):
        with pytest.raises(BadLine):
            status_code(bad)
    for bad in ("inf", "nan", "1e3", "-1.0", "1" * 10):
        with pytest.raises(BadLine):
            duration(bad)


def test_rows() -> None:
    assert row('a,"b, ""c""",') == ["a", 'b, "c"', ""]
    assert row("a\tb", "\t") == ["a", "b"]
    for bad in ('a,"b', 'a,"b"c'):
        with pytest.raises(BadLine, match="quotes"):
            row(bad)
    assert spaced('a "b c" "" -  d') == ["a", "b c", "", "-", "", "d"]
    assert spaced('a "b c') == ["a", '"b', "c"]
    assert spaced('"a "b" c') == ['a "b', "c"]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8), min_size=1, max_size=6))
def test_spaced_gives_back_what_was_quoted(cells: list[str]) -> None:
    whole = [cell.replace('"', "") for cell in cells]
    assert spaced(" ".join(f'"{cell}"' for cell in whole)) == whole


def test_what_no_format_reads() -> None:
    check("x" * LONGEST)
    check("é\t\x1b[31m")
    for bad, reason in (
        ("x" * (LONGEST + 1), "too-long"),
        ("a\0", "encoding"),
        ("a\ud800", "encoding"),
        ("a\nb", "encoding"),
    ):
        with pytest.raises(BadLine, match=reason):
            check(bad)


def test_columns_and_members_prefer_the_first_name_that_says_something() -> None:
    names = {"user": ("login", "user"), "host": ("host",), "port": ("port",)}
    columns = Columns(["user", "login", "host"], names)
    assert columns(["a", "b", "c"]) == {"user": "b", "host": "c"}
    assert columns(["a", "-"]) == {"user": "a", "host": ""}
    members = Members(names)
    for order in (["login", "user"], ["user", "login"]):
        said = {"login": '"login": "b"', "user": '"user": "a"'}
        assert members("{" + ",".join(said[name] for name in order) + ', "port": 443}') == {"user": "b", "port": "443"}
    assert members('{"user": "a", "login": null, "Host": ["c"]}') == {"user": "a", "host": "c"}
    for bad in ("[]", "{", '{"a": NaN}', "[" * 5000, '{"a": 1' + "0" * 10000, ""):
        with pytest.raises(BadLine, match="json"):
            members(bad)
    for bad in ('{"user": "\\ud800"}', '{"user": "\\u0000"}', '{"x": {"y": ["\\udc00"]}}'):
        with pytest.raises(BadLine, match="encoding"):
            members(bad)
    assert members('{"user": "\\u00e9\\ud83d\\ude00"}') == {"user": "é😀"}


def test_names_that_strangers_make_up_are_not_kept_for_ever() -> None:
    dice, members = random.Random(1), Members({"user": ("user",)})
    for _ in range(3000):
        members(f'{{"{dice.random()}": 1}}')
    assert len(members._known) <= 1001


@pytest.mark.parametrize(
    ("status", "asked", "tunnel"),
    [
        (None, None, None),
        (0, "failed", "failed"),
        (200, "allowed", "allowed"),
        (304, "allowed", "failed"),
        (404, "allowed", "failed"),
        (500, "allowed", "failed"),
        (302, None, "failed"),
        (403, None, "denied"),
        (407, "denied", "denied"),
        (503, None, "failed"),
    ],
)
def test_outcome_by_status(status: int | None, asked: str | None, tunnel: str | None) -> None:
    assert by_status(status) == asked
    assert by_status(status, "tunnel") == tunnel
    assert by_both(False, status) == (None if status is None else asked or "allowed")
    assert by_both(True, status) == "denied"
    assert by_both(None, status) in (None, asked)


@pytest.mark.parametrize(
    ("result", "status", "hierarchy", "expected"),
    [
        ("TCP_MISS", 200, "HIER_DIRECT", "allowed"),
        ("TCP_MISS", 403, "HIER_DIRECT", "allowed"),
        ("TCP_MISS", 503, "HIER_DIRECT", "allowed"),
        ("TCP_MISS", 503, "HIER_NONE", "failed"),
        ("TCP_MISS", 503, None, None),
        ("TCP_MISS", None, "HIER_DIRECT", None),
        ("TCP_MISS_ABORTED", 0, "HIER_DIRECT", "failed"),
        ("TCP_MISS_ABORTED", 200, "HIER_DIRECT", "allowed"),
        ("TCP_DENIED", 302, "HIER_NONE", "denied"),
        ("TCP_DENIED", None, None, "denied"),
        ("TCP_AUTH_REDIRECT", 307, "DIRECT", "denied"),
        ("NONE", 400, "HIER_NONE", "failed"),
        ("TAG_NONE", 503, "HIER_NONE", "failed"),
        ("TCP_ERR_MISS", 502, "DIRECT", "failed"),
        (None, 200, None, "allowed"),
        (None, 400, None, None),
    ],
)
def test_outcome_by_result(result: str | None, status: int | None, hierarchy: str | None, expected: str | None) -> None:
    assert by_result(result, status, hierarchy) == expected


def test_outcome_by_action() -> None:
    allowed, denied = frozenset({"allow"}), frozenset({"deny"})
    assert [by_action(one, allowed, denied) for one in ("Allow", " DENY ", "ask", "", None)] == [
        "allowed",
        "denied",
        None,
        None,
        None,
    ]
