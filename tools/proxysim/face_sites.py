"""What people do on face-search sites: each function plays one act and says what it truly was.

The addresses are those of public client code, of various dates: PimEyes and FaceCheck.ID as they are described in the
site profiles' sources, search4faces (one address for every call), lenso.ai. Nothing here was tried on the sites.
"""

from __future__ import annotations

from collections.abc import Callable

from tools.proxysim.browsing import PRESS, SEARCH_ENGINE, Browser
from tools.proxysim.traffic import Act, Class, Fate

PIMEYES = "pimeyes.com"
FACECHECK = "facecheck.id"
SEARCH4FACES = "search4faces.com"
LENSO = "lenso.ai"
SCANNERS = (
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
)


def from_the_press(browser: Browser) -> Act:
    """Follows a link in an article, looks at the front page, leaves."""
    if browser.rng.random() < 0.3:
        browser.send("GET", PIMEYES, "/", status=301, mime="text/html", referrer=browser.rng.choice(PRESS), plain=True)
    browser.page(PIMEYES, browser.rng.choice(("/", "/en")), referrer=browser.rng.choice(PRESS))
    return browser.done("from the press", PIMEYES, "VISIT")


def reads(browser: Browser) -> Act:
    """Reads prices and blog."""
    browser.page(PIMEYES, "/en", referrer=SEARCH_ENGINE)
    for path in browser.rng.sample(("/en/premium", "/en/blog/how-it-works", "/en/blog/privacy", "/en/faq"), 2):
        browser.wait(10, 90)
        browser.page(PIMEYES, path, referrer=f"https://{PIMEYES}/en", assets=browser.rng.randrange(4))
    return browser.done("reads prices and blog", PIMEYES, "VISIT")


def signs_in(browser: Browser) -> Act:
    """Signs in, sees the quota, leaves the tab open for a while; the page asks for the quota again and again."""
    browser.page(PIMEYES, "/en")
    browser.wait(8, 30)
    _sign_in(browser)
    for _ in range(browser.rng.randrange(2, 12)):
        browser.send("GET", PIMEYES, "/api/search/info", referrer=f"https://{PIMEYES}/en")
        browser.wait(25, 35)
    return browser.done("signs in, searches nothing", PIMEYES, "VISIT")


def searches_old(browser: Browser) -> Act:
    """The older flow: the photograph as base64 in JSON, or as a form."""
    _arrive(browser)
    _upload(browser, "/api/upload/file", base64=browser.rng.random() < 0.7)
    _submit(browser)
    _results(browser)
    return browser.done("searches, older site", PIMEYES, "RESULTS_VIEWED", searches=1)


def searches_new(browser: Browser) -> Act:
    """The newer flow, where the photograph goes to another address."""
    _arrive(browser)
    _upload(browser, "/api/face")
    _submit(browser)
    _results(browser)
    return browser.done("searches, newer site", PIMEYES, "RESULTS_VIEWED", searches=1)


def searches_twice(browser: Browser) -> Act:
    """Two faces, one after the other."""
    _arrive(browser)
    for _ in range(2):
        _upload(browser, "/api/upload/file", base64=True)
        _submit(browser)
        _results(browser)
        browser.wait(20, 120)
    return browser.done("searches twice", PIMEYES, "RESULTS_VIEWED", searches=2)


def searches_and_leaves(browser: Browser) -> Act:
    """Submits a search and closes the tab before any result comes."""
    _arrive(browser)
    _upload(browser, "/api/upload/file", base64=True)
    _submit(browser)
    return browser.done("searches, leaves before results", PIMEYES, "SEARCH_SUBMITTED", searches=1)


def uploads_only(browser: Browser) -> Act:
    """Uploads a photograph and thinks better of it."""
    _arrive(browser)
    _upload(browser, browser.rng.choice(("/api/upload/file", "/api/face")))
    return browser.done("uploads, does not search", PIMEYES, "UPLOAD")


def search_fails(browser: Browser) -> Act:
    """Submits, and the site refuses: the quota is used up, or the site is down."""
    _arrive(browser)
    _upload(browser, "/api/upload/file", base64=True)
    _submit(browser, status=browser.rng.choice((402, 403, 429, 500, 503)))
    return browser.done("search refused by the site", PIMEYES, "UPLOAD", attempted=1)


def search_unanswered(browser: Browser) -> Act:
    """Submits, and no answer comes; half of these searches reached the site all the same."""
    _arrive(browser)
    _upload(browser, "/api/upload/file", base64=True)
    arrived = browser.rng.random() < 0.5
    _submit(browser, fate="aborted" if arrived else "unanswered")
    truth: Class = "SEARCH_SUBMITTED" if arrived else "UPLOAD"
    lost = int(not arrived)
    return browser.done(
        "search without an answer", PIMEYES, truth, searches=1 - lost, attempted=lost, told_by="nothing"
    )


