"""Hobnail: a walkers' forum, with small avatars that scripts load late, and posts with pictures."""

from __future__ import annotations

from demo.people import MOODS, OUTDOORS, PEOPLE, SELFIE, STUDIO
from demo.pictures import Drawing, Shot
from demo.site import Page, Site


def _post(page: Page, person: str, words: str) -> None:
    avatar = Shot(person, SELFIE, face_crop=1.9, longest=144, quality=72)
    page.raw('<article class="post">')
    page.lazy(f"/avatars/{person}.jpg", avatar, f"{PEOPLE[person].name}'s avatar", css="avatar lazy")
    page.raw("<div>").raw(f"<strong>{PEOPLE[person].name.lower()}</strong>").text(words).raw("</div></article>")


def build() -> Site:
    """The site."""
    site = Site(
        "forum",
        "Hobnail, the walkers' forum",
        "Be kind; bring plasters.",
        hue=130,
        menu=(("/t/boots", "Boots"), ("/t/weather", "Weather"), ("/t/hello", "Say hello")),
    )
    home = site.page("/", "Latest threads")
    home.image("/img/ridge.png", Drawing(hue=90), "A ridge")
    home.links(
        ("/t/boots", "Which boots for wet limestone?"),
        ("/t/weather", "Is it always like this?"),
        ("/t/hello", "Introduce yourself"),
        ("/t/moods", "A face for every kind of weather"),
        ("/t/private-thoughts", "Not for machines"),
    )

    boots = site.page("/t/boots", "Which boots for wet limestone?")
    _post(boots, "P005", "None. Go round.")
    _post(boots, "P006", "The ones that you would be sorry to lose.")
    _post(boots, "P003", "I walk it in sandals, but I know where to fall.")

    weather = site.page("/t/weather", "Is it always like this?")
    _post(weather, "P008", "No. Some days it rains.")
    _post(weather, "P001", "I have a photograph of the sun somewhere.")

    hello = site.page("/t/hello", "Introduce yourself")
    _post(hello, "P008", "New here. This is me, on a dry day.")
    hello.lazy("/uploads/lio-dry-day.jpg", Shot("P008", STUDIO, 1100, quality=70), "lio standing", caption="lio.jpg")
    _post(hello, "P010", "Hello from the flat part of the country.")
    hello.lazy("/uploads/sefa.jpg", Shot("P010", OUTDOORS, 1000, quality=70), "sefa in a park", caption="sefa.jpg")

    moods = site.page("/t/moods", "A face for every kind of weather")
    moods.image("/uploads/moods-P005.webp", Shot("P005", MOODS, 1600, format="webp"), "Sixteen faces, one beard")

    # Machines are asked not to learn from this page.
    thoughts = site.page("/t/private-thoughts", "Not for machines", forbidden="noai")
    thoughts.meta("robots", "noai, noimageai")
    thoughts.image("/uploads/thoughts-P003.jpg", Shot("P003", SELFIE, 1000), "tessa, thinking")
    return site
