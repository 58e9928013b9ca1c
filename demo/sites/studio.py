"""Marrowfield Studio: a photographer's gallery, with sizes, formats, a sitemap and a folder closed to robots."""

from __future__ import annotations

from demo.people import ANGLES, OUTDOORS, PEOPLE, SELFIE, STUDIO
from demo.pictures import Drawing, Shot
from demo.site import Site

FIRST = ("P003", "P001", "P005", "P002")
SECOND = ("P008", "P004", "P007", "P009")


def build() -> Site:
    """The site."""
    site = Site(
        "studio",
        "Marrowfield Studio",
        "Portraits by appointment since spring.",
        hue=28,
        menu=(("/gallery", "Gallery"), ("/gallery?page=2", "More"), ("/about", "About"), ("/clients/", "Clients")),
    )
    site.disallowed = ("/clients/",)

    home = site.page("/", "Faces in good light")
    home.image("/img/hills.png", Drawing(hue=20), "Hills above Marrowfield", caption="The view from the studio.")
    home.text("A small studio with a large window. Come as you are; bring the dog.")
    home.formats("/img/welcome", Shot("P007", STUDIO, 1200), "A sitter in the studio", caption="Kofi, full length.")

    for path, title, people in (("/gallery", "Gallery", FIRST), ("/gallery?page=2", "Gallery, second wall", SECOND)):
        wall = site.page(path, title).raw('<div class="grid">')
        for person in people:
            name = PEOPLE[person].name
            small = Shot(person, SELFIE, 420)
            wall.image(f"/thumbs/{person}.jpg", small, f"Portrait of {name}", caption=name, href=f"/sitters/{person}")
        wall.raw("</div>")

    for person in FIRST + SECOND:
        name = PEOPLE[person].name
        sitter = site.page(f"/sitters/{person}", f"{name}, at home")
        sitter.social(f"/img/{person}-large.jpg", Shot(person, SELFIE, 1500, quality=90))
        sitter.sizes(f"/img/{person}", Shot(person, SELFIE), f"{name} smiling", caption=f"{name}, in the afternoon.")
        sitter.text("Taken with the window behind the camera and nothing else.")
        sitter.links(("/gallery", "Back to the gallery"))

    about = site.page("/about", "About the studio")
    about.text("We photograph people who would rather not be photographed.")
    about.image("/img/door.png", Drawing(hue=200), "The studio's door")

    # Reached through the sitemap alone.
    casting = site.page("/casting/spring", "Casting sheet, spring")
    casting.image("/img/sheet-P005.jpg", Shot("P005", ANGLES, 1800, quality=88), "Dario from all sides")
    casting.image("/img/sheet-P008.jpg", Shot("P008", ANGLES, 1800, quality=88), "Lio from all sides")
    site.in_sitemap = ["/", "/gallery", "/casting/spring"]

    clients = site.page("/clients/", "For clients", forbidden="robots")
    clients.text("Proofs, for the people in them.")
    for person in ("P003", "P005"):
        clients.image(f"/clients/proof-{person}.jpg", Shot(person, OUTDOORS, 1300), f"Proof for {PEOPLE[person].name}")
    # The page may be read; the second picture on it asks to be left alone.
    offers = site.page("/offers", "Offers")
    offers.text("Two for one in November.")
    offers.image("/img/offer.jpg", Shot("P009", OUTDOORS, 1100), "Outdoors, by arrangement")
    site.reserve(
        "/img/offer-not-for-robots.jpg", Shot("P008", STUDIO, 1000), "noindex", {"X-Robots-Tag": "noimageindex"}
    )
    offers.raw('<figure><img src="/img/offer-not-for-robots.jpg" alt="By another arrangement"></figure>')
    home.links(("/offers", "Offers"), ("/clients/", "Your proofs"))
    return site
