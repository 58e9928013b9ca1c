"""People at the door, in Debian's chromium: a password and a code, a passkey, an account set up and handed over.

Every test ends by asking the console: nothing may have broken the Content-Security-Policy or failed.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.places import Place, kinds
from tests.teams import PASSWORD, Team, team_at
from tests.web.conftest import Served, serve
from tests.web.test_browser import chromium, failed

assert chromium

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    place = Place(tmp_path_factory.mktemp("people"))
    yield team_at(place)
    place.close()


@pytest.fixture(scope="module")
def served(team: Team) -> Iterator[Served]:
    for one in serve(team.product):
        # Passkeys are for a name, never for an address.
        one.address = one.address.replace("127.0.0.1", "localhost")
        yield one


@pytest.fixture
def window(served: Served, chromium: Browser) -> Iterator[Open]:
    """Opens a browser window; afterwards its console must be clean, but for the answers that say no."""
    said: list[str] = []
    contexts = []

    def opened(path: str = "/", **options: Any) -> Page:
        context = chromium.new_context(**({"viewport": {"width": 1280, "height": 860}} | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda m: said.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("requestfailed", lambda r: said.append(f"{r.url} {r.failure}") if failed(r) else None)
        page.goto(served.address + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [line for line in said if "status of 401" not in line and "status of 422" not in line] == []


def sign_in(page: Page, name: str, password: str = PASSWORD, code: str = "") -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    if code:
        page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_a_password_then_a_code(team: Team, served: Served, window: Open) -> None:
    page = window()
    page.wait_for_url(f"{served.address}/sign-in")
    sign_in(page, "requester", "wrong lantern drives slowly")
    expect(page.get_by_role("alert")).to_contain_text("That did not open an account")
    sign_in(page, "requester")
    page.wait_for_url(f"{served.address}/")
    expect(page.get_by_role("navigation").get_by_role("link")).to_have_text(
        ["Search", "Sources", "Requests", "Authorities", "Reviews", "Subject access", "Retention", "Tokens"]
    )

    page.get_by_role("link", name="requester").click()
    page.get_by_role("button", name="Add one…").first.click()
    dialog = page.locator("#new-authenticator")
    dialog.get_by_label("Your password").fill("wrong lantern drives slowly")
    dialog.get_by_role("button", name="Go on").click()
    expect(dialog.get_by_role("alert")).to_have_text("That is not your password.")
    dialog.get_by_label("Your password").fill(PASSWORD)
    dialog.get_by_role("button", name="Go on").click()
    picture = dialog.get_by_role("img")
    expect(picture).to_be_visible()
    expect(dialog.locator("#secret")).not_to_be_empty()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth > 0"), "the QR code is drawn"
    secret = dialog.locator("#secret").inner_text().replace(" ", "")
    dialog.get_by_label("Code").fill(pyotp.TOTP(secret).now())
    dialog.get_by_role("button", name="Use it from now on").click()
    codes = page.locator("#code-list li")
    expect(codes).to_have_count(10)
    kept = codes.first.inner_text()
    page.get_by_role("button", name="I have kept them").click()
    expect(page.locator("#flash")).to_have_text("Done.")
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url(f"{served.address}/sign-in")

    sign_in(page, "requester")
    expect(page.get_by_label("Code")).to_be_focused()
    at = int(time.time()) + 30
    sign_in(page, "requester", code=pyotp.TOTP(secret).at(at))
    page.wait_for_url(f"{served.address}/")

    other = window("/sign-in")
    sign_in(other, "requester")
    sign_in(other, "requester", code=kept)
    other.wait_for_url(f"{served.address}/")
    other.get_by_role("link", name="requester").click()
    expect(other.locator("tbody tr td:nth-child(3)")).to_have_text(
        ["password and recovery code", "password and authenticator", "set-up code"]
    )
    other.get_by_role("button", name="Sign out everywhere else").click()
    expect(other.locator("tbody tr")).to_have_count(1)
    page.reload()
    page.wait_for_url(f"{served.address}/sign-in")
    assert "people.code-used" in kinds(team.product)


def test_what_is_pressed_before_the_scripts_came_is_done_once_they_are_there(
    team: Team, served: Served, window: Open
) -> None:
    page = window("/sign-in")
    held: list[Route] = []
    page.context.route("**/static/sign_in.js", lambda route: held.append(route), times=1)
    page.goto(f"{served.address}/sign-in", wait_until="commit")
    page.get_by_label("Name").fill("reviewer")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Password").press("Enter")
    page.get_by_role("button", name="Sign in", exact=True).click()
    assert page.url == f"{served.address}/sign-in", "a password is in the address"
    assert len(held) == 1, "the script was not waited for"
    before = kinds(team.product).count("session.begun")
    held.pop().continue_()
    page.wait_for_url(f"{served.address}/")
    assert kinds(team.product).count("session.begun") == before + 1, "pressed twice, done once"

    other = window("/sign-in")
    sign_in(other, "reviewer")
    other.wait_for_url(f"{served.address}/")
    other.context.route("**/static/account.js", lambda route: held.append(route), times=1)
    other.goto(f"{served.address}/account", wait_until="commit")
    other.get_by_role("button", name="Sign out everywhere else").click()
    expect(other.locator("tbody tr")).to_have_count(3)
    held.pop().continue_()
    expect(other.locator("tbody tr")).to_have_count(1)


def test_every_form_says_how_it_is_sent_and_none_leaves_it_to_the_address() -> None:
    pages = Path(str(files("countenance.web"))) / "templates"
    said = [
        f"{page.name}: {form}"
        for page in sorted(pages.glob("*.html"))
        for form in re.findall(r"<form[^>]*>", page.read_text("utf-8"))
        if "method=" not in form
    ]
    assert said == []


def test_a_passkey(team: Team, served: Served, window: Open) -> None:
    page = window("/sign-in")
    developer = page.context.new_cdp_session(page)
    developer.send("WebAuthn.enable")
    made = developer.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    sign_in(page, "authoriser")
    page.wait_for_url(f"{served.address}/")
    page.get_by_role("link", name="authoriser").click()
    page.locator("[data-open=new-passkey]").click()
    dialog = page.locator("#new-passkey")
    dialog.get_by_label("Your password").fill(PASSWORD)
    dialog.get_by_label("A name for it").fill("Desk key")
    dialog.get_by_role("button", name="Go on").click()
    expect(page.locator("#flash")).to_have_text("The passkey is added.")
    expect(page.get_by_text("Desk key")).to_be_visible()
    credentials = developer.send("WebAuthn.getCredentials", {"authenticatorId": made["authenticatorId"]})["credentials"]
    assert [one["rpId"] for one in credentials] == ["localhost"]

    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url(f"{served.address}/sign-in")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{served.address}/")
    page.get_by_role("link", name="authoriser").click()
    expect(page.locator("tbody tr").first).to_contain_text("passkey")

    # Whoever verified nobody gets nowhere, and neither does a key that was removed.
    developer.send("WebAuthn.setUserVerified", {"authenticatorId": made["authenticatorId"], "isUserVerified": False})
    page.goto(f"{served.address}/sign-in")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_timeout(500)
    assert page.url == f"{served.address}/sign-in"
    developer.send("WebAuthn.setUserVerified", {"authenticatorId": made["authenticatorId"], "isUserVerified": True})
    page.goto(f"{served.address}/account")
    page.get_by_role("button", name="Remove…").click()
    gone = page.locator("#no-passkey")
    gone.get_by_label("Your password").fill(PASSWORD)
    gone.get_by_role("button", name="Remove").click()
    expect(page.locator("#flash")).to_have_text("The passkey is removed.")
    page.goto(f"{served.address}/sign-in")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("did not open an account")


def test_an_answer_of_a_passkey_is_good_once_and_here(served: Served) -> None:
    """Without the cookie that holds its challenge, or with another's, nothing opens."""
    headers = {"Origin": served.address, "Accept": "application/json"}
    with httpx.Client(base_url=served.address, headers=headers) as browser:
        given = {"answer": {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {}}}
        assert browser.post("/sign-in/passkey", json=given).status_code == 401
        assert browser.post("/sign-in/passkey/begin").json()["rpId"] == "localhost"
        assert browser.post("/sign-in/passkey", json=given).status_code == 401
        browser.cookies.set("countenance-waiting", "e30.e30", domain="localhost.local")
        assert browser.post("/sign-in/passkey", json={"answer": {}}).status_code == 401


