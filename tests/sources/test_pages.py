"""What a page says, read from HTML of any quality; and what sitemaps, robots and the frontier make of it."""

from __future__ import annotations

import time
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countenance.sources.crawl.frontier import Frontier, pattern_of
from countenance.sources.crawl.pages import largest, read_page
from countenance.sources.crawl.policy import read_reservations, read_robots
from countenance.sources.crawl.sitemaps import SitemapUnusable, read_sitemap
from countenance.sources.crawl.wishes import wishes
from countenance.sources.limits import CrawlSettings

URL = "http://a.example/dir/page"


def images(html: str) -> list[str]:
    return [url.removeprefix("http://a.example") for url in read_page(html, URL).images]


@pytest.mark.parametrize(
    ("srcset", "best"),
    [
        ("a.jpg", "a.jpg"),
        ("a.jpg 1x, b.jpg 2x", "b.jpg"),
        ("a.jpg 300w,b.jpg 1200w , c.jpg 600w", "b.jpg"),
        ("big,comma.jpg 900w, b.jpg 1w", "big,comma.jpg"),
        ("a.jpg,b.jpg 2x", "a.jpg,b.jpg"),
        ("a.jpg, b.jpg", "a.jpg"),
        (" , ,\n a.jpg 1.5x,\n b.jpg .5x", "a.jpg"),
        ("a.jpg 2x, b.jpg 5w", "b.jpg"),
        ("a.jpg nonsense, b.jpg -1w", "a.jpg"),
    ],
)
def test_the_largest_candidate(srcset: str, best: str) -> None:
    found = largest([srcset])
    assert found is not None
    assert found[0] == best


def test_no_candidate() -> None:
    assert largest(["", " , "]) is None


def test_nested_sources_belong_to_their_picture() -> None:
    html = """<picture><source srcset="/1.webp 100w"><source srcset="/2.avif 900w" type="image/avif">
        <img src="/3.jpg" alt="x"></picture><img src="/4.jpg">
        <video poster="/p.jpg"><source src="/film.mp4"></video>"""
    assert images(html) == ["/2.avif", "/4.jpg", "/p.jpg"]


def test_what_is_not_fetched_and_what_is_no_address() -> None:
    page = read_page(
        """<img src="data:image/png;base64,AA"><img src=" "><img><img src="blob:x"><img src="http://[bad/">
        <img src="ftp://a.example/x.jpg"><a href="javascript:x()">x</a><a href="mailto:a@b">x</a><a href="#top">x</a>
        <a href="/next#part">x</a><a href="/next">x</a><a rel="noopener nofollow" href="/ad">x</a><a>x</a>
        <iframe src="/frame"></iframe><meta http-equiv="Refresh" content="0; URL='/refreshed'">""",
        URL,
    )
    assert page.images == {}
    assert page.unusable == ["http://[bad/", "ftp://a.example/x.jpg"]
    assert [url.removeprefix("http://a.example") for url in page.links] == ["/next", "/frame", "/refreshed"]


def test_words_around_a_picture() -> None:
    page = read_page(
        """<title>One
        two</title><svg><title>Not this</title></svg><meta property="og:image" content="/a.jpg">
        <figure><a href="/a.jpg"><img src="/t.jpg" alt=" In \t words "></a>
        <figcaption>A <i>long</i> day</figcaption></figure>
        <img src="/b.jpg" title="Only a title">""",
        URL,
    )
    assert page.title == "One two"
    said = {url.rpartition("/")[2]: (ref.alt, ref.caption) for url, ref in page.images.items()}
    assert said == {
        "a.jpg": ("In words", "A long day"),
        "t.jpg": ("In words", "A long day"),
        "b.jpg": ("Only a title", None),
    }


@pytest.mark.parametrize(
    "html",
    [
        "",
        " ",
        "\0",
        "<",
        "<!doctype html>",
        "<img src",
        "<p>" * 200_000,
        "<a><b>" * 50_000 + "x",
        "&#0;&#xffffffff;<img/>",
        "<figure>" * 3_000 + '<img src="/a.jpg">' * 2_000,
        "<table>" * 5_000,
        "<img srcset='" + "," * 400_000 + "'>",
    ],
)
def test_a_hostile_page_costs_little(html: str) -> None:
    started = time.monotonic()
    read_page(html, URL)
    assert time.monotonic() - started < 5


def test_one_page_has_bounded_pictures_and_links() -> None:
    page = read_page("".join(f'<img src="/{at}.jpg"><a href="/{at}">x</a>' for at in range(12_000)), URL)
    assert len(page.images) == 2_000
    assert len(page.links) == 10_000


@given(st.text(alphabet="<>/='\" \nimgasrchtpictuefl\0ä&;#", max_size=300))
def test_any_text_can_be_read(html: str) -> None:
    for url in read_page(html, URL).images:
        assert url.startswith(("http://", "https://"))


@pytest.mark.parametrize(
    ("meta", "headers", "reason", "follow"),
    [
        ([], [], None, True),
        ([("robots", "index, follow")], [], None, True),
        ([("robots", "nofollow")], [], None, False),
        ([("robots", "NONE")], [], "noindex", False),
        ([("googlebot", "noindex")], [], None, True),
        ([("Countenance", "noai")], [], "noai", True),
        ([], ["max-image-preview: large, noindex"], "noindex", True),
        ([], ["otherbot: noindex", "nofollow"], None, False),
        ([], ["noindex, otherbot: noai"], "noindex", True),
        ([], ["*: noimageai"], "noai", True),
        ([], ["unavailable_after: 2999-01-01"], None, True),
        ([], ["unavailable_after: 1 Jan 2001 10:00:00 GMT"], "noindex", True),
        ([], ["unavailable_after: 2001-01-01T00:00:00"], "noindex", True),
        ([], ["unavailable_after: whenever"], None, True),
        ([("tdm-reservation", "1")], [], "tdm", True),
        ([("tdm-reservation", "0")], [], None, True),
    ],
)
def test_wishes(meta: list[tuple[str, str]], headers: list[str], reason: str | None, follow: bool) -> None:
    asks = wishes(meta, headers)
    assert (asks.reason, asks.follow) == (reason, follow)


