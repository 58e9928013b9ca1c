"""Run the server, on loopback, until it is stopped."""

from __future__ import annotations

import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import uvicorn

from countenance.access.sessions import Sessions
from countenance.app import Countenance
from countenance.domain.errors import BadInput, Refused, Unavailable
from countenance.web.application import build
from countenance.web.security import is_loopback

STOP_SECONDS = 20.0


def run(
    app: Countenance,
    host: str,
    port: int,
    open_browser: bool,
    *,
    on_ready: Callable[[str], object] | None = None,
) -> None:
    """Serve a home until SIGINT or SIGTERM. Port 0 takes a free one.

    `on_ready(link)` is told the one-time link once connections are taken; by default it is printed. SIGUSR1
    makes another link. Raises Refused beyond loopback, BadInput for a port that is none, Unavailable for a taken one.
    """
    listening = listen(host, port)
    sessions = Sessions(life_seconds=app.settings.serve.session_minutes * 60)
    web = build(app, sessions)
    address = address_of(listening)
    announce = on_ready or _print_link

    def offer_link() -> None:
        announce(f"{address}/enter#{sessions.mint_link()}")

    def ready() -> None:
        link = f"{address}/enter#{sessions.mint_link()}"
        announce(link)
        if open_browser:
            webbrowser.open(link)

    server = _Server(
        uvicorn.Config(
            web,
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            lifespan="off",
            timeout_graceful_shutdown=5,
            h11_max_incomplete_event_size=64 * 1024,
        ),
        ready,
    )
    with _signals(offer_link), suppress(KeyboardInterrupt):
        try:
            server.run(sockets=[listening])
        finally:
            listening.close()
            web.state.ingests.stop(seconds=STOP_SECONDS)


@contextmanager
def _signals(offer_link: Callable[[], None]) -> Iterator[None]:
    """SIGUSR1 makes a link. SIGTERM ends as Ctrl+C does: the server passes it on once it has stopped, and by default
    that would end the process before its runs have."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {
        signal.SIGUSR1: signal.signal(signal.SIGUSR1, lambda *_: offer_link()),
        signal.SIGTERM: signal.signal(signal.SIGTERM, signal.default_int_handler),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def listen(host: str, port: int) -> socket.socket:
    """A socket that is bound to loopback. Raises Refused, BadInput, Unavailable."""
    if not is_loopback(host):
        raise Refused(
            f"this version serves this machine only, not {host}",
            advice="use 127.0.0.1, and reach it from elsewhere through `ssh -L`; "
            "serving others needs sign-in, which does not exist yet",
        )
    if not 0 <= port <= 65535:
        raise BadInput(f"{port} is not a port", advice="use 0 for a free one, or 1 to 65535")
    name = host.strip("[]")
    family = socket.AF_INET6 if ":" in name else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # "localhost" is whatever a file says; loopback is loopback.
        listening.bind(("127.0.0.1" if name.lower() == "localhost" else name, port))
    except OSError as error:
        listening.close()
        raise Unavailable(
            f"port {port} cannot be used: {error.strerror}", advice="choose another with --port, or 0 for a free one"
        ) from None
    return listening


def address_of(listening: socket.socket) -> str:
    """The address that a browser opens, without a slash at its end."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """Tells when connections are taken."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()


def _print_link(link: str) -> None:
    """The link alone on stdout, for programs; the words on stderr."""
    print(link, flush=True)  # noqa: T201
    print("Open this link; it is good once, for 15 minutes. Stop with Ctrl+C.", file=sys.stderr, flush=True)  # noqa: T201
