"""The page of retention: the schedule, what is due, what was destroyed, and holds for whoever may see them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from countenance.ledger.receipt import verify_receipt
from countenance.services.hold import NewHold
from countenance.services.register import NewSource
from countenance.services.sign_in import csrf_of
from countenance.store import moments
from tests.places import TESTER, Place, kinds
from tests.teams import team_at
from tests.web.conftest import Served, serve
from tests.web.windows import windowed


def test_programs_read_the_schedule_and_check_a_receipt(pretend: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    product = pretend.product
    over = product.source(product.sources()[0].name).expires_at
    with monkeypatch.context() as patch:
        patch.setattr(moments, "now", lambda: over)
        done = product.run_retention(TESTER)
    with pretend.program("retention:read") as program:
        body = program.get("/retention").json()
        assert {rule["rule"] for rule in body["rules"]} >= {"sources", "probes", "ledger"}
        assert next(r for r in body["rules"] if r["rule"] == "sources")["for"] == "90 days"
        assert body["held"]["holds"] == 0
        receipt = program.get(f"/retention/receipts/{done['entry']}").json()
        assert verify_receipt(receipt["proof"], receipt["key"]).seq == done["entry"]
        assert program.get("/retention/receipts/0").status_code == 404


def test_everybody_sees_how_much_is_held_and_few_see_what(tmp_path: Path) -> None:
    team = team_at(Place(tmp_path / "team"))
    product = team.product
    folder = tmp_path / "photos"
    folder.mkdir()
    product.add_source(NewSource("album", "folder", str(folder), "Tests", "consent"), team.actor("administrator"))
    until = moments.now() + timedelta(days=30)
    placed = product.holds.place(
        NewHold("a court asked for it", until, sources=("album",), case="C-77"), team.actor("authoriser")
    )
    for served in serve(product):
        pages = {}
        for role in ("requester", "auditor", "authoriser"):
            opened = team.sign_in(role)
            with httpx.Client(base_url=served.address, cookies={"countenance": opened.secret}) as browser:
                pages[role] = browser.get("/retention", headers={"Accept": "text/html"}).text
                form = {"reason": "x", "csrf": csrf_of(opened.secret)}
                answer = browser.post(
                    f"/retention/holds/{placed.id}/release", data=form, headers={"Origin": served.address}
                )
                # An auditor changes nothing, a requester neither, and whoever placed it is not the one.
                assert answer.status_code == 403, (role, answer.status_code)
        assert all("1</strong> legal hold" in page for page in pages.values())
        for said in (placed.id, "a court asked for it", "C-77"):
            assert said not in pages["requester"]
            assert said in pages["auditor"]
        assert "Place a hold" in pages["authoriser"]
        assert "Place a hold" not in pages["auditor"]
        assert "Why it is released" not in pages["authoriser"]
    product.close()


@pytest.fixture
def window(pretend: Served) -> Iterator[Page]:
    """A browser's window, signed in."""
    with windowed(pretend) as page:
        yield page


def test_a_person_places_a_hold_and_releases_it(pretend: Served, window: Page) -> None:
    window.goto(f"{pretend.address}/retention")
    window.get_by_text("Place a hold").click()
    window.get_by_label("Reason").fill("a court asked")
    window.get_by_label("Until").fill(f"{moments.now() + timedelta(days=40):%Y-%m-%d}")
    window.get_by_role("group", name="Sources").get_by_role("checkbox").first.check()
    window.get_by_role("group", name="Collections").get_by_label("wall").check()
    window.get_by_role("button", name="Place it").click()
    expect(window.get_by_text("in force", exact=True)).to_be_visible()
    (hold,) = pretend.product.holds.held().holds.values()
    assert (len(hold.scope.sources), hold.scope.collections) == (1, ("wall",))
    window.get_by_label("Why it is released").fill("looked into")
    window.get_by_role("button", name=f"Release {hold.id}").click()
    expect(window.get_by_text("released", exact=True)).to_be_visible()
    expect(window.get_by_text("looked into")).to_be_visible()


def test_the_page_says_what_was_exposed_and_gives_the_pack(pretend: Served, window: Page) -> None:
    window.goto(f"{pretend.address}/oversight")
    window.get_by_role("link", name="what was exposed").click()
    window.get_by_label("Database").check()
    window.get_by_label("Users of this machine").fill("tester")
    before = pretend.product.ledger_size
    window.get_by_role("button", name="Show").click()
    expect(window.get_by_role("heading", name="Tell the supervisory authority by")).to_be_visible()
    expect(window.get_by_text("It is not encrypted.", exact=False)).to_be_visible()
    with window.expect_download() as download:
        window.get_by_role("button", name="Save as a pack").click()
    assert download.value.suggested_filename.endswith(".zip")
    assert kinds(pretend.product)[before:] == ["oversight.read", "oversight.read", "ledger.exported"]
