"""The overseer's console: every reading has a purpose and is an entry; what looks wrong comes with its entries."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from countenance.domain.acts import Acts, Grant, Lapse
from countenance.domain.misuse.urgent import unapproved
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
