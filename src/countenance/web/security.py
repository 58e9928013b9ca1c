"""What every answer carries, and which requests are turned away before anything reads them.

Plain ASGI: it wraps pages, API, static files and errors alike.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from countenance.web.problems import problem

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Content-Security-Policy. Nothing inline, nothing from elsewhere."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), display-capture=(), usb=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})


class SecureAnswers:
    """Adds the headers above to every answer, and `no-store` to all that is not a static file."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        static = scope["path"].startswith("/static/")
        secure = scope["scheme"] == "https"

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers["Cache-Control"] = "no-cache" if static else "no-store"
                if secure:
                    headers["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        await self.app(scope, receive, guarded)


class BehindProxy:
    """Takes requests from one reverse proxy alone, which must say that it was reached by TLS, and from where.

    The last address in X-Forwarded-For is the one that this proxy saw; those before it are whatever was sent to it.
    """

    def __init__(self, app: ASGIApp, proxy: str) -> None:
        self.app = app
        self.proxy = ipaddress.ip_address(proxy)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if not self._is_proxy(scope.get("client")):
            answer = problem(403, "refused", "this server is reached through its proxy alone")
            await answer(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if headers.get("x-forwarded-proto", "").strip().lower() != "https":
            answer = problem(403, "refused", "the proxy does not say that it was reached by TLS (X-Forwarded-Proto)")
            await answer(scope, receive, send)
            return
        came = [part.strip() for line in headers.getlist("x-forwarded-for") for part in line.split(",") if part.strip()]
        seen = (came[-1], 0) if came else scope["client"]
        await self.app({**scope, "scheme": "https", "client": seen}, receive, send)

    def _is_proxy(self, client: tuple[str, int] | None) -> bool:
        try:
            return client is not None and ipaddress.ip_address(client[0]) == self.proxy
        except ValueError:
            return False


class KnownHosts:
    """Turns away requests whose Host is not this server's: a page elsewhere whose name was bent to loopback."""

    def __init__(self, app: ASGIApp, names: Iterable[str] = ()) -> None:
        self.app = app
        self.names = LOOPBACK_NAMES | {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and host_name(Headers(scope=scope).get("host", "")) not in self.names:
            answer = problem(421, "wrong-host", "this server does not answer under that name")
            await answer(scope, receive, send)
            return
        await self.app(scope, receive, send)


class BodyLimit:
    """Stops reading a request's body at `largest` bytes, whatever its Content-Length says."""

    def __init__(self, app: ASGIApp, largest: int) -> None:
        self.app = app
        self.largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        said = Headers(scope=scope).get("content-length", "0")
        if said.isdecimal() and int(said) > self.largest:
            await self._refuse(scope, receive, send)
            return
        seen = 0
        started = False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                if seen > self.largest:
                    raise _TooLarge
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, counted, watched)
        except _TooLarge:
            if started:
                raise
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = problem(
            413,
            "too-large",
            "the request is larger than this server reads",
            advice="send fewer or smaller photographs",
            limit=self.largest,
            headers={"Connection": "close"},
        )
        await answer(scope, receive, send)


class _TooLarge(BaseException):
    """Passes every `except Exception` on its way out, so that no handler takes half a body for a whole one."""


def host_name(host: str) -> str:
    """The name in a Host header or an authority, lower-case, without port and brackets; "" when it is not one."""
    try:
        return (urlsplit(f"//{host}").hostname or "") if host and not set(host) & set("/?#@\\ ") else ""
    except ValueError:
        return ""


def same_origin(headers: Headers, scheme: str) -> bool:
    """Whether a browser says that one of our own pages made this request.

    Other ports are other origins, though the cookie's SameSite takes them for the same site. Sec-Fetch-Site, where it
    is sent, must say so; Origin must be this server, or be withheld beside a Sec-Fetch-Site that says so: a form on a
    page without referrers sends `null`. A request with neither is not from a page of ours.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site not in (None, "same-origin"):
        return False
    if origin in (None, "null"):
        return site == "same-origin"
    return origin == f"{scheme}://{headers.get('host', '')}"


def is_loopback(host: str) -> bool:
    """Whether a server bound to `host` is reached from this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
