"""A browser's window on a server's pages, signed in through the one-time link."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, expect, sync_playwright

from tests.web.conftest import Served
from tests.web.test_browser import ARGUMENTS


def choose(page: Page, name: str, group: str) -> None:
    """Follow a link of the menu, inside its group."""
    menu = page.get_by_role("navigation")
    menu.locator("summary", has_text=group).click()
    menu.get_by_role("link", name=name, exact=True).click()


@contextmanager
def windowed(served: Served, *, excused: str | None = None) -> Iterator[Page]:
    """The window; its console has to stay clean, but for what holds `excused`."""
    found = shutil.which("chromium")
    assert found, "chromium is missing: apt-get install -y chromium"
    said: list[str] = []
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=[*ARGUMENTS])
        page = browser.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda m: said.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{served.address}/enter#{served.sessions.mint_link()}")
        page.wait_for_url(f"{served.address}/")
        yield page
        browser.close()
    assert [one for one in said if excused is None or excused not in one] == []
