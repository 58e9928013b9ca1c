"""Every page in Debian's chromium: light and dark, wide and narrow, by keyboard, and with axe-core finding no serious
fault. The pages are those of the matrix of routes: a new one is walked as soon as it is there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from countenance.access import roles
from countenance.app import Countenance
from countenance.services.inspections import Wanted
from tests import pretend
from tests.acts import house, later, leave
from tests.acts.pictures import long_ago
from tests.acts.stage import Given, Home, entries, linked, opened
from tests.places import Place
from tests.teams import Team, team_at
from tests.web.test_browser import ARGUMENTS
from tests.web.test_matrix import ANYONE, OWN, PAGES, SIGNED_IN
from tests.web.walking import NARROW, WIDE, dialogs, faults, overflow, skips, tab_through

NO_PAGES = {
    "/static": "files",
    "/api/v1/openapi.json": "a description for programs",
    "/account/authenticator.svg": "a picture",
    "/oversight/report": "a file",
    "/ledger/checkpoint": "a file",
    "/sign-in/provider": "leads to another site",
    "/sign-in/provider/back": "comes from another site",
    "/account": "of an account, walked in the organisation",
}
"""What is answered to GET and is no page, or is none in one person's home."""

ADDRESSES = [path for method, path in PAGES if method == "GET" and path not in NO_PAGES]
BEST = ("requester", "authoriser", "reviewer", "administrator", "auditor")
"""Who walks a page in an organisation: the first of these who may see it."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    found = shutil.which("chromium")
    assert found, "chromium is missing: apt-get install -y chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=[*ARGUMENTS])
        yield browser
        browser.close()


def inspection(home: Home) -> str:
    """One that waits, in an organisation for the reviewer."""
    desk, overseer = home.product.inspections, home.actor("auditor")
    desk.draw(Wanted("self-monitoring", random=5, risk=0), overseer)
    found = desk.every(overseer)[0].id
    if home.team is not None:
        desk.assign(found, "reviewer", overseer)
    return found


def furnished(home: Home) -> Given:
    """Something of everything: the pages are walked with all that they can show."""
    given = leave.pair(home) | house.analysed(home)
    request = home.requested()
    home.authority()
    home.product.create_token("a program", ["status:read"], None, home.actor("administrator"))
    names = {"request": request, "id": request, "name": "album", "seq": "3", "inspection": inspection(home)}
    long_ago(home)
    names["receipt"] = home.product.run_retention(home.actor("administrator"))["entry"]
    if home.team is not None:
        names["account"] = home.team.account("reviewer").id
        names["owed"] = later.owed(home, "requester")["inspection"]
    return given | names


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[bool, tuple[Home, Given]]]:
    """An organisation's home, and one person's (True)."""

    def team(place: Place) -> Team:
        made = team_at(place, serve={"session_minutes": 120})
        linked(made)
        return made

    def alone(place: Place) -> Countenance:
        return place.open()

    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        pretend.put_on(patch)
        places = [Place(tmp_path_factory.mktemp(name)) for name in ("team", "alone")]
        found = [stack.enter_context(opened(place, make)) for place, make in zip(places, (team, alone), strict=True)]
        yield {home.team is None: (home, furnished(home)) for home in found}
        for place in places:
            place.close()


@pytest.fixture(scope="module")
def windows(homes: dict[bool, tuple[Home, Given]], chromium: Browser) -> Iterator[dict[str, Page]]:
    """A window for each role of the organisation, one of whoever is not signed in, and one of the one person."""
    pages: dict[str, Page] = {}
    for name in (*BEST, "stranger", "alone"):
        home = homes[name == "alone"][0]
        # Colours that fade are looked at when they have.
        context = chromium.new_context(viewport=WIDE, reduced_motion="reduce")  # type: ignore[arg-type]
        if name != "stranger":
            context.add_cookies([{"name": "countenance", "value": home.cookie(name)[0], "url": home.served.address}])
        pages[name] = context.new_page()
        pages[name].set_default_timeout(15_000)
    yield pages
    for page in pages.values():
        page.context.close()


def go(page: Page, home: Home, given: Given, path: str) -> None:
    """Open a page; what it needs to be named stands in `furnished`."""
    if path.startswith("/retention/receipts"):
        given = given | {"seq": given["receipt"]}
    answer = page.goto(home.served.address + path.format(**given))
    assert answer is not None
    assert answer.status == 200, (path, answer.status)
    expect(page.locator("main h1").first).to_be_visible()


def looks(page: Page) -> list[str]:
    """What is wrong in the four looks: wide and light in full, the others as far as they differ."""
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    wrong = [f"light, wide: {one}" for one in faults(page)]
    page.emulate_media(color_scheme="dark")
    wrong += [f"dark, wide: {one}" for one in faults(page, "color-contrast")]
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    wrong += [f"dark, narrow: {one}" for one in faults(page)]
    if (more := overflow(page)) > 0:
        wrong.append(f"{more} pixels wider than a small screen")
    page.emulate_media(color_scheme="light")
    wrong += [f"light, narrow: {one}" for one in faults(page, "color-contrast")]
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    return wrong


def may(role: str, act: str) -> bool:
    if act == OWN:
        return role == "auditor"
    return act == SIGNED_IN or (act != ANYONE and roles.may(role, act))


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_page_with_everything_on_it(
    homes: dict[bool, tuple[Home, Given]], windows: dict[str, Page], path: str
) -> None:
    home, given = homes[True]
    page = windows["alone"]
    go(page, home, given, path)
    skips(page)
    wrong = looks(page)
    wrong += tab_through(page) + dialogs(page)
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    wrong += [f"narrow: {one}" for one in tab_through(page)]
    assert not wrong, "\n".join(wrong)


ORGANISATION = [*ADDRESSES, "/account"]


@pytest.mark.parametrize("path", ORGANISATION)
def test_a_page_of_an_organisation(homes: dict[bool, tuple[Home, Given]], windows: dict[str, Page], path: str) -> None:
    home, given = homes[False]
    act = PAGES["GET", path]
    seen = ["stranger"] if act == ANYONE else [role for role in BEST if may(role, act)]
    wrong: list[str] = []
    for n, role in enumerate(seen):
        page = windows[role]
        go(page, home, given, path)
        if n == 0:
            wrong += looks(page) + tab_through(page)
        else:
            page.set_viewport_size(NARROW)  # type: ignore[arg-type]
            wrong += [f"{role}: {one}" for one in faults(page)]
            page.set_viewport_size(WIDE)  # type: ignore[arg-type]
        wrong += [f"{role}: {one}" for one in dialogs(page)]
    assert not wrong, "\n".join(wrong)


def test_the_console_after_a_purpose_was_said(homes: dict[bool, tuple[Home, Given]], windows: dict[str, Page]) -> None:
    home, given = homes[True]
    page = windows["alone"]
    go(page, home, given, "/oversight")
    page.locator("main form").get_by_role("button").first.click()
    page.wait_for_load_state()
    wrong = looks(page) + tab_through(page)
    assert not wrong, "\n".join(wrong)


def test_a_pair_is_shown(homes: dict[bool, tuple[Home, Given]], windows: dict[str, Page]) -> None:
    home, given = homes[True]
    page = windows["alone"]
    go(page, home, given, "/review")
    page.get_by_role("button", name="Take a pair").click()
    expect(page.locator("#pair-title")).to_be_focused()
    wrong = looks(page) + tab_through(page)
    assert not wrong, "\n".join(wrong)


def test_whose_follow_up_it_is_says_that_it_was_done(
    homes: dict[bool, tuple[Home, Given]], windows: dict[str, Page]
) -> None:
    home, given = homes[False]
    page = windows["requester"]
    go(page, home, given, "/")
    page.get_by_role("link", name="1 follow-up of inspections").click()
    size = home.product.ledger_size
    page.get_by_label("What was done").fill("The case file was put in order.")
    page.get_by_role("button", name="Record as done").click()
    expect(page.get_by_text("The case file was put in order.")).to_be_visible()
    assert [one["type"] for one in entries(home, size)] == ["inspection.followed-up"]
    assert page.get_by_text(given["owed"]).count() == 0, "an inspection is not for its subject to open"
    assert faults(page) == []
    go(page, home, given, "/")
    expect(page.get_by_role("link", name="follow-up")).to_have_count(0)


def test_the_menu_opens_and_closes_by_keyboard(homes: dict[bool, tuple[Home, Given]], windows: dict[str, Page]) -> None:
    home, given = homes[True]
    page = windows["alone"]
    go(page, home, given, "/")
    menu = page.get_by_role("navigation")
    assert menu.evaluate("one => one.getBoundingClientRect().height") < 60, "one line"
    group = menu.locator("summary", has_text="Records")
    group.focus()
    page.keyboard.press("Enter")
    expect(menu.get_by_role("link", name="Ledger")).to_be_visible()
    assert faults(page) == []
    page.keyboard.press("Tab")
    expect(menu.get_by_role("link", name="Oversight")).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu.get_by_role("link", name="Ledger")).to_be_hidden()
    expect(group).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(menu.locator("details[open] a").count() + 1):
        page.keyboard.press("Tab")
    expect(menu.get_by_role("link", name="Ledger")).to_be_hidden()
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    group.click()
    expect(menu.get_by_role("link", name="Ledger")).to_be_visible()
    assert overflow(page) <= 0
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    group.click()
    menu.locator("summary", has_text="Authority").click()
    menu.get_by_role("link", name="Requests").click()
    expect(menu.locator("summary.here")).to_have_text("Authority")


def test_a_bad_page_is_noticed(chromium: Browser) -> None:
    """So that a walk which finds nothing says something."""
    page = chromium.new_page(viewport=NARROW)  # type: ignore[arg-type]
    page.set_content(
        "<!doctype html><html lang=en><title>Bad</title><a class=skip href='#main'>Skip</a><main id=main tabindex=-1>"
        "<h1>Bad</h1><p style='color: #ccc; background: #fff; width: 500px'>Pale and wide</p><img src='data:,'>"
        "<button style='outline: none' id=bare>Bare</button><button tabindex=3>Early</button>"
        "<button id=trap onkeydown='event.preventDefault()'>Trap</button><button data-open=x>Nothing…</button></main>"
    )
    assert {one.split(":")[0] for one in faults(page)} >= {"color-contrast", "image-alt"}
    assert overflow(page) > 0
    wrong = "\n".join(tab_through(page))
    assert "nothing shows that one is at <button style" in wrong
    assert "Tab leads nowhere from <button id=" in wrong
    assert "never reached: <button data-open" in wrong
    assert "no dialog opens" in dialogs(page)[0]
    page.close()
