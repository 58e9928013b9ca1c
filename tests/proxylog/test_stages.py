"""What a request is taken for, what it could be where the line shows too little, and what became of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from countenance.proxylog.rows import MAX_TEXT, Flag, Row, State, Texts
from countenance.proxylog.stages import REMEMBERED, Match, Sites, row_of
from tests.proxylog.flows import FACE, FOUR, PIM, Maker, shipped


def match(method: str | None, host: str, path: str | None, **other: Any) -> tuple[str, Match] | None:
    request = replace(Maker()(0, "GET", "/"), method=method, host=host, path=path, **other)
    found = Sites(shipped()).of(request)
    return None if found is None else (found[0].profile.name, found[1])


def row(**changes: Any) -> Row:
    request = replace(Maker()(0, "POST", "/api/search/new"), **changes)
    found = Sites(shipped()).of(request)
    assert found is not None
    with Texts() as texts:
        return row_of(request, *found, texts)


@pytest.mark.parametrize(
    ("method", "host", "path", "query", "stage"),
    [
        ("GET", PIM, "/", "", "look"),
        ("GET", PIM, "/en/blog/a", "", "look"),
        ("POST", PIM, "/api/login/login-form", "", "sign-in"),
        ("GET", PIM, "/api/search/info", "", "quota"),
        ("POST", PIM, "/api/upload/file", "", "upload"),
        ("POST", PIM, "/api/face", "", "upload"),
        ("POST", "www.pimeyes.com", "/api/search/new", "", "search"),
        ("GET", PIM, "/de/results/aa_bb", "query=c", "results"),
        ("POST", "jsc11.pimeyes.com", "/get_results", "", "results"),
        ("POST", PIM, "/en/opt-out-request-form", "", "opt-out"),
        ("POST", FACE, "/api/upload_pic", "", "upload"),
        ("POST", FACE, "/api/search", "", "search"),
        ("GET", FACE, "/Face-Search/RemoveMyPhotos", "", "opt-out"),
        ("POST", FOUR, "/api/json-rpc/v1", "", "search"),
        ("GET", "tineye.com", "/search", "url=https%3A%2F%2Fa.example", "search"),
        ("GET", "tineye.com", "/search/0a1b", "", "results"),
        ("POST", "lens.google.com", "/v3/upload", "hl=en", "search"),
        ("GET", "www.google.com", "/searchbyimage", "image_url=x", "search"),
        ("POST", "yandex.com", "/images/search", "rpt=imageview&format=json", "search"),
        ("POST", "www.bing.com", "/images/search", "view=detailv2&iss=sbiupload", "search"),
    ],
)
def test_stages_for_sure(method: str, host: str, path: str, query: str, stage: str) -> None:
    found = match(method, host, path, query=query)
    assert found is not None
    assert found[1].stage is not None
    assert found[1].stage.stage == stage
    assert found[1].flags & Flag.FITS


@pytest.mark.parametrize(
    ("method", "host", "path", "query"),
    [
        ("GET", "www.google.com", "/search", "q=a"),
        ("GET", "www.bing.com", "/images/search", "q=cats"),
        ("GET", "yandex.com", "/images/search", "text=cats"),
        ("GET", "www.google.com", None, None),
        ("POST", "elsewhere.example", "/api/search/new", ""),
        ("GET", "notpimeyes.com", "/", ""),
    ],
)
def test_not_the_site_s(method: str, host: str, path: str | None, query: str | None) -> None:
    assert match(method, host, path, query=query) is None


def test_a_tunnel_to_a_shared_host_says_nothing() -> None:
    assert Sites(shipped()).of(Maker().tunnel(0, 60, host="www.bing.com")) is None
    assert Sites(shipped()).of(Maker().tunnel(0, 60, host="lens.google.com")) is not None


@pytest.mark.parametrize(
    ("method", "path", "flag", "no_flag"),
    [
        (None, "/api/search/new", Flag.CAN_SEARCH, Flag.FITS),
        ("POST", None, Flag.CAN_SEARCH, Flag.FITS),
        (None, None, Flag.CAN_SEARCH | Flag.CAN_RESULTS | Flag.CAN_UPLOAD, Flag.FITS),
        (None, "/en/results/a", Flag.CAN_RESULTS, Flag.FITS | Flag.CAN_SEARCH),
        ("GET", None, Flag.CAN_RESULTS, Flag.CAN_SEARCH | Flag.CAN_UPLOAD),
        (None, "/api/upload/file", Flag.CAN_UPLOAD, Flag.CAN_SEARCH),
        (None, "/en", 0, Flag.CAN_SEARCH | Flag.CAN_RESULTS | Flag.CAN_UPLOAD),
        ("POST", "/api/v9/find", Flag.CAN_SEARCH | Flag.STRANGE, Flag.FITS),
        (None, "/api/v9/find", Flag.CAN_SEARCH | Flag.STRANGE, Flag.FITS),
        ("GET", "/api/v9/find", 0, Flag.CAN_SEARCH),
        ("GET", "/static/a.CSS", Flag.ASSET, Flag.CAN_SEARCH),
        ("POST", "/static/a.css", Flag.STRANGE, Flag.ASSET),
        ("OPTIONS", "/api/search/new", Flag.IGNORED, Flag.FITS | Flag.CAN_SEARCH),
        ("HEAD", "/en/results/a", Flag.IGNORED, Flag.FITS | Flag.CAN_RESULTS),
        ("POST", "/cdn-cgi/rum", Flag.FITS, Flag.CAN_SEARCH),
    ],
)
def test_what_it_could_be(method: str | None, path: str | None, flag: int, no_flag: int) -> None:
    found = match(method, PIM, path)
    assert found is not None
    assert found[1].flags & flag == flag
    assert not found[1].flags & no_flag


def test_a_query_that_is_not_logged_could_be_the_one() -> None:
    found = match("GET", "www.bing.com", "/images/search", query=None)
    assert found is not None
    assert found[1].flags & Flag.CAN_RESULTS
    assert not found[1].flags & Flag.FITS


@pytest.mark.parametrize(
    ("outcome", "status", "state"),
    [
        ("allowed", 200, State.OK),
        ("allowed", 201, State.OK),
        ("allowed", None, State.UNKNOWN),
        ("allowed", 0, State.UNKNOWN),
        ("allowed", 100, State.UNKNOWN),
        (None, 200, State.UNKNOWN),
        (None, None, State.UNKNOWN),
        ("allowed", 302, State.REDIRECT),
        ("allowed", 304, State.REDIRECT),
        ("allowed", 402, State.REFUSED),
        (None, 403, State.REFUSED),
        ("denied", 200, State.DENIED),
        ("allowed", 407, State.DENIED),
        ("failed", None, State.UNKNOWN),
        ("failed", 503, State.FAILED),
    ],
)
def test_what_became_of_it(outcome: str | None, status: int | None, state: State) -> None:
    assert row(outcome=outcome, status=status).state is state


def test_a_page_that_had_not_changed_was_seen() -> None:
    assert row(method="GET", path="/en/results/a", status=304).sure


def test_what_became_of_a_tunnel() -> None:
    tunnel = {"kind": "tunnel", "path": None, "method": "CONNECT"}
    assert row(**tunnel, status=200).state is State.OK
    assert row(**tunnel, status=None, outcome=None).state is State.UNKNOWN
    assert row(**tunnel, status=503).state is State.FAILED
    assert row(kind="flow", path=None, method=None, status=None).state is State.OK


def test_a_redirect_is_a_success_where_the_site_answers_so() -> None:
    lens = {"host": "lens.google.com", "path": "/v3/upload", "status": 303}
    assert row(**lens).sure
    assert row(**lens, outcome=None).state is State.REDIRECT


@pytest.mark.parametrize(
    ("referrer", "flag"),
    [
        ("https://pimeyes.com/en/opt-out-request-form", Flag.FROM_OPT_OUT),
        ("https://pimeyes.com/en/premium", Flag.FROM_ELSEWHERE),
        ("https://pimeyes.com/", 0),
        ("https://press.example/opt-out", 0),
        ("https://pimeyes.com.evil.example/opt-out", 0),
        ("http://[broken/opt-out", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_where_an_upload_came_from(referrer: str | None, flag: int) -> None:
    made = row(path="/api/upload/file", referrer=referrer)
    assert made.flags & (Flag.FROM_OPT_OUT | Flag.FROM_ELSEWHERE) == flag


@pytest.mark.parametrize(
    ("agent", "flag"),
    [
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", Flag.BOT),
        ("Mozilla/5.0 (compatible; bingbot/2.0)", Flag.BOT),
        ("facebookexternalhit/1.1", Flag.BOT),
        ("Mozilla/5.0 (Windows NT 10.0) SkypeUriPreview Preview/0.5", Flag.BOT),
        ("Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", 0),
        ("Mozilla/5.0 (iPhone) AppleWebKit Safari/604.1", 0),
        ("", Flag.BLANK),
        (None, 0),
    ],
)
def test_who_asked(agent: str | None, flag: int) -> None:
    assert row(agent=agent).flags & (Flag.BOT | Flag.BLANK) == flag


def test_a_line_s_text_is_kept_whole_or_cut_and_never_breaks() -> None:
    with Texts() as texts:
        places = [texts.put(text, "shown") for text in ("é\udc80", "", "x" * 5000)]
        assert texts.get(places[0]) == ("é\\udc80", "shown")
        assert texts.get(places[1]) == ("", "shown")
        assert texts.get(places[2])[0] == "x" * MAX_TEXT + "…"


def test_many_paths_are_not_all_remembered() -> None:
    sites = Sites(shipped())
    for number in range(REMEMBERED + 50):
        found = sites.of(Maker()(0, "GET", f"/en/blog/{number}", host=f"h{number}.pimeyes.com"))
        assert found is not None
    site = found[0]
    assert len(site._seen) <= REMEMBERED
    assert len(sites._owner) <= REMEMBERED


def test_impossible_numbers_are_none() -> None:
    made = row(sent=-1, seconds=-5.0)
    assert (made.sent, made.seconds, made.end) == (None, None, made.at)
    assert isinstance(row(sent=1, seconds=1.0).sent, int)


def test_what_a_line_shows_whole() -> None:
    assert row().flags & Flag.SHOWS
    for missing in ({"method": None}, {"path": None}, {"status": None}):
        assert not row(**missing).flags & Flag.SHOWS
