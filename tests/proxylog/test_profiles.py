"""Site profiles: the ones that come with the program, hosts at label boundaries, dates, and files that are refused."""

from __future__ import annotations

import re
import time
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countenance.domain.errors import AlreadyThere, BadInput
from countenance.proxylog.patterns import host_expression, literal, path_expression, plain_path
from countenance.proxylog.profiles import SHIPPED, check, hosts_expression, load, load_all, needles, parse
from tests.proxylog.flows import profile, shipped

GOOD = """
name = "site"
title = "A site"
category = "face"
version = "3"
since = 2024-01-01
checked = 2026-01-01
stale_after = 2027-01-01
how_verified = "in a test"
hosts = ["site.example", "*.site.example"]
[[stages]]
stage = "search"
methods = ["POST"]
paths = ["/api/search"]
[photo]
min_bytes = 6000
likely_bytes = 30000
overhead = 1.5
false_positive = 0.1
false_negative = 0.2
how_estimated = "in a test"
"""


def test_the_shipped_ones_load_and_say_how_they_are_known() -> None:
    assert [p.name for p in shipped()] == [
        "bing-visual",
        "facecheck",
        "google-lens",
        "lenso",
        "pimeyes",
        "search4faces",
        "tineye",
        "yandex-images",
    ]
    faces = {p.name for p in shipped() if p.category == "face"}
    assert faces == {"facecheck", "lenso", "pimeyes", "search4faces"}
    for one in shipped():
        assert one.checked < one.stale_after
        assert "not tried against" in one.how_verified or "not known" in one.how_verified
        assert one.photo is None or "assumption" in one.photo.how_estimated.lower()
        assert [said for said in check(one) if "[photo]" not in said] == []


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("pimeyes.com", "pimeyes"),
        ("www.pimeyes.com", "pimeyes"),
        ("jsc07.pimeyes.com", "pimeyes"),
        ("a.b.facecheck.id", "facecheck"),
        ("notpimeyes.com", None),
        ("pimeyes.com.evil.example", None),
        ("pimeyes.como", None),
        ("pimeyes-com.example", None),
        ("xpimeyes.com", None),
        (".pimeyes.com", None),
        ("pimeyesxcom", None),
        ("www.google.com", None),
        ("", None),
    ],
)
def test_whose_host_it_is(host: str, name: str | None) -> None:
    assert [p.name for p in shipped() if p.owns(host)] == ([name] if name else [])


@given(st.text(st.sampled_from("abpimeyescom.-0"), max_size=25))
def test_a_look_alike_never_matches(text: str) -> None:
    pimeyes = profile("pimeyes")
    assert pimeyes.owns(text) == bool(re.fullmatch(r"(?:[a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*pimeyes\.com", text))


def test_shared_hosts_are_shared_and_results_hosts_show_results() -> None:
    assert profile("google-lens").shares("www.google.com")
    assert not profile("google-lens").owns("www.google.com")
    assert profile("google-lens").owns("lens.google.com")
    assert profile("pimeyes").shows_results("jsc123.pimeyes.com")
    for host in ("jsc.pimeyes.com", "jscx.pimeyes.com", "jsc1234567.pimeyes.com", "xjsc1.pimeyes.com", "pimeyes.com"):
        assert not profile("pimeyes").shows_results(host)


def test_every_line_of_interest_holds_a_needle() -> None:
    found = needles(shipped())
    for text in ("CONNECT PIMEYES.com:443", "GET https://jsc1.pimeyes.com/x", "GET www.google.com/searchbyimage?u"):
        assert any(needle in text.lower() for needle in found), text
    assert not any(needle in "get https://www.google.com/search?q=faces" for needle in found)
    assert all(len(needle) > 4 for needle in found)
    assert re.fullmatch(hosts_expression(shipped()), "www.bing.com")


def test_stale_by_the_log_s_dates() -> None:
    one = parse(GOOD)
    day = timedelta(days=1)
    assert [one.is_stale(d) for d in (one.since - day, one.since, one.stale_after, one.stale_after + day)] == [
        True,
        False,
        False,
        True,
    ]
    assert not one.is_stale(date(2026, 6, 1))