def looks_at_old_results(browser: Browser) -> Act:
    """Opens results of another day from a bookmark: results, and no search."""
    _results(browser)
    return browser.done("old results from a bookmark", PIMEYES, "RESULTS_VIEWED")


def opts_out(browser: Browser) -> Act:
    """Fills in the opt-out form, which takes a photograph too."""
    browser.page(PIMEYES, "/en/opt-out-request-form", referrer=browser.rng.choice((SEARCH_ENGINE, *PRESS)))
    browser.wait(60, 240)
    referrer = f"https://{PIMEYES}/en/opt-out-request-form"
    browser.send(
        "POST", PIMEYES, "/api/opt-out-request", body=browser.photo(), referrer=referrer, file_name=_name(browser)
    )
    browser.send("GET", PIMEYES, "/en/opt-out-request-form/thank-you", mime="text/html", referrer=referrer)
    return browser.done("opts out", PIMEYES, "OPT_OUT")


def aborts_a_page(browser: Browser) -> Act:
    """Stops loading: some transfers end half-way."""
    browser.page(PIMEYES, "/en", referrer=SEARCH_ENGINE, assets=4)
    browser.send("GET", PIMEYES, f"/static/js/app.{browser.token(8)}.js", fate="aborted")
    return browser.done("stops loading", PIMEYES, "VISIT")


def asked_to_sign_in_first(browser: Browser) -> Act:
    """The proxy asks who it is (407) before it lets the same request through."""
    browser.send("GET", PIMEYES, "/", status=407, answer=3_600, mime="text/html", fate="challenged", seconds=0.002)
    browser.page(PIMEYES, "/en", referrer=browser.rng.choice(PRESS))
    return browser.done("asked to sign in by the proxy", PIMEYES, "VISIT")


def refused(browser: Browser) -> Act:
    """The proxy refuses, once or a few times."""
    for _ in range(browser.rng.randrange(1, 4)):
        browser.send("GET", PIMEYES, "/", status=403, answer=3_700, mime="text/html", fate="denied", seconds=0.003)
        browser.wait(1, 40)
    return browser.done("refused by the proxy", PIMEYES, "BLOCKED")


def prefetched(browser: Browser) -> Act:
    """A browser fetches a link ahead of a click that never comes: the page alone, nothing that belongs to it."""
    referrer = browser.rng.choice((SEARCH_ENGINE, ""))
    browser.send("GET", PIMEYES, "/en", referrer=referrer, mime="text/html", answer=24_000)
    return browser.done("prefetched", PIMEYES, "BACKGROUND")


def scanned(browser: Browser) -> Act:
    """A mail or chat service looks at a link that somebody was sent."""
    browser.agent = browser.rng.choice(SCANNERS)
    browser.send("GET", PIMEYES, "/en", mime="text/html", answer=24_000)
    return browser.done("link scanner", PIMEYES, "BACKGROUND")


def embedded(browser: Browser) -> Act:
    """A press page shows a picture that lies on the site."""
    path = f"/static/img/logo.{browser.token(8)}.svg"
    browser.send("GET", PIMEYES, path, mime="image/svg+xml", answer=6_000, referrer=browser.rng.choice(PRESS))
    return browser.done("embedded in a press page", PIMEYES, "BACKGROUND")


def past_the_proxy(browser: Browser) -> Act:
    """A search over QUIC, which never meets the proxy: its log has nothing, only a resolver's might."""
    browser.quic = True
    _arrive(browser)
    _upload(browser, "/api/face")
    _submit(browser)
    _results(browser)
    return browser.done("searches past the proxy (QUIC)", PIMEYES, "RESULTS_VIEWED", searches=1)


def facecheck_visit(browser: Browser) -> Act:
    """Looks at FaceCheck.ID."""
    browser.page(FACECHECK, "/", referrer=SEARCH_ENGINE)
    return browser.done("looks at FaceCheck.ID", FACECHECK, "VISIT")


def facecheck_search(browser: Browser) -> Act:
    """Searches there: one upload, then the same request again and again until the answer is complete.

    The results come in that answer, so no request tells whether anybody looked at them: the truth is the search.
    """
    browser.page(FACECHECK, "/", referrer=SEARCH_ENGINE)
    browser.wait(10, 60)
    referrer = f"https://{FACECHECK}/"
    photo = browser.photo()
    browser.send("POST", FACECHECK, "/api/upload_pic", body=photo + 700, referrer=referrer, file_name=_name(browser))
    browser.wait(1, 5)
    for _ in range(browser.rng.randrange(6, 25)):
        browser.send("POST", FACECHECK, "/api/search", body=120, answer=320, referrer=referrer)
        browser.wait(1, 1.5)
    browser.send("POST", FACECHECK, "/api/search", body=120, answer=400_000, referrer=referrer)
    return browser.done("searches on FaceCheck.ID", FACECHECK, "SEARCH_SUBMITTED", searches=1)


