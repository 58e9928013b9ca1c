"""Registered sources to read from, without a home."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from countenance.domain.sources import Finding, Found, PageSeen, Skipped, Source
from countenance.sources.limits import CrawlSettings
from countenance.sources.opening import open_reader


def make_source(kind: str, location: object, **changes: Any) -> Source:
    now = datetime.now(UTC)
    values: dict[str, Any] = {
        "id": 1,
        "name": "test",
        "kind": kind,
        "location": str(location),
        "owner": "Tests",
        "basis": "own",
        "basis_document": None,
        "purpose": None,
        "note": None,
        "retain_days": 90,
        "registered_at": now,
        "expires_at": now + timedelta(days=90),
        "collection": "test",
    }
    return Source(**(values | changes))


@pytest.fixture
def source() -> Callable[..., Source]:
    return make_source


class Site:
    """A real web server on loopback. `pages` maps a path to what it answers; `asked` keeps what it was asked."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.pages: dict[str, Answer | Callable[[Any], Answer | None]] = {}
        self.asked: list[str] = []
        self.times: list[float] = []
        self.agents: set[str] = set()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or each answer waits 40 ms for an acknowledgement

            def do_GET(self) -> None:
                site.asked.append(self.path)
                site.times.append(time.monotonic())
                site.agents.add(self.headers.get("User-Agent", ""))
                answer = site.pages.get(self.path) or site.pages.get(self.path.partition("?")[0])
                if callable(answer):
                    answer = answer(self)
                    if answer is None:
                        self.close_connection = True
                        return
                if answer is None:
                    answer = Answer(b"no such page", status=404)
                self.send_response(answer.status)
                for name, value in {"Content-Type": answer.kind, "Content-Length": str(len(answer.body))}.items():
                    if name not in answer.headers:
                        self.send_header(name, value)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *args: object) -> None:
                """Quiet."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *args: object) -> None:
                """A client that hangs up is part of the tests."""

        self.server = Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port: int = self.server.server_address[1]
        self.netloc = f"127.0.0.1:{self.port}"
        self.url = f"{'http' if tls is None else 'https'}://{self.netloc}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def html(self, path: str, body: str, status: int = 200, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages[path] = Answer(f"<html>{body}</html>".encode(), status=status, headers=named)

    def picture(self, *paths: str, **headers: str) -> None:
        for path in paths:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            self.pages[path] = Answer(b"\xff\xd8 " + path.encode(), kind="image/jpeg", headers=named)

    def redirect(self, path: str, to: str, status: int = 302) -> None:
        self.pages[path] = Answer(b"", status=status, headers={"Location": to})

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@dataclass
class Answer:
    body: bytes
    status: int = 200
    kind: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def new_site() -> Iterator[Callable[..., Site]]:
    sites: list[Site] = []

    def make(tls: ssl.SSLContext | None = None) -> Site:
        sites.append(Site(tls))
        return sites[-1]

    yield make
    for site in sites:
        site.close()


@pytest.fixture
def site(new_site: Callable[..., Site]) -> Site:
    return new_site()


FAST = CrawlSettings(rate=10_000, timeout=10)


class Crawl:
    """What a crawl of the sites found, in convenient shapes."""

    def __init__(self, findings: list[Finding], base: str) -> None:
        self.findings = findings
        self._base = base
        self.found = [f for f in findings if isinstance(f, Found)]
        self.images = sorted({self.short(f.address) for f in self.found})
        self.sightings = sorted((self.short(f.page), self.short(f.address)) for f in self.found)
        self.skipped = {self.short(f.address): f.reason for f in findings if isinstance(f, Skipped)}
        self.hidden = {self.short(f.address) for f in findings if isinstance(f, Skipped) and f.hides}
        self.whole = {self.short(f.page): f.status for f in findings if isinstance(f, PageSeen)}

    def short(self, address: str) -> str:
        return address.removeprefix(self._base)

    def one(self, image: str) -> Found:
        (found,) = [f for f in self.found if self.short(f.address) == image]
        return found


@pytest.fixture
def crawl(tmp_path: Path, source: Callable[..., Source]) -> Callable[..., Crawl]:
    """Crawl websites; each site's own port is registered and allowed, unless said otherwise."""

    def run(
        *starts: str | Site,
        kind: str = "website",
        allow: tuple[str, ...] | None = None,
        known: tuple[str, ...] = (),
        **limits: Any,
    ) -> Crawl:
        addresses = [start.url + "/" if isinstance(start, Site) else start for start in starts]
        if allow is None:
            allow = tuple(urlsplit(address).netloc for address in addresses)
        registered = source(kind, " ".join(addresses), allow_private=allow)
        reader = open_reader(registered, spool=tmp_path / "spool", crawl=replace(FAST, **limits), known_pages=known)
        base = addresses[0].removesuffix(urlsplit(addresses[0]).path) if kind == "website" else ""
        result = Crawl(list(reader.read()), base)
        assert reader.complete == (not result.hidden)
        return result

    return run
