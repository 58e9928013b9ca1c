"""A website is crawled for real: pictures with their pages, and every wish of the site honoured."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from typing import Any

Crawling = Callable[..., Any]
PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACw="


def test_finds_pictures_in_every_way_a_page_shows_them(site: Any, crawl: Crawling) -> None:
    site.html(
        "/",
        f"""<head><title> The  team </title><meta property="og:image" content="/og.jpg"></head>
        <figure><img src="plain.jpg" alt="Two people"><figcaption>In <b>spring</b></figcaption></figure>
        <img src="small.jpg" srcset="small.jpg 100w, large.jpg 800w, middle.jpg 400w">
        <img src="{PIXEL}" data-src="/lazy.jpg">
        <img src="{PIXEL}" data-srcset="/lazy-1.jpg 1x, /lazy-2.jpg 2x">
        <picture><source srcset="/source.webp 1200w"><img src="/fallback.jpg"></picture>
        <a href="/full.jpg"><img src="/thumb.jpg" alt="A portrait"></a>
        <a href="sub/page">more</a><img src="drawing.svg"><img src="">""",
    )
    site.html("/sub/page", '<base href="/elsewhere/"><img src="based.jpg"><img src="/plain.jpg">')
    names = ["og", "plain", "large", "lazy", "lazy-2", "full", "thumb", "elsewhere/based"]
    site.picture(*[f"/{name}.jpg" for name in names], "/source.webp")
    result = crawl(site)
    assert result.images == sorted([f"/{name}.jpg" for name in names] + ["/source.webp"])
    assert result.skipped == {"/drawing.svg": "svg"}
    assert result.whole == {"/": 200, "/sub/page": 200}
    assert [s for s in result.sightings if s[1] == "/plain.jpg"] == [("/", "/plain.jpg"), ("/sub/page", "/plain.jpg")]
    first = next(f for f in result.found if f.address.endswith("/plain.jpg") and f.page == site.url + "/")
    assert (first.title, first.alt, first.caption) == ("The team", "Two people", "In spring")
    assert result.one("/full.jpg").alt == "A portrait"
    assert first.fetched_at is not None
    assert first.spooled
    # Each finding has bytes of its own to delete, and each picture was fetched once.
    assert len({f.path for f in result.found}) == len(result.found)
    for found in result.found:
        assert found.path.read_bytes() == b"\xff\xd8 " + result.short(found.address).encode()
    assert site.asked.count("/plain.jpg") == 1
    # A page is whole after the last of its findings.
    order = [getattr(f, "page", "") for f in result.findings]
    assert order[-1] == site.url + "/sub/page"


def test_stays_on_the_registered_hosts_in_links_pictures_and_redirects(
    new_site: Callable[[], Any], crawl: Crawling
) -> None:
    site, other = new_site(), new_site()
    other.picture("/b.jpg", "/c.jpg")
    other.html("/page", '<img src="/b.jpg">')
    other.html("/robots.txt", "")
    site.picture("/a.jpg", "/d.jpg")
    site.html(
        "/",
        f"""<img src="/a.jpg"><img src="{other.url}/b.jpg"><img src="/away.jpg"><a href="{other.url}/page">away</a>
        <a href="/moved">moved</a><img src="/renamed.jpg"><a href="{other.url}/another">away</a>""",
    )
    site.redirect("/moved", f"{other.url}/page")
    site.redirect("/away.jpg", f"{other.url}/c.jpg", 301)
    site.redirect("/renamed.jpg", "/d.jpg", 307)
    # The other server may be connected to, and is still not a part of this source.
    result = crawl(site, allow=(site.netloc, other.netloc))
    assert other.asked == []
    assert result.images == ["/a.jpg", "/renamed.jpg"]
    assert result.skipped == {
        f"{other.url}/b.jpg": "outside-hosts",
        f"{other.url}/page": "outside-hosts",
        "/away.jpg": "outside-hosts",
        "/moved": "outside-hosts",
    }
    both = crawl(site.url + "/", other.url + "/page", allow=(site.netloc, other.netloc))
    assert both.images == sorted(["/a.jpg", "/renamed.jpg", "/away.jpg", f"{other.url}/b.jpg"])


def test_robots_txt_is_obeyed_for_pages_pictures_and_redirects(site: Any, crawl: Crawling) -> None:
    site.html(
        "/",
        """<img src="/open/a.jpg"><img src="/closed/b.jpg"><img src="/sneaky.jpg"><img src="/star/x/y.jpg?z=1">
        <a href="/closed/page">no</a><a href="/closed/but/page">yes</a><a href="/jump">no</a>""",
    )
    site.html("/closed/page", '<img src="/open/c.jpg">')
    site.html("/closed/but/page", '<img src="/open/d.jpg">')
    site.redirect("/sneaky.jpg", "/closed/b.jpg")
    site.redirect("/jump", "/closed/page")
    site.picture("/open/a.jpg", "/open/c.jpg", "/open/d.jpg", "/closed/b.jpg", "/star/x/y.jpg")
    site.pages["/robots.txt"] = type(site.pages["/open/a.jpg"])(
        b"\xef\xbb\xbfUser-agent: *\nDisallow:\n\nUser-agent: OtherBot\nDisallow: /\n\nUser-agent: Countenance\n"
        b"Disallow: /closed\nAllow: /closed/but/\nDisallow: /star/*?z=\n",
        kind="text/plain",
    )
    result = crawl(site)
    assert result.images == ["/open/a.jpg", "/open/d.jpg"]
    assert result.skipped == {
        "/closed/b.jpg": "robots",
        "/closed/page": "robots",
        "/sneaky.jpg": "robots",
        "/jump": "robots",
        "/star/x/y.jpg?z=1": "robots",
    }
    assert not [path for path in site.asked if path in {"/closed/page", "/closed/b.jpg"} or path.startswith("/star")]
    assert site.asked[0] == "/robots.txt"
    assert site.asked.count("/robots.txt") == 1
    assert all(agent.startswith("countenance/") for agent in site.agents)


def test_robots_txt_that_is_missing_allows_and_one_that_fails_forbids(
    new_site: Callable[[], Any], crawl: Crawling
) -> None:
    sites = {}
    for status in (404, 403, 503, 429, 0):
        sites[status] = site = new_site()
        site.html("/", '<img src="/a.jpg">')
        site.picture("/a.jpg")
        site.html("/robots.txt", "", status=status)
    sites[0].pages["/robots.txt"] = lambda handler: None  # hangs up
    result = crawl(*sites.values(), max_crawl_delay=0.1)
    assert {status for status, site in sites.items() if f"{site.url}/a.jpg" in [f.address for f in result.found]} == {
        404,
        403,
    }
    assert set(result.skipped.values()) == {"robots-unreachable"}
    assert len(result.hidden) == 3
    for status in (503, 429, 0):
        assert "/" not in sites[status].asked


def test_only_the_first_part_of_a_long_robots_txt_counts(site: Any, crawl: Crawling) -> None:
    site.html("/", '<img src="/a.jpg"><img src="/b.jpg">')
    site.picture("/a.jpg", "/b.jpg")
    rules = "User-agent: *\nDisallow: /a.jpg\n" + "# padding\n" * 100 + "Disallow: /b.jpg\n"
    site.html("/robots.txt", "")
    site.pages["/robots.txt"].body = rules.encode()
    assert crawl(site, max_robots_bytes=500).images == ["/b.jpg"]
    site.pages["/robots.txt"].body = rules.encode() + b"#" * 3000
    assert crawl(site, max_robots_bytes=500).skipped == {"/": "robots-unreachable"}


def test_noindex_noai_and_reservations_are_honoured(site: Any, crawl: Crawling) -> None:
    def page(name: str, head: str = "", **headers: str) -> None:
        site.html(f"/{name}", f'<head>{head}</head><img src="/{name}.jpg"><a href="/after-{name}">on</a>', **headers)
        site.html(f"/after-{name}", f'<img src="/after-{name}.jpg">')
        site.picture(f"/{name}.jpg", f"/after-{name}.jpg")
        names.append(name)

    names: list[str] = []
    page("noindex", '<meta name="ROBOTS" content="NoIndex, follow">')
    page("none", '<meta name="robots" content="none">')
    page("for-us", '<meta name="countenance" content="noindex">')
    page("for-others", '<meta name="otherbot" content="noindex">')
    page("noai", '<meta name="robots" content="noai, noimageai">')
    page("noimages", '<meta name="robots" content="noimageindex">')
    page("meta-tdm", '<meta name="tdm-reservation" content="1">')
    page("header", X_Robots_Tag="nosnippet, noindex")
    page("header-ours", X_Robots_Tag="countenance: noai")
    page("header-others", X_Robots_Tag="otherbot: noindex, nofollow")
    page("expired", X_Robots_Tag="unavailable_after: Fri, 25 Jun 2010 15:00:00 GMT")
    page("header-tdm", tdm_reservation="1")
    page("header-tdm-0", tdm_reservation="0")
    page("file-tdm")
    page("plain")
    site.picture("/p-noindex.jpg", X_Robots_Tag="noindex")
    site.picture("/p-noai.jpg", X_Robots_Tag="noimageai")
    site.picture("/p-tdm.jpg", tdm_reservation="1")
    site.html(
        "/",
        "".join(f'<a href="/{name}">x</a>' for name in names)
        + '<img src="/p-noindex.jpg"><img src="/p-noai.jpg"><img src="/p-tdm.jpg">',
    )
    site.html("/.well-known/tdmrep.json", "")
    site.pages["/.well-known/tdmrep.json"].body = (
        b'[{"location": "/file-*", "tdm-reservation": 1}, {"location": "/pla*x", "tdm-reservation": 1},'
        b' {"location": "/", "tdm-reservation": 0}]'
    )
    result = crawl(site)
    assert result.skipped == {
        "/noindex": "noindex",
        "/none": "noindex",
        "/for-us": "noindex",
        "/noai": "noai",
        "/noimages": "noindex",
        "/meta-tdm": "tdm",
        "/header": "noindex",
        "/header-ours": "noai",
        "/expired": "noindex",
        "/header-tdm": "tdm",
        "/file-tdm": "tdm",
        "/p-noindex.jpg": "noindex",
        "/p-noai.jpg": "noai",
        "/p-tdm.jpg": "tdm",
    }
    wanted = {"/for-others.jpg", "/header-others.jpg", "/header-tdm-0.jpg", "/plain.jpg"}
    wanted |= {f"/after-{name}.jpg" for name in names if name not in {"none", "file-tdm"}}
    assert set(result.images) == wanted
    assert not {"/noindex.jpg", "/noai.jpg", "/file-tdm", "/after-none"} & set(site.asked)
    # What is no longer wanted is known to have gone from the index.
    assert result.whole["/noindex"] == 200


def test_what_cannot_be_asked_for_reservations_is_left_alone(site: Any, crawl: Crawling) -> None:
    site.html("/", '<img src="/a.jpg">')
    site.picture("/a.jpg")
    site.html("/.well-known/tdmrep.json", "", status=500)
    assert crawl(site).skipped == {"/": "tdm"}
    site.html("/.well-known/tdmrep.json", "<h1>Not found, sorry</h1>")
    assert crawl(site).images == ["/a.jpg"]


def test_sitemaps_lead_to_pages_that_nothing_links_to(site: Any, crawl: Crawling, new_site: Callable[[], Any]) -> None:
    other = new_site()
    for name in "abcd":
        site.html(f"/{name}", f'<img src="/{name}.jpg">')
        site.picture(f"/{name}.jpg")
    site.html("/", "nothing")

    def urlset(*names: str) -> bytes:
        return (
            '<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
            + "".join(
                f"<url><loc> {name if name.startswith('http') else site.url + name} </loc></url>" for name in names
            )
            + "</urlset>"
        ).encode()

    def put(path: str, body: bytes) -> None:
        site.html(path, "")
        site.pages[path].body = body
        site.pages[path].kind = "application/octet-stream" if path.endswith("gz") else "application/xml"

    put("/robots.txt", f"Sitemap: {site.url}/index.xml\nSitemap: {other.url}/sitemap.xml\n".encode())
    put("/sitemap.xml", urlset("/a"))
    put(
        "/index.xml",
        f"<sitemapindex><sitemap><loc>{site.url}/one.xml</loc></sitemap><sitemap><loc>{site.url}/two.xml.gz</loc>"
        f"</sitemap><sitemap><loc>{site.url}/bomb.xml.gz</loc></sitemap><sitemap><loc>{site.url}/index.xml</loc>"
        f"</sitemap><sitemap><loc>{site.url}/broken.xml</loc></sitemap></sitemapindex>".encode(),
    )
    put("/one.xml", urlset("/b", other.url + "/page", "ftp://example.org/"))
    put("/two.xml.gz", gzip.compress(urlset("/c")))
    put("/bomb.xml.gz", gzip.compress(b"<urlset>" + b" " * 3_000_000))
    put("/broken.xml", b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>')
    result = crawl(site, allow=(site.netloc, other.netloc), max_sitemap_bytes=1_000_000)
    assert result.images == ["/a.jpg", "/b.jpg", "/c.jpg"]
    assert other.asked == []
    assert result.skipped == {
        f"{other.url}/sitemap.xml": "outside-hosts",
        f"{other.url}/page": "outside-hosts",
        "ftp://example.org/": "bad-address",
        "/bomb.xml.gz": "too-many-bytes",
        "/broken.xml": "not-a-sitemap",
    }


def test_broken_answers_are_reported_and_the_crawl_goes_on(site: Any, crawl: Crawling) -> None:
    def drip(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            time.sleep(0.1)
            handler.wfile.write(b"x")
            handler.wfile.flush()

    def cut(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 1000\r\n\r\nshort")

    def endless(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n")
        while True:
            sent.append(handler.wfile.write(b"x" * 65536))

    sent: list[int] = []
    names = ["drip", "cut", "endless", "mute", "noise", "huge", "bomb", "text", "loop1", "hops", "gone", "failing"]
    site.html(
        "/",
        "".join(f'<img src="/{name}.jpg">' for name in [*names, "good"])
        + '<a href="/binary">x</a><a href="/deep">x</a><a href="/gone">x</a><a href="/long?q='
        + "x" * 3000
        + '">x</a>',
    )
    site.pages["/drip.jpg"] = drip
    site.pages["/cut.jpg"] = cut
    site.pages["/endless.jpg"] = endless
    site.pages["/mute.jpg"] = lambda handler: None
    site.pages["/noise.jpg"] = lambda handler: handler.wfile.write(b"\0\xff garbage\r\n\r\n") and None
    site.picture("/huge.jpg", "/good.jpg")
    site.pages["/huge.jpg"].body = b"x" * 1_000_001
    site.picture("/bomb.jpg", Content_Encoding="gzip")
    site.pages["/bomb.jpg"].body = gzip.compress(b"\0" * 20_000_000)
    site.html("/text.jpg", "not a picture")
    site.redirect("/loop1.jpg", "/loop2.jpg")
    site.redirect("/loop2.jpg", "/loop1.jpg")
    for at in range(10):
        site.redirect(f"/hop{at}.jpg", f"/hop{at + 1}.jpg")
    site.redirect("/hops.jpg", "/hop0.jpg")
    site.html("/gone.jpg", "", status=410)
    site.html("/failing.jpg", "", status=500)
    site.pages["/binary"] = type(site.pages["/good.jpg"])(b"\0\1\2", kind="application/zip")
    site.html("/deep", "<div>" * 50_000 + '<img src="/good.jpg">')
    started = time.monotonic()
    result = crawl(site, timeout=1.5, max_image_bytes=1_000_000)
    assert time.monotonic() - started < 15
    assert result.images == ["/good.jpg"]
    shown = {name: reason for name, reason in result.skipped.items() if not name.startswith("/long")}
    assert shown == {
        "/drip.jpg": "too-slow",
        "/cut.jpg": "connection",
        "/endless.jpg": "too-many-bytes",
        "/mute.jpg": "connection",
        "/noise.jpg": "connection",
        "/huge.jpg": "too-many-bytes",
        "/bomb.jpg": "too-many-bytes",
        "/text.jpg": "not-an-image",
        "/loop1.jpg": "redirect-loop",
        "/hops.jpg": "redirect-loop",
        "/gone.jpg": "http-410",
        "/failing.jpg": "http-500",
        "/binary": "not-html",
        "/gone": "http-404",
    }
    assert [reason for name, reason in result.skipped.items() if name.startswith("/long")] == ["too-long"]
    assert sum(sent) < 20_000_000
    assert (site.asked.count("/loop1.jpg"), site.asked.count("/hop9.jpg")) == (1, 0)
    assert result.hidden == {"/drip.jpg", "/cut.jpg", "/mute.jpg", "/noise.jpg", "/failing.jpg"}
    # The start page has pictures that may come back, so what is missing on it has not vanished.
    assert "/" not in result.whole
    assert result.whole["/gone"] == 404


def test_leaves_an_endless_calendar_and_still_reads_the_site(site: Any, crawl: Crawling) -> None:
    def month(handler: Any) -> Any:
        number = int(handler.path.rpartition("/")[2])
        links = "".join(f'<a href="/calendar/{number + step}">x</a>' for step in range(1, 13))
        return type(site.pages["/a.jpg"])(f'<img src="/a.jpg"><a href="/">home</a>{links}'.encode())

    site.picture("/a.jpg", *[f"/photo{at}.jpg" for at in range(60)])
    for at in range(2000):
        site.pages[f"/calendar/{at}"] = month
    site.html(
        "/",
        '<a href="/calendar/0">calendar</a>' + "".join(f'<a href="/photo/{at}">x</a>' for at in range(60)),
    )
    for at in range(60):
        site.html(f"/photo/{at}", f'<img src="/photo{at}.jpg"><a href="/photo/{(at + 1) % 60}">next</a>')
    result = crawl(site, barren_pages=20)
    assert len(result.images) == 61
    assert list(result.skipped.values()) == ["trap"]
    assert len([path for path in site.asked if path.startswith("/calendar")]) < 60


def test_limits_on_pages_depth_and_pictures(site: Any, crawl: Crawling) -> None:
    for at in range(30):
        site.html(f"/{at}", f'<img src="/{at}.jpg"><a href="/{at + 1}">next</a>')
        site.picture(f"/{at}.jpg")
    start = site.url + "/0"
    deep = crawl(start, max_depth=4)
    assert len(deep.found) == 5
    assert list(deep.skipped.values()) == ["too-deep"]
    few = crawl(start, max_pages=3)
    assert len(few.found) == 3
    assert list(few.skipped.values()) == ["page-limit"]
    assert few.hidden
    pictures = crawl(start, max_images=2, max_depth=5)
    assert len(pictures.found) == 2
    assert sorted(pictures.skipped.values()) == ["image-limit", "too-deep"]
    assert list(pictures.whole.values()) == [200, 200]


def test_a_page_that_nothing_links_to_any_more_is_visited_again(site: Any, crawl: Crawling) -> None:
    site.html("/", '<a href="/linked">x</a>')
    site.html("/linked", '<img src="/a.jpg">')
    site.html("/kept", '<img src="/a.jpg"><a href="/secret">x</a>')
    site.redirect("/moved", "/linked")
    site.picture("/a.jpg")
    known = tuple(f"{site.url}/{name}" for name in ("gone", "kept", "moved", "linked", "forbidden"))
    site.pages["/robots.txt"] = type(site.pages["/kept"])(b"User-agent: *\nDisallow: /forbidden")
    result = crawl(site, known=known)
    assert result.whole == {"/": 200, "/linked": 200, "/kept": 200, "/gone": 404, "/moved": 301, "/forbidden": 403}
    assert result.sightings == [("/kept", "/a.jpg"), ("/linked", "/a.jpg")]
    assert "/secret" not in site.asked
    assert site.asked.count("/linked") == 1


def test_one_polite_rate_a_host_with_its_crawl_delay(new_site: Callable[[], Any], crawl: Crawling) -> None:
    sites = [new_site(), new_site()]
    for site in sites:
        site.html("/", "".join(f'<img src="/{at}.jpg">' for at in range(2)))
        site.picture(*[f"/{at}.jpg" for at in range(2)])

    def took(*sites: Any) -> tuple[int, float]:
        times = sorted(time for site in sites for time in site.times)
        for site in sites:
            site.times.clear()
        return len(times) - 1, times[-1] - times[0] + 0.05  # a server may notice its first request late

    crawl(*sites, rate=20)
    # Two ports of one name are one machine.
    intervals, seconds = took(*sites)
    assert seconds > intervals * 0.05
    sites[0].html("/robots.txt", "")
    sites[0].pages["/robots.txt"].body = b"User-agent: *\nCrawl-delay: 0.2\n"
    crawl(sites[0], rate=100)
    intervals, seconds = took(sites[0])
    assert seconds > (intervals - 1) * 0.2  # the rule is known from the second request on
    sites[0].pages["/robots.txt"].body = b"User-agent: *\nCrawl-delay: 86400\n"
    crawl(sites[0], rate=100, max_crawl_delay=0.15)
    intervals, seconds = took(sites[0])
    assert seconds > (intervals - 1) * 0.15


def test_a_site_that_is_overloaded_gets_the_rest_that_it_asks_for(site: Any, crawl: Crawling) -> None:
    def overloaded(handler: Any) -> Any:
        site.picture("/a.jpg")
        return type(site.pages["/"])(b"later", status=503, headers={"Retry-After": "1"})

    site.html("/", '<img src="/a.jpg">')
    site.pages["/a.jpg"] = overloaded
    assert crawl(site).images == ["/a.jpg"]
    first, second = (time for time, path in zip(site.times, site.asked, strict=True) if path == "/a.jpg")
    assert second - first > 0.9
