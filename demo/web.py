"""The demo web as a whole: five sites on free loopback ports, one fenced port, and what must and must not be found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType

from demo.people import photographs
from demo.server import Fenced, SiteServer
from demo.site import Site
from demo.sites import blog, courier, fair, forum, studio


@dataclass(frozen=True, slots=True)
class Expected:
    """One sighting that a crawl must bring: this person in one of these pictures on this page."""

    site: str
    person: str
    page: str
    images: tuple[str, ...]


class Web:
    """Five sites and a fence. Use as a context, or call `start` and `stop`."""

    def __init__(self) -> None:
        self.fenced = Fenced()
        sites = [studio.build(), courier.build(), forum.build(), blog.build(), fair.build(str(self.fenced.port))]
        self.servers: dict[str, SiteServer] = {site.key: SiteServer(site) for site in sites}

    def __enter__(self) -> Web:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to serve. The photographs are fetched first if they are not here yet."""
        photographs()
        self.fenced.start()
        for server in self.servers.values():
            server.start()

    def stop(self) -> None:
        """Stop serving and free the ports."""
        for server in self.servers.values():
            server.stop()
        self.fenced.stop()

    def sites(self) -> Iterable[tuple[Site, str]]:
        """Each site and its address."""
        return [(server.site, server.base) for server in self.servers.values()]

    def vanish(self) -> frozenset[str]:
        """Take the vanishing pages down, and the pictures that were only there. Returns their addresses."""
        for server in self.servers.values():
            server.gone = server.site.gone_with_the_page()
        return frozenset(server.base + path for server in self.servers.values() for path in server.gone)

    def vanishing_pages(self) -> frozenset[str]:
        """The addresses of the pages that `vanish` takes down."""
        return frozenset(base + site.vanishing for site, base in self.sites() if site.vanishing)

    def expected(self, people: Iterable[str]) -> list[Expected]:
        """Every sighting of these people on pages that robots may index."""
        wanted = frozenset(people)
        return [
            Expected(site.key, person, base + page.path, tuple(base + path for path in shown.paths))
            for site, base in self.sites()
            for page in site.pages.values()
            if page.forbidden is None
            for shown in page.shown
            for person in sorted(shown.people & wanted)
        ]

    def forbidden(self) -> dict[str, str]:
        """Addresses of pages and pictures that ask not to be indexed → the wish (robots, noindex, noai, tdm)."""
        wishes: dict[str, str] = {}
        for site, base in self.sites():
            for page in site.pages.values():
                if page.forbidden:
                    wishes[base + page.path] = page.forbidden
                    wishes |= {base + path: page.forbidden for shown in page.shown for path in shown.paths}
            wishes |= {base + path: wish for path, wish in site.reserved.items()}
        return wishes

    def pages_served(self) -> int:
        """How many different pages were given out so far."""
        return sum(len(server.pages_served) for server in self.servers.values())
