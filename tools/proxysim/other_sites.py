"""What is no face search: reverse-image search, look-alike hosts, and the rest of the working day."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tools.proxysim.browsing import SEARCH_ENGINE, Browser
from tools.proxysim.traffic import Act, Exchange

LOOK_ALIKE = ("notpimeyes.com", "pimeyes.com.example.net", "pimeyes-com.example", "xn--pmeyes-q4a.example")
SITES = tuple(
    f"{name}.example.{top}" for name in ("intranet", "mail", "docs", "maps", "news", "shop") for top in ("com", "org")
)


def tineye(browser: Browser) -> Act:
    """Looks for copies of a picture on TinEye: reverse-image, not face, search."""
    browser.page("tineye.com", "/", referrer=SEARCH_ENGINE, assets=4)
    browser.wait(5, 30)
    browser.send("POST", "tineye.com", "/api/v1/result_json/", body=browser.photo(), answer=30_000)
    browser.page("tineye.com", f"/search/{browser.token(40)}", assets=2)
    return browser.done(
        "reverse-image search, TinEye", "tineye.com", "RESULTS_VIEWED", category="reverse-image", searches=1
    )


def lens(browser: Browser) -> Act:
    """Looks for a picture with Google Lens."""
    browser.send(
        "POST", "lens.google.com", "/v3/upload", query="ep=gsbubb", status=303, body=browser.photo(), answer=500
    )
    browser.send("GET", "lens.google.com", "/search", query=f"p={browser.token(30)}", mime="text/html", answer=90_000)
    return browser.done(
        "reverse-image search, Lens", "lens.google.com", "RESULTS_VIEWED", category="reverse-image", searches=1
    )


def look_alike(browser: Browser) -> Act:
    """Visits a host that only looks like a face-search site, with the very same addresses."""
    host = browser.rng.choice(LOOK_ALIKE)
    browser.page(host, "/en", assets=2)
    browser.send("POST", host, "/api/upload/file", body=browser.photo())
    browser.send("POST", host, "/api/search/new", body=340)
    return browser.done("look-alike host", host, "VISIT", category="look-alike")


OTHERS: dict[Callable[[Browser], Act], int] = {tineye: 3, lens: 3, look_alike: 3}
"""Every such act, and how often it happens in proportion."""


def a_day_s_work(browser: Browser, pages: int) -> Iterator[Exchange]:
    """Pages of the working day, which no profile names; some large uploads among them."""
    for _ in range(pages):
        host = browser.rng.choice(SITES)
        browser.page(host, f"/{browser.token(6)}", assets=browser.rng.randrange(0, 6))
        if browser.rng.random() < 0.1:
            browser.send("POST", host, "/upload", body=browser.photo())
        browser.wait(5, 600)
    yield from browser.exchanges
