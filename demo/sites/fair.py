"""The Saltmarsh Fair: a crowd on one picture, files too large to take, and redirects that lead where nobody may go."""

from __future__ import annotations

from collections.abc import Iterator

from demo.people import OUTDOORS, PEOPLE, SELFIE, STUDIO
from demo.pictures import Crowd, Drawing, Shot
from demo.site import Reply, Site

HUGE = 600_000_000


def _zeros(total: int) -> Iterator[bytes]:
    block = bytes(65_536)
    while total > 0:
        yield block[: min(total, len(block))]
        total -= len(block)


def _panorama(path: str, site: Site) -> Reply:
    """Says how large it is, and is."""
    return Reply(_zeros(HUGE), "image/jpeg", headers={"Content-Length": str(HUGE)})


def _film(path: str, site: Site) -> Reply:
    """Does not say how large it is; the stream ends after the same number of bytes."""
    return Reply(_zeros(HUGE), "image/jpeg")


def build(inside: str) -> Site:
    """The site. `inside` is the port of the server that nobody may reach."""
    site = Site(
        "fair",
        "The Saltmarsh Fair",
        "Every September, on the dry side.",
        hue=265,
        menu=(("/crowd", "The crowd"), ("/stalls", "Stalls"), ("/press", "Press")),
    )
    home = site.page("/", "A day on the marsh")
    home.image("/img/marsh.png", Drawing(hue=110), "The marsh")
    home.text("Eels, ribbons, a brass band, and the tide tables.")
    home.links(
        ("/crowd", "Who came"), ("/stalls", "The stalls"), ("/press", "For the press"), ("/lost", "Lost and found")
    )

    tiles = tuple((person, asset) for asset in (SELFIE, OUTDOORS) for person in PEOPLE)
    mixed = tuple(tiles[(place * 7) % len(tiles)] for place in range(len(tiles)))
    crowd = site.page("/crowd", "Who came")
    crowd.image(
        "/img/crowd.jpg", Crowd(mixed, columns=5), "Twenty visitors", caption="Twenty of nine hundred visitors."
    )
    crowd.text("If you would rather not be on the wall, tell the person with the megaphone.")

    stalls = site.page("/stalls", "The stalls")
    stalls.formats("/img/ribbons", Shot("P008", STUDIO, 1200), "The ribbon stall", caption="Ribbons, by the yard.")
    stalls.image("/img/eels.jpg", Shot("P001", OUTDOORS, 1100), "The eel stall", caption="Eels, by the armful.")

    press = site.page("/press", "For the press")
    press.text("Large files. Very large files.")
    for path, alt in (("/files/panorama.jpg", "A panorama"), ("/files/film.jpg", "A film, said to be a picture")):
        press.raw(f'<figure><img src="{path}" alt="{alt}"></figure>')
    site.traps["/files/panorama.jpg"] = _panorama
    site.traps["/files/film.jpg"] = _film

    # Everything below leads round in circles, or to a machine that the source does not name.
    lost = site.page("/lost", "Lost and found")
    spellings = (
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
    )
    for number, host in enumerate(spellings):
        there = f"http://{host}:{inside}/inside-{number}.jpg"
        site.files[f"/go/{number}.jpg"] = Reply(b"", "text/plain", 302, {"Location": there})
        lost.raw(f'<img src="/go/{number}.jpg" alt="Through the hedge, {number}">')
        lost.raw(f'<img src="{there}" alt="Straight through, {number}">')
    site.files["/go/page"] = Reply(b"", "text/plain", 302, {"Location": f"http://127.0.0.1:{inside}/"})
    site.files["/round/a.jpg"] = Reply(b"", "text/plain", 302, {"Location": "/round/b.jpg"})
    site.files["/round/b.jpg"] = Reply(b"", "text/plain", 302, {"Location": "/round/a.jpg"})
    site.files["/round/a"] = Reply(b"", "text/plain", 302, {"Location": "/round/b"})
    site.files["/round/b"] = Reply(b"", "text/plain", 302, {"Location": "/round/a"})
    lost.raw('<img src="/round/a.jpg" alt="Round and round">')
    lost.links(("/go/page", "The back gate"), ("/round/a", "The maze"), (f"http://127.0.0.1:{inside}/", "The farm"))
    return site
