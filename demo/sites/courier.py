"""The Quillhaven Courier: a newspaper with social pictures, captions, a vanishing article and pages that say no."""

from __future__ import annotations

from demo.people import OUTDOORS, SELFIE, STUDIO
from demo.pictures import Drawing, Shot
from demo.site import Site


def build() -> Site:
    """The site."""
    site = Site(
        "courier",
        "The Quillhaven Courier",
        "Printed on Thursdays.",
        hue=212,
        menu=(
            ("/news/ferry", "Ferry"),
            ("/news/orchard", "Orchard"),
            ("/news/chess", "Chess"),
            ("/archive", "Archive"),
        ),
    )

    home = site.page("/", "This week in Quillhaven")
    home.image("/media/harbour.png", Drawing(hue=150), "The harbour at noon", caption="The harbour at noon.")
    home.links(
        ("/news/ferry", "The ferry is late again, and nobody minds"),
        ("/news/orchard", "An orchard on the roof"),
        ("/news/chess", "Chess in the park: the last four"),
        ("/news/bakery", "Bakery closes for a wedding"),
        ("/archive", "From the archive"),
        ("/members/interview", "For members: an interview"),
    )

    ferry = site.page("/news/ferry", "The ferry is late again, and nobody minds")
    ferry.social("/media/ferry-social.jpg", Shot("P005", OUTDOORS, 1400, quality=82))
    ferry.text("The four o'clock came at five. By then a choir had formed on the quay.")
    ferry.image(
        "/media/ferry.jpg",
        Shot("P005", OUTDOORS, 1100, quality=78),
        "A man with a beard in a garden",
        caption="Waiting, in his own garden: Dario. Photograph: the Courier.",
    )
    ferry.image("/media/quay.png", Drawing(hue=190), "The quay")

    orchard = site.page("/news/orchard", "An orchard on the roof")
    orchard.sizes(
        "/media/orchard",
        Shot("P003", OUTDOORS, quality=80),
        "A woman in a park",
        widths=(900, 1400),
        caption="Tessa planted the first tree.",
    )
    orchard.text("Twelve pear trees, two hives and one ladder.")

    chess = site.page("/news/chess", "Chess in the park: the last four")
    # As a telephone stores it: lying on its side, with a note that says so.
    chess.image("/media/chess-1.jpg", Shot("P008", OUTDOORS, 1300, turned=True), "A player", caption="Lio, unbeaten.")
    chess.image("/media/chess-2.jpg", Shot("P002", OUTDOORS, 1300), "Another player", caption="Maren, also unbeaten.")
    chess.image("/media/chess-3.jpg", Shot("P010", OUTDOORS, 1300, cmyk=True), "A third", caption="Sefa, thinking.")
    chess.text("The final is on Sunday, weather and pigeons permitting.")

    bakery = site.page("/news/bakery", "Bakery closes for a wedding")
    bakery.image(
        "/media/bakery.jpg", Shot("P003", STUDIO, 1300, quality=88), "The baker", caption="Back on Monday: Tessa."
    )
    bakery.text("There will be no rolls on Saturday. There will be cake.")
    site.vanishing = "/news/bakery"

    # Each of these pages asks in its own way not to be indexed.
    archive = site.page("/archive", "From the archive", forbidden="noindex")
    archive.meta("robots", "noindex, nofollow")
    archive.image("/media/archive-P003.jpg", Shot("P003", SELFIE, 1100), "A reader, years ago")
    archive.image("/media/archive-P008.jpg", Shot("P008", SELFIE, 1100), "Another reader")

    members = site.page("/members/interview", "An interview", forbidden="noindex", headers={"X-Robots-Tag": "noindex"})
    members.image("/media/interview-P005.jpg", Shot("P005", SELFIE, 1200), "The guest")
    return site
