"""Run the server until it is stopped."""

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
from countenance.services.clock import HOUR, MINUTE
from countenance.web.application import build
from countenance.web.exposure import Way, check
from countenance.web.security import is_loopback

STOP_SECONDS = 20.0


def run(
    app: Countenance,
    way: Way,
    port: int,
    open_browser: bool,
    *,
    on_ready: Callable[[str], object] | None = None,
) -> None:
    """Serve a home until SIGINT or SIGTERM. Port 0 takes a free one.

    `on_ready(link)` is told once connections are taken where to go: the one-time link, or where people have to sign in
    the page for it; by default it is printed. SIGUSR1 says it again, with another link. Raises Refused for a way on
    which somebody could listen or nobody could sign in, BadInput for a port that is none, Unavailable for a taken one.
    """
    check(app, way)
    listening = listen(way.host, port, beyond=way.tls or way.proxy is not None)
    sessions = Sessions(life_seconds=app.settings.serve.session_minutes * 60)
    links = way.links(app)
    web = build(app, sessions, hosts=[way.public_host] if way.public_host else [], links=links, proxy=way.proxy)
    address = address_of(listening, way)
    announce = on_ready or (_print_link if links else _print_address)

    def link_now() -> str:
        return f"{address}/enter#{sessions.mint_link()}" if links else f"{address}/sign-in"

    def offer_link() -> None:
        announce(link_now())

    def ready() -> None:
        link = link_now()
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
            # What a proxy says is read by `security.BehindProxy`, from that proxy alone.
            proxy_headers=False,
            ssl_certfile=way.tls_cert,
            ssl_keyfile=way.tls_key,
        ),
        ready,
    )
    with _keeping_time(app), _signals(offer_link), suppress(KeyboardInterrupt):
        try:
            server.run(sockets=[listening])
        finally:
            listening.close()
            web.state.ingests.stop(seconds=STOP_SECONDS)


@contextmanager
def _keeping_time(app: Countenance, seconds: float = MINUTE, every: float = HOUR) -> Iterator[None]:
    """What is due by the clock is done while the server runs; see `services.clock`."""
    over = threading.Event()
    clock = app.clock if (seconds, every) == (MINUTE, HOUR) else app.clock.hurried(seconds, every)

    def keep() -> None:
        while True:
            clock.tick()
            if over.wait(seconds):
                return

    thread = threading.Thread(target=keep, daemon=True, name="clock")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(STOP_SECONDS)


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


def listen(host: str, port: int, *, beyond: bool = False) -> socket.socket:
    """A bound socket: on loopback, or elsewhere when `beyond` says that it may.

    Raises Refused, BadInput, Unavailable.
    """
    if not is_loopback(host) and not beyond:
        raise Refused(
            f"without TLS this serves this machine only, not {host}",
            advice="use 127.0.0.1, and reach it from elsewhere through `ssh -L`; or see --tls-cert and --behind-proxy",
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
    except UnicodeError:
        listening.close()
        raise BadInput(f"{host} is no address", advice="for instance 0.0.0.0") from None
    return listening


def address_of(listening: socket.socket, way: Way | None = None) -> str:
    """The address that a browser opens, without a slash at its end."""
    host, port = listening.getsockname()[:2]
    if way is not None and way.proxy is not None:
        return f"https://{way.public_host}"
    name = (way.public_host if way is not None and way.tls else None) or (f"[{host}]" if ":" in host else host)
    return f"{'https' if way is not None and way.tls else 'http'}://{name}:{port}"


class _Server(uvicorn.Server):
    """Tells when connections are taken."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()


def _print_address(address: str) -> None:
    print(address, flush=True)  # noqa: T201
    print("People sign in there. Stop with Ctrl+C.", file=sys.stderr, flush=True)  # noqa: T201


def _print_link(link: str) -> None:
    """The link alone on stdout, for programs; the words on stderr."""
    print(link, flush=True)  # noqa: T201
    print("Open this link; it is good once, for 15 minutes. Stop with Ctrl+C.", file=sys.stderr, flush=True)  # noqa: T201
