"""The door: which hosts, which origins, which sessions; and what every answer carries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.datastructures import Headers

from countenance.web import security
from tests.web.conftest import Served

PAGES = ("/", "/search", "/sources", "/sources/folk", "/authorities", "/ledger", "/ledger/receipts/0")
ANYWHERE = ("/enter", "/nowhere", "/static/style.css", "/static/nowhere.js", "/api/v1/status", "/api/v1/openapi.json")


def check_headers(answer: httpx.Response, *, static: bool = False) -> None:
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert policy["form-action"] == "'self'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=(self)" in answer.headers["permissions-policy"]
    assert answer.headers["cache-control"] == ("no-cache" if static else "no-store")
    assert "server" not in answer.headers or answer.headers["server"] != "uvicorn/"


def test_every_answer_carries_the_headers(folk: Served) -> None:
    with folk.browser() as browser:
        for path in PAGES:
            answer = browser.get(path)
            assert answer.status_code == 200, path
            check_headers(answer)
    with folk.stranger() as stranger:
        for path in PAGES + ANYWHERE:
            check_headers(stranger.get(path), static=path.startswith("/static/"))
        check_headers(stranger.get("/", headers={"Host": "elsewhere.example"}))
        check_headers(stranger.post("/enter", content=b"{"))


def test_no_page_has_anything_inline(folk: Served) -> None:
    with folk.browser() as browser:
        for path in (*PAGES, "/enter", "/nowhere"):
            text = browser.get(path).text
            assert not re.search(r"\sstyle\s*=", text), path
            assert not re.search(r"\son[a-z]+\s*=", text), path
            assert "<style" not in text
            assert all('src="/static/' in script for script in re.findall(r"<script[^>]*>", text)), path
            assert not re.search(r'(?:src|href)="(?:https?:)?//', text), path


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:80", "[::1]:9000", "127.0.0.1:1"])
def test_names_of_this_machine_are_known(folk: Served, host: str) -> None:
    with folk.stranger() as stranger:
        assert stranger.get("/enter", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["elsewhere.example", "127.0.0.1.elsewhere.example", "localhost.elsewhere.example", "", "127.0.0.2", "a@127.0.0.1",
     "127.0.0.1/x", "[::1", "0.0.0.0"],
)  # fmt: skip
def test_other_names_are_turned_away(folk: Served, host: str) -> None:
    with folk.stranger() as stranger, folk.program() as program:
        for path, client in (("/enter", stranger), (f"{folk.address}/api/v1/status", program)):
            answer = client.get(path, headers={"Host": host})
            assert answer.status_code == 421
            assert answer.json()["code"] == "wrong-host"


def test_further_names_can_be_configured() -> None:
    known = security.KnownHosts(None, names=["Faces.Example"])  # type: ignore[arg-type]
    assert "faces.example" in known.names


def test_the_session_cookie(folk: Served) -> None:
    with folk.stranger() as stranger:
        code = folk.sessions.mint_link()
        answer = stranger.post("/enter", json={"code": code}, headers={"Origin": folk.address})
        cookie = answer.headers["set-cookie"]
        assert answer.status_code == 204
        for part in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age="):
            assert part in cookie
        assert "Domain" not in cookie
        assert "Secure" not in cookie
        assert code not in cookie
        again = stranger.post("/enter", json={"code": code}, headers={"Origin": folk.address})
        assert again.status_code == 401
        assert "set-cookie" not in again.headers


def test_the_cookie_is_secure_when_the_address_is(folk: Served) -> None:
    from countenance.access.sessions import Sessions
    from countenance.web.pages import door
    from countenance.web.pages.routes import Request

    sessions = Sessions()

    class App:
        class state:
            pass

    App.state.sessions = sessions  # type: ignore[attr-defined]
    scope = {
        "type": "http", "method": "POST", "path": "/enter", "scheme": "https", "server": ("127.0.0.1", 443),
        "headers": [(b"host", b"127.0.0.1"), (b"origin", b"https://127.0.0.1")], "query_string": b"", "app": App,
    }  # fmt: skip
    answer = door.enter(Request(scope), folk.product, door.Code(code=sessions.mint_link()))
    assert "Secure" in answer.headers["set-cookie"]


def test_a_link_cannot_be_used_from_another_origin(folk: Served) -> None:
    code = folk.sessions.mint_link()
    with folk.stranger() as stranger:
        for headers in ({}, {"Origin": "http://elsewhere.example"}, {"Origin": "null"}):
            assert stranger.post("/enter", json={"code": code}, headers=headers).status_code == 403
        assert stranger.post("/enter", json={"code": code}, headers={"Origin": folk.address}).status_code == 204


def test_pages_show_the_door_to_strangers(folk: Served) -> None:
    with folk.stranger() as stranger:
        for path in PAGES:
            answer = stranger.get(path, headers={"Accept": "text/html"})
            assert (answer.status_code, answer.headers["location"]) == (303, "/enter"), path
            assert stranger.get(path).status_code == 401
        stranger.cookies.set("countenance", "A" * 43)
        assert stranger.get("/search", headers={"Accept": "text/html"}).status_code == 303


@pytest.fixture
def browser(folk: Served) -> Iterator[httpx.Client]:
    with folk.browser() as client:
        yield client


def csrf(browser: httpx.Client) -> str:
    found = re.search(r'name="csrf" content="([^"]+)"', browser.get("/search").text)
    assert found
    return found.group(1)


def test_a_page_of_ours_may_change_things(folk: Served, browser: httpx.Client) -> None:
    headers = {"Origin": folk.address, "Countenance-CSRF": csrf(browser), "Sec-Fetch-Site": "same-origin"}
    assert browser.post("/api/v1/ledger/verify", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"Origin": None},
        {"Origin": "http://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Countenance-CSRF": None},
        {"Countenance-CSRF": ""},
        {"Countenance-CSRF": "A" * 43},
        {"Countenance-CSRF": "é"},
    ],
)
def test_nobody_else_may(folk: Served, browser: httpx.Client, change: dict[str, str | None]) -> None:
    headers: dict[str, Any] = {"Origin": folk.address, "Countenance-CSRF": csrf(browser)} | change
    sent = {name: value.encode() for name, value in headers.items() if value is not None}
    before = folk.product.ledger_size
    answer = browser.post("/api/v1/ledger/bundle", headers=sent)
    assert (answer.status_code, answer.json()["code"]) == (403, "refused")
    assert folk.product.ledger_size == before


def test_reading_needs_no_csrf_token(browser: httpx.Client) -> None:
    assert browser.get("/api/v1/ledger").status_code == 200


def test_a_token_of_another_session_is_no_good(folk: Served, browser: httpx.Client) -> None:
    with folk.browser() as other:
        headers = {"Origin": folk.address, "Countenance-CSRF": csrf(other)}
    assert browser.post("/api/v1/ledger/verify", headers=headers).status_code == 403


def test_a_bad_token_is_not_mended_by_a_good_session(folk: Served, browser: httpx.Client) -> None:
    for value in ("Bearer ctn_" + "A" * 43, "Bearer", "Basic YTpi", "ctn_" + "A" * 43):
        answer = browser.get("/api/v1/ledger", headers={"Authorization": value})
        assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")
        assert "Bearer" in answer.headers["www-authenticate"]


def test_signing_out_ends_the_session(folk: Served, browser: httpx.Client) -> None:
    token = csrf(browser)
    kept = browser.cookies["countenance"]
    assert browser.post("/leave", data={"csrf": "wrong"}, headers={"Origin": folk.address}).status_code == 403
    assert browser.post("/leave", data={"csrf": token}).status_code == 403
    assert browser.get("/search").status_code == 200
    answer = browser.post("/leave", data={"csrf": token}, headers={"Origin": folk.address})
    assert (answer.status_code, answer.headers["location"]) == (303, "/enter")
    browser.cookies.set("countenance", kept)
    assert browser.get("/search").status_code == 303


def test_same_origin_needs_an_origin() -> None:
    host = {"host": "127.0.0.1:8000"}
    assert security.same_origin(Headers(host | {"origin": "http://127.0.0.1:8000"}), "http")
    assert not security.same_origin(Headers(host | {"origin": "https://127.0.0.1:8000"}), "http")
    assert not security.same_origin(Headers(host), "http")
    assert not security.same_origin(Headers({}), "http")
    assert not security.same_origin(Headers(host | {"origin": "null"}), "http")
    said = host | {"sec-fetch-site": "same-origin"}
    assert security.same_origin(Headers(said), "http")
    assert security.same_origin(Headers(said | {"origin": "null"}), "http")
    assert not security.same_origin(Headers(said | {"origin": "http://127.0.0.1:1"}), "http")


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("[::1]", True), ("localhost", True), ("0.0.0.0", False),
     ("::", False), ("192.168.0.1", False), ("example.org", False), ("", False), ("127.0.0.1.example.org", False)],
)  # fmt: skip
def test_is_loopback(host: str, loopback: bool) -> None:
    assert security.is_loopback(host) is loopback
