"""The demo web is what it says: every address answers, the expectations are on the pages, nothing leaves loopback."""

from __future__ import annotations

import http.client
import io
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from PIL import Image

from demo.people import PEOPLE
from demo.pictures import Crowd, Shot
from demo.server import answer
from demo.web import Web


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with Web() as running:
        yield running


def get(
    address: str, *, limit: int = 5_000_000, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", target, headers=headers or {})
        reply = connection.getresponse()
        return reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read(limit)
    finally:
        connection.close()


def test_every_page_and_every_picture_answers(web: Web) -> None:
    for site, base in web.sites():
        for path in site.pages:
            status, headers, body = get(base + path)
            assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8"), path
            assert b"</html>" in body
        for path, picture in site.pictures.items():
            status, headers, body = get(base + path)
            assert status == 200, path
            assert headers["content-type"].startswith("image/")
            with Image.open(io.BytesIO(body)) as image:
                image.load()
                assert image.get_format_mimetype() == headers["content-type"]
                if isinstance(picture, Shot):
                    assert max(image.size) <= picture.longest


def test_what_is_expected_is_on_the_page(web: Web) -> None:
    for one in web.expected(PEOPLE):
        _, _, body = get(one.page)
        for image in one.images:
            path = image.removeprefix(f"http://{urlsplit(image).netloc}")
            assert path.encode() in body, f"{path} is not on {one.page}"


def test_every_wish_is_really_made(web: Web) -> None:
    forbidden = web.forbidden()
    assert set(forbidden.values()) == {"robots", "noindex", "noai", "tdm"}
    for site, base in web.sites():
        for page in site.pages.values():
            _, headers, body = get(base + page.path)
            robots = get(base + "/robots.txt")[2].decode()
            made = {
                "robots": any(page.path.startswith(folder) for folder in re.findall(r"Disallow: (/\S+)", robots)),
                "noindex": "noindex" in headers.get("x-robots-tag", "") or b'name="robots" content="noindex' in body,
                "noai": b'name="robots" content="noai' in body,
                "tdm": headers.get("tdm-reservation") == "1",
            }
            assert [wish for wish, there in made.items() if there] == ([page.forbidden] if page.forbidden else [])
        for path in site.reserved:
            assert get(base + path)[1]["x-robots-tag"] == "noimageindex"


def test_expected_and_forbidden_are_apart(web: Web) -> None:
    forbidden = web.forbidden()
    expected = web.expected(PEOPLE)
    assert len(expected) > 40
    assert not {image for one in expected for image in one.images} & forbidden.keys()
    assert not {one.page for one in expected} & forbidden.keys()
    # The forbidden part shows the people who are searched for: a crawler that ignores a wish is noticed.
    shown = {
        person
        for site, _ in web.sites()
        for page in site.pages.values()
        if page.forbidden
        for s in page.shown
        for person in s.people
    }
    assert {"P003", "P005", "P008"} <= shown


def test_every_page_is_linked_or_in_the_sitemap(web: Web) -> None:
    for site, base in web.sites():
        seen: set[str] = set()
        todo = ["/", *site.in_sitemap]
        while todo:
            path = todo.pop()
            if path in seen or path not in site.pages:
                continue
            seen.add(path)
            todo += re.findall(r'href="(/[^"]*)"', site.pages[path].render(base))
        assert set(site.pages) == seen


def test_nothing_on_the_pages_leads_off_this_machine(web: Web) -> None:
    known = {server.place for server in web.servers.values()}
    for site, base in web.sites():
        for page in site.pages.values():
            text = page.render(base)
            for address in re.findall(r'(?:src|href|content|srcset)="(https?:[^"]+|//[^"]+)"', text):
                place = urlsplit(address).netloc
                assert place in known or place.endswith(f":{web.fenced.port}"), address


def test_the_same_bytes_each_time() -> None:
    one, two = Web(), Web()
    try:
        for (first, _), (second, _) in zip(one.sites(), two.sites(), strict=True):
            assert set(first.pages) == set(second.pages)
            assert first.pictures == second.pictures
        from demo.pictures import render

        shot = Shot("P003", "amateur_selfie", 300, mark="HELLO")
        assert render(shot) == render(shot)
    finally:
        one.stop()
        two.stop()


def test_a_page_vanishes_with_its_picture(web: Web) -> None:
    server = web.servers["courier"]
    page, picture = server.base + "/news/bakery", server.base + "/media/bakery.jpg"
    assert web.vanishing_pages() == {page}
    assert get(page)[0] == get(picture)[0] == 200
    try:
        assert web.vanish() == {page, picture}
        assert get(page)[0] == get(picture)[0] == 410
        assert get(server.base + "/")[0] == 200
    finally:
        server.gone = frozenset()


def test_the_crowd_has_more_than_sixteen_faces(web: Web) -> None:
    crowd = web.servers["fair"].site.pictures["/img/crowd.jpg"]
    assert isinstance(crowd, Crowd)
    assert len(crowd.tiles) >= 16
    assert crowd.people == PEOPLE.keys()


def test_unchanged_pictures_are_not_sent_twice(web: Web) -> None:
    address = web.servers["studio"].base + "/thumbs/P003.jpg"
    _, headers, _ = get(address)
    status, _, body = get(address, headers={"If-None-Match": headers["etag"]})
    assert (status, body) == (304, b"")


def test_traps(web: Web) -> None:
    blog, fair = web.servers["blog"], web.servers["fair"]
    assert b"/calendar/2027-01" in get(blog.base + "/calendar/2026-12")[2]
    with pytest.raises(OSError), Image.open(io.BytesIO(get(blog.base + "/p/half.jpg")[2])) as half:
        half.load()
    assert get(blog.base + "/p/nothing.jpg")[2] == b""
    assert get(blog.base + "/p/missing.jpg")[0] == 404
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(get(blog.base + "/p/bomb.png")[2]))
    for path in ("/files/panorama.jpg", "/files/film.jpg"):
        assert len(get(fair.base + path, limit=3_000_000)[2]) == 3_000_000
    status, headers, _ = get(fair.base + "/round/a.jpg")
    assert (status, headers["location"]) == (302, "/round/b.jpg")
    locations = [get(f"{fair.base}/go/{n}.jpg")[1]["location"] for n in range(8)]
    assert all(f":{web.fenced.port}/" in location for location in locations)


def test_the_fence_counts() -> None:
    with Web() as web:
        assert web.fenced.connections == 0
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            get(f"http://127.0.0.1:{web.fenced.port}/")
    assert web.fenced.connections == 1


def test_unknown_paths() -> None:
    web = Web()
    try:
        for site, base in web.sites():
            assert answer(site, "/no/such/thing", base).status == 404
    finally:
        web.stop()
