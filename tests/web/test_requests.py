"""Requests by the API, and on their pages in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.places import kinds
from tests.web.conftest import Served
from tests.web.windows import choose, windowed

NECESSITY = "Two cameras saw the woman who took the handbag, and every other line of enquiry has come to an end."
PROPORTION = (
    "One photograph is compared once with the album, and whoever is not her is neither kept nor named anywhere."
)
ASKED = {
    "purpose": "find a suspect",
    "basis": "consent",
    "case": "T-1",
    "collections": ["album"],
    "expires": "2100-01-01T00:00:00Z",
    "searches": 2,
    "outcome": "a lead",
    "necessity": NECESSITY,
    "proportionality": PROPORTION,
    "stated_by": "A Tester",
}


def test_from_a_draft_to_an_authority_each_step_is_one_entry(pretend: Served) -> None:
    with pretend.program() as program:
        draft = program.post("/authority-requests", json=ASKED | {"draft": True, "necessity": ""})
        assert draft.status_code == 201
        id = draft.json()["id"]
        asked = program.post("/authority-requests", json=ASKED | {"of": id})
        assert (asked.status_code, asked.json()["id"], asked.json()["state"]) == (201, id, "requested")
        assert asked.headers["Location"] == f"/api/v1/authority-requests/{id}"
        approved = program.post(f"/authority-requests/{id}/approve")
        assert approved.status_code == 200
        assert (approved.json()["request"], approved.json()["outcome"]) == (id, "a lead")
        shown = program.get(f"/authority-requests/{id}").json()
    assert kinds(pretend.product)[-3:] == ["authority.drafted", "authority.requested", "authority.granted"]
    assert [step["what"] for step in shown["steps"]] == ["drafted", "requested", "granted"]
    assert shown["reasons"]["necessity"] == NECESSITY


@pytest.mark.parametrize(
    ("changes", "code", "status"),
    [
        ({"necessity": "needed"}, "bad-input", 422),
        ({"collections": ["nowhere"]}, "unknown", 404),
        ({"urgent": "yes"}, "bad-input", 422),
        ({"of": "R-000000000000"}, "unknown", 404),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_code_and_nothing_is_entered(
    pretend: Served, changes: dict[str, Any], code: str, status: int
) -> None:
    with pretend.program("authorities:request") as program:
        size = pretend.product.ledger_size
        answer = program.post("/authority-requests", json=ASKED | changes)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert pretend.product.ledger_size == size


def test_a_token_goes_as_far_as_its_scopes(pretend: Served) -> None:
    with pretend.program("authorities:request") as asker, pretend.program("authorities:write") as decider:
        id = asker.post("/authority-requests", json=ASKED).json()["id"]
        assert asker.post(f"/authority-requests/{id}/approve").status_code == 403
        assert decider.post("/authority-requests", json=ASKED).status_code == 403
        assert decider.post(f"/authority-requests/{id}/decline", json={}).status_code == 422
        assert decider.post(f"/authority-requests/{id}/decline", json={"reason": "no"}).json()["state"] == "declined"
        assert decider.post(f"/authority-requests/{id}/approve").json()["code"] == "refused"


@pytest.fixture
def window(pretend: Served) -> Iterator[Page]:
    """A browser's window, signed in."""
    with windowed(pretend, excused="422") as page:
        yield page


def fill(page: Page, *, urgent: bool) -> None:
    page.get_by_role("button", name="Ask for an authority").click()
    page.get_by_label("Purpose").fill("find a suspect")
    page.get_by_label("Case").fill("T-1")
    page.get_by_label("Legal basis").select_option("own")
    page.locator("input[name=collections][value=album]").check()
    page.get_by_label("Why it is necessary").fill("needed")
    page.get_by_label("Why it is proportionate").fill(PROPORTION)
    page.get_by_label("What may be done with what is found").fill("a lead")
    page.get_by_label("Your name").fill("A Tester")
    if urgent:
        page.get_by_label("Urgent").check()
    page.locator("#ask-form").get_by_role("button", name="Ask").click()
    expect(page.locator("#ask-form .form-error")).to_contain_text("too short")
    page.get_by_label("Why it is necessary").fill(NECESSITY)
    page.locator("#ask-form").get_by_role("button", name="Ask").click()


def test_asked_read_and_approved_on_pages(pretend: Served, window: Page) -> None:
    choose(window, "Requests", "Authority")
    expect(window.get_by_text("Nothing waits.")).to_be_visible()
    fill(window, urgent=False)
    expect(window.locator("#flash")).to_contain_text("Asked, as entry")
    window.get_by_role("link", name="Read and decide").click()
    expect(window.get_by_text(NECESSITY)).to_be_visible()
    window.get_by_role("button", name="Approve").click()
    expect(window.locator("#flash")).to_contain_text("Approved")
    expect(window.locator(".page-head .tag")).to_have_text("approved")
    expect(window.get_by_role("button", name="Approve")).to_have_count(0)
    (authority,) = pretend.product.authorities()
    assert authority.self_approved
    assert kinds(pretend.product)[-2:] == ["authority.requested", "authority.granted"]


def test_an_urgent_one_is_declined_on_its_page(pretend: Served, window: Page) -> None:
    window.goto(f"{pretend.address}/requests")
    fill(window, urgent=True)
    expect(window.locator("#flash")).to_contain_text("at once")
    window.get_by_role("link", name="Read and decide").click()
    expect(window.get_by_role("note")).to_contain_text("deleted unless somebody approves")
    window.get_by_role("button", name="Decline").click()
    window.get_by_label("Reason").fill("there was time to ask first")
    window.locator("#decline-form").get_by_role("button", name="Decline").click()
    expect(window.locator(".page-head .tag")).to_have_text("declined")
    assert kinds(pretend.product)[-2:] == ["authority.urgent", "authority.declined"]
