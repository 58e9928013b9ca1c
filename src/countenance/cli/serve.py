"""`countenance serve`: pages and the API."""

from __future__ import annotations

from typing import Annotated

import typer

from countenance.cli import options
from countenance.cli.output import Reply


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(serve)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; loopback only.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = None,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open a browser.")] = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    offline: options.Offline = False,
    json: options.Json = False,
) -> None:
    """Serve the pages and the API on this machine, after erasing what is over its time.

    Prints an address with a one-time token; opening it starts a session in that browser.

    Example: countenance serve --port 8765
    """
    reply = Reply(json)
    with options.opened(home, key_dir, act="serve", offline=offline or None) as countenance:
        from countenance.web.serve import run

        options.ensure_weights(countenance, reply)
        countenance.run_retention(options.actor(countenance))
        s = countenance.settings.serve
        tell = (lambda link: reply.object({"link": link})) if json else None
        run(countenance, host or s.host, s.port if port is None else port, open_browser=open_browser, on_ready=tell)
