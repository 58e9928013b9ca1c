"""The pages of an analysis of thousands of sessions, with whatever strangers wrote into its logs."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import sync_playwright

from countenance.services.log_desk import LogDesk
from tests.places import Place
from tests.reports.sample import body
from tests.web.conftest import Served, serve
from tests.web.test_browser import ARGUMENTS
from tests.web.test_security import check_headers

HOSTILE = "\"><script>alert(1)</script>'\u202egnp.exe"
MANY = 1_203


@pytest.fixture(scope="module")
def analysis() -> dict[str, Any]:
    made = body(MANY, lines=40)
    made["profiles"][0]["title"] = made["sites"][0]["title"] = HOSTILE
    made["input"][0]["file"] = HOSTILE
    for session in made["sessions"]:
        session["reasons"].append(HOSTILE)
        session["evidence"][0] |= {"file": HOSTILE, "shown": HOSTILE, "role": HOSTILE}
    return made


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, analysis: dict[str, Any]) -> Iterator[Served]:
    """A home whose desk has this one analysis."""
    id, sessions = analysis["analysis"], {s["id"]: s for s in analysis["sessions"]}
    beside = {"at": "2026-04-01T09:00:00+00:00", "seq": 0, "by": HOSTILE, "why": HOSTILE, "dpia": HOSTILE}
    listed = {"id": id, "files": 3, "totals": analysis["totals"], "summary": analysis["summary"]} | beside
    shown = {"body": analysis, "keep_until": "2027-04-01T09:00:00+00:00", "receipt": {}} | beside
    place = Place(tmp_path_factory.mktemp("desk"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LogDesk, "analyses", lambda self: [listed])
        patch.setattr(LogDesk, "analysis", lambda self, id: shown)
        patch.setattr(LogDesk, "session", lambda self, sid, id=None: {"analysis": id, "session": sessions[sid]})
        yield from serve(place.open())
    place.close()


@pytest.fixture
def browser(served: Served) -> Iterator[httpx.Client]:
    with served.browser() as client:
        yield client


@pytest.fixture(scope="module")
def paths(analysis: dict[str, Any]) -> tuple[str, ...]:
    one = f"/proxylog/{analysis['analysis']}"
    return ("/proxylog", one, f"{one}?class=VISIT&first=50", f"{one}/sessions/{analysis['sessions'][0]['id']}")


def ids(page: str) -> list[str]:
    return re.findall(r'aria-label="Why (V-[0-9a-f]{12}) is what it is"', page)


def test_nothing_that_strangers_wrote_is_markup(browser: httpx.Client, paths: tuple[str, ...]) -> None:
    for path in paths:
        answer = browser.get(path)
        check_headers(answer)
        text = answer.text
        assert "<script>alert" not in text, path
        assert not re.search(r"\s(style|on[a-z]+)\s*=", text), path
        assert "\u202e" not in text, path
        assert "\\u{202e}" in text, path


def test_every_page_can_be_used_without_seeing_it(browser: httpx.Client, paths: tuple[str, ...]) -> None:
    for path in paths:
        text = browser.get(path).text
        assert text.count("<h1>") == 1, path
        found = re.findall(r'\bid="([^"]+)"', text)
        assert len(found) == len(set(found)), path
        for reference in re.findall(r'aria-(?:labelledby|describedby)="([^"]+)"', text):
            assert reference in found, (path, reference)
        for image in re.findall(r"<img[^>]*>", text):
            assert re.search(r' alt="[^"]{40,}"', image), path
        for control in re.findall(r"<label>[^<]*<(?:select|input)[^>]*>|<(?:select|input)[^>]*>", text):
            name = re.search(r'\bid="([^"]+)"', control)
            hidden = 'type="hidden"' in control
            assert control.startswith("<label>") or hidden or (name and f'for="{name[1]}"' in text), (path, control)


def test_thousands_of_sessions_are_turned_over(browser: httpx.Client, analysis: dict[str, Any]) -> None:
    seen: list[str] = []
    address: str | None = f"/proxylog/{analysis['analysis']}"
    while address:
        text = browser.get(address).text
        assert len(text) < 2_000_000, "a page stays a page"
        seen += ids(text)
        after = re.search(r'href="(\?[^"]+)">After', text)
        address = f"/proxylog/{analysis['analysis']}{html.unescape(after[1])}" if after else None
    every = [*analysis["sessions"], *analysis["reverse_image"]["sessions"]]
    assert sorted(seen) == sorted(s["id"] for s in every)
    assert f"{MANY + 3:,} sessions" in text
    searches = {s["id"]: s["searches"]["at_least"] for s in every}
    assert [searches[id] for id in seen] == sorted(searches.values(), reverse=True), "what matters first"


def test_a_filter_lasts_while_pages_turn(browser: httpx.Client, analysis: dict[str, Any]) -> None:
    wanted = {s["id"] for s in analysis["sessions"] if s["class"] == "VISIT" and s["site"] == "facecheck"}
    asked = {"class": "VISIT", "site": "facecheck", "text": "PAGES and their"}
    first = browser.get(f"/proxylog/{analysis['analysis']}", params=asked).text
    after = re.search(r'href="(\?[^"]+)">After', first)
    assert after
    assert f"{len(wanted):,} sessions of {MANY + 3:,}" in first
    second = browser.get(f"/proxylog/{analysis['analysis']}{html.unescape(after[1])}").text
    assert len({*ids(first), *ids(second)}) == 100
    assert {*ids(first), *ids(second)} <= wanted
    assert '<option value="VISIT" selected>' in second


@pytest.mark.parametrize("asked", ["first=99999", "class=NONE", "text=%00", "user=%3Cb%3E", "ceiling=V9", "site=%22"])
def test_what_nothing_fits(browser: httpx.Client, analysis: dict[str, Any], asked: str) -> None:
    answer = browser.get(f"/proxylog/{analysis['analysis']}?{asked}")
    assert answer.status_code == 200
    assert "No session fits." in answer.text


@pytest.mark.parametrize("asked", ["first=-1", "first=x", "text=" + "x" * 300])
def test_what_cannot_be_asked(browser: httpx.Client, analysis: dict[str, Any], asked: str) -> None:
    assert browser.get(f"/proxylog/{analysis['analysis']}?{asked}").status_code == 422


def test_a_session_tells_all_its_lines(browser: httpx.Client, analysis: dict[str, Any], paths: tuple[str, ...]) -> None:
    session = analysis["sessions"][0]
    text = browser.get(paths[3]).text
    assert text.count('<td class="address"><code>') == len(session["evidence"]) == 40
    assert "3 further lines not listed" in text
    assert "The first 30 of 43" in browser.get(f"{paths[1]}?user={session['user']}").text


def test_light_dark_wide_and_narrow(served: Served, paths: tuple[str, ...]) -> None:
    said: list[str] = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*ARGUMENTS])
        for width, shape in ((1280, "wide"), (360, "narrow")):
            for scheme in ("light", "dark"):
                context = chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})  # type: ignore[arg-type]
                page = context.new_page()
                page.on("console", lambda m: said.append(m.text) if m.type in {"error", "warning"} else None)
                page.goto(f"{served.address}/enter#{served.sessions.mint_link()}")
                page.wait_for_url(f"{served.address}/")
                for path in paths:
                    page.goto(served.address + path)
                    wide, body = page.evaluate("[innerWidth, document.documentElement.scrollWidth]")
                    assert body <= wide, (path, width)
                page.goto(served.address + paths[1])
                assert drawn(page) == [(scheme, shape)] * 2
                page.get_by_role("button", name="Colours: as the system").click()
                assert drawn(page) == [("light", shape)] * 2
                page.get_by_role("button", name="Colours: light").click()
                assert drawn(page) == [("dark", shape)] * 2
                context.close()
        chromium.close()
    assert said == []


def drawn(page: Any) -> list[tuple[str, str]]:
    """Theme and shape of the pictures that are seen; the others take no room and are not read aloud."""
    seen = page.locator(".plot img:visible").evaluate_all("all => all.map(image => image.getAttribute('src'))")
    return [(re.search(r"theme=(\w+)", one)[1], re.search(r"shape=(\w+)", one)[1]) for one in seen]  # type: ignore[index]
