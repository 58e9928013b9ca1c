"""The page of tokens: a secret is shown once, reaches no further than its owner, and is gone when it is revoked."""

from __future__ import annotations

import re

import httpx
from playwright.sync_api import expect

from tests.places import Place
from tests.teams import team_at
from tests.web.conftest import Served, serve
from tests.web.windows import windowed


def test_a_token_is_made_shown_once_and_revoked(pretend: Served) -> None:
    with windowed(pretend, excused="422") as page:
        page.goto(f"{pretend.address}/tokens")
        page.get_by_label("What it is for").fill("nightly <b>")
        page.get_by_role("button", name="Make it").click()
        expect(page.get_by_role("alert")).to_contain_text("at least one scope")
        expect(page.get_by_label("What it is for")).to_have_value("nightly <b>")
        page.get_by_role("checkbox", name=re.compile("status:read")).check()
        page.get_by_role("button", name="Make it").click()
        secret = page.locator("#secret").inner_text()
        with httpx.Client(
            base_url=f"{pretend.address}/api/v1", headers={"Authorization": f"Bearer {secret}"}
        ) as program:
            assert program.get("/status").status_code == 200
            assert program.get("/sources").status_code == 403
            page.goto(f"{pretend.address}/tokens")
            assert secret not in page.content()
            page.get_by_role("button", name="Revoke nightly <b>").click()
            expect(page.get_by_text("revoked", exact=True)).to_be_visible()
            assert program.get("/status").status_code == 401


def test_only_what_ones_own_roles_reach_is_offered(place: Place) -> None:
    team = team_at(place)
    for served in serve(team.product):
        headers = {"Accept": "text/html", "Origin": served.address}
        with httpx.Client(base_url=served.address, headers=headers) as browser:
            browser.cookies.set("countenance", team.sign_in("reviewer").secret)
            text = browser.get("/tokens").text
            assert 'value="inspections:judge"' in text
            assert 'value="accounts:write"' not in text
            forged = {"name": "x", "days": "30", "scopes": "accounts:write"}
            assert browser.post("/tokens", data=forged).status_code == 403, "without the page's own token"
            csrf = re.search(r'name="csrf" value="([^"]+)"', text)
            assert csrf
            answer = browser.post("/tokens", data=forged | {"csrf": csrf[1]})
            assert (answer.status_code, "no role of yours" in answer.text.lower()) == (422, True)
