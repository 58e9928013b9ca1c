"""People on face-search sites whose acts are known, as a proxy that sees everything writes them; and lesser views."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from countenance.domain.proxy import Session, WebRequest
from countenance.proxylog.profiles import load_shipped
from countenance.proxylog.rows import Options
from countenance.proxylog.sessions import judge
from countenance.proxylog.site import Profile

START = 1_793_610_000.0
"""2 November 2026."""
PIM, FACE, FOUR = "pimeyes.com", "facecheck.id", "search4faces.com"
PHOTO = 90_000
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"


@cache
def shipped() -> tuple[Profile, ...]:
    return load_shipped()


def profile(name: str) -> Profile:
    return next(one for one in shipped() if one.name == name)


@dataclass
class Maker:
    """Writes lines one after another."""

    user: str | None = "ada"
    address: str | None = "10.0.0.1"
    agent: str | None = BROWSER
    lines: list[WebRequest] = field(default_factory=list)

    def __call__(self, at: float, method: str | None, path: str | None, host: str = PIM, **other: Any) -> WebRequest:
        """A request that was inspected."""
        said: dict[str, Any] = {"status": 200, "outcome": "allowed", "sent": 700, "received": 9000, "query": ""}
        said |= {"referrer": "", "agent": self.agent, "user": self.user, "address": self.address, "seconds": 0.2}
        number = len(self.lines) + 1
        text = f"{at} {method} {host}{path} {self.user} {number}"
        made = WebRequest(
            file=f"{self.user}.log",
            line=number,
            at=START + at,
            host=host,
            **{"kind": "request", "method": method, "path": path, "text": text} | said | other,
        )
        self.lines.append(made)
        return made

    def tunnel(
        self, at: float, seconds: float | None, sent: int | None = None, host: str = PIM, **o: Any
    ) -> WebRequest:
        """A CONNECT."""
        o = {"kind": "tunnel", "seconds": seconds, "sent": sent, "query": None} | o
        return self(at, "CONNECT", None, host, **o)


def visit(w: Maker, at: float) -> int:
    w(at, "GET", "/en")
    w(at + 1, "GET", "/static/site.css")
    w(at + 8, "GET", "/en/blog/how")
    return 0


def search(w: Maker, at: float) -> int:
    w(at, "GET", "/en")
    w(at + 1, "GET", "/static/site.js")
    w(at + 5, "POST", "/api/upload/file", sent=PHOTO)
    w(at + 9, "POST", "/api/search/new")
    w(at + 12, "GET", f"/en/results/{int(at)}a_bb", query="query=1")
    w(at + 13, "POST", "/get_results", "jsc07.pimeyes.com")
    return 1


def search_newer_and_twice(w: Maker, at: float) -> int:
    for again in (at, at + 25):
        w(again, "POST", "/api/face", sent=PHOTO)
        w(again + 3, "POST", "/api/search/new", status=201)
    return 2


def refused(w: Maker, at: float) -> int:
    w(at, "POST", "/api/upload/file", sent=PHOTO)
    w(at + 4, "POST", "/api/search/new", status=402)
    w(at + 6, "POST", "/api/search/new", status=500)
    return 0


def redirected(w: Maker, at: float) -> int:
    w(at, "POST", "/api/upload/file", sent=PHOTO)
    w(at + 4, "POST", "/api/search/new", status=307)
    w(at + 5, "POST", "/api/search/new")
    return 1


def upload(w: Maker, at: float) -> int:
    w(at, "GET", "/en")
    w(at + 4, "POST", "/api/upload/file", sent=PHOTO)
    return 0


def opt_out(w: Maker, at: float) -> int:
    page = "https://pimeyes.com/en/opt-out-request-form"
    w(at, "GET", "/en/opt-out-request-form")
    w(at + 30, "POST", "/api/upload/file", sent=PHOTO, referrer=page)
    w(at + 40, "POST", "/en/opt-out-request-form", referrer=page)
    return 0


def blocked(w: Maker, at: float) -> int:
    w(at, "GET", "/en", status=403, outcome="denied")
    w(at + 2, "POST", "/api/search/new", status=403, outcome="denied")
    return 0


def signed_in(w: Maker, at: float) -> int:
    w(at, "POST", "/api/search/new", status=407, outcome="denied", user=None)
    w(at, "POST", "/api/search/new", sent=PHOTO)
    return 1


def preflight(w: Maker, at: float) -> int:
    w(at, "OPTIONS", "/api/search/new", status=204)
    w(at + 1, "HEAD", "/en/results/aa_bb")
    return 0


def polled(w: Maker, at: float) -> int:
    w(at, "GET", "/", FACE)
    w(at + 3, "POST", "/api/upload_pic", FACE, sent=PHOTO)
    for step in range(6):
        w(at + 5 + 2 * step, "POST", "/api/search", FACE)
    return 1


def polled_removal(w: Maker, at: float) -> int:
    w(at, "GET", "/Face-Search/RemoveMyPhotos", FACE)
    w(at + 9, "POST", "/Face-Search/RemoveMyPhotos", FACE, sent=PHOTO)
    return 0


def calls(w: Maker, at: float) -> int:
    w(at, "POST", "/api/json-rpc/v1", FOUR, sent=PHOTO)
    w(at + 3, "POST", "/api/json-rpc/v1", FOUR, sent=900)
    return 1


def embedded(w: Maker, at: float) -> int:
    w(at, "GET", "/assets/logo.png", referrer="https://press.example/story")
    return 0


def reopened(w: Maker, at: float) -> int:
    """An old search, opened again: its first question is answered."""
    w(at, "POST", "/api/search", FACE)
    return 0


def shared_link(w: Maker, at: float) -> int:
    w(at, "GET", "/en/results/zz_zz")
    w(at + 1, "GET", "/static/site.css")
    w(at + 2, "POST", "/get_results", "jsc12.pimeyes.com")
    return 0


def two_tabs(w: Maker, at: float) -> int:
    for delay in (0, 16):
        w(at + delay, "POST", "/api/upload_pic", FACE, sent=PHOTO)
    for step in range(4):
        w(at + 20 + 4 * step, "POST", "/api/search", FACE)
        w(at + 36 + 4 * step, "POST", "/api/search", FACE)
    return 2


def two_photographs_of_one_person(w: Maker, at: float) -> int:
    for delay in (0, 1, 4, 6, 8):
        path = "/api/upload_pic" if delay < 2 else "/api/search"
        w(at + delay, "POST", path, FACE, sent=PHOTO if delay < 2 else 700)
    return 1


def never_answered(w: Maker, at: float) -> int:
    """The site got it; the person did not wait."""
    w(at, "POST", "/api/upload/file", sent=PHOTO)
    w(at + 3, "POST", "/api/search/new", status=None, outcome="failed")
    return 1


def on_an_unknown_path(w: Maker, at: float) -> int:
    w(at, "POST", "/api/v9/find", sent=PHOTO)
    return 1


EXACT = (
    visit,
    search,
    search_newer_and_twice,
    refused,
    redirected,
    upload,
    opt_out,
    blocked,
    signed_in,
    preflight,
    polled,
    polled_removal,
)
"""Acts whose searches a proxy that sees everything tells exactly."""


LOOSE = (
    *EXACT,
    calls,
    embedded,
    reopened,
    shared_link,
    two_tabs,
    two_photographs_of_one_person,
    never_answered,
    on_an_unknown_path,
)


def judged(requests: Iterable[WebRequest], **options: Any) -> tuple[Session, ...]:
    return judge(requests, shipped(), Options(**options))


def one(requests: Iterable[WebRequest], **options: Any) -> Session:
    """The only session."""
    (session,) = judged(requests, **options)
    return session


def total(sessions: Iterable[Session]) -> tuple[int, int]:
    found = list(sessions)
    return sum(s.searches.at_least for s in found), sum(s.searches.at_most for s in found)


def tunnelled(requests: Sequence[WebRequest], keep_alive: float, *, sent: bool, seconds: bool) -> list[WebRequest]:
    """The same acts behind TLS: requests to a host that follow one another within `keep_alive` share a connection."""
    by_host: dict[tuple[str | None, str], list[WebRequest]] = defaultdict(list)
    for request in sorted(requests, key=lambda r: r.at):
        if request.outcome != "denied":
            by_host[request.address, request.host].append(request)
    made: list[WebRequest] = []
    for inside in by_host.values():
        start = 0
        for at in range(1, len(inside) + 1):
            if at < len(inside) and inside[at].at - inside[at - 1].at <= keep_alive:
                continue
            part = inside[start:at]
            start = at
            length = part[-1].at + (part[-1].seconds or 0) - part[0].at
            made.append(
                replace(
                    part[0],
                    kind="tunnel",
                    method="CONNECT",
                    path=None,
                    query=None,
                    status=200,
                    seconds=length if seconds else None,
                    sent=sum(r.sent or 0 for r in part) + 800 if sent else None,
                    user=part[-1].user,
                    text=f"CONNECT {part[0].text}",
                    connection=f"C{part[0].text}",
                )
            )
    return made
