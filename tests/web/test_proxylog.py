"""Analyses of proxy logs over HTTP and on pages: under pseudonyms, escaped, filtered, unmasked by two people alone."""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.services.test_analyse import LOG, PEOPLE, REASON, analyse, line, second
from tests.web.conftest import Served
from tests.web.test_browser import ARGUMENTS
from tests.web.windows import choose

HOSTILE = "/<script>alert(1)</script>"


@pytest.fixture
def found(pretend: Served, tmp_path: Path) -> dict[str, Any]:
    """An analysis of the usual log, with one address in it that would be markup."""
    log = tmp_path / "access.log"
    hostile = line(20, "GET", f"https://pimeyes.com{HOSTILE}", "u-searcher")
    log.write_text("\n".join([*LOG[:4], hostile, *LOG[4:]]) + "\n", encoding="utf-8")
    return analyse(pretend.product, log, why="<b>complaint</b>")


@pytest.fixture
def browser(pretend: Served) -> Iterator[httpx.Client]:
    with pretend.browser() as client:
        yield client


def session_of(found: dict[str, Any], grade: str) -> str:
    return str(next(s["id"] for s in found["body"]["sessions"] if s["class"] == grade))


def test_over_http(pretend: Served, found: dict[str, Any]) -> None:
    id = found["body"]["analysis"]
    with pretend.program("proxylog:read") as program:
        assert [a["id"] for a in program.get("/proxylog/analyses").json()["analyses"]] == [id]
        shown = program.get(f"/proxylog/analyses/{id}").json()
        assert shown["body"] == found["body"]
        assert program.get(f"/proxylog/analyses/{id}/report").content.startswith(b"%PDF-")
        assert (
            program.get(f"/proxylog/analyses/{id}/sessions.csv").text.count("\n") == len(shown["body"]["sessions"]) + 1
        )
        for picture in ("bounds", "timeline"):
            answer = program.get(f"/proxylog/analyses/{id}/pictures/{picture}", params={"theme": "dark"})
            assert answer.headers["content-type"].startswith("image/svg+xml")
            assert answer.text.startswith("<svg")
        session = session_of(found, "RESULTS_VIEWED")
        told = program.get(f"/proxylog/analyses/{id}/sessions/{session}").json()
        assert told["session"]["class"] == "RESULTS_VIEWED"
        assert program.get("/proxylog/analyses/L-000000000000").status_code == 404
        assert program.get(f"/proxylog/analyses/{id}/sessions/V-000000000000").status_code == 404
        assert not [name for name in PEOPLE if name in str(shown) + str(told)]


def test_a_program_unmasks_only_with_a_second_person(pretend: Served, found: dict[str, Any]) -> None:
    path = f"/proxylog/analyses/{found['body']['analysis']}/sessions/{session_of(found, 'RESULTS_VIEWED')}/unmask"
    own = pretend.token("proxylog:unmask")
    with httpx.Client(
        base_url=f"{pretend.address}/api/v1", headers={"Authorization": f"Bearer {own}"}, timeout=60
    ) as program:
        alone = program.post(path, json={"reason": REASON, "second": own})
        assert (alone.status_code, alone.json()["code"]) == (403, "refused")
        assert program.post(path, json={"reason": "short", "second": own}).status_code == 422
        together = program.post(path, json={"reason": REASON, "second": second(pretend.product)}).json()
    assert together["who"] == "u-searcher"


def test_the_pages_show_what_was_found_and_nobody(
    pretend: Served, browser: httpx.Client, found: dict[str, Any]
) -> None:
    id = found["body"]["analysis"]
    assert found["body"]["summary"][0] in html.unescape(browser.get("/proxylog").text)
    page = browser.get(f"/proxylog/{id}").text
    session = session_of(found, "RESULTS_VIEWED")
    detail = browser.get(f"/proxylog/{id}/sessions/{session}").text
    assert "POST pimeyes.com/api/search/new" in detail
    for text in (page, detail, browser.get("/ledger").text):
        assert not [name for name in PEOPLE if name in text]
        assert "<script>alert" not in text
        assert "<b>complaint" not in text
    assert html.escape(HOSTILE) in page
    assert browser.get("/proxylog/L-000000000000").status_code == 404
    assert browser.get(f"/proxylog/{id}/sessions/V-000000000000").status_code == 404


@pytest.mark.parametrize(
    ("asked", "classes"),
    [
        ({"class": "VISIT"}, {"VISIT"}),
        ({"ceiling": "V1"}, {"INDETERMINATE"}),
        ({"text": "api/search/NEW"}, {"RESULTS_VIEWED"}),
        ({"site": "pimeyes"}, {"VISIT", "INDETERMINATE", "RESULTS_VIEWED", "BLOCKED"}),
        ({"user": "P-0000000000"}, set()),
    ],
)
def test_filters(browser: httpx.Client, found: dict[str, Any], asked: dict[str, str], classes: set[str]) -> None:
    page = browser.get(f"/proxylog/{found['body']['analysis']}", params=asked).text
    shown = {s["class"] for s in found["body"]["sessions"] if f"Why {s['id']} is what it is" in page}
    assert shown == classes


def test_two_people_at_a_real_browser(pretend: Served, found: dict[str, Any]) -> None:
    said: list[str] = []
    with sync_playwright() as playwright:
        chromium: Browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*ARGUMENTS])
        page = chromium.new_page(viewport={"width": 1280, "height": 860})
        page.on("console", lambda m: said.append(m.text) if m.type in {"error", "warning"} else None)
        page.goto(f"{pretend.address}/enter#{pretend.sessions.mint_link()}")
        page.wait_for_url(f"{pretend.address}/")
        choose(page, "Proxy logs", "Records")
        page.get_by_role("link", name=found["body"]["summary"][0]).click()
        page.get_by_role("heading", name="At least, at most").wait_for()
        for picture in page.locator(".plot img:visible").all():
            picture.scroll_into_view_if_needed()
            page.wait_for_function("image => image.complete && image.naturalWidth > 100", arg=picture.element_handle())
        assert page.locator(".plot img:visible").count() == 2
        page.get_by_label("Class").select_option("RESULTS_VIEWED")
        page.get_by_role("button", name="Show").click()
        page.get_by_role("link", name="Why", exact=False).first.click()
        page.get_by_label("Reason").fill(REASON)
        page.get_by_label("Second person’s token").fill(second(pretend.product))
        page.get_by_role("button", name="Name this person").click()
        who = page.locator("#unmasked-who")
        who.wait_for()
        assert who.text_content() == "u-searcher"
        assert LOG[2] in (page.locator("#unmasked-lines").text_content() or "")
        chromium.close()
    assert said == []
