"""`countenance ingest`: read a registered source."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from countenance.cli import options
from countenance.cli.output import Reply


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(ingest)


def ingest(
    name: Annotated[str, typer.Argument(help="The source's name.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would do; write nothing.")] = False,
    home: options.Home = None,
    key_dir: options.KeyDir = None,
    offline: options.Offline = False,
    json: options.Json = False,
) -> None:
    """Read a source: find every face and index it. Stop it at any moment and run it again.

    Example: countenance ingest family
    """
    run(name, home, key_dir, offline=offline, json=json, dry_run=dry_run)


def run(name: str, home: Path | None, key_dir: Path | None, *, offline: bool, json: bool, dry_run: bool) -> None:
    """One run with its progress bar and its table."""
    reply = Reply(json)
    with options.opened(home, key_dir, act="ingest", offline=offline or None) as countenance:
        countenance.source(name)
        if not dry_run:
            options.ensure_weights(countenance, reply)
        with reply.progress(f"{'would read' if dry_run else 'reading'} {name}") as show:
            report = countenance.ingest(name, options.actor(countenance), on_progress=show, dry_run=dry_run)
    body = report.as_json()
    if reply.object(body):
        return
    skipped = body.pop("skipped")
    reply.facts(f"{'Would be read' if dry_run else 'Read'}: {name}", body)
    if skipped:
        reply.table("Skipped", ("reason", "how many"), list(skipped.items()))
        reply.say(f"What was skipped, and why: countenance source show {name} --skipped")
