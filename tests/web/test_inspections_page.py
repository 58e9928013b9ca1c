"""The pages of inspections, from drawing to follow-up, each by whoever may."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from countenance.services.search import SearchRequest
from tests import pretend as people
from tests.places import TESTER, grant, kinds
from tests.web.conftest import Served
from tests.web.windows import choose, windowed


@pytest.fixture
def window(pretend: Served) -> Iterator[Page]:
    """A browser's window, signed in."""
    with windowed(pretend) as page:
        yield page


def test_from_drawing_to_follow_up(pretend: Served, window: Page) -> None:
    product = pretend.product
    authority = grant(product, "album")
    result = product.search(SearchRequest((people.photograph("ada", note="asked"),), authority.id), TESTER)
    choose(window, "Inspections", "Records")
    expect(window.get_by_text("Nothing waits.")).to_be_visible()
    window.get_by_role("button", name="Draw searches").click()
    window.get_by_label("A word of yours").fill("blue heron")
    window.get_by_role("button", name="Draw", exact=True).click()
    expect(window.get_by_text("Drawn and assigned.")).to_be_visible()
    window.get_by_role("region", name="Inspections that wait").get_by_role("link").first.click()
    size = product.ledger_size
    window.get_by_role("link", name="Open the file").click()
    expect(window.get_by_role("heading", name="The leave")).to_be_visible()
    assert kinds(product)[size:] == ["inspection.read"]
    window.get_by_label("Something has to be explained.").check()
    window.get_by_label("In words").fill("Why was it made at night?")
    window.get_by_role("button", name="Record").click()
    expect(window.get_by_text("Why was it made at night?")).to_be_visible()
    (one,) = product.inspections.every(TESTER)
    assert (one.search, one.state(one.due)) == (result.search, "query")
    expect(window.get_by_role("heading", name="What has to come of it?")).to_be_visible()
    with pretend.program("inspections:read", "inspections:judge") as program:
        assert program.get(f"/inspections/draws/{one.draw}/check").json()["agrees"]
        body = {"owner": "nobody", "due": "2100-01-01", "words": "explain"}
        assert program.post(f"/inspections/{one.id}/follow-up", json=body).status_code == 404
        assert program.post(f"/inspections/{one.id}/done", json={"words": "x"}).status_code == 403
        told = program.post(f"/inspections/{one.id}/file").json()
        assert {e["part"] for e in told["entries"]} == {"authority", "search", "inspection"}
