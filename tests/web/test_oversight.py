"""The overseer's console: every reading has a purpose and is an entry; what looks wrong comes with its entries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from countenance.domain.acts import Acts, Grant, Lapse
from countenance.domain.misuse.urgent import unapproved
from countenance.ledger.receipt import verify_receipt
from countenance.services.search import SearchRequest
from countenance.store import moments
from tests import pretend as people
from tests.places import TESTER, grant, kinds
from tests.web.conftest import Served
from tests.web.windows import choose, windowed


def test_a_reading_says_what_it_is_for_and_is_one_entry(pretend: Served) -> None:
    with pretend.program("oversight:read") as program:
        size = pretend.product.ledger_size
        for body in ({}, {"purpose": "curiosity"}, {"purpose": "lawfulness", "since": "2030-01-01T00:00:00Z"}):
            assert program.post("/oversight/summary", json=body).status_code == 422
        assert pretend.product.ledger_size == size
        answer = program.post("/oversight/summary", json={"purpose": "lawfulness"})
        assert answer.status_code == 200, answer.text
        assert answer.json()["read"] == size
        flags = program.post("/oversight/flags", json={"purpose": "integrity"}).json()
        assert flags["flags"] == []
        told = program.post("/oversight/transparency", json={"purpose": "lawfulness", "since": "2026-01-01T00:00:00Z"})
        assert told.status_code == 200, told.text
    assert kinds(pretend.product)[size:].count("oversight.read") == 3


def test_urgent_use_that_nobody_approved_is_a_sign() -> None:
    at = moments.now()
    mine = Grant(3, at, "A-1", "user:a", "user:a", "T-1", "p", "own", ("album",), True)
    acts = Acts(
        at - timedelta(days=1), at, grants=(mine,), lapses=(Lapse(9, at, "A-1", False), Lapse(8, at, "A-2", True))
    )
    (flag,) = unapproved(acts)
    assert (flag.severity, flag.people, flag.entries) == ("urgent", ("user:a",), (3, 9))
    assert "not approved in time" in flag.reason
    assert unapproved(Acts(at - timedelta(days=1), at, grants=(mine,))) == []


def test_what_lapsed_in_a_home_reaches_the_overseer(pretend: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.services.test_request import REASONS, wanted

    product = pretend.product
    terms = wanted(basis="own", basis_document=None, urgent=True)
    request = product.requests.ask(terms, REASONS, TESTER)
    probe = people.photograph("ada", note="asked")
    product.search(SearchRequest((probe,), str(request.authority)), TESTER)
    product.requests.decline(request.id, "there was time", TESTER)
    with pretend.program("oversight:read") as program:
        flags = program.post("/oversight/flags", json={"purpose": "lawfulness"}).json()["flags"]
    (flag,) = [one for one in flags if one["rule"] == "urgent-unapproved"]
    assert "declined" in flag["reason"]


@pytest.fixture
def window(pretend: Served) -> Iterator[Page]:
    """A browser's window, signed in."""
    with windowed(pretend) as page:
        yield page


def test_one_page_says_how_the_house_was_used(pretend: Served, window: Page) -> None:
    authority = grant(pretend.product, "album")
    probe = people.photograph("ada", note="asked")
    pretend.product.search(SearchRequest((probe,), authority.id), TESTER)
    size = pretend.product.ledger_size
    choose(window, "Oversight", "Records")
    expect(window.get_by_role("heading", name="Oversight", level=1)).to_be_visible()
    assert pretend.product.ledger_size == size, "the form alone reads nothing"
    window.get_by_label("What is this reading for?").select_option("self-monitoring")
    window.get_by_role("button", name="Read").click()
    expect(window.get_by_role("heading", name="What looks wrong")).to_be_visible()
    expect(window.locator(".figures")).to_contain_text("1 search")
    assert "oversight.read" in kinds(pretend.product)[size:]
    window.get_by_text("This reading is entry").get_by_role("link").click()
    expect(window.locator("h1")).to_have_text("Ledger read by an overseer")


def test_signs_of_one_matter_stand_together_and_what_wants_a_person_comes_first(pretend: Served, window: Page) -> None:
    unlike = ("ada", "bob", "cyd", "dan", "eve", "fay")
    for case, names in {"C-1": unlike, "C-2": ("ada",), "C-3": ("ada",)}.items():
        authority = grant(pretend.product, "album", case=case)
        for name in names:
            probe = people.photograph(name, note=f"{name} {case}")
            pretend.product.search(SearchRequest((probe,), authority.id), TESTER)
    window.goto(f"{pretend.address}/oversight?reading=lawfulness")
    wrong = window.locator("section[aria-labelledby=wrong]")
    expect(wrong).to_contain_text("0 urgent, 1 for a person to look at, 1 that can wait for a sample.")
    (matter,) = wrong.locator("> ol.signs > li").all()
    expect(matter.locator(".tag").first).to_have_text("look")
    expect(matter).to_contain_text("searched for one face under 3 cases")
    others = matter.get_by_role("list", name="Other signs of the same matter")
    expect(others).to_contain_text("6 different faces under the one case C-1")
    later = wrong.get_by_text("What can wait for a sample")
    expect(wrong.get_by_text("nearly the same justification")).not_to_be_visible()
    later.click()
    expect(wrong.get_by_text("nearly the same justification")).to_be_visible()
    with pretend.program("oversight:read") as program:
        body = program.post("/oversight/flags", json={"purpose": "lawfulness"}).json()
    assert [one["flags"][0]["rule"] for one in body["matters"]] == ["face-under-many-cases", "repeated-justification"]
    assert sorted((f for one in body["matters"] for f in one["flags"]), key=repr) == sorted(body["flags"], key=repr)


