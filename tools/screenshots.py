"""Photographs of the pages for README and docs, taken on the demo's home, where every person is synthetic.

`make demo ARGS=--once` makes that home; then `python -m tools.screenshots` writes `docs/images/*.png`.
Needs Debian's chromium.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path

import uvicorn
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from countenance.access.sessions import Sessions
from countenance.app import Countenance, open_home, system_actor
from countenance.services.analyse import NewAnalysis
from countenance.settings import Settings
from countenance.web.application import build
from countenance.web.serve import address_of, listen
from demo.cast import CAST, PROBE
from demo.people import MOODS, photograph
from tools.proxysim.scenarios import SCENARIOS
from tools.proxysim.writers import FORMATS, logs

ROOT = Path(__file__).resolve().parent.parent
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
             "--disable-sync"]  # fmt: skip
WIDE, NARROW = {"width": 1280, "height": 860}, {"width": 400, "height": 860}


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, Sessions]]:
    """The pages over the demo's home."""
    with open_home(settings=Settings(home=folder / "home", key_dir=folder / "keys", demo=True)) as product:
        analyse(product)
        sessions, listening = Sessions(), listen("127.0.0.1", 0)
        server = uvicorn.Server(uvicorn.Config(build(product, sessions), log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        try:
            yield address_of(listening), sessions
        finally:
            server.should_exit = True
            thread.join(10)
            listening.close()


def analyse(product: Countenance) -> None:
    """The made-up log of 2,337 hits that the README speaks of."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in logs(SCENARIOS["hits-2337"](7), FORMATS["squid"], "mixed").items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        with chdir(folder):
            asked = NewAnalysis(("proxy-a.log", "proxy-b.log"), why="a made-up complaint")
            product.logs.analyse(asked, system_actor("screenshots"))


def take(page: Page, name: str, target: Path) -> None:
    """One picture, with few enough colours to be small."""
    page.wait_for_timeout(600)
    file = target / f"{name}.png"
    page.screenshot(path=file)
    Image.open(file).convert("RGB").quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(file, optimize=True)
    print(file)


@contextmanager
def window(browser: Browser, address: str, sessions: Sessions, *, scheme: str, size: dict[str, int]) -> Iterator[Page]:
    """A browser window that came in through the one-time link."""
    context = browser.new_context(color_scheme=scheme, viewport=size)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{address}/enter#{sessions.mint_link()}")
    page.wait_for_url(f"{address}/")
    yield page
    context.close()


def search(page: Page, address: str) -> None:
    """From a photograph to candidates."""
    page.goto(f"{address}/search")
    page.set_input_files("#pick", photograph(CAST[0], PROBE))
    expect(page.locator(".overlay .chosen")).to_have_count(1)
    page.locator("input[name=authority]").first.check()
    page.locator("#go").click()
    expect(page.locator("#groups .crop img[src]").first).to_be_visible()


def walk(browser: Browser, address: str, sessions: Sessions, target: Path) -> None:
    """Every picture."""
    with window(browser, address, sessions, scheme="light", size=WIDE) as page:
        take(page, "start", target)
        for name in ("sources", "authorities", "ledger"):
            page.goto(f"{address}/{name}")
            take(page, name, target)
        page.goto(f"{address}/search")
        page.set_input_files("#pick", photograph(CAST[0], MOODS))
        expect(page.locator(".overlay .face")).to_have_count(16)
        page.locator(".overlay [data-n='4']").click()
        page.evaluate("scrollTo(0, 0)")
        take(page, "faces", target)
        search(page, address)
        take(page, "search", target)
        page.locator(".compare").nth(1).click()
        expect(page.locator("#candidate-face[src]")).to_be_visible()
        take(page, "compare", target)
        page.keyboard.press("Escape")
        page.locator("#receipt summary").click()
        page.locator("#check-receipt").click()
        expect(page.locator("#receipt-checked")).to_contain_text("Proven")
        page.locator("#receipt").scroll_into_view_if_needed()
        page.mouse.wheel(0, 800)
        take(page, "receipt", target)
        page.goto(f"{address}/proxylog")
        page.locator(".analyses h2 a").first.click()
        expect(page.locator(".plot img").first).to_be_visible()
        page.wait_for_load_state("networkidle")
        take(page, "proxylog", target)
        page.get_by_role("link", name="Why").first.click()
        take(page, "proxylog-session", target)
    with window(browser, address, sessions, scheme="dark", size=WIDE) as page:
        search(page, address)
        take(page, "search-dark", target)
    with window(browser, address, sessions, scheme="light", size=NARROW) as page:
        search(page, address)
        take(page, "search-small", target)


def main() -> int:
    """Take them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / ".demo", help="the demo's folder")
    parser.add_argument("--target", type=Path, default=ROOT / "docs" / "images")
    given = parser.parse_args()
    if not (given.folder / "home").is_dir():
        print("There is no demo yet: make demo ARGS=--once", file=sys.stderr)
        return 1
    given.target.mkdir(parents=True, exist_ok=True)
    with served(given.folder) as (address, sessions), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        walk(browser, address, sessions, given.target)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