@pytest.mark.parametrize(
    ("status", "allowed"),
    [
        (200, False),
        (204, True),
        (301, True),
        (400, True),
        (404, True),
        (410, True),
        (429, False),
        (500, False),
        (None, False),
    ],
)
def test_robots_by_status(status: int | None, allowed: bool) -> None:
    body = b"" if status == 204 else b"User-agent: *\nDisallow: /"
    assert read_robots(status, body, 1000).may_fetch("http://a.example/x") is allowed


@pytest.mark.parametrize(
    ("location", "path", "covered"),
    [
        ("/", "/anything", True),
        ("/a", "/a/b", True),
        ("/a", "/b", False),
        ("a", "/a", True),
        ("/a*c", "/abbc/d", True),
        ("/a*c$", "/abbc/d", False),
        ("/a*c$", "/abcbc", True),
        ("/a$", "/a", True),
        ("/a$", "/ab", False),
        ("/ab*ab$", "/ab", False),
        ("*.jpg", "/x/y.jpg?z", True),
        ("/*/*/*x*", "/a/b/c", False),
    ],
)
def test_reservations_by_place(location: str, path: str, covered: bool) -> None:
    body = (
        f'[{{"location": "{location}", "tdm-reservation": 1}}, {{"location": "/", "tdm-reservation": 0}}, 7]'.encode()
    )
    assert read_reservations(200, body).covers(path) is covered


def test_a_reservation_full_of_stars_is_matched_quickly() -> None:
    reservations = read_reservations(200, b'[{"location": "/' + b"*a" * 500 + b'b", "tdm-reservation": "1"}]')
    started = time.monotonic()
    assert not reservations.covers("/" + "a" * 5_000)
    assert time.monotonic() - started < 1


def test_sitemaps_are_bounded_and_resolve_nothing() -> None:
    packed = zlib.compressobj(wbits=31)
    bomb = packed.compress(b" " * 50_000_000) + packed.flush()
    tracemalloc.start()
    try:
        with pytest.raises(SitemapUnusable, match="too-many-bytes"):
            read_sitemap(bomb, 1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    for broken in (b"", b"\x1f\x8bnot gzip", b"<html></html>", b"<"):
        if broken:
            with pytest.raises(SitemapUnusable, match="not-a-sitemap"):
                read_sitemap(broken, 1_000)
    entities = (
        b'<!DOCTYPE u [<!ENTITY x SYSTEM "file:///etc/hostname">]><urlset><url><loc>http://a/&x;</loc></url></urlset>'
    )
    assert read_sitemap(entities, 1_000).locations in (("http://a/",), ())
    laughs = (
        b'<!DOCTYPE u [<!ENTITY a "'
        + b"x" * 1000
        + b'">'
        + b"".join(f'<!ENTITY {chr(98 + at)} "{f"&{chr(97 + at)};" * 10}">'.encode() for at in range(9))
        + b"]><urlset><url><loc>&j;</loc></url></urlset>"
    )
    read_sitemap(laughs, 10_000)
    text = b"http://a/1\nnot an address\n https://a/2 \n"
    assert read_sitemap(text, 1_000).locations == ("http://a/1", "https://a/2")


def test_patterns_make_numbers_and_values_alike() -> None:
    assert pattern_of("http://a/cal/2026/11?d=3&c=x") == pattern_of("http://a/cal/1/2?c=9&d=7")
    assert pattern_of("http://a/cal/1") != pattern_of("http://a/cal/x")
    assert pattern_of("http://a:81/1") != pattern_of("http://a:82/1")


def test_the_frontier_sees_through_traps() -> None:
    frontier = Frontier(CrawlSettings(max_pages=100, max_depth=3, path_queries=2, pattern_pages=3, max_url_length=60))
    assert frontier.admit("http://a/", 0) is None
    assert frontier.admit("http://a/", 1) == "seen"
    assert frontier.admit("http://a/deep", 4) == "too-deep"
    assert frontier.admit("http://a/" + "x" * 60, 1) == "too-long"
    assert frontier.admit("http://a/x/y/x/y/x/y/x/y", 1) == "trap"
    assert [frontier.admit(f"http://a/s?q={at}", 1) for at in range(3)] == [None, None, "trap"]
    assert [frontier.start(f"http://a/n{at}") for at in range(4)] == [None, None, None, "trap"]
    for at in range(1000):
        last = frontier.admit(f"http://a/{'z' * (at % 40)}{at}", 1)
    assert last == "page-limit"


def test_pages_of_their_own_kind_are_left_once_they_bring_nothing() -> None:
    frontier = Frontier(CrawlSettings(barren_pages=3))
    kind = pattern_of("http://a/cal/1")
    for at in range(10):  # found through a list, they are not a chain
        frontier.read(f"http://a/cal/{at}", via=pattern_of("http://a/list"), brought_new=False)
    assert frontier.start("http://a/cal/1") is None
    for new in (False, False, True, False, False):
        frontier.read("http://a/cal/2", via=kind, brought_new=new)
    assert frontier.start("http://a/cal/2") is None
    frontier.read("http://a/cal/3", via=kind, brought_new=False)
    assert frontier.start("http://a/cal/3") == "trap"
    assert frontier.start("http://a/other/3") is None
