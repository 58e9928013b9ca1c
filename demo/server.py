"""Serves one site on a free loopback port, in threads, and remembers what was asked for."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections import Counter
from contextlib import suppress
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from demo.pictures import Picture, render
from demo.site import BLANK, Reply, Site

PIXEL = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
"""One transparent pixel."""


@lru_cache(maxsize=256)
def _rendered(picture: Picture) -> tuple[str, bytes]:
    return render(picture)


def answer(site: Site, path: str, base: str, gone: frozenset[str] = frozenset()) -> Reply:
    """What the site answers for a path (with its query); `gone` are the paths that have vanished."""
    if path in gone:
        return Reply(b"<!doctype html><title>Gone</title><p>This page is gone.", status=410)
    if path == "/robots.txt":
        return Reply(site.robots(base).encode(), "text/plain; charset=utf-8")
    if path == "/sitemap.xml" and site.in_sitemap:
        return Reply(site.sitemap(base).encode(), "application/xml")
    if path == "/style.css":
        return Reply(site.style().encode(), "text/css; charset=utf-8")
    if path == BLANK:
        return Reply(PIXEL, "image/gif")
    if page := site.pages.get(path):
        return Reply(page.render(base).encode(), headers=dict(page.headers))
    if path in site.files:
        return site.files[path]
    for prefix, trap in site.traps.items():
        if path == prefix or (prefix.endswith("/") and path.startswith(prefix)):
            return trap(path, site)
    if path in site.pictures:
        kind, body = _rendered(site.pictures[path])
        return Reply(body, kind, headers=dict(site.picture_headers.get(path, {})))
    return Reply(b"<!doctype html><title>Not here</title><p>There is no such page.", status=404)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: SiteServer

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        reply = answer(self.server.site, self.path, self.server.base, self.server.gone)
        self.server.note(self.path, reply)
        try:
            self._send(reply, with_body=with_body)
        except (BrokenPipeError, ConnectionResetError):
            # A careful client hangs up on a file without end.
            self.close_connection = True

    def _send(self, reply: Reply, *, with_body: bool) -> None:
        body = reply.body
        status = reply.status
        if isinstance(body, bytes):
            tag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
            if status == 200 and self.headers.get("If-None-Match") == tag:
                status, body = 304, b""
        self.send_response(status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if isinstance(body, bytes):
            if status == 200:
                self.send_header("ETag", tag)
            if status != 304:
                self.send_header("Content-Type", reply.type)
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if with_body and body:
                self.wfile.write(body)
            return
        self.send_header("Content-Type", reply.type)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        if with_body:
            for block in body:
                self.wfile.write(block)
                self.server.streamed += len(block)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the counts say enough."""


class SiteServer(ThreadingHTTPServer):
    """One site on 127.0.0.1. `asked` counts the paths, `streamed` the bytes of endless files that were taken."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, site: Site, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.site = site
        self.gone: frozenset[str] = frozenset()
        self.asked: Counter[str] = Counter()
        self.pages_served: set[str] = set()
        self.streamed = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def place(self) -> str:
        """HOST:PORT, as `--allow-private` wants it."""
        return f"127.0.0.1:{self.server_address[1]}"

    @property
    def base(self) -> str:
        """The address, without a slash at the end."""
        return f"http://{self.place}"

    def note(self, path: str, reply: Reply) -> None:
        """Remember a request."""
        with self._lock:
            self.asked[path] += 1
            if reply.status == 200 and reply.type.startswith("text/html"):
                self.pages_served.add(path)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port."""
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up in the middle is no news here."""


class Fenced:
    """A port that nobody may reach. Counts connections (there must be none) on IPv4 and, where there is one, IPv6."""

    def __init__(self) -> None:
        self.connections = 0
        first = socket.create_server(("127.0.0.1", 0))
        self.port = int(first.getsockname()[1])
        self._sockets = [first]
        with suppress(OSError):  # there may be no IPv6 on this machine
            self._sockets.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._watch, args=(s,), daemon=True) for s in self._sockets]

    def _watch(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
            connection.close()

    def start(self) -> None:
        """Begin to watch."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop watching and free the port."""
        for listening in self._sockets:
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
