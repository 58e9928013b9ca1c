"""A browser at work: a clock, and the requests that it sends while somebody does one thing on one site."""

from __future__ import annotations

import math
import random
from typing import Literal

from tools.proxysim.traffic import Act, Class, Exchange, Fate, Person, ToldBy

PRESS = (
    "https://news.example.org/2026/face-search-explained",
    "https://www.example.net/opinion/who-searched-for-you",
    "https://daily.example.com/tech/watchdog-asked-to-look",
)
SEARCH_ENGINE = "https://search.example.com/"
ASSETS = (
    ("css/app.{}.css", "text/css"),
    ("js/app.{}.js", "application/javascript"),
    ("js/vendor.{}.js", "application/javascript"),
    ("img/hero.{}.webp", "image/webp"),
    ("img/logo.{}.svg", "image/svg+xml"),
    ("fonts/inter.{}.woff2", "font/woff2"),
    ("js/chunk.{}.js", "application/javascript"),
    ("img/step.{}.webp", "image/webp"),
)
PHOTO = (11.9, 0.9)
"""Mean and deviation of the logarithm of a photograph's bytes: half of them have between 80 and 270 kB."""


class Browser:
    """Plays one act. Every method adds exchanges and moves the clock on."""

    def __init__(self, rng: random.Random, number: int, person: Person, start: float) -> None:
        self.rng = rng
        self.number = number
        self.person = person
        self.clock = start
        self.exchanges: list[Exchange] = []
        self.cookies = rng.randrange(120, 700)
        self.agent = person.agent
        self.quic = False

    def wait(self, low: float, high: float) -> None:
        """Read, think, choose a file: seconds between two requests."""
        self.clock += self.rng.uniform(low, high)

    def token(self, length: int = 10) -> str:
        """Something that looks like a hash in an address."""
        return f"{self.rng.getrandbits(4 * length):0{length}x}"

    def photo(self) -> int:
        """The size of a photograph that somebody has at hand, in bytes: from 25 kB to 8 MB."""
        return round(min(max(math.exp(self.rng.gauss(*PHOTO)), 25_000), 8_000_000))

    def send(
        self,
        method: str,
        host: str,
        path: str,
        *,
        query: str = "",
        status: int = 200,
        body: int = 0,
        answer: int | None = None,
        referrer: str = "",
        mime: str = "application/json",
        fate: Fate = "answered",
        file_name: str = "",
        plain: bool = False,
        seconds: float | None = None,
    ) -> Exchange:
        """One exchange. `body` is what is uploaded and `answer` what comes back, both in bytes without headers."""
        took = self.rng.uniform(0.03, 0.4) + body / 2_000_000 if seconds is None else seconds
        back = self.rng.randrange(200, 3_000) if answer is None else answer
        if fate in ("aborted", "unanswered"):
            status, back = 0, 0
        one = Exchange(
            at=round(self.clock, 3),
            seconds=round(took, 3),
            person=self.person,
            act=self.number,
            host=host,
            method=method,
            path=path,
            query=query,
            status=status,
            sent=self.rng.randrange(380, 520) + len(path) + len(query) + self.cookies + body,
            received=back + self.rng.randrange(250, 600) if status else 0,
            referrer=referrer,
            agent=self.agent,
            mime=mime if status else "",
            fate=fate,
            body=body,
            file_name=file_name,
            plain=plain,
            quic=self.quic,
        )
        self.exchanges.append(one)
        self.clock += took
        return one

    def page(
        self,
        host: str,
        path: str,
        *,
        referrer: str = "",
        assets: int | None = None,
        query: str = "",
        kept: str = "static",
    ) -> None:
        """A page and what belongs to it (styles, scripts, pictures), some of them from the browser's own store."""
        self.send(
            "GET",
            host,
            path,
            query=query,
            referrer=referrer,
            mime="text/html",
            answer=self.rng.randrange(9_000, 60_000),
        )
        address = f"https://{host}{path}"
        for place in range(self.rng.randrange(3, 14) if assets is None else assets):
            name, mime = ASSETS[place % len(ASSETS)]
            fresh = self.rng.random() < 0.8
            self.send(
                "GET",
                host,
                f"/{kept}/{name.format(self.token(8))}",
                status=200 if fresh else 304,
                answer=self.rng.randrange(2_000, 180_000) if fresh else 0,
                referrer=address,
                mime=mime,
                seconds=self.rng.uniform(0.01, 0.2),
            )

    def done(
        self,
        kind: str,
        site: str,
        truth: Class,
        *,
        category: Literal["face", "reverse-image", "look-alike", "none"] = "face",
        searches: int = 0,
        attempted: int = 0,
        told_by: ToldBy = "url",
    ) -> Act:
        """The act, with what it truly was."""
        return Act(
            self.number, kind, self.person, site, category, truth, searches, attempted, told_by, tuple(self.exchanges)
        )
