"""Copper Kettle: a blog of borrowed pictures (cropped, mirrored, marked), broken files, and a calendar without end."""

from __future__ import annotations

import re

from demo.people import OUTDOORS, SELFIE, STUDIO
from demo.pictures import Drawing, Shot, render
from demo.site import Reply, Site


def _calendar(path: str, site: Site) -> Reply:
    """A page a month, for ever: each leads to the next and to the same month a year on."""
    asked = re.fullmatch(r"/calendar/(\d{4,6})-(\d\d)", path)
    if asked is None:
        return Reply(b"no such month", "text/plain", 404)
    year, month = int(asked[1]), int(asked[2])
    after = (year + month // 12, month % 12 + 1)
    page = f"""<!doctype html><title>{year}-{month:02}</title><link rel=stylesheet href=/style.css><main>
    <h1>{year}-{month:02}</h1><p>Nothing planned.</p><p><a href="/calendar/{after[0]}-{after[1]:02}">Next month</a>
    <a href="/calendar/{year + 1}-{month:02}">Next year</a></p></main>"""
    return Reply(page.encode())


def build() -> Site:
    """The site."""
    site = Site(
        "blog",
        "Copper Kettle",
        "Tea, cuttings and other people's pictures.",
        hue=340,
        menu=(("/posts/mirror", "Mirrors"), ("/posts/crops", "Cuttings"), ("/calendar/2026-11", "Calendar")),
    )
    home = site.page("/", "Notes by the stove")
    home.image("/p/kettle.gif", Drawing(hue=10, format="gif"), "The stove")
    home.links(
        ("/posts/mirror", "The other way round"),
        ("/posts/crops", "Cuttings"),
        ("/posts/marked", "Borrowed, with thanks"),
        ("/posts/broken", "What the moths left"),
        ("/posts/reserved", "Rights reserved"),
        ("/calendar/2026-11", "What is on"),
    )

    mirror = site.page("/posts/mirror", "The other way round")
    mirror.image(
        "/p/mirror-P003.jpg", Shot("P003", SELFIE, 900, mirrored=True, quality=75), "Left is right", caption="Tessa."
    )
    mirror.image("/p/mirror-P005.jpg", Shot("P005", STUDIO, 1200, mirrored=True), "Right is left", caption="Dario.")

    crops = site.page("/posts/crops", "Cuttings")
    crops.raw('<div class="grid">')
    crops.image("/p/cut-P008.png", Shot("P008", SELFIE, 420, face_crop=1.5, format="png"), "A cutting")
    crops.image("/p/cut-P003.jpg", Shot("P003", OUTDOORS, 360, face_crop=2.2, quality=70), "Another")
    crops.image("/p/cut-P009.jpg", Shot("P009", SELFIE, 360, face_crop=1.5, quality=70), "A third")
    crops.image("/p/cut-P006.jpg", Shot("P006", OUTDOORS, 360, face_crop=2.2, quality=70), "A fourth")
    crops.raw("</div>")

    marked = site.page("/posts/marked", "Borrowed, with thanks")
    marked.image("/p/marked-P005.jpg", Shot("P005", SELFIE, 1000, mark="COURIER", quality=80), "Marked by its owner")
    marked.image("/p/marked-P008.webp", Shot("P008", SELFIE, 800, mark="Marrowfield", format="webp"), "Marked too")
    marked.image("/p/marked-P004.jpg", Shot("P004", SELFIE, 800, mark="Marrowfield"), "And this")

    broken = site.page("/posts/broken", "What the moths left")
    broken.text("Some of these never loaded. We keep them for their names.")
    for path, alt in (
        ("/p/half.jpg", "Half a picture"),
        ("/p/words.jpg", "Words that say they are a picture"),
        ("/p/nothing.jpg", "Nothing at all"),
        ("/p/bomb.png", "A picture that says it is enormous"),
        ("/p/missing.jpg", "A picture that is not there"),
    ):
        broken.raw(f'<figure><img src="{path}" alt="{alt}"></figure>')

    def half(path: str, site: Site) -> Reply:
        _, whole = render(Shot("P003", SELFIE, 900))
        return Reply(whole[: len(whole) // 2], "image/jpeg")

    site.traps["/p/half.jpg"] = half
    site.files["/p/words.jpg"] = Reply(b"This is not the picture that you are looking for.\n" * 20, "image/jpeg")
    site.files["/p/nothing.jpg"] = Reply(b"", "image/jpeg")
    site.files["/p/bomb.png"] = Reply(_enormous(), "image/png")
    site.traps["/calendar/"] = _calendar

    # The text and data mining reservation protocol: the page may be read by people, not mined.
    reserved = site.page("/posts/reserved", "Rights reserved", forbidden="tdm", headers={"tdm-reservation": "1"})
    reserved.image("/p/reserved-P008.jpg", Shot("P008", OUTDOORS, 1100), "Reserved")
    return site


def _enormous() -> bytes:
    """A PNG whose header promises 60,000 × 60,000 pixels and whose body holds next to nothing."""
    import struct
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(60_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
