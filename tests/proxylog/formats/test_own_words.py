"""What people say about a log themselves: a logformat, a mapping, the name of a format."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countenance.domain.errors import BadInput
from countenance.domain.proxy import WebRequest
from countenance.proxylog.formats import generic, logformat, mapping, squid, squid_custom
from countenance.proxylog.formats.kind import Format, Reading
from countenance.proxylog.formats.known import FORMATS, by_name, recognise
from tests.proxylog.formats import kit

NATIVE = "logformat squid %ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt"


def only(said: str, line: str) -> WebRequest:
    """A line under a logformat."""
    found = squid_custom.FORMAT.open((line,), Reading(logformat=said)).read(line, 1)
    assert found is not None
    return found


def test_squids_own_line_reads_as_squids_native_log() -> None:
    for example in squid.FORMAT.examples:
        own = squid_custom.FORMAT.open(example.lines, Reading(logformat=NATIVE))
        native = squid.FORMAT.open(example.lines, Reading())
        for line in example.lines:
            expected = kit.outcome(native, line, 1)
            assert kit.outcome(own, line, 1) == expected or isinstance(expected, str)


@pytest.mark.parametrize(
    ("said", "line", "expected"),
    [
        ("%ts %>ru", "1793613602 http://a.example/", {"at": 1793613602.0, "host": "a.example"}),
        ("%ts.%tu %ru", "1793613602.7 http://a.example/", {"at": 1793613602.007}),
        ("%tS %tr %ru", "1793613602.700 500 http://a.example/", {"at": 1793613602.7, "seconds": 0.5}),
        ("%ts %-10>a| %ru", "1793613602 10.0.0.1  | http://a.example/", {"address": "10.0.0.1"}),
        ("%ts %010>st %ru", "1793613602 0000000096 http://a.example/", {"sent": 96}),
        ("%ts 100%% %ru", "1793613602 100% http://a.example/", {"host": "a.example"}),
        ("%ts [%{User-Agent}>h] %ru", "1793613602 [a b%5d] http://a.example/", {"agent": "a b]"}),
        ("%ts %{User-Agent}>h %ru", "1793613602 a%20b http://a.example/", {"agent": "a b"}),
        ("%ts %>h{User-Agent} %ru", "1793613602 ab http://a.example/", {"agent": "ab"}),
        ('%ts "%{Referer}>h" %ru', '1793613602 "a \\" \\\\ b" http://a.example/', {"referrer": 'a " \\ b'}),
        ('%ts "%ru" %rm', '1793613602 "http://a.example/b c" GET', {"path": "/b c"}),
        ("%ts %un %ul %ru", "1793613602 - j.doe http://a.example/", {"user": "j.doe"}),
        ("%ts %http::rm %http::>ru", "1793613602 get http://a.example/", {"method": "GET"}),
        ("%ts %ssl::>cert_subject %ru", "1793613602 /CN=x http://a.example/", {"host": "a.example"}),
        ("%ts %future_code %icap::tt %ru", "1793613602 x 7 http://a.example/", {"host": "a.example"}),
        ("%ts %ssl::>sni", "1793613602 A.Example", {"host": "a.example"}),
        ("%ts %{Host}>h %rp", "1793613602 a.example:8080 /b?c", {"host": "a.example", "port": 8080, "query": "c"}),
        ("%ts %rm %ru %ssl::>sni", "1793613602 CONNECT b.example:443 a.example", {"host": "b.example"}),
        ("%{%d/%b/%Y %H:%M:%S}tg %ru", "02/Nov/2026 10:00:02 http://a.example/", {"at": 1793613602.0}),
        ("%ts %ru %mt", "1793613602 http://a.example/ text/html; charset=x", {"host": "a.example"}),
    ],
)
def test_codes_of_a_logformat(said: str, line: str, expected: dict[str, object]) -> None:
    found = only(said, line)
    assert {key: getattr(found, key) for key in expected} == expected


@pytest.mark.parametrize(
    "said",
    [
        "",
        "squid",
        "%ts %rm",
        "%rm %ru",
        "%ts %! %ru",
        "%ts %ru\n%rm",
        "%{%H:%M}tl %ru",
        "%{%Q}tl %ru",
        "%ts %ru" * 1000,
    ],
)
def test_a_logformat_that_cannot_be_used(said: str) -> None:
    with pytest.raises(BadInput) as refusal:
        logformat.understand(said)
    assert refusal.value.advice


@given(st.text(st.sampled_from("%{}[]\"<>-09.:/# 'abhrstu") | st.characters(), max_size=60))
def test_any_logformat_is_understood_or_refused(said: str) -> None:
    try:
        written = logformat.understand("%ts %ru " + said)
    except BadInput:
        return
    written.expression.fullmatch("1793613602 http://a.example/ x")


def test_a_logformat_has_to_be_given() -> None:
    with pytest.raises(BadInput):
        squid_custom.FORMAT.open((), Reading())
    assert squid_custom.FORMAT.recognise(squid.FORMAT.examples[0].lines, Reading()) == 0


MAPPING = 'format = "csv"\n[time]\ncolumn = "t"\n[columns]\nurl = "u"\n'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        'format = "xml"',
        MAPPING.replace('column = "t"', ""),
        MAPPING.replace('url = "u"', ""),
        MAPPING.replace('url = "u"', 'url = ["u"]'),
        MAPPING.replace('url = "u"', "url = 0"),
        MAPPING.replace('url = "u"', 'url = "u"\ncolour = "c"'),
        "colour = 1\n" + MAPPING,
        'delimiter = "::"\n' + MAPPING,
        'kind = "guess"\n' + MAPPING,
        'blank = "x"\n' + MAPPING,
        "time = 1\n" + MAPPING.replace('[time]\ncolumn = "t"\n', ""),
        MAPPING + '[time2]\nformat = "x"',
        MAPPING.replace('column = "t"', 'column = "t"\nformat = "%H:%M"'),
        MAPPING.replace('column = "t"', 'column = "t"\nformat = 7'),
        MAPPING.replace('column = "t"', 'column = "t"\nzone = "Mars/Olympus"'),
        MAPPING.replace('column = "t"', 'column = "t"\nzone = "../../etc/passwd"'),
        MAPPING.replace('column = "t"', 'column = "t"\nmarks = "middle"'),
        MAPPING + '[duration]\nunit = "h"',
        MAPPING + '[action]\nallowed = ["a"]',
        MAPPING + '[action]\ncolumn = "a"\nallowed = "a"',
        MAPPING + "#" * 70_000,
    ],
)
def test_a_mapping_that_cannot_be_used(text: str) -> None:
    with pytest.raises(BadInput, match="mapping") as refusal:
        mapping.understand(text)
    assert refusal.value.advice


def test_the_mapping_in_the_documentation_works() -> None:
    block = (mapping.__doc__ or "").split("::\n\n", 1)[1].split("\n\nNames", 1)[0]
    understood = mapping.understand("\n".join(line.removeprefix("    ") for line in block.splitlines()))
    assert understood.inside == "event"
    assert understood.milliseconds
    assert set(mapping.KEYS) <= set((mapping.__doc__ or "").replace(",", " ").replace("(", " ").split())


@pytest.mark.parametrize("one", [generic.CSV, generic.JSONL])
def test_a_mapping_has_to_be_given_and_for_the_right_kind(one: Format) -> None:
    other = generic.JSONL if one is generic.CSV else generic.CSV
    for reading in (Reading(), other.examples[0].reading):
        assert one.recognise(one.examples[0].lines, reading) == 0
        with pytest.raises(BadInput):
            one.open(one.examples[0].lines, reading)


def outcome_of(more: str, header: str, line: str) -> WebRequest:
    reading = Reading(mapping=MAPPING + more)
    found = generic.CSV.open((header, line), reading).read(line, 2)
    assert found is not None
    return found


def test_outcomes_of_a_mapping() -> None:
    action = 'status = "s"\n[action]\ncolumn = "a"\nallowed = ["ok"]\ndenied = ["no"]\nfailed = ["oops"]'
    header, at = "t,u,s,a", "2026-11-02 10:00:02,https://a.example/,"
    said = {"200,OK": "allowed", "200,no": "denied", ",ok": None, "200,": None, "407,ok": "denied", "0,ok": "failed"}
    said |= {"200,oops": "failed", "500,maybe": None}
    assert {rest: outcome_of(action, header, at + rest).outcome for rest in said} == said
    assert outcome_of('status = "s"', "t,u,s", at + "200").outcome == "allowed"
    assert outcome_of("", "t,u", "2026-11-02 10:00:02,https://a.example/").outcome is None


def test_formats_by_name() -> None:
    assert [by_name(one.name) for one in FORMATS] == list(FORMATS)
    with pytest.raises(BadInput) as refusal:
        by_name("syslog")
    assert all(one.name in refusal.value.advice for one in FORMATS)


def test_two_formats_that_are_equally_sure_are_not_chosen_between(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = (squid.FORMAT, Format("twin", "Twin", squid.FORMAT.recognise, squid.FORMAT.open))
    monkeypatch.setattr("countenance.proxylog.formats.known.FORMATS", twice)
    with pytest.raises(BadInput, match="squid or twin"):
        recognise(squid.FORMAT.examples[0].lines, Reading())