def test_bytes_of_a_photo() -> None:
    one = parse(GOOD)
    assert one.photo is not None
    assert (one.least_photo, one.photo.least, one.photo.likely) == (9000, 9000, 45000)
    assert parse("by_address = true" + GOOD).least_photo is None


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('name = "site"', "", "`name` is missing"),
        ('name = "site"', "name = 1", "`name` has to be a text"),
        ('name = "site"', 'name = "A Site"', "`name` has to be lower-case"),
        ('category = "face"', 'category = "faces"', "`category`"),
        ("checked = 2026-01-01", "checked = 2028-01-01", "`stale_after`"),
        ("checked = 2026-01-01", 'checked = "2026-01-01"', "`checked` has to be a date"),
        ("checked = 2026-01-01", "checked = 2026-01-01T00:00:00", "`checked` has to be a date"),
        ("since = 2024-01-01", "since = 2026-06-01", "`stale_after`"),
        ('hosts = ["site.example", "*.site.example"]', "", "`hosts` is missing"),
        ('"*.site.example"', '"*site.example"', "`hosts[1]`"),
        ('"*.site.example"', '"site.*"', "`hosts[1]`"),
        ('"*.site.example"', '"HTTPS://site.example/"', "`hosts[1]`"),
        ('"*.site.example"', "7", "`hosts`"),
        ('stage = "search"', 'stage = "seek"', "`stages[0].stage`"),
        ('methods = ["POST"]', 'methods = ["post"]', "`stages[0].methods[0]`"),
        ('paths = ["/api/search"]', "paths = []", "`stages[0].paths`"),
        ('paths = ["/api/search"]', 'paths = ["api"]', "`stages[0].paths[0]`"),
        ('paths = ["/api/search"]', 'paths = ["/(a+)+{x}"]', "`stages[0].paths[0]`"),
        ('paths = ["/api/search"]', 'paths = ["/*a*b*c*d*e"]', "`stages[0].paths[0]`"),
        ('paths = ["/api/search"]', 'paths = ["/a"]\nspeed = 3', "`stages[0].speed` is not a key"),
        ("overhead = 1.5", "overhead = 0", "`photo.overhead`"),
        ("likely_bytes = 30000", "likely_bytes = 5999", "`photo.likely_bytes`"),
        ("false_positive = 0.1", "false_positive = true", "`photo.false_positive`"),
        ('how_estimated = "in a test"', "", "`photo.how_estimated` is missing"),
        ('title = "A site"', 'title = "A site"\npolled = 1', "`polled` has to be a true or false"),
        ('title = "A site"', 'title = "A site', "is not TOML"),
    ],
)
def test_the_key_at_fault_is_named(old: str, new: str, key: str) -> None:
    assert old in GOOD
    with pytest.raises(BadInput) as caught:
        parse(GOOD.replace(old, new), "mine.toml")
    assert key in caught.value.message
    assert "mine.toml" in caught.value.message
    assert caught.value.advice


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b'name = "\xe9"')
    (tmp_path / "large").write_bytes(b"#" * 300_000)
    for name in ("latin", "large", "nowhere", "."):
        with pytest.raises(BadInput):
            load(tmp_path / name)


@given(st.text(max_size=60))
def test_no_text_makes_it_stumble(text: str) -> None:
    with pytest.raises(BadInput):
        parse(text)


def test_one_of_your_own_takes_the_place_of_a_shipped_one(tmp_path: Path) -> None:
    mine, other = tmp_path / "a.toml", tmp_path / "b.toml"
    mine.write_text((SHIPPED / "pimeyes.toml").read_text("utf-8").replace('version = "1"', 'version = "mine"'), "utf-8")
    found = {p.name: p.version for p in load_all([mine])}
    assert found["pimeyes"] == "mine"
    assert len(found) == len(shipped())
    other.write_text(mine.read_text("utf-8"), "utf-8")
    with pytest.raises(AlreadyThere):
        load_all([mine, other])


def test_what_a_person_should_know_of_a_profile() -> None:
    assert check(parse(GOOD)) == ()
    again = GOOD.replace(
        "[photo]", '[[stages]]\nstage = "upload"\nmethods = ["POST"]\npaths = ["/api/search"]\n[photo]'
    )
    assert "stages[1] is hidden by stages[0]" in check(parse(again))[0]
    assert "No stage is `search`" in check(parse(GOOD.replace('stage = "search"', 'stage = "look"')))[0]
    assert "upload" in check(parse("polled = true" + GOOD))[0]


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("/{lang}/results/*", "/en/results/aa_bb", True),
        ("/{lang}/results/*", "/pt-BR/results/x/y/", True),
        ("/{lang}/results/*", "/eng/results/x", False),
        ("/search/{id}", "/search/0a_B-9", True),
        ("/search/{id}", "/search/a/b", False),
        ("/api/search", "/api/search/new", False),
        ("/api/search", "/API//Search/", True),
        ("*opt-out*", "/en/opt-out-request-form", True),
        ("*opt-out*", "/en/optout", False),
        ("/a*b*c", "/a-b-b-c", True),
        ("/a*b*c", "/a-c-b", False),
        ("/", "/", True),
        ("/api.search", "/apixsearch", False),
    ],
)
def test_paths(pattern: str, path: str, fits: bool) -> None:
    assert bool(path_expression(pattern).fullmatch(plain_path(path))) is fits


def test_no_path_is_slow() -> None:
    hostile = [path_expression(p) for p in ("/*a*a*a*ab", "*a*a*a*", "/{id}{id}x", "/{lang}{id}*{id}z")]
    began = time.process_time()
    for path in ("/" + "a" * 100_000, "/" + "aa" * 2000 + "b" * 2000):
        for one in hostile:
            one.fullmatch(plain_path(path))
    assert time.process_time() - began < 1


def test_a_literal_is_in_all_that_matches() -> None:
    assert literal("/{lang}/results/*") == "/results/"
    assert literal("jsc#.pimeyes.com") == "pimeyes.com"
    with pytest.raises(ValueError, match="not a host"):
        host_expression(["a"])