def test_from_a_figure_to_the_acts_to_one_act_and_its_proof(pretend: Served, window: Page) -> None:
    authority = grant(pretend.product, "album", case="T-9 & co", purpose='<b>"to find</b>')
    probe = people.photograph("ada", note="asked")
    result = pretend.product.search(SearchRequest((probe,), authority.id), TESTER)
    window.goto(f"{pretend.address}/oversight?reading=lawfulness")
    expect(window.locator("svg.drawn").first).to_be_visible()
    assert window.evaluate("getComputedStyle(document.querySelector('svg.drawn text')).fill").startswith("rgb")
    size = pretend.product.ledger_size
    window.get_by_role("table").get_by_role("link", name="T-9 & co").click()
    expect(window.get_by_role("heading", name="Acts", level=1)).to_be_visible()
    expect(window.locator(".acts-table tbody tr")).to_have_count(1)
    window.get_by_role("link", name=result.search).click()
    expect(window.get_by_role("heading", name="One search")).to_be_visible()
    expect(window.get_by_text('<b>"to find</b>')).to_be_visible()
    with window.expect_download() as loading:
        window.get_by_role("link", name=f"Inclusion proof of entry {result.receipt['seq']}").click()
    receipt = json.loads(loading.value.path().read_text())
    assert verify_receipt(receipt, pretend.product.vkey).body["search"] == result.search
    first, second, third = pretend.product.ledger_entries(size, pretend.product.ledger_size, opened=True)
    assert [(e["body"]["what"], e["body"]["purpose"]) for e in (first, second)] == [
        ("acts", "lawfulness"),
        ("act", "lawfulness"),
    ]
    assert list(first["opened"].values()) == [{"case": "T-9 & co"}], "what can be typed is sealed"
    assert second["body"]["act"] == result.search
    assert third["type"] == "ledger.read", "the receipt of an entry is read of the ledger too"


def test_what_another_sites_page_asks_for_is_not_read(pretend: Served) -> None:
    with pretend.browser() as browser:
        size = pretend.product.ledger_size
        for path in ("/oversight", "/oversight/acts", "/oversight/acts/S-0123456789abcdef"):
            for site in ("cross-site", "same-site"):
                answer = browser.get(f"{path}?reading=lawfulness", headers={"Sec-Fetch-Site": site})
                assert (answer.status_code, "What is this reading for?" in answer.text) == (200, True)
            ahead = browser.get(f"{path}?reading=lawfulness", headers={"Sec-Purpose": "prefetch;prerender"})
            assert "What is this reading for?" in ahead.text
            assert browser.get(path).status_code == 200, "without a purpose there is the form"
        assert browser.get("/oversight/report").status_code == 422
        assert pretend.product.ledger_size == size
        assert browser.get("/oversight?reading=curiosity").status_code == 422
        assert browser.get("/oversight?reading=lawfulness&from=yesterday").status_code == 422
        assert browser.get("/oversight/acts/S-0123456789abcdef?reading=lawfulness").status_code == 404
        report = browser.get("/oversight/report?reading=lawfulness&span=ever")
    assert report.content.startswith(b"%PDF")


def test_acts_are_narrowed(pretend: Served) -> None:
    product = pretend.product
    for case, person in (("C-1", "ada"), ("C-1", "zoe"), ("C-2", "ada")):
        authority = grant(product, "album", case=case)
        product.search(SearchRequest((people.photograph(person, note=f"asked {case}"),), authority.id), TESTER)
    with pretend.program("oversight:read") as program:

        def asked(**more: str) -> list[dict[str, Any]]:
            answer = program.post("/oversight/acts", json={"purpose": "lawfulness", **more})
            assert answer.status_code == 200, answer.text
            return list(answer.json()["acts"])

        assert len(asked()) == 3
        assert len(asked(case="C-1")) == 2
        assert [act["came"] for act in asked(came="reliable", case="C-2")] == ["reliable"]
        assert {act["kind"] for act in asked(kind="granted")} == {"granted"}
        assert len(asked(approved="self")) == 3, "in a personal home every one is"
        assert asked(user="user:nobody") == []
        assert asked(sign="burst") == []
        assert program.post("/oversight/acts", json={"purpose": "lawfulness", "sign": "x"}).status_code == 422
        search = asked(case="C-2")[0]["search"]
        whole = program.post(f"/oversight/acts/{search}", json={"purpose": "lawfulness"}).json()
        assert [e["type"] for e in whole["entries"]] == ["authority.granted", "search.started", "search.shown"]
        report = program.post("/oversight/report", json={"purpose": "lawfulness"})
        assert report.content.startswith(b"%PDF")