def test_an_account_is_made_and_handed_over(team: Team, served: Served, window: Open) -> None:
    page = window("/sign-in")
    sign_in(page, "administrator")
    page.wait_for_url(f"{served.address}/")
    expect(page.get_by_role("navigation").get_by_role("link")).to_have_text(
        ["Sources", "Retention", "Accounts", "Tokens"]
    )
    page.get_by_role("link", name="Accounts").click()
    page.get_by_role("button", name="Add an account").click()
    form = page.locator("#add-form")
    form.get_by_label("Name").fill("nia@example.org")
    form.get_by_label("administrator").check()
    form.get_by_label("requester").check()
    form.get_by_role("button", name="Add").click()
    expect(form.get_by_role("alert")).to_contain_text("cannot be held together")
    form.get_by_label("administrator").uncheck()
    form.get_by_role("button", name="Add").click()
    expect(page.locator("#handed-link")).to_contain_text("/set-up#")
    link = page.locator("#handed-link").inner_text()
    assert link.startswith(f"{served.address}/set-up#")
    page.get_by_role("button", name="Done").click()
    card = page.locator("li.card", has_text="nia@example.org")
    expect(card).to_contain_text("waiting")

    other = window("/sign-in")
    other.goto(link)
    assert other.url == f"{served.address}/set-up", "the code does not stay in the address"
    expect(other.locator("#code-field")).to_be_hidden()
    for password, again, words in (
        ("passwordpassword", "passwordpassword", "tried first"),
        (PASSWORD, PASSWORD + "!", "two different"),
    ):
        other.get_by_label("Password").fill(password)
        other.get_by_label("The same again").fill(again)
        other.get_by_role("button", name="Go on").click()
        expect(other.get_by_role("alert")).to_contain_text(words)
    other.get_by_label("The same again").fill(PASSWORD)
    other.get_by_role("button", name="Go on").click()
    other.wait_for_url(f"{served.address}/account")
    expect(other.get_by_role("heading", name="nia@example.org")).to_be_visible()

    page.reload()
    card.get_by_role("button", name="Roles…").click()
    roles = page.locator("#roles-form")
    expect(roles.get_by_label("requester")).to_be_checked()
    roles.get_by_label("reviewer").check()
    roles.get_by_role("button", name="Give these").click()
    expect(card).to_contain_text("requester, reviewer")
    card.get_by_role("button", name="Disable…").click()
    page.locator("#sure").get_by_role("button", name="Go on").click()
    expect(card).to_contain_text("disabled")
    other.goto(f"{served.address}/search")
    other.wait_for_url(f"{served.address}/sign-in")


def test_the_door_by_keyboard_and_on_a_small_screen(served: Served, window: Open) -> None:
    page = window("/sign-in", viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_label("Name").focus()
    page.keyboard.type("auditor")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{served.address}/")
    # Who only looks is offered nothing that would be refused.
    offered = page.locator(".path").get_by_role("link")
    expect(offered).to_have_text(["Sources", "Authorities"])
    for path in ("/account", "/accounts"):
        page.goto(served.address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
    expect(page.get_by_role("button", name="Add an account")).to_have_count(0)
