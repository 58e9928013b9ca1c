"""`countenance serve`: pages and the API."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from countenance.cli import options
from countenance.cli.output import Reply


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(serve)


def serve(
    host: Annotated[str | None, typer.Option(help="Address; beyond loopback with sign-in and TLS only.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain (PEM): the server speaks TLS.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key (PEM), without a password.")] = None,
    behind_proxy: Annotated[
        str | None, typer.Option(help="Address of the reverse proxy that speaks TLS for it; no other is answered.")
    ] = None,
    public_host: Annotated[str | None, typer.Option(help="Name under which people reach it.")] = None,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open a browser.")] = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    offline: options.Offline = False,
    json: options.Json = False,
) -> None:
    """Serve the pages and the API, after erasing what is over its time.

    In a personal home it prints an address with a one-time token; opening it starts a session in that browser. In an
    organisation's home, and beyond this machine, people sign in.

    Example: countenance serve --host 0.0.0.0 --tls-cert chain.pem --tls-key key.pem --public-host faces.example.org
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="serve", offline=offline or None) as countenance:
        from countenance.services.clock import sentence, troubles
        from countenance.web.exposure import Way, check
        from countenance.web.serve import run

        s = countenance.settings.serve
        way = Way(
            host or s.host,
            tls_cert or s.tls_cert,
            tls_key or s.tls_key,
            behind_proxy or s.behind_proxy,
            public_host or s.public_host,
        )
        check(countenance, way)
        options.ensure_weights(countenance, reply)
        countenance.begin_serving(options.actor(countenance))
        for one in troubles(countenance.clock.state()):
            reply.note(f"Not done by the clock: {sentence(one)}.")
        tell = (lambda link: reply.object({"link": link})) if json else None
        run(countenance, way, s.port if port is None else port, open_browser=open_browser, on_ready=tell)
