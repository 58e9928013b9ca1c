"""The pages as the server writes them: escaped, marked, and true to what the home holds."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator

import httpx
import pytest

from countenance.services.people import system_actor
from countenance.web.pages import words
from tests.places import Place, register
from tests.web.conftest import Served, serve

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


@pytest.fixture
def browser(folk: Served) -> Iterator[httpx.Client]:
    with folk.browser() as client:
        yield client


def test_the_start_page_says_what_comes_next(place: Place) -> None:
    for served in serve(place.open()):
        with served.browser() as browser:
            text = browser.get("/").text
            assert "Register the first" in text
            assert "Grant one" in text
            assert "No authority is in force" in browser.get("/search").text
            assert "No source is registered yet" in browser.get("/sources").text
            assert "None was ever granted" in browser.get("/authorities").text


def test_a_source_shows_how_it_was_registered(browser: httpx.Client) -> None:
    text = browser.get("/sources/folk").text
    for expected in ("Pictures of yourself", "not kept; crops only", ">22<", "90 days"):
        assert expected in text
    assert browser.get("/sources/none").status_code == 404


def test_what_people_wrote_stays_text(pretend: Served, house: Place) -> None:
    register(pretend.product, "hostile", house.photos / "album", owner=HOSTILE, note=HOSTILE, purpose=HOSTILE)
    from tests.places import grant as allow

    allow(pretend.product, "album", purpose=HOSTILE, case=HOSTILE, stated_by=HOSTILE)
    with pretend.browser() as browser:
        for path in ("/sources", "/sources/hostile", "/authorities", "/ledger", "/"):
            text = browser.get(path).text
            assert "<script>alert" not in text, path
            assert "<img src=x" not in text, path
        assert html.escape(HOSTILE, quote=False) in browser.get("/authorities").text.replace("&#34;", '"')


def test_self_approval_is_marked_wherever_an_authority_appears(
    folk: Served, browser: httpx.Client, grant: Callable[..., str]
) -> None:
    granted = grant(purpose="to be marked")
    entry = folk.product.authority(granted).grant_seq
    for path in ("/search", "/authorities", "/ledger", f"/ledger/receipts/{entry}"):
        assert "self-approved" in browser.get(path).text, path
    other = grant(purpose="for somebody else", holder="os:somebody-else")
    entry = folk.product.authority(other).grant_seq
    assert "self-approved" not in browser.get(f"/ledger/receipts/{entry}").text


def test_an_authority_that_ended_cannot_be_chosen(
    folk: Served, browser: httpx.Client, grant: Callable[..., str]
) -> None:
    kept, ended = grant(), grant()
    with folk.program() as program:
        program.post(f"/authorities/{ended}/revoke")
    text = browser.get("/search").text
    assert kept in text
    assert ended not in text
    assert ended in browser.get("/authorities").text


def test_a_demonstration_is_marked_on_every_page(house: Place) -> None:
    for served in serve(house.open(demo=True)):
        with served.browser() as browser:
            for path in ("/", "/search", "/sources", "/sources/album", "/authorities", "/ledger", "/ledger/receipts/0"):
                text = browser.get(path).text
                assert 'class="demo-strip"' in text, path
                assert "DEMO</title>" in text, path
            assert 'class="demo-strip"' in browser.get("/enter").text
            assert "tag-demo" in browser.get("/ledger/receipts/0").text


def test_nothing_else_is_marked_as_one(browser: httpx.Client) -> None:
    for path in ("/", "/search", "/ledger/receipts/0"):
        assert "DEMO" not in browser.get(path).text


def test_the_ledger_page_turns_back(folk: Served, browser: httpx.Client, grant: Callable[..., str]) -> None:
    while folk.product.ledger_size < 60:
        grant()
    size = folk.product.ledger_size
    first = browser.get("/ledger").text
    assert f"{size} entries" in first
    numbers = [int(n) for n in re.findall(r"Receipt of entry (\d+)", first)]
    assert numbers == list(range(size - 1, size - 26, -1))
    older = re.search(r'href="(/ledger\?before=\d+)">Older', first)
    assert older
    numbers = [int(n) for n in re.findall(r"Receipt of entry (\d+)", browser.get(older.group(1)).text)]
    assert numbers == list(range(size - 26, size - 51, -1))
    assert browser.get("/ledger?before=0").status_code == 200
    assert browser.get("/ledger?before=99999999").status_code == 200


def test_a_receipt_has_its_page(folk: Served, browser: httpx.Client) -> None:
    text = browser.get("/ledger/receipts/0").text
    assert "This entry is in the tree" in text
    assert folk.product.receipt(0)["leaf"] in text
    assert browser.get(f"/ledger/receipts/{folk.product.ledger_size}").status_code == 404
    assert browser.get("/ledger/receipts/x").status_code == 422


def test_every_page_can_be_used_without_seeing_it(browser: httpx.Client) -> None:
    for path in ("/", "/search", "/sources", "/sources/folk", "/authorities", "/ledger", "/ledger/receipts/0"):
        text = browser.get(path).text
        assert '<html lang="en">' in text
        assert text.count("<h1>") == 1, path
        assert 'class="skip" href="#main"' in text
        for name in re.findall(r'<(?:input|select)[^>]*\bid="([^"]+)"', text):
            assert f'for="{name}"' in text or f'id="{name}" type="hidden"' in text, (path, name)
        ids = re.findall(r'\bid="([^"]+)"', text)
        assert len(ids) == len(set(ids)), path
        for reference in re.findall(r'aria-(?:labelledby|describedby)="([^"]+)"', text):
            assert reference in ids, (path, reference)
        for image in re.findall(r"<img[^>]*>", text):
            assert " alt=" in image, path


def test_words() -> None:
    assert words.when("2026-01-31T09:05:00+00:00") == (
        '<time datetime="2026-01-31T09:05:00+00:00">31 Jan 2026, 09:05 UTC</time>'
    )
    assert words.when(None) == words.day(None) == "–"
    assert words.count(1, "entry", "entries") == "1 entry"
    assert words.count(1200, "face") == "1,200 faces"
    assert words.breakable("http://a/<b>") == "http:/<wbr>/<wbr>a/<wbr>&lt;b&gt;"
    assert words.act("search.shown") == "Candidates shown"
    assert words.act("something.new") == "something.new"
    assert words.reason("some-reason") == "some reason"


def test_coming_in_through_the_link_and_leaving_are_entries(pretend: Served) -> None:
    before = pretend.product.ledger_size
    with pretend.browser() as browser:
        found = re.search(r'name="csrf" content="([^"]+)"', browser.get("/search").text)
        assert found
        browser.post("/leave", data={"csrf": found.group(1)}, headers={"Origin": pretend.address})
    began, ended = pretend.product.ledger_entries(before, pretend.product.ledger_size)
    assert [(e["type"], e["body"]["how"]) for e in (began, ended)] == [
        ("session.begun", "one-time link"),
        ("session.ended", "one-time link"),
    ]
    assert began["actor"]["authenticated"].startswith("os:")


def test_the_account_of_whoever_came_through_the_link(pretend: Served) -> None:
    with pretend.browser() as browser:
        assert browser.get("/account").status_code == 403
        pretend.product.people.add("me@example.org", [], system_actor("command"))
        assert "me@example.org" in browser.get("/account").text
        start = browser.get("/").text
        assert 'href="/account"' in start
        assert "Account made" in start