def search4faces_search(browser: Browser) -> Act:
    """Searches on a site whose calls all go to one address, so that only their size differs."""
    browser.page(SEARCH4FACES, "/en/vkwall/index.html", referrer=SEARCH_ENGINE)
    browser.wait(10, 60)
    referrer = f"https://{SEARCH4FACES}/en/vkwall/index.html"
    for body, answer in ((90, 400), (browser.photo() * 4 // 3, 900), (260, 60_000)):
        browser.send("POST", SEARCH4FACES, "/api/json-rpc/v1", body=body, answer=answer, referrer=referrer)
        browser.wait(2, 6)
    return browser.done("searches on search4faces", SEARCH4FACES, "RESULTS_VIEWED", searches=1, told_by="body")


def search4faces_visit(browser: Browser) -> Act:
    """Looks at it; the page itself makes a small call."""
    browser.page(SEARCH4FACES, "/en/index.html", referrer=SEARCH_ENGINE)
    browser.send("POST", SEARCH4FACES, "/api/json-rpc/v1", body=90, answer=400)
    return browser.done("looks at search4faces", SEARCH4FACES, "VISIT", told_by="body")


def lenso_search(browser: Browser) -> Act:
    """Searches on lenso.ai, as public clients do: an upload, the page of its results, and what that page asks for."""
    browser.page(LENSO, "/en", referrer=SEARCH_ENGINE)
    browser.wait(10, 60)
    photo = browser.photo() * 4 // 3
    browser.send("POST", LENSO, "/api/upload", body=photo, referrer=f"https://{LENSO}/en", file_name=_name(browser))
    results = f"/en/results/{browser.token(16)}"
    browser.page(LENSO, results, referrer=f"https://{LENSO}/en", assets=3)
    browser.send("POST", LENSO, "/api/search", body=400, answer=90_000, referrer=f"https://{LENSO}{results}")
    return browser.done("searches on lenso.ai", LENSO, "RESULTS_VIEWED", searches=1)


def _arrive(browser: Browser) -> None:
    browser.page(PIMEYES, "/en", referrer=browser.rng.choice((SEARCH_ENGINE, "", "")))
    browser.wait(5, 40)
    if browser.rng.random() < 0.5:
        _sign_in(browser)
    browser.send("GET", PIMEYES, "/api/search/info", referrer=f"https://{PIMEYES}/en")
    browser.wait(3, 20)


def _sign_in(browser: Browser) -> None:
    browser.page(PIMEYES, "/en/login", assets=2, referrer=f"https://{PIMEYES}/en")
    browser.wait(5, 20)
    browser.send("POST", PIMEYES, "/api/login/login-form", body=130, referrer=f"https://{PIMEYES}/en/login")


def _upload(browser: Browser, path: str, *, base64: bool = False) -> None:
    photo = browser.photo()
    body = photo * 4 // 3 + 120 if base64 else photo + 800
    name = "" if base64 else _name(browser)
    browser.send("POST", PIMEYES, path, body=body, answer=5_000, referrer=f"https://{PIMEYES}/en", file_name=name)
    browser.wait(2, 15)


def _submit(browser: Browser, *, status: int = 200, fate: Fate = "answered") -> None:
    referrer = f"https://{PIMEYES}/en"
    browser.send("POST", PIMEYES, "/api/search/new", status=status, body=340, referrer=referrer, fate=fate)
    browser.wait(1, 4)


def _results(browser: Browser) -> None:
    path = f"/en/results/{browser.token(6)}_{browser.token(16)}"
    host = f"jsc{browser.rng.randrange(10, 30)}.{PIMEYES}"
    browser.page(PIMEYES, path, query=f"query={browser.token(16)}", referrer=f"https://{PIMEYES}/en", assets=3)
    for _ in range(browser.rng.randrange(1, 4)):
        browser.send("POST", host, "/get_results", body=210, answer=120_000, referrer=f"https://{PIMEYES}/")
        browser.wait(2, 25)


def _name(browser: Browser) -> str:
    return browser.rng.choice(("IMG_{}.jpg", "photo-{}.jpeg", "Screenshot {}.png", "face{}.jpg")).format(
        browser.rng.randrange(1_000, 9_999)
    )


COMMON: dict[Callable[[Browser], Act], int] = {
    from_the_press: 30,
    reads: 10,
    signs_in: 5,
    searches_old: 5,
    searches_new: 4,
    searches_twice: 2,
    searches_and_leaves: 2,
    uploads_only: 3,
    search_fails: 3,
    search_unanswered: 1,
    looks_at_old_results: 1,
    opts_out: 4,
    aborts_a_page: 3,
    asked_to_sign_in_first: 5,
    refused: 6,
    prefetched: 6,
    scanned: 5,
    embedded: 5,
    past_the_proxy: 1,
    facecheck_visit: 4,
    facecheck_search: 3,
    search4faces_search: 2,
    search4faces_visit: 2,
    lenso_search: 2,
}
"""Every act, and how often it happens in proportion."""
